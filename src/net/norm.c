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

static int n_pieces_of(int64_t n_rows)
{
  const int64_t n = (n_rows + PIECE_ROWS - 1) / PIECE_ROWS;
  return n < MOST_PIECES ? (int)n : MOST_PIECES;
}

int64_t gd_norm_scratch(int64_t n_rows, int C)
{
  return (int64_t)n_pieces_of(n_rows) * 2 * C;
}

static int least(int64_t a, int b)
{
  return a < b ? (int)a : b;
}

/* The sums over a block of rows of one strip: a first mean, and the sums of the
 * distances from it and of their squares. */
typedef struct {
  float mean[STRIP], rest[STRIP], squares[STRIP];
} centred;

static centred centre(const float *x, int stride, int rows, int width)
{
  centred b = {{0}, {0}, {0}};
  for (int r = 0; r < rows; r++)
#pragma omp simd
    for (int c = 0; c < width; c++)
      b.mean[c] += x[(ptrdiff_t)r * stride + c];
  for (int c = 0; c < width; c++)
    b.mean[c] /= (float)rows;
  for (int r = 0; r < rows; r++)
#pragma omp simd
    for (int c = 0; c < width; c++) {
      const float d = x[(ptrdiff_t)r * stride + c] - b.mean[c];
      b.rest[c] += d;
      b.squares[c] += d * d;
    }
  return b;
}

/* Join (n, mean, squares) with more of the same. */
static void merge(int64_t n, double *mean, double *squares, int64_t n_more,
                  double mean_more, double squares_more)
{
  const double both = (double)(n + n_more), step = mean_more - *mean;
  *mean += step * (double)n_more / both;
  *squares += squares_more + step * step * (double)n * (double)n_more / both;
}

static void sum_piece(const float *x, int C, gd_range rows, double *mean,
                      double *squares)
{
  memset(mean, 0, (size_t)C * sizeof *mean);
  memset(squares, 0, (size_t)C * sizeof *squares);
  for (int64_t r = rows.first; r < rows.end; r += BLOCK_ROWS) {
    const int n = least(rows.end - r, BLOCK_ROWS);
    for (int c0 = 0; c0 < C; c0 += STRIP) {
      const int width = least(C - c0, STRIP);
      const centred b = centre(x + r * C + c0, C, n, width);
      for (int c = 0; c < width; c++) {
        const double rest = (double)b.rest[c] / n;
        merge(r - rows.first, &mean[c0 + c], &squares[c0 + c], n,
              (double)b.mean[c] + rest, (double)b.squares[c] - rest * rest * n);
      }
    }
  }
}

void gd_norm_statistics(int64_t n_rows, int C, const float *x, double *scratch,
                        float *mean, float *variance)
{
  assert(n_rows >= 1 && C >= 1);
  const int n_pieces = n_pieces_of(n_rows);
#pragma omp parallel for schedule(static)
  for (int i = 0; i < n_pieces; i++)
    sum_piece(x, C, gd_range_of(n_rows, i, n_pieces),
              scratch + (ptrdiff_t)2 * i * C,
              scratch + (ptrdiff_t)(2 * i + 1) * C);

  for (int c = 0; c < C; c++) {
    double m = scratch[c], squares = scratch[C + c];
    for (int i = 1; i < n_pieces; i++) {
      const gd_range rows = gd_range_of(n_rows, i, n_pieces);
      merge(rows.first, &m, &squares, rows.end - rows.first,
            scratch[(ptrdiff_t)2 * i * C + c],
            scratch[(ptrdiff_t)(2 * i + 1) * C + c]);
    }
    mean[c] = (float)m;
    variance[c] = (float)(squares / (double)n_rows);
  }
}

static float inverse_deviation(const gd_norm *norm, int c)
{
  return (float)(1.0 / sqrt((double)norm->variance[c] + norm->epsilon));
}

/* The elementwise passes' pieces of rows. */
static gd_range piece_of(int64_t n_rows, int64_t i)
{
  const int64_t first = i * PIECE_ROWS, end = first + PIECE_ROWS;
  return (gd_range){first, end < n_rows ? end : n_rows};
}

static void forward_strip(const gd_norm *norm, gd_range rows, int c0, int width,
                          const float *x, const float *shortcut, int relu,
                          float *y)
{
  float factor[STRIP], mean[STRIP], beta[STRIP];
  for (int c = 0; c < width; c++) {
    factor[c] = norm->gamma[c0 + c] * inverse_deviation(norm, c0 + c);
    mean[c] = norm->mean[c0 + c];
    beta[c] = norm->beta[c0 + c];
  }
  const float floor = relu ? 0.0f : -INFINITY;
  for (int64_t r = rows.first; r < rows.end; r++) {
    const int64_t at = r * norm->C + c0;
#pragma omp simd
    for (int c = 0; c < width; c++) {
      float v = (x[at + c] - mean[c]) * factor[c] + beta[c];
      if (shortcut != NULL)
        v += shortcut[at + c];
      y[at + c] = v < floor ? floor : v; /* a NaN passes */
    }
  }
}

