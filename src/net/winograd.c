#include "net/winograd.h"

#include <stddef.h>
#include <string.h>

#include "net/vector.h"
#include "net/whole.h"

gd_patches gd_winograd_patches(gd_conv_input in, int C, gd_precision precision)
{
  return (gd_patches){.N = in.N,
                      .rows = (in.H + 1) / 2,
                      .columns = (in.W + 1) / 2,
                      .H = in.H,
                      .W = in.W,
                      .C = C,
                      .precision = precision,
                      .step = 2,
                      .row = -1,
                      .column = -1,
                      .R = 4,
                      .S = 4};
}

gd_patches gd_winograd_squares(const gd_patches *patches, int K)
{
  gd_patches p = *patches;
  p.C = K;
  p.row = p.column = 0;
  p.R = p.S = 2;
  return p;
}

gd_cut gd_winograd_cut(const gd_patches *p)
{
  gd_cut c = {.columns = gd_least(p->columns, GD_SQUARES)};
  c.rows = gd_least(p->rows, GD_SQUARES / c.columns);
  c.samples = gd_least(p->N, GD_SQUARES / (c.columns * c.rows));
  while (gd_pieces(p->N, c.samples) * c.samples * 10 > p->N * 11)
    c.samples--; /* the last group is nearly as large as the others */
  c.n_spans = gd_pieces(p->columns, c.columns);
  c.n_bands = gd_pieces(p->rows, c.rows);
  c.n_groups = gd_pieces(p->N, c.samples);
  return c;
}

/* ------------------------------------------------------------------- points
 */

/* One row of the points of a position, in one vector.
 * at: its taps, (column, row); next: from one point to the next */
typedef void make_row(int row, const float *from, const ptrdiff_t at[4][4],
                      int64_t next, float *to);

/* A row of B' times a column of the patch. */
GD_INLINE gd_vector patch_column(int row, const float *from,
                                 const ptrdiff_t at[4])
{
  switch (row) {
  case 0:
    return gd_load(from + at[0]) - gd_load(from + at[2]);
  case 1:
    return gd_load(from + at[1]) + gd_load(from + at[2]);
  case 2:
    return gd_load(from + at[2]) - gd_load(from + at[1]);
  default:
    return gd_load(from + at[1]) - gd_load(from + at[3]);
  }
}

GD_INLINE void patch_row(int row, const float *from, const ptrdiff_t at[4][4],
                         int64_t next, float *to)
{
  gd_vector d[4];
  for (int b = 0; b < 4; b++)
    d[b] = patch_column(row, from, at[b]);
  gd_store(to, d[0] - d[2]);
  gd_store(to + next, d[1] + d[2]);
  gd_store(to + 2 * next, d[2] - d[1]);
  gd_store(to + 3 * next, d[1] - d[3]);
}

/* A row of A times a column of the square. */
GD_INLINE gd_vector square_column(int row, const float *from,
                                  const ptrdiff_t at[4])
{
  switch (row) {
  case 0:
    return gd_load(from + at[0]);
  case 1:
    return gd_load(from + at[0]) + gd_load(from + at[1]);
  case 2:
    return gd_load(from + at[0]) - gd_load(from + at[1]);
  default:
    return -gd_load(from + at[1]);
  }
}

GD_INLINE void square_row(int row, const float *from, const ptrdiff_t at[4][4],
                          int64_t next, float *to)
{
  const gd_vector a = square_column(row, from, at[0]);
  const gd_vector b = square_column(row, from, at[1]);
  gd_store(to, a);
  gd_store(to + next, a + b);
  gd_store(to + 2 * next, a - b);
  gd_store(to + 3 * next, -b);
}

GD_INLINE void make_points(make_row *f, const gd_slab *s, const gd_patches *p,
                           const gd_piece *piece, const float *slab,
                           gd_range rows, int n, float *points)
{
  const int n_rows = (int)(rows.end - rows.first), first = (int)rows.first;
  const int row_floats = piece->columns * piece->n * GD_BLOCK;
  const int64_t next = gd_point_floats(n);
  ptrdiff_t at[4][4];
  for (int b = 0; b < p->S; b++)
    for (int a = 0; a < p->R; a++)
      at[b][a] = gd_slab_pixel(s, p, a, b) * GD_BLOCK;
  float *to = points;
  for (int r = 0; r < piece->rows; r++, to += row_floats) {
    const float *from = slab + (ptrdiff_t)r * s->row_pixels * GD_BLOCK;
    for (int i = 0; i < row_floats; i += GD_LANES)
      for (int row = 0; row < n_rows; row++)
        f(first + row, from + i, at, next, to + i + 4 * row * next);
  }
  const int64_t behind = (int64_t)n * GD_BLOCK - (to - points);
  for (int e = 0; e < 4 * n_rows && behind > 0; e++)
    memset(to + e * next, 0, (size_t)behind * sizeof *to);
}

