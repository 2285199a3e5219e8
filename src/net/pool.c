#include "gradus/pool.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "gradus/range.h"
#include "net/numbers.h"
#include "net/whole.h"

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

/* ---------------------------------------------------------------- maximum
 */

/* What a pass over windows shares. */
typedef struct {
  gd_pool_shape s;
  gd_conv_input in;
  int C, P, Q;
} pools;

static pools pools_of(gd_pool_shape s, gd_conv_input in, int C)
{
  assert(s.size >= 1 && s.size <= 15 && s.stride >= 1 && 2 * s.pad <= s.size);
  return (pools){.s = s,
                 .in = in,
                 .C = C,
                 .P = gd_pool_out(in.H, s),
                 .Q = gd_pool_out(in.W, s)};
}

/* n bytes, at most GD_LANES, and zeros behind them. */
static gd_mask load_places(const uint8_t *from, int n)
{
  gd_bytes places = {0};
  if (n == GD_LANES)
    memcpy(&places, from, sizeof places);
  else
    memcpy(&places, from, (size_t)n);
  return __builtin_convertvector(places, gd_mask);
}

static void keep_places(gd_mask v, uint8_t *to, int n)
{
  const gd_bytes places = __builtin_convertvector(v, gd_bytes);
  if (n == GD_LANES)
    memcpy(to, &places, sizeof places);
  else
    memcpy(to, &places, (size_t)n);
}

/* The maximum of window (i, j) of image `image`, in n channels c.. .  A NaN
 * wins and stays, so that it is seen in the end. */
GD_INLINE void pool_window(gd_precision p, const pools *all, int image, int i,
                           int j, int c, int n, const void *x,
                           const gd_scale *scale, void *y, uint8_t *winner)
{
  const gd_pool_shape s = all->s;
  const int h0 = i * s.stride - s.pad, w0 = j * s.stride - s.pad;
  gd_vector best = {0};
  gd_mask place = {0};
  int is_first = 1;
  for (int h = gd_most(h0, 0); h < gd_least(h0 + s.size, all->in.H); h++)
    for (int w = gd_most(w0, 0); w < gd_least(w0 + s.size, all->in.W); w++) {
      const ptrdiff_t pixel =
          ((ptrdiff_t)image * all->in.H + h) * all->in.W + w;
      gd_vector v = gd_load_some(p, x, pixel * all->C + c, n);
      if (scale != NULL)
        v = gd_relu(gd_scaled(scale, c, n, v));
      const gd_mask wins = is_first ? ~(gd_mask){0} : (v > best) | (v != v);
      best = gd_choose(wins, v, best);
      place = (wins & ((h - h0) * s.size + w - w0)) | (~wins & place);
      is_first = 0;
    }
  const ptrdiff_t at = (((ptrdiff_t)image * all->P + i) * all->Q + j) * all->C;
  gd_keep_some(p, y, at + c, n, best);
  if (winner != NULL)
    keep_places(place, winner + at + c, n);
}

GD_INLINE void pool_row(gd_precision p, const pools *all, int image, int i,
                        const void *x, const gd_scale *scale, void *y,
                        uint8_t *winner)
{
  for (int j = 0; j < all->Q; j++)
    for (int c = 0; c < all->C; c += GD_LANES)
      pool_window(p, all, image, i, j, c, gd_lanes(all->C - c), x, scale, y,
                  winner);
}

void gd_max_pool_forward(gd_precision p, gd_pool_shape s, gd_conv_input in,
                         int C, const void *x, const gd_scale *scale, void *y,
                         uint8_t *winner)
{
  const pools all = pools_of(s, in, C);
#pragma omp parallel for schedule(static)
  for (int row = 0; row < in.N * all.P; row++)
    if (p == GD_FP32)
      pool_row(GD_FP32, &all, row / all.P, row % all.P, x, scale, y, winner);
    else
      pool_row(GD_BF16, &all, row / all.P, row % all.P, x, scale, y, winner);
}