void gd_norm_forward(const gd_norm *norm, int64_t n_rows, const float *x,
                     const float *shortcut, int relu, float *y)
{
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < (n_rows + PIECE_ROWS - 1) / PIECE_ROWS; i++)
    for (int c0 = 0; c0 < norm->C; c0 += STRIP)
      forward_strip(norm, piece_of(n_rows, i), c0, least(norm->C - c0, STRIP),
                    x, shortcut, relu, y);
}

/* Clear dy where ReLU was at rest; add up g and g (x - mean). */
static void backward_block(const gd_norm *norm, gd_range rows, int c0,
                           int width, const float *x, const float *y, float *dy,
                           double *sum, double *sum_x)
{
  float s[STRIP] = {0}, s_x[STRIP] = {0};
  const float *mean = norm->mean + c0;
  for (int64_t r = rows.first; r < rows.end; r++) {
    const int64_t at = r * norm->C + c0;
#pragma omp simd
    for (int c = 0; c < width; c++) {
      const float g = y == NULL || y[at + c] > 0.0f ? dy[at + c] : 0.0f;
      dy[at + c] = g;
      s[c] += g;
      s_x[c] += g * (x[at + c] - mean[c]);
    }
  }
  for (int c = 0; c < width; c++) {
    sum[c0 + c] += (double)s[c];
    sum_x[c0 + c] += (double)s_x[c];
  }
}

static void backward_piece(const gd_norm *norm, gd_range rows, const float *x,
                           const float *y, float *dy, double *sums)
{
  const int C = norm->C;
  memset(sums, 0, (size_t)(2 * C) * sizeof *sums);
  for (int64_t r = rows.first; r < rows.end; r += BLOCK_ROWS)
    for (int c0 = 0; c0 < C; c0 += STRIP)
      backward_block(norm, (gd_range){r, r + least(rows.end - r, BLOCK_ROWS)},
                     c0, least(C - c0, STRIP), x, y, dy, sums, sums + C);
}

/* dx = gamma d (g - sum(g)/n - (x - mean) d^2 sum(g (x - mean))/n), d the
 * inverse deviation. */
static void backward_strip(const gd_norm *norm, int64_t n_rows, gd_range rows,
                           int c0, int width, const double *sums,
                           const float *x, const float *g, float *dx)
{
  float factor[STRIP], slope[STRIP], level[STRIP];
  for (int c = 0; c < width; c++) {
    const float d = inverse_deviation(norm, c0 + c);
    factor[c] = norm->gamma[c0 + c] * d;
    level[c] = (float)(sums[c0 + c] / (double)n_rows);
    slope[c] = (float)(sums[norm->C + c0 + c] / (double)n_rows * (double)d *
                       (double)d);
  }
  for (int64_t r = rows.first; r < rows.end; r++) {
    const int64_t at = r * norm->C + c0;
#pragma omp simd
    for (int c = 0; c < width; c++)
      dx[at + c] = factor[c] * (g[at + c] - level[c] -
                                (x[at + c] - norm->mean[c0 + c]) * slope[c]);
  }
}

void gd_norm_backward(const gd_norm *norm, int64_t n_rows, const float *x,
                      const float *y, float *dy, double *scratch, float *dx,
                      float *dgamma, float *dbeta)
{
  const int C = norm->C, n_pieces = n_pieces_of(n_rows);
#pragma omp parallel for schedule(static)
  for (int i = 0; i < n_pieces; i++)
    backward_piece(norm, gd_range_of(n_rows, i, n_pieces), x, y, dy,
                   scratch + (ptrdiff_t)2 * i * C);

  for (int i = 1; i < n_pieces; i++)
    for (int c = 0; c < 2 * C; c++)
      scratch[c] += scratch[(ptrdiff_t)2 * i * C + c];
  for (int c = 0; c < C; c++) {
    dbeta[c] = (float)scratch[c];
    dgamma[c] = (float)(scratch[C + c] * (double)inverse_deviation(norm, c));
  }

#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < (n_rows + PIECE_ROWS - 1) / PIECE_ROWS; i++)
    for (int c0 = 0; c0 < C; c0 += STRIP)
      backward_strip(norm, n_rows, piece_of(n_rows, i), c0,
                     least(C - c0, STRIP), scratch, x, dy, dx);
}
