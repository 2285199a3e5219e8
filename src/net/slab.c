#include "net/slab.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "net/numbers.h"
#include "net/whole.h"

enum { NARROW = 16 /* fewer channels than this are joined */ };

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
  c.rest_pitch = gd_pieces(c.rest, 16) * 16;
  return c;
}

/* ---------------------------------------------------------------------- cut
 */

const int gd_tiles[GD_N_TILES] = {28, 32, 14, 16, 7, 8};

/* How much of the peak is left of smaller products, about. */
static const double tile_worth[GD_N_TILES] = {1, 1, 0.96, 0.96, 0.9, 0.9};

/* Products in `positions` rows of the grid that lie side by side. */
static int64_t tile_rows(int positions, int tile)
{
  return (int64_t)gd_pieces(positions, tile) * tile;
}

/* The share of rows that are of use, with so many samples and columns together.
 */
static double worth(const gd_patches *p, int samples, int columns, int kind)
{
  const int tile = gd_tiles[kind];
  const int n[2] = {p->N / samples, p->N % samples > 0};
  const int s[2] = {samples, p->N % samples};
  const int m[2] = {p->columns / columns, p->columns % columns > 0};
  const int c[2] = {columns, p->columns % columns};
  int64_t rows = 0;
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 2; j++)
      rows += n[i] * m[j] * tile_rows(s[i] * c[j], tile);
  return tile_worth[kind] * p->N * p->columns / (double)rows;
}

/* As many samples together as fill the tiles of a row well. */
static void choose_tiles(const gd_patches *p, int positions, gd_cut *cut)
{
  double best = 0;
  for (int n = 1; n <= p->N && n * cut->columns <= positions; n++)
    for (int kind = 0; kind < GD_N_TILES; kind++)
      if (worth(p, n, cut->columns, kind) > best + 0.01) {
        best = worth(p, n, cut->columns, kind);
        cut->samples = n;
        cut->tile = kind;
      }
}

static int64_t slab_floats(const gd_patches *p, int C, int samples, int rows,
                           int columns)
{
  const gd_channels channels = gd_channels_of(C, p->S);
  const gd_piece piece = {.n = samples, .rows = rows, .columns = columns};
  const gd_slab s = gd_slab_of(p, &piece, &channels, GD_SLAB_FP32, 1);
  return s.next_block * (channels.n_whole + (channels.rest > 0));
}

gd_cut gd_cut_of(const gd_patches *p, int C, int positions, int64_t floats)
{
  gd_cut c = {.columns = gd_least(p->columns, positions)};
  choose_tiles(p, positions, &c);
  c.rows = gd_least(p->rows, gd_most(1, positions / (c.samples * c.columns)));
  while (c.rows > 1 && slab_floats(p, C, c.samples, c.rows, c.columns) > floats)
    c.rows--;
  while (c.samples > 1 &&
         slab_floats(p, C, c.samples, c.rows, c.columns) > GD_SLAB_FLOATS)
    c.samples--;
  const int tile = gd_tiles[c.tile];
  while (c.columns > tile &&
         slab_floats(p, C, c.samples, c.rows, c.columns) > floats)
    c.columns = gd_pieces(c.columns, 2 * tile) * tile;
  c.n_groups = gd_pieces(p->N, c.samples);
  c.n_bands = gd_pieces(p->rows, c.rows);
  c.n_spans = gd_pieces(p->columns, c.columns);
  c.rows = gd_pieces(p->rows, c.n_bands);
  return c;
}

int gd_cut_n_pieces(const gd_cut *c)
{
  return c->n_groups * c->n_bands * c->n_spans;
}

/* Pieces times groups of blocks of columns. */
typedef struct {
  gd_piece_run *run;
  const void *context;
  int n_blocks, n_groups;
} groups;

static void run_group(const void *context, gd_scratch scratch, int i)
{
  const groups *g = context;
  const int group = i % g->n_groups;
  g->run(g->context, scratch, i / g->n_groups,
         g->n_blocks * group / g->n_groups,
         g->n_blocks * (group + 1) / g->n_groups);
}