/* The windows that hold row (column) h are first..end-1. */
static gd_range windows_of(int h, gd_pool_shape s, int n_windows)
{
  const int last = (h + s.pad) / s.stride;
  const int first = gd_most(0, h + s.pad - s.size + s.stride) / s.stride;
  return (gd_range){first, gd_least(last + 1, n_windows)};
}

/* What pixel (h, w) of image `image` gets of the windows that hold it, in n
 * channels c.. . */
GD_INLINE void unpool_some(gd_precision p, const pools *all, int image, int h,
                           int w, gd_range rows, gd_range columns, int c, int n,
                           const void *dy, const uint8_t *winner, void *dx)
{
  const gd_pool_shape s = all->s;
  gd_vector sum = {0};
  for (int64_t i = rows.first; i < rows.end; i++)
    for (int64_t j = columns.first; j < columns.end; j++) {
      const int64_t place =
          (h + s.pad - i * s.stride) * s.size + w + s.pad - j * s.stride;
      const int64_t at = ((image * all->P + i) * all->Q + j) * all->C + c;
      sum += gd_where(load_places(winner + at, n) == (int32_t)place,
                      gd_load_some(p, dy, at, n));
    }
  const int64_t pixel = ((int64_t)image * all->in.H + h) * all->in.W + w;
  gd_keep_some(p, dx, pixel * all->C + c, n, sum);
}

GD_INLINE void unpool_row(gd_precision p, const pools *all, int image, int h,
                          const void *dy, const uint8_t *winner, void *dx)
{
  const gd_range rows = windows_of(h, all->s, all->P);
  for (int w = 0; w < all->in.W; w++) {
    const gd_range columns = windows_of(w, all->s, all->Q);
    for (int c = 0; c < all->C; c += GD_LANES)
      unpool_some(p, all, image, h, w, rows, columns, c, gd_lanes(all->C - c),
                  dy, winner, dx);
  }
}

void gd_max_pool_backward(gd_precision p, gd_pool_shape s, gd_conv_input in,
                          int C, const void *dy, const uint8_t *winner,
                          void *dx)
{
  const pools all = pools_of(s, in, C);
#pragma omp parallel for schedule(static)
  for (int row = 0; row < in.N * in.H; row++)
    if (p == GD_FP32)
      unpool_row(GD_FP32, &all, row / in.H, row % in.H, dy, winner, dx);
    else
      unpool_row(GD_BF16, &all, row / in.H, row % in.H, dy, winner, dx);
}

/* ------------------------------------------------------------------- mean
 */

void gd_mean_pool_forward(gd_precision p, gd_conv_input in, int C,
                          const void *x, float *y)
{
  const int pixels = in.H * in.W;
#pragma omp parallel for schedule(static)
  for (int image = 0; image < in.N; image++)
    for (int c = 0; c < C; c += GD_LANES) {
      const int n = gd_lanes(C - c);
      gd_vector sum = {0};
      for (int i = 0; i < pixels; i++)
        sum += gd_load_some(p, x, ((ptrdiff_t)image * pixels + i) * C + c, n);
      gd_keep_some(GD_FP32, y, (ptrdiff_t)image * C + c, n,
                   sum / (float)pixels);
    }
}

void gd_mean_pool_backward(gd_precision p, gd_conv_input in, int C,
                           const float *dy, void *dx)
{
  const int pixels = in.H * in.W;
#pragma omp parallel for schedule(static)
  for (int pixel = 0; pixel < in.N * pixels; pixel++)
    for (int c = 0; c < C; c += GD_LANES) {
      const int n = gd_lanes(C - c);
      const gd_vector given =
          gd_load_some(GD_FP32, dy, (ptrdiff_t)(pixel / pixels) * C + c, n);
      gd_keep_some(p, dx, (ptrdiff_t)pixel * C + c, n, given / (float)pixels);
    }
}
