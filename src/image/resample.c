#include "gradus/resample.h"

#include <assert.h>
#include <math.h>
#include <string.h>

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

/* Walks the inputs that each of n outputs averages: of m, output i takes
 * floor(i m / n) .. ceil((i + 1) m / n) - 1. */
typedef struct {
  int first, end;
  int next, over; /* (i + 1) m / n, whole and what is left of it, in n-ths */
  int step, rest; /* m / n, likewise */
  int n;
} area_walk;

static area_walk area_begin(int m, int n)
{
  area_walk w = {.next = m / n, .over = m % n, .n = n};
  w.step = w.next;
  w.rest = w.over;
  w.end = w.next + (w.over > 0);
  return w;
}

static void area_next(area_walk *w)
{
  w->first = w->next;
  w->next += w->step;
  w->over += w->rest;
  if (w->over >= w->n) {
    w->over -= w->n;
    w->next++;
  }
  w->end = w->next + (w->over > 0);
}

/* Add up the columns of each output; three values lie side by side. */
static void add_columns(const uint32_t *sums, int columns, int width_px,
                        float *out)
{
  area_walk w = area_begin(columns, width_px);
  for (int x = 0; x < width_px; x++, out += 3, area_next(&w)) {
    uint32_t sum[3] = {0};
    for (int i = w.first; i < w.end; i++)
      for (int c = 0; c < 3; c++)
        sum[c] += sums[3 * i + c];
    for (int c = 0; c < 3; c++)
      out[c] = (float)sum[c];
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
  uint32_t *counts = sums + 3 * (size_t)columns; /* columns of each value */
  area_walk w = area_begin(columns, width_px);
  for (int x = 0; x < width_px; x++, area_next(&w))
    for (int c = 0; c < 3; c++)
      counts[3 * x + c] = (uint32_t)(w.end - w.first);

  w = area_begin(rows, height_px);
  for (int y = 0; y < height_px; y++, out += 3 * width_px, area_next(&w)) {
    const float n_rows = (float)(w.end - w.first);
    add_rows(corner + (size_t)w.first * pitch_bytes, pitch_bytes,
             w.end - w.first, 3 * columns, sums);
    add_columns(sums, columns, width_px, out);
    for (int i = 0; i < 3 * width_px; i++)
      out[i] = (out[i] / n_rows / (float)(int)counts[i] - offset) * factor;
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