void gd_cut_run(const gd_cut *c, int n_blocks, const gd_workspace *ws,
                gd_piece_run *run, const void *context)
{
  const int n_threads = gd_workspace_threads(ws);
  const int wanted = n_threads == 1 ? 1 : 2 * n_threads;
  const int n_pieces = gd_cut_n_pieces(c);
  const groups g = {.run = run,
                    .context = context,
                    .n_blocks = n_blocks,
                    .n_groups =
                        gd_least(gd_pieces(wanted, n_pieces), n_blocks)};
  gd_workspace_run(ws, n_pieces * g.n_groups, run_group, &g);
}

gd_piece gd_cut_piece(const gd_cut *c, const gd_patches *p, int i)
{
  gd_piece piece = {.n0 = i / (c->n_bands * c->n_spans) * c->samples,
                    .i0 = i / c->n_spans % c->n_bands * c->rows,
                    .j0 = i % c->n_spans * c->columns};
  piece.n = gd_least(c->samples, p->N - piece.n0);
  piece.rows = gd_least(c->rows, p->rows - piece.i0);
  piece.columns = gd_least(c->columns, p->columns - piece.j0);
  return piece;
}

/* --------------------------------------------------------------------- slab
 */

gd_slab gd_slab_of(const gd_patches *p, const gd_piece *piece,
                   const gd_channels *channels, gd_slab_form form, int multiple)
{
  gd_slab s = {.form = form,
               .channels = *channels,
               .planes = channels->narrow ? 1 : gd_least(p->step, p->S),
               .plane_columns = piece->columns,
               .n_rows = (piece->rows - 1) * p->step + p->R,
               .n = piece->n};
  if (!channels->narrow && p->S > 0)
    s.plane_columns += (p->S - 1) / p->step;
  s.pitch = gd_pieces(s.planes * s.plane_columns * s.n, multiple) * multiple;
  s.row_pixels = p->step * s.pitch;
  s.next_block = ((int64_t)s.n_rows * s.pitch + GD_MOST_TILE) *
                 (channels->n_whole > 0 ? GD_BLOCK : channels->rest_pitch);
  return s;
}

int64_t gd_slab_pixel(const gd_slab *s, const gd_patches *p, int a, int b)
{
  const int plane = s->planes > 1 ? b % p->step : 0;
  const int column = s->channels.narrow ? 0 : b / p->step;
  return (int64_t)a * s->pitch + (plane * s->plane_columns + column) * s->n;
}

/* A whole block of channels of one pixel; `kept`: of the slab. */
static inline void bring_block(gd_precision p, gd_precision kept,
                               const gd_scale *scale, int c0, const void *from,
                               void *to)
{
  for (int i = 0; i < GD_BLOCK; i += GD_LANES) {
    gd_vector v = gd_load_of(p, from, c0 + i);
    if (scale != NULL) {
      v = gd_relu(gd_scaled(scale, c0 + i, GD_LANES, v));
      if (kept != p)
        v = gd_kept(p, v);
    }
    gd_keep(kept, to, i, v);
  }
}

/* Bring some channels c0.. of one pixel as floats; NULL: outside. */
static void bring_some(gd_precision p, const gd_scale *scale, int c0, int width,
                       const void *from, float *to)
{
  if (from == NULL) {
    memset(to, 0, (size_t)width * sizeof *to);
    return;
  }
  if (scale == NULL) {
    gd_precision_read(p, gd_at(p, from, c0), width, to);
    return;
  }
  for (int c = 0; c < width; c += GD_LANES) {
    const int n = gd_lanes(width - c);
    const gd_vector v =
        gd_scaled(scale, c0 + c, n, gd_load_some(p, from, c0 + c, n));
    gd_keep_some(GD_FP32, to, c, n, gd_kept(p, gd_relu(v)));
  }
}

static gd_precision precision_of(const gd_slab *s)
{
  return s->form == GD_SLAB_FP32 ? GD_FP32 : GD_BF16;
}

/* Where to write the rest's channels of a pixel as floats. */
static float *rest_room(const gd_slab *s, int64_t pixel, void *rest,
                        float room[GD_BLOCK + 1])
{
  return s->form == GD_SLAB_FP32
             ? (float *)rest + pixel * s->channels.rest_pitch
             : room;
}

