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

/* Begin at one of the outputs. */
static area_walk area_begin(int m, int n, int output)
{
  const int64_t from = (int64_t)output * m, to = from + m;
  area_walk w = {.first = (int)(from / n),
                 .next = (int)(to / n),
                 .over = (int)(to % n),
                 .step = m / n,
                 .rest = m % n,
                 .n = n};
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

/* Add up the columns of n outputs; three values lie side by side.  The sums
 * begin at the first output's columns. */
static void add_columns(const uint32_t *sums, area_walk w, int n, float *out)
{
  const int begin = w.first;
  for (int x = 0; x < n; x++, out += 3, area_next(&w)) {
    uint32_t sum[3] = {0};
    for (int i = w.first - begin; i < w.end - begin; i++)
      for (int c = 0; c < 3; c++)
        sum[c] += sums[3 * i + c];
    for (int c = 0; c < 3; c++)
      out[c] = (float)sum[c];
  }
}

void gd_area_resize_part(const gd_image *image, gd_window window, int width_px,
                         int height_px, gd_window part, float offset,
                         float factor, uint32_t *sums, float *out)
{
  assert(image != NULL && sums != NULL && out != NULL);
  assert(0 <= window.x0 && window.x0 < window.x1 &&
         window.x1 <= image->width_px);
  assert(0 <= window.y0 && window.y0 < window.y1 &&
         window.y1 <= image->height_px);
  assert(0 <= part.x0 && part.x0 < part.x1 && part.x1 <= width_px);
  assert(0 <= part.y0 && part.y0 < part.y1 && part.y1 <= height_px);

  const int m = window.x1 - window.x0, n = part.x1 - part.x0;
  const area_walk across = area_begin(m, width_px, part.x0);
  const int columns = area_begin(m, width_px, part.x1 - 1).end - across.first;
  const size_t pitch_bytes = 3 * (size_t)image->width_px;
  const uint8_t *corner = image->rgb + (size_t)window.y0 * pitch_bytes +
                          3 * (size_t)(window.x0 + across.first);
  uint32_t *counts = sums + 3 * (size_t)columns; /* columns of each value */
  area_walk w = across;
  for (int x = 0; x < n; x++, area_next(&w))
    for (int c = 0; c < 3; c++)
      counts[3 * x + c] = (uint32_t)(w.end - w.first);

  w = area_begin(window.y1 - window.y0, height_px, part.y0);
  for (int y = part.y0; y < part.y1; y++, out += 3 * n, area_next(&w)) {
    const float n_rows = (float)(w.end - w.first);
    add_rows(corner + (size_t)w.first * pitch_bytes, pitch_bytes,
             w.end - w.first, 3 * columns, sums);
    add_columns(sums, across, n, out);
    for (int i = 0; i < 3 * n; i++)
      out[i] = (out[i] / n_rows / (float)(int)counts[i] - offset) * factor;
  }
}

void gd_area_resize(const gd_image *image, gd_window window, int width_px,
                    int height_px, float offset, float factor, uint32_t *sums,
                    float *out)
{
  gd_area_resize_part(image, window, width_px, height_px,
                      (gd_window){0, 0, width_px, height_px}, offset, factor,
                      sums, out);
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
  /* Rounding alone does not make a second sample. */
  const int n =
      (int)fmin(MOST_SAMPLES, fmax(1, ceil(gd_similarity_scale(&back) - 1e-4)));
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
