#include "gradus/norm.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "gradus/range.h"
#include "net/numbers.h"

enum {
  BLOCK_ROWS = 64,  /* summed in float before they join the doubles */
  STRIP = 64,       /* channels that are merged at a time */
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

/* The elementwise passes walk along the rows, as memory does: each is compiled
 * for either precision. */

GD_INLINE void join_row(gd_precision p, int64_t at, int C, const void *x,
                        const gd_scale *of_x, const void *shortcut,
                        const gd_scale *of_shortcut, void *y)
{
  for (int c = 0; c < C; c += GD_LANES) {
    const int n = gd_lanes(C - c);
    const gd_vector v = gd_scaled(of_x, c, n, gd_load_some(p, x, at + c, n));
    gd_vector more = gd_load_some(p, shortcut, at + c, n);
    if (of_shortcut != NULL)
      more = gd_scaled(of_shortcut, c, n, more);
    gd_keep_some(p, y, at + c, n, gd_relu(v + more));
  }
}

void gd_norm_join(gd_precision p, int64_t n_rows, int C, const void *x,
                  const gd_scale *of_x, const void *shortcut,
                  const gd_scale *of_shortcut, void *y)
{
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < n_rows; r++)
    if (p == GD_FP32)
      join_row(GD_FP32, r * C, C, x, of_x, shortcut, of_shortcut, y);
    else
      join_row(GD_BF16, r * C, C, x, of_x, shortcut, of_shortcut, y);
}

/* n channels c.. of some rows: clear g where ReLU was at rest, add up g and
 * g (x - mean). */
GD_INLINE void sum_block(gd_precision p, gd_range rows, int C, int c, int n,
                         const void *x, const float *mean, const void *open,
                         void *g, double *sum, double *sum_x)
{
  gd_vector s = {0}, s_x = {0};
  const gd_vector m = gd_load_some(GD_FP32, mean, c, n);
  for (int64_t r = rows.first; r < rows.end; r++) {
    const int64_t at = r * C + c;
    gd_vector gradient = gd_load_some(p, g, at, n);
    if (open != NULL) {
      gradient = gd_where(gd_load_some(p, open, at, n) > 0.0f, gradient);
      gd_keep_some(p, g, at, n, gradient); /* exact */
    }
    s += gradient;
    s_x += gradient * (gd_load_some(p, x, at, n) - m);
  }
  for (int i = 0; i < n; i++) {
    sum[c + i] += (double)s[i];
    sum_x[c + i] += (double)s_x[i];
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
      for (int c = 0; c < C; c += GD_LANES) {
        const gd_range block = {r, r + least(rows.end - r, BLOCK_ROWS)};
        const int n = gd_lanes(C - c);
        if (p == GD_FP32)
          sum_block(GD_FP32, block, C, c, n, x, mean, open, g, piece + 1,
                    piece + 1 + C);
        else
          sum_block(GD_BF16, block, C, c, n, x, mean, open, g, piece + 1,
                    piece + 1 + C);
      }
  }
}

/* dx = factor (g - level - (x - mean) slope). */
GD_INLINE void backward_row(gd_precision p, int64_t at, int C,
                            const gd_scale *scale, const void *level,
                            const void *slope, const void *x, const void *g,
                            void *dx)
{
  for (int c = 0; c < C; c += GD_LANES) {
    const int n = gd_lanes(C - c);
    const gd_vector from = gd_load_some(p, x, at + c, n) -
                           gd_load_some(GD_FP32, scale->mean, c, n);
    const gd_vector v = gd_load_some(p, g, at + c, n) -
                        gd_load_some(GD_FP32, level, c, n) -
                        from * gd_load_some(GD_FP32, slope, c, n);
    gd_keep_some(p, dx, at + c, n,
                 gd_load_some(GD_FP32, scale->factor, c, n) * v);
  }
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
    /* in the totals' own places, which are wider */
    const float level = (float)(sums[c] / (double)n_rows);
    const float slope = (float)(sums[C + c] * (d * d / (double)n_rows));
    memcpy(gd_at(GD_FP32, sums, c), &level, sizeof level);
    memcpy(gd_at(GD_FP32, sums + C, c), &slope, sizeof slope);
  }
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < n_rows; r++)
    if (p == GD_FP32)
      backward_row(GD_FP32, r * C, C, scale, sums, sums + C, x, g, dx);
    else
      backward_row(GD_BF16, r * C, C, scale, sums, sums + C, x, g, dx);
}
