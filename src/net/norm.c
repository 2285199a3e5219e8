#include "gradus/norm.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "gradus/range.h"
#include "net/numbers.h"

enum {
  BLOCK_ROWS = 64,  /* summed in float before they join the doubles */
  STRIP = 64,       /* channels at a time */
  PIECE_ROWS = 256, /* least rows of a piece that is summed alone */
  MOST_PIECES = 64, /* that are summed */
};

int gd_norm_piece(int C)
{
  return 1 + 2 * C;
}

int gd_norm_n_pieces(int64_t n_rows)
{
  const int64_t n = (n_rows + PIECE_ROWS - 1) / PIECE_ROWS;
  return n < MOST_PIECES ? (int)n : MOST_PIECES;
}

static int least(int64_t a, int b)
{
  return a < b ? (int)a : b;
}

void gd_norm_merge(int n_pieces, int C, const double *pieces, float *mean,
                   float *variance)
{
  assert(n_pieces >= 1 && C >= 1);
  const ptrdiff_t stride = gd_norm_piece(C);
#pragma omp parallel for schedule(static)
  for (int c0 = 0; c0 < C; c0 += STRIP) {
    const int width = least(C - c0, STRIP);
    double m[STRIP], squares[STRIP], n = pieces[0];
    for (int c = 0; c < width; c++) {
      m[c] = pieces[1 + c0 + c];
      squares[c] = pieces[1 + C + c0 + c];
    }
    for (int i = 1; i < n_pieces; i++) {
      const double *more = pieces + i * stride, both = n + more[0];
      const double share = more[0] / both, weight = n * share;
#pragma omp simd
      for (int c = 0; c < width; c++) {
        const double step = more[1 + c0 + c] - m[c];
        m[c] += step * share;
        squares[c] += more[1 + C + c0 + c] + step * step * weight;
      }
      n = both;
    }
    for (int c = 0; c < width; c++) {
      mean[c0 + c] = (float)m[c];
      variance[c0 + c] = (float)(squares[c] / n);
    }
  }
}

static float inverse_deviation(const gd_norm *norm, int c)
{
  return (float)(1.0 / sqrt((double)norm->variance[c] + norm->epsilon));
}

gd_scale gd_norm_scale(const gd_norm *norm, float *factor)
{
  for (int c = 0; c < norm->C; c++)
    factor[c] = norm->gamma[c] * inverse_deviation(norm, c);
  return (gd_scale){norm->mean, factor, norm->beta};
}

/* The elementwise passes walk along the rows, as memory does. */

/* `width` numbers from `at` on; NULL: the shortcut as it is. */
static void join_strip(gd_precision p, int64_t at, int width, const void *x,
                       gd_scale of_x, const void *shortcut,
                       const gd_scale *of_shortcut, void *y)
{
  float room[3][STRIP];
  const float *a = gd_strip(p, x, at, width, room[0]);
  const float *b = gd_strip(p, shortcut, at, width, room[1]);
  float *to = gd_room(p, y, at, room[2]);
  if (of_shortcut == NULL) {
#pragma omp simd
    for (int c = 0; c < width; c++) {
      const float v =
          (a[c] - of_x.mean[c]) * of_x.factor[c] + of_x.addend[c] + b[c];
      to[c] = v < 0.0f ? 0.0f : v; /* a NaN passes */
    }
  } else {
    const gd_scale s = *of_shortcut;
#pragma omp simd
    for (int c = 0; c < width; c++) {
      const float v = (a[c] - of_x.mean[c]) * of_x.factor[c] + of_x.addend[c] +
                      ((b[c] - s.mean[c]) * s.factor[c] + s.addend[c]);
      to[c] = v < 0.0f ? 0.0f : v;
    }
  }
  gd_put(p, y, at, width, to);
}

void gd_norm_join(gd_precision p, int64_t n_rows, int C, const void *x,
                  const gd_scale *of_x, const void *shortcut,
                  const gd_scale *of_shortcut, void *y)
{
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < n_rows; r++)
    for (int c0 = 0; c0 < C; c0 += STRIP) {
      const gd_scale own =
          of_shortcut == NULL ? (gd_scale){0} : gd_scale_strip(of_shortcut, c0);
      join_strip(p, r * C + c0, least(C - c0, STRIP), x,
                 gd_scale_strip(of_x, c0), shortcut,
                 of_shortcut == NULL ? NULL : &own, y);
    }
}

