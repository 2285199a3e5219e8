#include "net/slab.h"

#include <stddef.h>
#include <string.h>

enum { NARROW = 16 /* fewer channels than this are joined */ };

static int least(int a, int b)
{
  return a < b ? a : b;
}

static int most(int a, int b)
{
  return a > b ? a : b;
}

static int pieces(int whole, int part)
{
  return (whole + part - 1) / part;
}

int gd_patches_are_source(const gd_patches *p)
{
  return p->R == 1 && p->S == 1 && p->row == 0 && p->column == 0 &&
         p->step == 1 && p->rows == p->H && p->columns == p->W;
}

gd_channels gd_channels_of(int C, int S)
{
  gd_channels c = {.n_whole = C / GD_BLOCK, .rest = C % GD_BLOCK};
  c.narrow = S > 1 && C < NARROW && S * C <= GD_BLOCK;
  if (c.narrow)
    c.rest = S * C;
  c.rest_pitch = pieces(c.rest, 16) * 16;
  return c;
}

/* ---------------------------------------------------------------------- cut
 */

/* Rows of a product that are of use. */
static double efficiency(int positions, int tile)
{
  return (double)positions / (pieces(positions, tile) * tile);
}

/* As many samples together as fill the tiles of a row well. */
static int choose_samples(const gd_patches *p, int columns, int positions)
{
  int best = 1;
  for (int n = 1; n <= p->N && n * columns <= positions && n <= GD_TILE; n++) {
    if (efficiency(n * columns, GD_TILE) >
        efficiency(best * columns, GD_TILE) + 0.02)
      best = n;
    if (efficiency(best * columns, GD_TILE) > 0.95)
      break;
  }
  return best;
}

static int choose_tile(int positions)
{
  int tile = GD_TILE;
  for (int t = GD_TILE / 2; t >= GD_LEAST_TILE; t /= 2)
    if (efficiency(positions, t) > efficiency(positions, tile) + 0.05)
      tile = t;
  return tile;
}

static int64_t slab_floats(const gd_patches *p, int C, int samples, int rows,
                           int columns)
{
  const gd_channels channels = gd_channels_of(C, p->S);
  const gd_piece piece = {.n = samples, .rows = rows, .columns = columns};
  const gd_slab s = gd_slab_of(p, &piece, &channels, 1);
  return s.block_floats * (channels.n_whole + (channels.rest > 0));
}

gd_cut gd_cut_of(const gd_patches *p, int C, int positions, int64_t floats)
{
  gd_cut c = {.columns = least(p->columns, positions)};
  c.samples = choose_samples(p, c.columns, positions);
  c.rows = least(p->rows, most(1, positions / (c.samples * c.columns)));
  while (c.rows > 1 && slab_floats(p, C, c.samples, c.rows, c.columns) > floats)
    c.rows--;
  while (c.samples > 1 &&
         slab_floats(p, C, c.samples, c.rows, c.columns) > GD_SLAB_FLOATS)
    c.samples--;
  while (c.columns > GD_TILE &&
         slab_floats(p, C, c.samples, c.rows, c.columns) > floats)
    c.columns = most(GD_TILE, pieces(c.columns, 2 * GD_TILE) * GD_TILE);
  c.n_groups = pieces(p->N, c.samples);
  c.n_bands = pieces(p->rows, c.rows);
  c.n_spans = pieces(p->columns, c.columns);
  c.rows = pieces(p->rows, c.n_bands);
  c.tile = choose_tile(c.columns * c.samples);
  return c;
}

int gd_cut_n_pieces(const gd_cut *c)
{
  return c->n_groups * c->n_bands * c->n_spans;
}

gd_piece gd_cut_piece(const gd_cut *c, const gd_patches *p, int i)
{
  gd_piece piece = {.n0 = i / (c->n_bands * c->n_spans) * c->samples,
                    .i0 = i / c->n_spans % c->n_bands * c->rows,
                    .j0 = i % c->n_spans * c->columns};
  piece.n = least(c->samples, p->N - piece.n0);
  piece.rows = most(0, least(c->rows, p->rows - piece.i0));
  piece.columns = least(c->columns, p->columns - piece.j0);
  return piece;
}

/* --------------------------------------------------------------------- slab
 */

gd_slab gd_slab_of(const gd_patches *p, const gd_piece *piece,
                   const gd_channels *channels, int multiple)
{
  gd_slab s = {.channels = *channels,
               .planes = channels->narrow ? 1 : least(p->step, p->S),
               .plane_columns = piece->columns,
               .n_rows = (piece->rows - 1) * p->step + p->R,
               .n = piece->n};
  if (!channels->narrow && p->S > 0)
    s.plane_columns += (p->S - 1) / p->step;
  s.pitch = pieces(s.planes * s.plane_columns * s.n, multiple) * multiple;
  s.row_pixels = p->step * s.pitch;
  s.block_floats = ((int64_t)s.n_rows * s.pitch + GD_TILE) *
                   (channels->n_whole > 0 ? GD_BLOCK : channels->rest_pitch);
  return s;
}

