#include "gradus/pool.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "gradus/range.h"

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

/* Take in one element of the window: all channels at once.  A NaN wins and
 * stays, so that it is seen in the end. */
static void take(int C, const float *restrict x, const gd_scale *scale,
                 int is_first, uint8_t place, float *restrict y,
                 uint8_t *restrict winner)
{
#pragma omp simd
  for (int c = 0; c < C; c++) {
    float v = x[c];
    if (scale != NULL) {
      v = (v - scale->mean[c]) * scale->factor[c] + scale->addend[c];
      v = v < 0.0f ? 0.0f : v;
    }
    const int wins = is_first || v > y[c] || v != v;
    y[c] = wins ? v : y[c];
    if (winner != NULL)
      winner[c] = wins ? place : winner[c];
  }
}

static void pool_one(gd_pool_shape s, gd_conv_input in, int C,
                     const float *image, const gd_scale *scale, int p, int q,
                     float *y, uint8_t *winner)
{
  const int h0 = p * s.stride - s.pad, w0 = q * s.stride - s.pad;
  int is_first = 1;
  for (int h = most(h0, 0); h < least(h0 + s.size, in.H); h++)
    for (int w = most(w0, 0); w < least(w0 + s.size, in.W); w++) {
      take(C, image + ((ptrdiff_t)h * in.W + w) * C, scale, is_first,
           (uint8_t)((h - h0) * s.size + (w - w0)), y, winner);
      is_first = 0;
    }
}

void gd_max_pool_forward(gd_pool_shape s, gd_conv_input in, int C,
                         const float *x, const gd_scale *scale, float *y,
                         uint8_t *winner)
{
  assert(s.size >= 1 && s.size <= 15 && s.stride >= 1 && 2 * s.pad <= s.size);
  const int P = gd_pool_out(in.H, s), Q = gd_pool_out(in.W, s);
#pragma omp parallel for schedule(static)
  for (int np = 0; np < in.N * P; np++) {
    const float *image = x + (ptrdiff_t)(np / P) * in.H * in.W * C;
    for (int q = 0; q < Q; q++) {
      const ptrdiff_t at = ((ptrdiff_t)np * Q + q) * C;
      pool_one(s, in, C, image, scale, np % P, q, y + at,
               winner == NULL ? NULL : winner + at);
    }
  }
}

/* Add what one window gives to the pixel at `place` in it. */
static void give(int C, const float *restrict dy,
                 const uint8_t *restrict winner, uint8_t place,
                 float *restrict dx)
{
#pragma omp simd
  for (int c = 0; c < C; c++)
    dx[c] += winner[c] == place ? dy[c] : 0.0f;
}

/* The windows that hold row (column) h are first..end-1. */
static gd_range windows_of(int h, gd_pool_shape s, int n_windows)
{
  const int last = (h + s.pad) / s.stride;
  const int first = most(0, h + s.pad - s.size + s.stride) / s.stride;
  return (gd_range){first, least(last + 1, n_windows)};
}

void gd_max_pool_backward(gd_pool_shape s, gd_conv_input in, int C,
                          const float *dy, const uint8_t *winner, float *dx)
{
  const int P = gd_pool_out(in.H, s), Q = gd_pool_out(in.W, s);
#pragma omp parallel for schedule(static)
  for (int nh = 0; nh < in.N * in.H; nh++) {
    const int n = nh / in.H, h = nh % in.H;
    const gd_range rows = windows_of(h, s, P);
    for (int w = 0; w < in.W; w++) {
      const gd_range columns = windows_of(w, s, Q);
      float *to = dx + ((ptrdiff_t)nh * in.W + w) * C;
      memset(to, 0, (size_t)C * sizeof *to);
      for (int64_t p = rows.first; p < rows.end; p++)
        for (int64_t q = columns.first; q < columns.end; q++) {
          const ptrdiff_t at = (((ptrdiff_t)n * P + p) * Q + q) * C;
          const int64_t place =
              (h + s.pad - p * s.stride) * s.size + (w + s.pad - q * s.stride);
          give(C, dy + at, winner + at, (uint8_t)place, to);
        }
    }
  }
}

void gd_mean_pool_forward(gd_conv_input in, int C, const float *x, float *y)
{
  const int pixels = in.H * in.W;
#pragma omp parallel for schedule(static)
  for (int n = 0; n < in.N; n++) {
    const float *image = x + (ptrdiff_t)n * pixels * C;
    float *to = y + (ptrdiff_t)n * C;
    memset(to, 0, (size_t)C * sizeof *to);
    for (int i = 0; i < pixels; i++)
      for (int c = 0; c < C; c++)
        to[c] += image[(ptrdiff_t)i * C + c];
    for (int c = 0; c < C; c++)
      to[c] /= (float)pixels;
  }
}

void gd_mean_pool_backward(gd_conv_input in, int C, const float *dy, float *dx)
{
  const int pixels = in.H * in.W;
#pragma omp parallel for schedule(static)
  for (int i = 0; i < in.N * pixels; i++)
    for (int c = 0; c < C; c++)
      dx[(ptrdiff_t)i * C + c] =
          dy[(ptrdiff_t)(i / pixels) * C + c] / (float)pixels;
}
