#include "gradus/norm.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "gradus/range.h"

enum {
  BLOCK_ROWS = 64,  /* summed in float before they join the doubles */
  STRIP = 64,       /* channels at a time */
  PIECE_ROWS = 256, /* least rows of a piece that is summed or computed alone */
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

/* The elementwise passes' pieces of rows. */
static gd_range piece_of(int64_t n_rows, int64_t i)
{
  const int64_t first = i * PIECE_ROWS, end = first + PIECE_ROWS;
  return (gd_range){first, end < n_rows ? end : n_rows};
}

static void join_strip(gd_range rows, int C, int c0, int width, const float *x,
                       const gd_scale *of_x, const float *shortcut,
                       const gd_scale *of_shortcut, float *y)
{
  float mean[2][STRIP] = {{0}}, factor[2][STRIP], addend[2][STRIP] = {{0}};
  const gd_scale *scales[2] = {of_x, of_shortcut};
  for (int i = 0; i < 2; i++)
    for (int c = 0; c < width; c++) {
      factor[i][c] = 1.0f;
      if (scales[i] == NULL)
        continue;
      mean[i][c] = scales[i]->mean[c0 + c];
      factor[i][c] = scales[i]->factor[c0 + c];
      addend[i][c] = scales[i]->addend[c0 + c];
    }
  for (int64_t r = rows.first; r < rows.end; r++) {
    const int64_t at = r * C + c0;
#pragma omp simd
    for (int c = 0; c < width; c++) {
      const float v =
          (x[at + c] - mean[0][c]) * factor[0][c] + addend[0][c] +
          ((shortcut[at + c] - mean[1][c]) * factor[1][c] + addend[1][c]);
      y[at + c] = v < 0.0f ? 0.0f : v; /* a NaN passes */
    }
  }
}

void gd_norm_join(int64_t n_rows, int C, const float *x, const gd_scale *of_x,
                  const float *shortcut, const gd_scale *of_shortcut, float *y)
{
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < (n_rows + PIECE_ROWS - 1) / PIECE_ROWS; i++)
    for (int c0 = 0; c0 < C; c0 += STRIP)
      join_strip(piece_of(n_rows, i), C, c0, least(C - c0, STRIP), x, of_x,
                 shortcut, of_shortcut, y);
}

/* Clear g where ReLU was at rest; add up g and g (x - mean). */
static void sum_block(gd_range rows, int C, int c0, int width, const float *x,
                      const float *mean, const float *open, float *g,
                      double *sum, double *sum_x)
{
  float s[STRIP] = {0}, s_x[STRIP] = {0};
  for (int64_t r = rows.first; r < rows.end; r++) {
    const int64_t at = r * C + c0;
    if (open != NULL)
#pragma omp simd
      for (int c = 0; c < width; c++)
        g[at + c] = open[at + c] > 0.0f ? g[at + c] : 0.0f;
#pragma omp simd
    for (int c = 0; c < width; c++) {
      s[c] += g[at + c];
      s_x[c] += g[at + c] * (x[at + c] - mean[c0 + c]);
    }
  }
  for (int c = 0; c < width; c++) {
    sum[c0 + c] += (double)s[c];
    sum_x[c0 + c] += (double)s_x[c];
  }
}

void gd_norm_sums(int64_t n_rows, int C, const float *x, const float *mean,
                  const float *open, float *g, double *pieces)
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
        sum_block((gd_range){r, r + least(rows.end - r, BLOCK_ROWS)}, C, c0,
                  least(C - c0, STRIP), x, mean, open, g, piece + 1,
                  piece + 1 + C);
  }
}

/* dx = factor (g - level - (x - mean) slope). */
static void backward_strip(const gd_scale *scale, int C, gd_range rows, int c0,
                           int width, const double *levels,
                           const double *slopes, const float *x, const float *g,
                           float *dx)
{
  float factor[STRIP], mean[STRIP], slope[STRIP], level[STRIP];
  for (int c = 0; c < width; c++) {
    factor[c] = scale->factor[c0 + c];
    mean[c] = scale->mean[c0 + c];
    level[c] = (float)levels[c0 + c];
    slope[c] = (float)slopes[c0 + c];
  }
  for (int64_t r = rows.first; r < rows.end; r++) {
    const int64_t at = r * C + c0;
#pragma omp simd
    for (int c = 0; c < width; c++)
      dx[at + c] =
          factor[c] * (g[at + c] - level[c] - (x[at + c] - mean[c]) * slope[c]);
  }
}

/* dx = gamma d (g - sum(g)/n - (x - mean) d^2 sum(g (x - mean))/n), d the
 * inverse deviation. */
void gd_norm_backward(const gd_norm *norm, const gd_scale *scale,
                      int64_t n_rows, const float *g, const float *x,
                      int n_pieces, double *pieces, float *dx, float *dgamma,
                      float *dbeta)
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
  for (int64_t i = 0; i < (n_rows + PIECE_ROWS - 1) / PIECE_ROWS; i++)
    for (int c0 = 0; c0 < C; c0 += STRIP)
      backward_strip(scale, C, piece_of(n_rows, i), c0, least(C - c0, STRIP),
                     sums, sums + C, x, g, dx);
}
