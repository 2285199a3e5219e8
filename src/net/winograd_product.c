#include "net/winograd_product.h"

#include <assert.h>
#include <stddef.h>

#include "net/finish.h"
#include "net/numbers.h"
#include "net/whole.h"
#include "net/winograd.h"

enum {
  MOST_BLOCKS = 16, /* of channels: a piece's points fit into a slab */
  PART_BLOCKS = 2,  /* summed in one go, as in net/product.h; with three, the
                       error of 512 channels is 1.15 times as large, and no
                       time is won */
};

int gd_winograd_fits(gd_conv_shape s)
{
  return s.R == 3 && s.S == 3 && s.stride == 1 && s.pad == 1 &&
         s.pad_behind == 0 && s.C % GD_BLOCK == 0 && s.K % GD_BLOCK == 0 &&
         s.C <= MOST_BLOCKS * GD_BLOCK && s.K <= MOST_BLOCKS * GD_BLOCK;
}

gd_status gd_winograd_init(gd_winograd_product *p, gd_precision precision,
                           int C, int columns)
{
  *p =
      (gd_winograd_product){.precision = precision, .C = C, .columns = columns};
  gd_status st = GD_OK;
  for (int tile = 0; tile < GD_N_TILES && st == GD_OK; tile++)
    st = gd_gemm_make((gd_gemm_shape){.m = gd_tiles[tile],
                                      .n = GD_BLOCK,
                                      .k = GD_BLOCK,
                                      .lda = GD_BLOCK,
                                      .ldb = GD_BLOCK,
                                      .ldc = GD_BLOCK,
                                      .scattered = 1},
                      &p->kernels[tile]);
  return st;
}

int64_t gd_winograd_packed(const gd_winograd_product *p)
{
  return (int64_t)GD_POINTS * p->C * p->columns;
}

void gd_winograd_pack(const gd_winograd_product *p, const float *weights,
                      int turned, float *packed)
{
  enum { TAPS = GD_WINOGRAD_TAPS };
  const int64_t next_c = turned ? (int64_t)p->columns * TAPS : TAPS;
  const int64_t next_column = turned ? TAPS : (int64_t)p->C * TAPS;
#pragma omp parallel for collapse(2) schedule(static)
  for (int k0 = 0; k0 < p->columns; k0 += GD_BLOCK)
    for (int c = 0; c < p->C; c++) {
      const float *from = weights + k0 * next_column + c * next_c;
      float g[TAPS][GD_BLOCK];
      for (int k = 0; k < GD_BLOCK; k++)
        for (int tap = 0; tap < TAPS; tap++)
          g[turned ? TAPS - 1 - tap : tap][k] = from[k * next_column + tap];
      for (int tap = 0; tap < TAPS; tap++)
        for (int k = 0; k < GD_BLOCK; k += GD_LANES)
          gd_store(g[tap] + k, gd_kept(p->precision, gd_load(g[tap] + k)));
      gd_winograd_kernels(g, (int64_t)p->C * GD_BLOCK,
                          packed + (int64_t)k0 * GD_POINTS * p->C +
                              (ptrdiff_t)c * GD_BLOCK);
    }
}

/* One product: what all its pieces share. */
typedef struct {
  const gd_winograd_product *p;
  const gd_patches *patches;
  const gd_conv_source *source;
  const float *packed;
  const gd_conv_sink *sink;
  gd_target target;
  gd_cut cut;
} work;

/* A piece's points, (block of channels, point, position, GD_BLOCK). */
typedef struct {
  const float *values;
  int n;        /* positions, by whole tiles */
  int family;   /* of the tiles: kinds 0, 2, 4 or 1, 3, 5 */
  int64_t next; /* floats from one point to the next */
} points;

/* Tiles come in two families, 28, 14, 7 and 32, 16, 8: the one whose least
 * covers the positions best. */
static points points_of(int positions, const float *values)
{
  points q = {.values = values};
  int n[2];
  for (int family = 0; family < 2; family++) {
    const int tile = gd_tiles[GD_N_TILES - 2 + family];
    n[family] = gd_pieces(positions, tile) * tile;
  }
  q.family = n[1] < n[0];
  q.n = n[q.family];
  q.next = gd_point_floats(q.n);
  return q;
}

/* The largest tile within the next n positions. */
static int kind_for(const points *q, int n)
{
  int kind = q->family;
  while (gd_tiles[kind] > n)
    kind += 2;
  return kind;
}

int gd_winograd_n_pieces(const gd_patches *patches)
{
  const gd_cut cut = gd_winograd_cut(patches);
  return gd_cut_n_pieces(&cut);
}

/* Bring the piece's patches and transform them, a block of channels at a time.
 */