void gd_winograd_patch(const gd_slab *s, const gd_patches *p,
                       const gd_piece *piece, const float *slab, gd_range rows,
                       int n, float *points)
{
  make_points(patch_row, s, p, piece, slab, rows, n, points);
}

void gd_winograd_square(const gd_slab *s, const gd_patches *p,
                        const gd_piece *piece, const float *slab, gd_range rows,
                        int n, float *points)
{
  make_points(square_row, s, p, piece, slab, rows, n, points);
}

/* ------------------------------------------------------------------ outputs
 */

/* A' times four numbers: what nearly cancels first. */
GD_INLINE void fold(gd_vector m0, gd_vector m1, gd_vector m2, gd_vector m3,
                    gd_vector out[2])
{
  out[0] = m0 + (m1 + m2);
  out[1] = (m1 - m2) - m3;
}

/* One square, in one vector. */
GD_INLINE void output_square(const float *m, int64_t next, float *to,
                             ptrdiff_t next_row, ptrdiff_t next_column)
{
  gd_vector columns[4][2], row[2];
  for (int j = 0; j < 4; j++, m += next)
    fold(gd_load(m), gd_load(m + 4 * next), gd_load(m + 8 * next),
         gd_load(m + 12 * next), columns[j]);
  for (int y = 0; y < 2; y++, to += next_row) {
    fold(columns[0][y], columns[1][y], columns[2][y], columns[3][y], row);
    gd_store(to, row[0]);
    gd_store(to + next_column, row[1]);
  }
}

void gd_winograd_outputs(const gd_piece *piece, const float *products, int n,
                         float *outputs)
{
  const int64_t next = gd_point_floats(n);
  const ptrdiff_t next_column = (ptrdiff_t)piece->n * GD_BLOCK;
  const ptrdiff_t next_row = 2 * piece->columns * next_column;
  for (int i = 0; i < piece->rows; i++)
    for (int j = 0; j < piece->columns; j++) {
      float *to = outputs + 2 * (i * next_row + j * next_column);
      for (int at = 0; at < next_column; at += GD_LANES, products += GD_LANES)
        output_square(products, next, to + at, next_row, next_column);
    }
}

/* ------------------------------------------------------------------ kernels
 */

/* G times three numbers. */
GD_INLINE void widen(gd_vector a, gd_vector b, gd_vector c, gd_vector out[4])
{
  const gd_vector outer = (a + c) * 0.5f, middle = b * 0.5f;
  out[0] = a;
  out[1] = outer + middle;
  out[2] = outer - middle;
  out[3] = c;
}

void gd_winograd_kernels(const float g[GD_WINOGRAD_TAPS][GD_BLOCK],
                         int64_t next, float *points)
{
  for (int at = 0; at < GD_BLOCK; at += GD_LANES) {
    gd_vector columns[3][4], row[4];
    for (int s = 0; s < 3; s++)
      widen(gd_load(g[s] + at), gd_load(g[3 + s] + at), gd_load(g[6 + s] + at),
            columns[s]);
    for (int i = 0; i < 4; i++) {
      widen(columns[0][i], columns[1][i], columns[2][i], row);
      for (int j = 0; j < 4; j++)
        gd_store(points + (4 * i + j) * next + at, row[j]);
    }
  }
}

/* G' times four numbers. */
GD_INLINE void narrow(gd_vector u0, gd_vector u1, gd_vector u2, gd_vector u3,
                      gd_vector out[3])
{
  const gd_vector half = (u1 + u2) * 0.5f;
  out[0] = u0 + half;
  out[1] = (u1 - u2) * 0.5f;
  out[2] = half + u3;
}

void gd_winograd_dkernels(const float *sums, int64_t next, float *dg)
{
  float taps[GD_WINOGRAD_TAPS][GD_BLOCK];
  for (int at = 0; at < GD_BLOCK; at += GD_LANES) {
    const float *u = sums + at;
    gd_vector columns[4][3], row[3];
    for (int j = 0; j < 4; j++, u += next)
      narrow(gd_load(u), gd_load(u + 4 * next), gd_load(u + 8 * next),
             gd_load(u + 12 * next), columns[j]);
    for (int r = 0; r < 3; r++) {
      narrow(columns[0][r], columns[1][r], columns[2][r], columns[3][r], row);
      for (int s = 0; s < 3; s++)
        gd_store(taps[3 * r + s] + at, row[s]);
    }
  }
  for (int c = 0; c < GD_BLOCK; c++)
    for (int tap = 0; tap < GD_WINOGRAD_TAPS; tap++)
      dg[c * GD_WINOGRAD_TAPS + tap] = taps[tap][c];
}