int64_t gd_slab_pixel(const gd_slab *s, const gd_patches *p, int a, int b)
{
  const int plane = s->planes > 1 ? b % p->step : 0;
  const int column = s->channels.narrow ? 0 : b / p->step;
  return (int64_t)a * s->pitch + (plane * s->plane_columns + column) * s->n;
}

static void scale_row(const gd_scale *scale, int c0, int width,
                      const float *restrict from, float *restrict to)
{
  const float *restrict mean = scale->mean + c0;
  const float *restrict factor = scale->factor + c0;
  const float *restrict addend = scale->addend + c0;
#pragma omp simd
  for (int c = 0; c < width; c++) {
    const float v = (from[c] - mean[c]) * factor[c] + addend[c];
    to[c] = v < 0.0f ? 0.0f : v; /* a NaN passes */
  }
}

static void copy_row(int width, const float *restrict from, float *restrict to)
{
#pragma omp simd
  for (int c = 0; c < width; c++)
    to[c] = from[c];
}

/* Bring the channels c0.. of one block of one pixel; NULL: outside. */
static void bring(const gd_scale *scale, int c0, int width, const float *from,
                  float *to)
{
  if (from == NULL)
    memset(to, 0, (size_t)width * sizeof *to);
  else if (scale != NULL)
    scale_row(scale, c0, width, from + c0, to);
  else if (width == GD_BLOCK)
    copy_row(GD_BLOCK, from + c0, to);
  else
    copy_row(width, from + c0, to);
}

static void bring_pixel(const gd_slab *s, const gd_scale *scale, int c0,
                        const float *from, int64_t pixel, float *floats)
{
  const gd_channels *c = &s->channels;
  for (int b = 0; b < c->n_whole; b++)
    bring(scale, c0 + b * GD_BLOCK, GD_BLOCK, from,
          floats + b * s->block_floats + pixel * GD_BLOCK);
  if (c->rest > 0)
    bring(scale, c0 + c->n_whole * GD_BLOCK, c->rest, from,
          floats + c->n_whole * s->block_floats + pixel * c->rest_pitch);
}

/* Narrow: the taps of a row at one position, from column w on. */
static void bring_taps(const gd_patches *p, const gd_scale *scale,
                       const float *row, int w, float *to)
{
  const int C = p->C;
  if (row != NULL && scale == NULL && w >= 0 && w + p->S <= p->W) {
    copy_row(p->S * C, row + (ptrdiff_t)w * C, to);
    return;
  }
  for (int b = 0; b < p->S; b++, w++)
    bring(scale, 0, C,
          row == NULL || w < 0 || w >= p->W ? NULL : row + (ptrdiff_t)w * C,
          to + b * C);
}

/* One row of one sample; `row` is NULL outside the image. */
static void fill_row(const gd_slab *s, const gd_patches *p,
                     const gd_piece *piece, const gd_scale *scale, int c0,
                     const float *row, int at_row, int n, float *floats)
{
  const int w0 = piece->j0 * p->step + p->column;
  for (int column = 0; column < s->plane_columns; column++)
    for (int plane = 0; plane < s->planes; plane++) {
      const int w = w0 + column * p->step + plane;
      const int64_t pixel = (int64_t)at_row * s->pitch +
                            (plane * s->plane_columns + column) * s->n + n;
      if (s->channels.narrow)
        bring_taps(p, scale, row, w, floats + pixel * s->channels.rest_pitch);
      else
        bring_pixel(s, scale, c0,
                    row == NULL || w < 0 || w >= p->W
                        ? NULL
                        : row + (ptrdiff_t)w * p->C,
                    pixel, floats);
    }
}

static void clear(const gd_slab *s, int64_t pixel, int n, float *floats)
{
  const gd_channels *c = &s->channels;
  for (int b = 0; n > 0 && b < c->n_whole + (c->rest > 0); b++) {
    const int pitch = b < c->n_whole ? GD_BLOCK : c->rest_pitch;
    memset(floats + b * s->block_floats + pixel * pitch, 0,
           (size_t)n * (size_t)pitch * sizeof *floats);
  }
}

void gd_slab_fill(const gd_slab *s, const gd_patches *p, const gd_piece *piece,
                  const gd_conv_source *source, int c0, float *floats)
{
  const int h0 = piece->i0 * p->step + p->row;
  for (int r = 0; r < s->n_rows; r++) {
    if (r % p->step >= p->R) /* between the rows that are seen */
      continue;
    const int h = h0 + r;
    for (int n = 0; n < s->n; n++) {
      const float *row =
          h < 0 || h >= p->H
              ? NULL
              : source->x +
                    ((ptrdiff_t)(piece->n0 + n) * p->H + h) * p->W * p->C;
      fill_row(s, p, piece, source->scale, c0, row, r, n, floats);
    }
    const int used = s->planes * s->plane_columns * s->n;
    clear(s, (int64_t)r * s->pitch + used, s->pitch - used, floats);
  }
  clear(s, (int64_t)s->n_rows * s->pitch, GD_TILE, floats);
}
