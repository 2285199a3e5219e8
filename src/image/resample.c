#include "gradus/resample.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Where output i of n begins in m inputs; output i ends where the formula
 * rounds up instead. */
static int area_first(int i, int n, int m)
{
  return (int)((int64_t)i * m / n);
}

static int area_end(int i, int n, int m)
{
  return (int)(((int64_t)(i + 1) * m + n - 1) / n);
}

static void add_rows(const uint8_t *rgb, size_t pitch_bytes, int n_rows,
                     int n_values, uint32_t *sums)
{
  for (int i = 0; i < n_values; i++)
    sums[i] = rgb[i];
  for (int y = 1; y < n_rows; y++) {
    const uint8_t *row = rgb + (size_t)y * pitch_bytes;
    for (int i = 0; i < n_values; i++)
      sums[i] += row[i];
  }
}

void gd_area_resize(const gd_image *image, gd_window window, int width_px,
                    int height_px, float offset, float factor, uint32_t *sums,
                    float *out)
{
  assert(image != NULL && sums != NULL && out != NULL);
  assert(0 <= window.x0 && window.x0 < window.x1 &&
         window.x1 <= image->width_px);
  assert(0 <= window.y0 && window.y0 < window.y1 &&
         window.y1 <= image->height_px);

  const int columns = window.x1 - window.x0, rows = window.y1 - window.y0;
  const size_t pitch_bytes = 3 * (size_t)image->width_px;
  const uint8_t *corner =
      image->rgb + (size_t)window.y0 * pitch_bytes + 3 * (size_t)window.x0;

  for (int y = 0; y < height_px; y++) {
    const int y0 = area_first(y, height_px, rows);
    const int y1 = area_end(y, height_px, rows);
    add_rows(corner + (size_t)y0 * pitch_bytes, pitch_bytes, y1 - y0,
             3 * columns, sums);
    for (int x = 0; x < width_px; x++) {
      const int x0 = area_first(x, width_px, columns);
      const int x1 = area_end(x, width_px, columns);
      uint32_t sum[3] = {0};
      for (int i = x0; i < x1; i++)
        for (int c = 0; c < 3; c++)
          sum[c] += sums[3 * i + c];
      for (int c = 0; c < 3; c++) {
        const float mean = (float)sum[c] / (float)(y1 - y0) / (float)(x1 - x0);
        *out++ = (mean - offset) * factor;
      }
    }
  }
}

/* Samples per output pixel and direction; a limit keeps absurd transforms from
 * taking for ever. */
enum { MOST_SAMPLES = 64 };

static void add_sample(const gd_image *image, double x, double y, float sum[3])
{
  const int last_x = image->width_px - 1, last_y = image->height_px - 1;
  x = fmin(fmax(x, 0), last_x);
  y = fmin(fmax(y, 0), last_y);
  const int x0 = (int)x, y0 = (int)y;
  const int x1 = x0 < last_x ? x0 + 1 : x0, y1 = y0 < last_y ? y0 + 1 : y0;
  const float u = (float)(x - x0), v = (float)(y - y0);
  const size_t pitch = 3 * (size_t)image->width_px;
  const uint8_t *above = image->rgb + (size_t)y0 * pitch;
  const uint8_t *below = image->rgb + (size_t)y1 * pitch;
  for (int c = 0; c < 3; c++) {
    const float a = above[3 * x0 + c], b = above[3 * x1 + c];
    const float d = below[3 * x0 + c], e = below[3 * x1 + c];
    const float top = a + u * (b - a), bottom = d + u * (e - d);
    sum[c] += top + v * (bottom - top);
  }
}

void gd_image_warp(const gd_image *image, const gd_similarity *to_output,
                   int size_px, uint8_t *out)
{
  assert(image != NULL && to_output != NULL && size_px > 0 && out != NULL);

  const gd_similarity back = gd_similarity_inverse(to_output);
  const int n =
      (int)fmin(MOST_SAMPLES, fmax(1, ceil(gd_similarity_scale(&back))));
  const float share = 1.0f / (float)(n * n);

  for (int y = 0; y < size_px; y++)
    for (int x = 0; x < size_px; x++) {
      float sum[3] = {0};
      for (int j = 0; j < n; j++)
        for (int i = 0; i < n; i++) {
          double from[2];
          gd_similarity_apply(&back, x + (i + 0.5) / n - 0.5,
                              y + (j + 0.5) / n - 0.5, from);
          add_sample(image, from[0], from[1], sum);
        }
      for (int c = 0; c < 3; c++)
        *out++ = (uint8_t)(sum[c] * share + 0.5f);
    }
}
