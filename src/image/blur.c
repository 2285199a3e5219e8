#include "gradus/blur.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "gradus/memory.h"

enum { PASSES = 3 };

/* The part of a box that lies in an image. */
typedef struct {
  int x, y, width, height;
} part;

static int clamp(double value, int most)
{
  return value < 0 ? 0 : value > most ? most : (int)value;
}

static part part_of(const gd_image *image, const float box[4])
{
  const int x0 = clamp(floor(box[0]), image->width_px);
  const int y0 = clamp(floor(box[1]), image->height_px);
  const int x1 = clamp(ceil(box[2]), image->width_px);
  const int y1 = clamp(ceil(box[3]), image->height_px);
  return (part){x0, y0, x1 - x0, y1 - y0};
}

/* Replace n values, `step` bytes apart, by the means of their neighbours up to
 * `reach` away; values beyond an end count as the last one. */
static void filter_line(uint8_t *values, int n, int64_t step, int reach,
                        uint8_t *line)
{
  const int window = 2 * reach + 1;
  int sum = 0;
  for (int i = 0; i < n; i++)
    line[i] = values[i * step];
  for (int i = -reach; i <= reach; i++)
    sum += line[i < 0 ? 0 : i >= n ? n - 1 : i];
  for (int i = 0; i < n; i++) {
    values[i * step] = (uint8_t)((sum + reach) / window);
    const int out = i - reach, in = i + reach + 1;
    sum += line[in >= n ? n - 1 : in] - line[out < 0 ? 0 : out];
  }
}

gd_status gd_image_blur(gd_image *image, const float box[4])
{
  assert(image != NULL && image->rgb != NULL && box != NULL);

  const part p = part_of(image, box);
  if (p.width < 1 || p.height < 1)
    return GD_OK;
  const int side = p.width < p.height ? p.width : p.height;
  const int reach = side / 6 + 1;
  uint8_t *line = gd_alloc(p.width > p.height ? p.width : p.height, 1);
  if (line == NULL)
    return GD_ERR_NOMEM;
  const int64_t row = 3 * (int64_t)image->width_px;
  uint8_t *first = image->rgb + p.y * row + 3 * p.x;
  for (int pass = 0; pass < PASSES; pass++)
    for (int c = 0; c < 3; c++) {
      for (int y = 0; y < p.height; y++)
        filter_line(first + y * row + c, p.width, 3, reach, line);
      for (int x = 0; x < p.width; x++)
        filter_line(first + 3 * x + c, p.height, row, reach, line);
    }
  free(line);
  return GD_OK;
}
