#include "gradus/pool.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

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

/* One output pixel: all channels at once, window element by element.  A NaN
 * wins and stays, so that it is seen in the end. */
static void pool_one(gd_pool_shape s, gd_conv_input in, int C,
                     const float *image, int p, int q, float *y,
                     uint8_t *winner)
{
  const int h0 = p * s.stride - s.pad, w0 = q * s.stride - s.pad;
  int is_first = 1;
  for (int h = most(h0, 0); h < least(h0 + s.size, in.H); h++)
    for (int w = most(w0, 0); w < least(w0 + s.size, in.W); w++) {
      const float *x = image + ((ptrdiff_t)h * in.W + w) * C;
      const uint8_t place = (uint8_t)((h - h0) * s.size + (w - w0));
      for (int c = 0; c < C; c++) {
        const int wins = is_first || x[c] > y[c] || x[c] != x[c];
        y[c] = wins ? x[c] : y[c];
        if (winner != NULL)
          winner[c] = wins ? place : winner[c];
      }
      is_first = 0;
    }
}

void gd_max_pool_forward(gd_pool_shape s, gd_conv_input in, int C,
                         const float *x, float *y, uint8_t *winner)
{
  assert(s.size >= 1 && s.size <= 15 && s.stride >= 1 && 2 * s.pad <= s.size);
  const int P = gd_pool_out(in.H, s), Q = gd_pool_out(in.W, s);
#pragma omp parallel for schedule(static)
  for (int np = 0; np < in.N * P; np++) {
    const float *image = x + (ptrdiff_t)(np / P) * in.H * in.W * C;
    for (int q = 0; q < Q; q++) {
      const ptrdiff_t at = ((ptrdiff_t)np * Q + q) * C;
      pool_one(s, in, C, image, np % P, q, y + at,
               winner == NULL ? NULL : winner + at);
    }
  }
}

void gd_max_pool_backward(gd_pool_shape s, gd_conv_input in, int C,
                          const float *dy, const uint8_t *winner, float *dx)
{
  const int P = gd_pool_out(in.H, s), Q = gd_pool_out(in.W, s);
  const ptrdiff_t image = (ptrdiff_t)in.H * in.W * C;
  /* Windows overlap, so a sample is one thread's. */
#pragma omp parallel for schedule(static)
  for (int n = 0; n < in.N; n++) {
    float *to = dx + n * image;
    memset(to, 0, (size_t)image * sizeof *to);
    for (int p = 0; p < P; p++)
      for (int q = 0; q < Q; q++) {
        const ptrdiff_t at = (((ptrdiff_t)n * P + p) * Q + q) * C;
        for (int c = 0; c < C; c++) {
          const int h = p * s.stride - s.pad + winner[at + c] / s.size;
          const int w = q * s.stride - s.pad + winner[at + c] % s.size;
          to[((ptrdiff_t)h * in.W + w) * C + c] += dy[at + c];
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
