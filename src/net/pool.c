#include "gradus/pool.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "gradus/range.h"
#include "net/numbers.h"
#include "net/vector.h"

enum { STRIP = 64 /* channels at a time */ };

int gd_pool_out(int size, gd_pool_shape s)
{
  const int room = size + 2 * s.pad - s.size;
  if (room < 0 && !s.ceil)
    return 0;
  int out = (room > 0 ? room / s.stride : 0) + 1;
  if (s.ceil && room > 0 && room % s.stride != 0 &&
      out * s.stride < size + s.pad)
    out++;
  return out;
}

static int most(int a, int b)
{
  return a > b ? a : b;
}

static int least(int a, int b)
{
  return a < b ? a : b;
}

/* Take in one element of the window: a strip of channels at once.  A NaN wins
 * and stays, so that it is seen in the end. */
static void take(int width, const float *restrict x, const gd_scale *scale,
                 int is_first, uint8_t place, float *restrict y,
                 uint8_t *restrict winner)
{
  int c = 0;
  for (; c + GD_LANES <= width; c += GD_LANES) {
    gd_vector v = gd_load(x + c), best = gd_load(y + c);
    if (scale != NULL)
      v = gd_relu((v - gd_load(scale->mean + c)) * gd_load(scale->factor + c) +
                  gd_load(scale->addend + c));
    const gd_mask wins = is_first ? ~(gd_mask){0} : (v > best) | (v != v);
    gd_store(y + c, gd_choose(wins, v, best));
    if (winner != NULL) {
      const gd_bytes mask = __builtin_convertvector(wins, gd_bytes);
      gd_bytes w;
      memcpy(&w, winner + c, sizeof w);
      w = (mask & place) | (~mask & w);
      memcpy(winner + c, &w, sizeof w);
    }
  }
#pragma omp simd
  for (int k = c; k < width; k++) {
    float v = x[k];
    if (scale != NULL) {
      v = (v - scale->mean[k]) * scale->factor[k] + scale->addend[k];
      v = v < 0.0f ? 0.0f : v;
    }
    const int wins = is_first || v > y[k] || v != v;
    y[k] = wins ? v : y[k];
    if (winner != NULL)
      winner[k] = wins ? place : winner[k];
  }
}

/* The maxima of one window in channels c0.. .
 * image: number of its first pixel's first channel in x; scale: the strip's */
static void pool_strip(gd_precision p, gd_pool_shape s, gd_conv_input in, int C,
                       int c0, int width, const void *x, ptrdiff_t image,
                       const gd_scale *scale, int i, int j, float *y,
                       uint8_t *winner)
{
  float room[STRIP];
  const int h0 = i * s.stride - s.pad, w0 = j * s.stride - s.pad;
  int is_first = 1;
  for (int h = most(h0, 0); h < least(h0 + s.size, in.H); h++)
    for (int w = most(w0, 0); w < least(w0 + s.size, in.W); w++) {
      const ptrdiff_t at = image + ((ptrdiff_t)h * in.W + w) * C + c0;
      take(width, gd_strip(p, x, at, width, room), scale, is_first,
           (uint8_t)((h - h0) * s.size + (w - w0)), y, winner);
      is_first = 0;
    }
}

void gd_max_pool_forward(gd_precision p, gd_pool_shape s, gd_conv_input in,
                         int C, const void *x, const gd_scale *scale, void *y,
                         uint8_t *winner)
{
  assert(s.size >= 1 && s.size <= 15 && s.stride >= 1 && 2 * s.pad <= s.size);
  const int P = gd_pool_out(in.H, s), Q = gd_pool_out(in.W, s);
#pragma omp parallel for schedule(static)
  for (int row = 0; row < in.N * P; row++) {
    const ptrdiff_t image = (ptrdiff_t)(row / P) * in.H * in.W * C;
    for (int j = 0; j < Q; j++)
      for (int c0 = 0; c0 < C; c0 += STRIP) {
        float room[STRIP];
        const int width = least(C - c0, STRIP);
        const ptrdiff_t at = ((ptrdiff_t)row * Q + j) * C + c0;
        const gd_scale own =
            scale == NULL ? (gd_scale){0} : gd_scale_strip(scale, c0);
        float *to = gd_room(p, y, at, room);
        pool_strip(p, s, in, C, c0, width, x, image,
                   scale == NULL ? NULL : &own, row % P, j, to,
                   winner == NULL ? NULL : winner + at);
        gd_put(p, y, at, width, to);
      }
  }
}