/* Put away what was written there. */
static void put_rest(const gd_slab *s, int64_t pixel, void *rest,
                     float room[GD_BLOCK + 1])
{
  const int n = s->channels.rest, pitch = s->channels.rest_pitch;
  if (s->form == GD_SLAB_FP32)
    return;
  room[n] = 0; /* the other term of an odd rest's last pair */
  uint16_t kept[GD_BLOCK + 1];
  gd_precision_write(GD_BF16, room, n + n % 2, kept);
  memcpy((uint16_t *)rest + pixel * pitch, kept,
         (size_t)(n + n % 2) * sizeof *kept);
}

/* The rest's channels of a pixel, which are as the slab keeps them. */
static void copy_rest(const gd_slab *s, const void *from, int64_t pixel,
                      void *rest)
{
  const int n = s->channels.rest;
  const size_t bytes = gd_size_of(precision_of(s));
  char *to = gd_at(precision_of(s), rest, pixel * s->channels.rest_pitch);
  memcpy(to, from, (size_t)n * bytes);
  memset(to + (size_t)n * bytes, 0, (size_t)(n % 2) * bytes);
}

static void bring_whole(const gd_slab *s, gd_precision p, const gd_scale *scale,
                        int c0, const void *from, int64_t pixel, void *block)
{
  void *to = gd_at(precision_of(s), block, pixel * GD_BLOCK);
  if (from == NULL)
    memset(to, 0, GD_BLOCK * gd_size_of(precision_of(s)));
  else if (p == GD_FP32)
    bring_block(GD_FP32, GD_FP32, scale, c0, from, to);
  else if (s->form == GD_SLAB_FP32)
    bring_block(GD_BF16, GD_FP32, scale, c0, from, to);
  else if (scale == NULL)
    memcpy(to, gd_at(GD_BF16, from, c0), GD_BLOCK * sizeof(uint16_t));
  else
    bring_block(GD_BF16, GD_BF16, scale, c0, from, to);
}

static void bring_pixel(const gd_slab *s, gd_precision p, const gd_scale *scale,
                        int c0, const void *from, int64_t pixel, void *numbers)
{
  const gd_channels *c = &s->channels;
  const gd_precision kept = precision_of(s);
  for (int b = 0; b < c->n_whole; b++)
    bring_whole(s, p, scale, c0 + b * GD_BLOCK, from, pixel,
                gd_at(kept, numbers, b * s->next_block));
  if (c->rest > 0) {
    float room[GD_BLOCK + 1];
    void *rest = gd_at(kept, numbers, c->n_whole * s->next_block);
    bring_some(p, scale, c0 + c->n_whole * GD_BLOCK, c->rest, from,
               rest_room(s, pixel, rest, room));
    put_rest(s, pixel, rest, room);
  }
}

/* The pixel of a column; NULL outside the image. */
static inline const void *pixel_of(const gd_patches *p, const void *row, int w)
{
  return row == NULL || w < 0 || w >= p->W
             ? NULL
             : gd_at(p->precision, row, (ptrdiff_t)w * p->C);
}

/* Narrow: the taps of a row at one position, from column w on. */
static void bring_taps(const gd_slab *s, const gd_patches *p,
                       const gd_scale *scale, const void *row, int w,
                       int64_t pixel, void *numbers)
{
  const int C = p->C, is_inside = row != NULL && w >= 0 && w + p->S <= p->W;
  const int at_once = is_inside && scale == NULL ? p->S : 1;
  if (at_once == p->S && p->precision == precision_of(s)) {
    copy_rest(s, pixel_of(p, row, w), pixel, numbers);
    return;
  }
  float room[GD_BLOCK + 1];
  float *to = rest_room(s, pixel, numbers, room);
  for (int b = 0; b < p->S; b += at_once)
    bring_some(p->precision, scale, 0, at_once * C, pixel_of(p, row, w + b),
               to + b * C);
  put_rest(s, pixel, numbers, room);
}

/* Row r of the slab, of sample n of the piece; NULL outside the image. */
static const void *row_of(const gd_patches *p, const gd_piece *piece,
                          const gd_conv_source *source, int r, int n)
{
  const int h = piece->i0 * p->step + p->row + r;
  return h < 0 || h >= p->H
             ? NULL
             : gd_at(p->precision, source->x,
                     ((ptrdiff_t)(piece->n0 + n) * p->H + h) * p->W * p->C);
}

