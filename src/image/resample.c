#include "gradus/resample.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Two rows at a time, so that their sums are loaded and stored half as often.
 */
static void add_rows(const uint8_t *restrict rgb, size_t pitch_bytes,
                     int n_rows, int n_values, uint32_t *restrict sums)
{
  if (n_rows % 2 == 1)
    for (int i = 0; i < n_values; i++)
      sums[i] = rgb[i];
  else
    for (int i = 0; i < n_values; i++)
      sums[i] = (uint32_t)(rgb[i] + rgb[pitch_bytes + i]);
  for (int y = 2 - n_rows % 2; y < n_rows; y += 2) {
    const uint8_t *row = rgb + (size_t)y * pitch_bytes;
    for (int i = 0; i < n_values; i++)
      sums[i] += (uint32_t)(row[i] + row[pitch_bytes + i]);
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
  area_walk w = {
      .next = m / n, .over = m % n, .step = m / n, .rest = m % n, .n = n};
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

/* Three values of a pixel, and a fourth that the next pixel overwrites: a
 * vector, which compilers do not make of a loop over three. */
typedef uint32_t pixel __attribute__((vector_size(16)));

/* Where the pieces of the scratch begin. */
typedef struct {
  uint32_t *row;    /* (columns, 3) sums over the rows of an output, + 1 */
  uint32_t *total;  /* (n, 3) of each output, + 1 */
  uint32_t *counts; /* (n, 3) columns of each output */
  uint32_t *spans;  /* (n, 2) the first of them, the first behind */
} area_scratch;

int64_t gd_area_scratch(int columns, int width_px)
{
  return 3 * (int64_t)columns + 8 * (int64_t)width_px + 2;
}

static area_scratch lay_out(uint32_t *scratch, int columns, int n)
{
  area_scratch s = {.row = scratch};
  s.total = s.row + 3 * (int64_t)columns + 1;
  s.counts = s.total + 3 * (int64_t)n + 1;
  s.spans = s.counts + 3 * (int64_t)n;
  return s;
}

/* Add up the columns of n outputs. */
static void add_columns(const area_scratch *s, int n)
{
  const uint32_t *spans = s->spans;
  uint32_t *total = s->total;
  for (int x = 0; x < n; x++, spans += 2, total += 3) {
    const uint32_t *from = s->row + 3 * (size_t)spans[0];
    const uint32_t *end = s->row + 3 * (size_t)spans[1];
    pixel sum, next;
    memcpy(&sum, from, sizeof sum);
    for (from += 3; from < end; from += 3) {
      memcpy(&next, from, sizeof next);
      sum += next;
    }
    memcpy(total, &sum, sizeof sum);
  }
}

void gd_area_resize(const gd_image *image, gd_window window, int width_px,
                    int height_px, float offset, float factor,
                    uint32_t *scratch, float *out)
{
  assert(image != NULL && scratch != NULL && out != NULL);
  assert(0 <= window.x0 && window.x0 < window.x1 &&
         window.x1 <= image->width_px);
  assert(0 <= window.y0 && window.y0 < window.y1 &&
         window.y1 <= image->height_px);
  assert(width_px > 0 && height_px > 0);

  const int columns = window.x1 - window.x0, n = 3 * width_px;
  const size_t pitch_bytes = 3 * (size_t)image->width_px;
  const uint8_t *corner =
      image->rgb + (size_t)window.y0 * pitch_bytes + 3 * (size_t)window.x0;
  const area_scratch s = lay_out(scratch, columns, width_px);
  s.row[3 * (int64_t)columns] = 0;
  area_walk w = area_begin(columns, width_px);
  for (int x = 0; x < width_px; x++, area_next(&w)) {
    s.spans[2 * x] = (uint32_t)w.first;
    s.spans[2 * x + 1] = (uint32_t)w.end;
    for (int c = 0; c < 3; c++)
      s.counts[3 * x + c] = (uint32_t)(w.end - w.first);
  }

  w = area_begin(window.y1 - window.y0, height_px);
  for (int y = 0; y < height_px; y++, out += n, area_next(&w)) {
    const float n_rows = (float)(w.end - w.first);
    add_rows(corner + (size_t)w.first * pitch_bytes, pitch_bytes,
             w.end - w.first, 3 * columns, s.row);
    add_columns(&s, width_px);
    for (int i = 0; i < n; i++)
      out[i] = ((float)s.total[i] / n_rows / (float)(int)s.counts[i] - offset) *
               factor;
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