/* Add what one window gives to the pixel at `place` in it. */
static void give(int width, const float *restrict dy,
                 const uint8_t *restrict winner, uint8_t place,
                 float *restrict dx)
{
  int c = 0;
  for (; c + GD_LANES <= width; c += GD_LANES) {
    gd_bytes w;
    memcpy(&w, winner + c, sizeof w);
    const gd_mask is_winner = __builtin_convertvector(w, gd_mask) == place;
    gd_store(dx + c, gd_load(dx + c) + gd_where(is_winner, gd_load(dy + c)));
  }
#pragma omp simd
  for (int k = c; k < width; k++)
    dx[k] += winner[k] == place ? dy[k] : 0.0f;
}

/* The windows that hold row (column) h are first..end-1. */
static gd_range windows_of(int h, gd_pool_shape s, int n_windows)
{
  const int last = (h + s.pad) / s.stride;
  const int first = most(0, h + s.pad - s.size + s.stride) / s.stride;
  return (gd_range){first, least(last + 1, n_windows)};
}

/* The gradient of pixel (n, h, w) in channels c0.. .
 * first: number of the image's first window's first channel */
static void unpool_strip(gd_precision p, gd_pool_shape s, int C, int Q, int c0,
                         int width, gd_range rows, gd_range columns, int h,
                         int w, ptrdiff_t first, const void *dy,
                         const uint8_t *winner, float *to)
{
  float room[STRIP];
  memset(to, 0, (size_t)width * sizeof *to);
  for (int64_t i = rows.first; i < rows.end; i++)
    for (int64_t j = columns.first; j < columns.end; j++) {
      const ptrdiff_t at = first + (i * Q + j) * C + c0;
      const int64_t place =
          (h + s.pad - i * s.stride) * s.size + (w + s.pad - j * s.stride);
      give(width, gd_strip(p, dy, at, width, room), winner + at, (uint8_t)place,
           to);
    }
}

void gd_max_pool_backward(gd_precision p, gd_pool_shape s, gd_conv_input in,
                          int C, const void *dy, const uint8_t *winner,
                          void *dx)
{
  const int P = gd_pool_out(in.H, s), Q = gd_pool_out(in.W, s);
#pragma omp parallel for schedule(static)
  for (int nh = 0; nh < in.N * in.H; nh++) {
    const int h = nh % in.H;
    const ptrdiff_t first = (ptrdiff_t)(nh / in.H) * P * Q * C;
    const gd_range rows = windows_of(h, s, P);
    for (int w = 0; w < in.W; w++) {
      const gd_range columns = windows_of(w, s, Q);
      for (int c0 = 0; c0 < C; c0 += STRIP) {
        float room[STRIP];
        const int width = least(C - c0, STRIP);
        const ptrdiff_t at = ((ptrdiff_t)nh * in.W + w) * C + c0;
        float *to = gd_room(p, dx, at, room);
        unpool_strip(p, s, C, Q, c0, width, rows, columns, h, w, first, dy,
                     winner, to);
        gd_put(p, dx, at, width, to);
      }
    }
  }
}

void gd_mean_pool_forward(gd_precision p, gd_conv_input in, int C,
                          const void *x, float *y)
{
  const int pixels = in.H * in.W;
#pragma omp parallel for schedule(static)
  for (int n = 0; n < in.N; n++)
    for (int c0 = 0; c0 < C; c0 += STRIP) {
      const int width = least(C - c0, STRIP);
      float room[STRIP], *to = y + (ptrdiff_t)n * C + c0;
      memset(to, 0, (size_t)width * sizeof *to);
      for (int i = 0; i < pixels; i++) {
        const float *from =
            gd_strip(p, x, ((ptrdiff_t)n * pixels + i) * C + c0, width, room);
        for (int c = 0; c < width; c++)
          to[c] += from[c];
      }
      for (int c = 0; c < width; c++)
        to[c] /= (float)pixels;
    }
}

void gd_mean_pool_backward(gd_precision p, gd_conv_input in, int C,
                           const float *dy, void *dx)
{
  const int pixels = in.H * in.W;
#pragma omp parallel for schedule(static)
  for (int i = 0; i < in.N * pixels; i++)
    for (int c0 = 0; c0 < C; c0 += STRIP) {
      float room[STRIP];
      const int width = least(C - c0, STRIP);
      const float *from = dy + (ptrdiff_t)(i / pixels) * C + c0;
      float *to = gd_room(p, dx, (ptrdiff_t)i * C + c0, room);
      for (int c = 0; c < width; c++)
        to[c] = from[c] / (float)pixels;
      gd_put(p, dx, (ptrdiff_t)i * C + c0, width, to);
    }
}