/* One row of one sample; `row` is NULL outside the image. */
static void fill_row(const gd_slab *s, const gd_patches *p,
                     const gd_piece *piece, const gd_scale *scale, int c0,
                     const void *row, int at_row, int n, void *numbers)
{
  const int w0 = piece->j0 * p->step + p->column;
  for (int column = 0; column < s->plane_columns; column++)
    for (int plane = 0; plane < s->planes; plane++) {
      const int w = w0 + column * p->step + plane;
      const int64_t pixel = (int64_t)at_row * s->pitch +
                            (plane * s->plane_columns + column) * s->n + n;
      if (s->channels.narrow)
        bring_taps(s, p, scale, row, w, pixel, numbers);
      else
        bring_pixel(s, p->precision, scale, c0, pixel_of(p, row, w), pixel,
                    numbers);
    }
}

static void interleave(const uint16_t *one, const uint16_t *other, int n,
                       uint16_t *to)
{
#pragma omp simd
  for (int c = 0; c < n; c++) {
    to[2 * c] = one[c];
    to[2 * c + 1] = other[c];
  }
}

/* Pixel i of row r of a slab of one plane; NULL outside the image. */
static const void *slab_pixel_of(const gd_slab *s, const gd_patches *p,
                                 const gd_piece *piece,
                                 const gd_conv_source *source, int r, int i)
{
  const int column = i / s->n;
  return column < s->plane_columns
             ? pixel_of(p, row_of(p, piece, source, r, i % s->n),
                        piece->j0 + p->column + column)
             : NULL;
}

/* Row r in pairs, with the zeros behind it: of pixels as they are, each seen by
 * one tap. */
static void fill_pairs(const gd_slab *s, const gd_patches *p,
                       const gd_piece *piece, const gd_conv_source *source,
                       int c0, int r, uint16_t *numbers)
{
  static const uint16_t nothing[GD_BLOCK] = {0};
  const gd_channels *c = &s->channels;
  assert(p->precision == GD_BF16 && p->step == 1 && source->scale == NULL);
  assert(!c->narrow && s->pitch % 2 == 0);
  for (int i = 0; i < s->pitch; i += 2) {
    const uint16_t *one = slab_pixel_of(s, p, piece, source, r, i);
    const uint16_t *other = slab_pixel_of(s, p, piece, source, r, i + 1);
    for (int b = 0; b < c->n_whole + (c->rest > 0); b++) {
      const int is_rest = b == c->n_whole, at = c0 + b * GD_BLOCK;
      interleave(one == NULL ? nothing : one + at,
                 other == NULL ? nothing : other + at,
                 is_rest ? c->rest : GD_BLOCK,
                 numbers + b * s->next_block +
                     ((int64_t)r * s->pitch + i) *
                         (is_rest ? c->rest_pitch : GD_BLOCK));
    }
  }
}

static void clear(const gd_slab *s, int64_t pixel, int n, void *numbers)
{
  const gd_channels *c = &s->channels;
  const gd_precision kept = precision_of(s);
  for (int b = 0; n > 0 && b < c->n_whole + (c->rest > 0); b++) {
    const int pitch = b < c->n_whole ? GD_BLOCK : c->rest_pitch;
    memset(gd_at(kept, numbers, b * s->next_block + pixel * pitch), 0,
           (size_t)n * (size_t)pitch * gd_size_of(kept));
  }
}

void gd_slab_fill(const gd_slab *s, const gd_patches *p, const gd_piece *piece,
                  const gd_conv_source *source, int c0, void *numbers)
{
  for (int r = 0; r < s->n_rows; r++) {
    const int64_t row = (int64_t)r * s->pitch;
    if (r % p->step >= p->R) { /* not seen; but where a product is filled up,
                                  zeros are multiplied with its beginning */
      clear(s, row, gd_least(s->pitch, GD_MOST_TILE), numbers);
      continue;
    }
    if (s->form == GD_SLAB_BF16_PAIRS) {
      fill_pairs(s, p, piece, source, c0, r, numbers);
      continue;
    }
    for (int n = 0; n < s->n; n++)
      fill_row(s, p, piece, source->scale, c0, row_of(p, piece, source, r, n),
               r, n, numbers);
    const int used = s->planes * s->plane_columns * s->n;
    clear(s, row + used, s->pitch - used, numbers);
  }
  clear(s, (int64_t)s->n_rows * s->pitch, GD_MOST_TILE, numbers);
}