static points transform(const work *w, const gd_piece *piece,
                        gd_scratch scratch)
{
  const gd_channels one = {.n_whole = 1};
  const gd_slab slab = gd_slab_of(w->patches, piece, &one, GD_SLAB_FP32, 1);
  const points q =
      points_of(piece->rows * piece->columns * piece->n, scratch.other_slab);
  assert(w->p->C / GD_BLOCK * GD_POINTS * q.next <= GD_SLAB_FLOATS);
  float *to = scratch.other_slab;
  for (int c = 0; c < w->p->C; c += GD_BLOCK, to += GD_POINTS * q.next) {
    gd_slab_fill(&slab, w->patches, piece, w->source, c, scratch.slab);
    gd_winograd_patch(&slab, w->patches, piece, scratch.slab, (gd_range){0, 4},
                      q.n, to);
  }
  return q;
}

/* A part of a sum: blocks of channels first..end, for a tile of a point that
 * begins at `values`, and the point's weights. */
static void multiply_part(const gd_gemm *kernel, const float *values,
                          int64_t next_values, const float *weights, int first,
                          int end, float *c)
{
  const void *a[PART_BLOCKS], *b[PART_BLOCKS];
  for (int i = first; i < end; i++) {
    a[i - first] = values + i * next_values;
    b[i - first] = weights + (ptrdiff_t)i * GD_BLOCK * GD_BLOCK;
  }
  gd_gemm_run_scattered(kernel, a, b, end - first, c);
}

/* The products of all points with a block of columns. */
static void multiply(const work *w, const points *q, int block, float *part,
                     float *products)
{
  const int n_blocks = w->p->C / GD_BLOCK;
  const int64_t next_weights = (int64_t)w->p->C * GD_BLOCK;
  const float *weights = w->packed + block * GD_POINTS * next_weights;
  for (int e = 0; e < GD_POINTS; e++, weights += next_weights)
    for (int t = 0; t < q->n;) {
      const int kind = kind_for(q, q->n - t);
      const int64_t at = e * q->next + (int64_t)t * GD_BLOCK;
      for (int i = 0; i < n_blocks; i += PART_BLOCKS) {
        multiply_part(&w->p->kernels[kind], q->values + at, GD_POINTS * q->next,
                      weights, i, gd_least(i + PART_BLOCKS, n_blocks),
                      i == 0 ? products + at : part);
        if (i > 0)
          gd_product_add(part, gd_tiles[kind], GD_BLOCK, products + at);
      }
      t += gd_tiles[kind];
    }
}

/* The outputs of a piece of squares: of the last ones at the border, some. */
static gd_piece outputs_of(const work *w, const gd_piece *squares)
{
  gd_piece p = *squares;
  p.i0 *= 2;
  p.j0 *= 2;
  p.rows = gd_least(2 * squares->rows, w->target.H - p.i0);
  p.columns = gd_least(2 * squares->columns, w->target.W - p.j0);
  return p;
}

static void run_piece(const void *context, gd_scratch scratch, int i_piece,
                      int b0, int b1)
{
  const work *w = context;
  const gd_piece squares = gd_cut_piece(&w->cut, w->patches, i_piece);
  const int pitch = 2 * squares.columns * squares.n;
  const points q = transform(w, &squares, scratch);
  gd_results r = {.precision = w->p->precision,
                  .values = scratch.tile,
                  .row_pitch = pitch,
                  .block_floats = (int64_t)2 * squares.rows * pitch * GD_BLOCK,
                  .piece = outputs_of(w, &squares),
                  .target = w->target,
                  .N = w->patches->N,
                  .K = w->p->columns};
  assert(GD_POINTS * q.next <= GD_SUM_FLOATS);
  for (int b = b0; b < b1; b += GD_STRIP) {
    const int end = gd_least(b + GD_STRIP, b1);
    for (int i = b; i < end; i++) {
      multiply(w, &q, i, scratch.part, scratch.sums);
      gd_winograd_outputs(&squares, scratch.sums, q.n,
                          scratch.tile + (i - b) * r.block_floats);
    }
    r.k0 = b * GD_BLOCK;
    r.width = (end - b) * GD_BLOCK;
    gd_finish(w->sink, &r, i_piece);
  }
}

void gd_winograd_run(const gd_winograd_product *p, const gd_workspace *ws,
                     const gd_patches *patches, const gd_conv_source *source,
                     const float *packed, const gd_conv_sink *sink)
{
  const work w = {.p = p,
                  .patches = patches,
                  .source = source,
                  .packed = packed,
                  .sink = sink,
                  .target = {.H = patches->H, .W = patches->W, .step = 1},
                  .cut = gd_winograd_cut(patches)};
  assert(patches->C == p->C && patches->precision == p->precision);
  gd_cut_run(&w.cut, p->columns / GD_BLOCK, ws, run_piece, &w);
}