/* Clear g where ReLU was at rest; add up g and g (x - mean). */
static void sum_block(gd_precision p, gd_range rows, int C, int c0, int width,
                      const void *x, const float *mean, const void *open,
                      void *g, double *sum, double *sum_x)
{
  float s[STRIP] = {0}, s_x[STRIP] = {0}, room[4][STRIP];
  for (int64_t r = rows.first; r < rows.end; r++) {
    const int64_t at = r * C + c0;
    const float *from = gd_strip(p, x, at, width, room[0]);
    const float *gradient = gd_strip(p, g, at, width, room[1]);
    if (open != NULL) {
      const float *gate = gd_strip(p, open, at, width, room[2]);
      float *to = gd_room(p, g, at, room[3]);
#pragma omp simd
      for (int c = 0; c < width; c++)
        to[c] = gate[c] > 0.0f ? gradient[c] : 0.0f;
      gd_put(p, g, at, width, to); /* exact */
      gradient = to;
    }
#pragma omp simd
    for (int c = 0; c < width; c++) {
      s[c] += gradient[c];
      s_x[c] += gradient[c] * (from[c] - mean[c0 + c]);
    }
  }
  for (int c = 0; c < width; c++) {
    sum[c0 + c] += (double)s[c];
    sum_x[c0 + c] += (double)s_x[c];
  }
}

void gd_norm_sums(gd_precision p, int64_t n_rows, int C, const void *x,
                  const float *mean, const void *open, void *g, double *pieces)
{
  const int n_pieces = gd_norm_n_pieces(n_rows);
#pragma omp parallel for schedule(static)
  for (int i = 0; i < n_pieces; i++) {
    const gd_range rows = gd_range_of(n_rows, i, n_pieces);
    double *piece = pieces + (ptrdiff_t)i * gd_norm_piece(C);
    memset(piece, 0, (size_t)gd_norm_piece(C) * sizeof *piece);
    piece[0] = (double)(rows.end - rows.first);
    for (int64_t r = rows.first; r < rows.end; r += BLOCK_ROWS)
      for (int c0 = 0; c0 < C; c0 += STRIP)
        sum_block(p, (gd_range){r, r + least(rows.end - r, BLOCK_ROWS)}, C, c0,
                  least(C - c0, STRIP), x, mean, open, g, piece + 1,
                  piece + 1 + C);
  }
}

/* dx = factor (g - level - (x - mean) slope), of `width` numbers from `at` on.
 */
static void backward_strip(gd_precision p, int64_t at, int width,
                           gd_scale scale, const double *level,
                           const double *slope, const void *x, const void *g,
                           void *dx)
{
  float room[3][STRIP];
  const float *gradient = gd_strip(p, g, at, width, room[0]);
  const float *from = gd_strip(p, x, at, width, room[1]);
  float *to = gd_room(p, dx, at, room[2]);
#pragma omp simd
  for (int c = 0; c < width; c++)
    to[c] = scale.factor[c] * (gradient[c] - (float)level[c] -
                               (from[c] - scale.mean[c]) * (float)slope[c]);
  gd_put(p, dx, at, width, to);
}

/* dx = gamma d (g - sum(g)/n - (x - mean) d^2 sum(g (x - mean))/n), d the
 * inverse deviation. */
void gd_norm_backward(gd_precision p, const gd_norm *norm,
                      const gd_scale *scale, int64_t n_rows, const void *g,
                      const void *x, int n_pieces, double *pieces, void *dx,
                      float *dgamma, float *dbeta)
{
  const int C = norm->C;
  double *sums = pieces + 1;
  for (int i = 1; i < n_pieces; i++) {
    const double *more = sums + (ptrdiff_t)i * gd_norm_piece(C);
#pragma omp simd
    for (int c = 0; c < 2 * C; c++)
      sums[c] += more[c];
  }
  for (int c = 0; c < C; c++) {
    const double d = (double)inverse_deviation(norm, c);
    dbeta[c] = (float)sums[c];
    dgamma[c] = (float)(sums[C + c] * d);
    sums[c] /= (double)n_rows;
    sums[C + c] *= d * d / (double)n_rows;
  }
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < n_rows; r++)
    for (int c0 = 0; c0 < C; c0 += STRIP)
      backward_strip(p, r * C + c0, least(C - c0, STRIP),
                     gd_scale_strip(scale, c0), sums + c0, sums + C + c0, x, g,
                     dx);
}
