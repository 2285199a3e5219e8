#include "net/product.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "net/finish.h"
#include "net/numbers.h"
#include "net/whole.h"

enum {
  MOST_PAIRS = 192,
  FEW_CHANNELS = 512, /* whose weights for a block stay in the cache */
};

static int depth_of(const gd_product *p, int is_rest)
{
  return is_rest ? p->rest_depth : GD_BLOCK;
}

/* Columns of a product: fewer than a block's where the only block has fewer. */
static int width_of(const gd_product *p)
{
  enum { VECTOR = 16 };
  return gd_least(GD_BLOCK, gd_pieces(p->columns, VECTOR) * VECTOR);
}

static gd_status make_kernels(gd_product *p, int is_source, int tile)
{
  gd_status st = GD_OK;
  const int present[2] = {p->channels.n_whole > 0, p->channels.rest > 0};
  for (int rest = 0; rest < 2; rest++)
    for (int add = 0; add < (p->tiles == GD_BF16 ? 2 : 1); add++)
      if (present[rest] && st == GD_OK)
        st = gd_gemm_make((gd_gemm_shape){.precision = p->tiles,
                                          .m = gd_tiles[tile],
                                          .n = width_of(p),
                                          .k = depth_of(p, rest),
                                          .lda = is_source ? p->C
                                                 : rest ? p->channels.rest_pitch
                                                        : GD_BLOCK,
                                          .ldb = GD_BLOCK,
                                          .ldc = GD_BLOCK,
                                          .accumulate = add,
                                          .scattered = 1},
                          &p->kernels[is_source][tile][rest][add]);
  return st;
}

/* Say whether kernels can read the source where it lies. */
static int takes_source(const gd_product *p)
{
  return p->tiles == p->precision && p->rest_depth == p->channels.rest;
}

gd_status gd_product_init(gd_product *p, gd_precision precision, int R, int S,
                          int C, int columns, int may_be_source)
{
  *p = (gd_product){.precision = precision,
                    .tiles = gd_gemm_takes(precision),
                    .R = R,
                    .S = S,
                    .C = C,
                    .columns = columns};
  p->channels = gd_channels_of(C, S);
  const int rest = p->channels.rest;
  p->rest_depth = p->tiles == GD_FP32 ? rest : rest + rest % 2;
  p->depth =
      p->channels.narrow
          ? (int64_t)R * p->rest_depth
          : (int64_t)R * S * (p->channels.n_whole * GD_BLOCK + p->rest_depth);
  p->n_blocks = gd_pieces(columns, GD_BLOCK);
  gd_status st = GD_OK;
  for (int tile = 0; tile < GD_N_TILES && st == GD_OK; tile++) {
    st = make_kernels(p, 0, tile);
    if (st == GD_OK && may_be_source && takes_source(p))
      st = make_kernels(p, 1, tile);
  }
  return st;
}

int64_t gd_product_packed(const gd_product *p)
{
  return p->n_blocks * p->depth * GD_BLOCK;
}

/* Where weight (tap a b, channel, column) is packed. */
static int64_t place_of(const gd_product *p, int a, int b, int c, int column)
{
  const gd_channels *ch = &p->channels;
  int64_t depth;
  if (ch->narrow) {
    depth = (int64_t)a * p->rest_depth + b * p->C + c;
  } else {
    const int block = c / GD_BLOCK;
    const int width = block < ch->n_whole ? GD_BLOCK : p->rest_depth;
    depth = (int64_t)block * p->R * p->S * GD_BLOCK +
            (int64_t)(a * p->S + b) * width + c % GD_BLOCK;
  }
  const int64_t block = (int64_t)(column / GD_BLOCK) * p->depth;
  column %= GD_BLOCK;
  return p->tiles == GD_FP32
             ? (block + depth) * GD_BLOCK + column
             : (block + depth / 2 * 2) * GD_BLOCK + 2 * column + depth % 2;
}

/* One channel's, a number in each pair. */
static void pack_halves(const float *weights, int n, uint16_t *to)
{
  uint16_t kept[GD_BLOCK];
  gd_precision_write(GD_BF16, weights, n, kept);
  for (int i = 0; i < n; i++)
    to[2 * i] = kept[i];
}

/* Two channels', whose pairs are whole. */
static void pack_pairs(const float (*weights)[GD_BLOCK], int n, uint16_t *to)
{
  for (int i = 0; i < n; i += GD_LANES) {
    const gd_vector one = gd_kept(GD_BF16, gd_load(weights[0] + i));
    const gd_vector other = gd_kept(GD_BF16, gd_load(weights[1] + i));
    const gd_bits pairs = (gd_bits)one >> 16 | (gd_bits)other;
    memcpy(to + 2 * i, &pairs, sizeof pairs);
  }
}

void gd_product_pack(const gd_product *p, int a, int b, int c, int n_channels,
                     int column, int n, const float (*weights)[GD_BLOCK],
                     void *packed)
{
  assert(n_channels == 1 || (n_channels == 2 && c % 2 == 0));
  if (p->tiles == GD_BF16 && !p->channels.narrow && n_channels == 2) {
    pack_pairs(weights, n, (uint16_t *)packed + place_of(p, a, b, c, column));
    return;
  }
  for (int i = 0; i < n_channels; i++) {
    const int64_t at = place_of(p, a, b, c + i, column);
    if (p->tiles == GD_FP32)
      gd_precision_write(p->precision, weights[i], n,
                         gd_at(p->precision, packed, at));
    else
      pack_halves(weights[i], n, (uint16_t *)packed + at);
  }
}

/* A source that is the matrix itself needs a slab for its end alone. */
static gd_cut cut_of(const gd_patches *patches)
{
  return gd_cut_of(patches, patches->C, GD_PIECE,
                   gd_patches_are_source(patches) ? GD_SLAB_FLOATS
                                                  : GD_CACHE_FLOATS);
}

int gd_product_n_pieces(const gd_patches *patches)
{
  const gd_cut cut = cut_of(patches);
  return gd_cut_n_pieces(&cut);
}

/* One product: what all its pieces share. */
typedef struct {
  const gd_product *p;
  const gd_patches *patches;
  const gd_conv_source *source;
  const void *packed;
  const gd_conv_sink *sink;
  gd_target target;
  gd_cut cut;
  int tile; /* rows of a product */
  int may_be_source;
} work;

/* One piece on its way. */
typedef struct {
  gd_piece piece;
  gd_slab slab;
  const void *numbers; /* the slab's, or the source's first pixel */
  int is_source;
  int row_positions; /* of use, in a row of the grid */
  int row_tiles;
  int together; /* tiles for which a part of the weights stays */
} errand;

/* The addresses of a part of the sum: pairs first..+n of the whole blocks or of
 * the rest, for the tile that begins `pixels` behind the first.
 * weights: the part's */
static void multiply_part(const work *w, const errand *e, int is_rest,
                          int first, int n, int64_t pixels, int add,
                          const void *weights, float *c)
{
  const gd_product *p = w->p;
  const gd_channels *ch = &p->channels;
  const int taps_a = p->R, taps_b = ch->narrow ? 1 : p->S;
  const int depth = depth_of(p, is_rest);
  const void *a[MOST_PAIRS], *b[MOST_PAIRS];
  for (int i = 0; i < n; i++) {
    const int pair = first + i;
    b[i] = gd_at(p->tiles, weights, (int64_t)i * depth * GD_BLOCK);
    if (e->is_source) {
      a[i] = gd_at(p->tiles, e->numbers,
                   pixels * p->C + (is_rest ? ch->n_whole : pair) * GD_BLOCK);
      continue;
    }
    const int tap = pair % (taps_a * taps_b);
    const int block = is_rest ? ch->n_whole : pair / (taps_a * taps_b);
    const int pitch = is_rest ? ch->rest_pitch : GD_BLOCK;
    const int64_t pixel =
        gd_slab_pixel(&e->slab, w->patches, tap / taps_b, tap % taps_b) +
        pixels;
    a[i] =
        gd_at(p->tiles, e->numbers, block * e->slab.next_block + pixel * pitch);
  }
  gd_gemm_run_scattered(&p->kernels[e->is_source][w->cut.tile][is_rest][add], a,
                        b, n, c);
}

void gd_product_add(const float *restrict part, int rows, int width,
                    float *restrict c)
{
  for (int r = 0; r < rows; r++, part += GD_BLOCK, c += GD_BLOCK)
#pragma omp simd
    for (int i = 0; i < width; i++)
      c[i] += part[i];
}

/* Multiply some tiles with a part of the sum. */
static void multiply_tiles(const work *w, const errand *e, gd_scratch scratch,
                           int first_tile, int is_rest, int first, int n,
                           int is_first, const void *weights, float *c)
{
  const int adds = w->p->tiles == GD_BF16; /* the kernels themselves */
  const int m = w->tile, width = width_of(w->p);
  const int n_tiles = e->piece.rows * e->row_tiles;
  const int end = gd_least(first_tile + e->together, n_tiles);
  for (int t = first_tile; t < end; t++) {
    const int64_t pixels = (int64_t)(t / e->row_tiles) * e->slab.row_pixels +
                           (int64_t)(t % e->row_tiles) * m;
    float *at = c + (ptrdiff_t)t * m * GD_BLOCK;
    float *to = is_first || adds ? at : scratch.part;
    multiply_part(w, e, is_rest, first, n, pixels, !is_first && adds, weights,
                  to);
    if (!is_first && !adds)
      gd_product_add(scratch.part, m, width, at);
  }
}

/* Compute some tiles of one block of columns. */
static void multiply(const work *w, const errand *e, gd_scratch scratch,
                     int block, int first_tile, float *c)
{
  const gd_product *p = w->p;
  const gd_channels *ch = &p->channels;
  const int taps = ch->narrow ? p->R : p->R * p->S;
  const int terms = p->tiles == GD_FP32 ? GD_PART_TERMS : 2 * GD_PART_TERMS;
  int64_t at = block * p->depth * GD_BLOCK;
  int is_first = 1;
  for (int is_rest = 0; is_rest < 2; is_rest++) {
    const int n_pairs =
        is_rest ? (ch->rest > 0 ? taps : 0) : taps * ch->n_whole;
    const int depth = depth_of(p, is_rest);
    const int n_part =
        n_pairs > 0 && depth < terms ? gd_least(terms / depth, MOST_PAIRS) : 1;
    for (int first = 0; first < n_pairs; first += n_part) {
      const int n = gd_least(n_part, n_pairs - first);
      const int64_t count = (int64_t)n * depth * GD_BLOCK;
      const void *weights = gd_at(p->precision, w->packed, at);
      if (p->tiles != p->precision) {
        gd_precision_read(p->precision, weights, count, scratch.weights);
        weights = scratch.weights;
      }
      multiply_tiles(w, e, scratch, first_tile, is_rest, first, n, is_first,
                     weights, c);
      is_first = 0;
      at += count;
    }
  }
}

/* Compute one block of columns, to c. */
static void multiply_all(const work *w, const errand *e, gd_scratch scratch,
                         int block, float *c)
{
  for (int t = 0; t < e->piece.rows * e->row_tiles; t += e->together)
    multiply(w, e, scratch, block, t, c);
}

static void run_piece(const void *context, gd_scratch scratch, int i_piece,
                      int b0, int b1)
{
  const work *w = context;
  const gd_product *p = w->p;
  errand e = {.piece = gd_cut_piece(&w->cut, w->patches, i_piece)};
  const int n_seen = p->R * p->S;
  e.row_positions = e.piece.columns * e.piece.n;
  e.row_tiles = gd_pieces(e.row_positions, w->tile);
  e.together = e.piece.rows * e.row_tiles;
  const int64_t block_floats =
      (int64_t)e.piece.rows * e.row_tiles * w->tile * GD_BLOCK;
  if (n_seen == 0) {
    memset(scratch.tile, 0, GD_STRIP * (size_t)block_floats * sizeof(float));
  } else if (w->may_be_source && e.row_positions % w->tile == 0) {
    e.is_source = 1;
    if (p->C <= FEW_CHANNELS) /* rows arrive from memory whole */
      e.together = 1;
    e.numbers = gd_at(p->precision, w->source->x, (ptrdiff_t)e.piece.j0 * p->C);
  } else {
    e.slab = gd_slab_of(w->patches, &e.piece, &p->channels,
                        p->tiles == GD_FP32 ? GD_SLAB_FP32 : GD_SLAB_BF16, 1);
    e.numbers = scratch.slab;
    gd_slab_fill(&e.slab, w->patches, &e.piece, w->source, 0, scratch.slab);
  }
  gd_results r = {.precision = p->precision,
                  .values = scratch.tile,
                  .row_pitch = e.row_tiles * w->tile,
                  .block_floats = block_floats,
                  .piece = e.piece,
                  .target = w->target,
                  .N = w->patches->N,
                  .K = p->columns};
  for (int b = b0; b < b1; b += GD_STRIP) {
    const int end = gd_least(b + GD_STRIP, b1);
    for (int i = b; i < end && n_seen > 0; i++)
      multiply_all(w, &e, scratch, i, scratch.tile + (i - b) * block_floats);
    r.k0 = b * GD_BLOCK;
    r.width = gd_least(end * GD_BLOCK, p->columns) - r.k0;
    gd_finish(w->sink, &r, i_piece);
  }
}

void gd_product_run(const gd_product *p, const gd_workspace *ws,
                    const gd_patches *patches, const gd_conv_source *source,
                    const void *packed, const gd_conv_sink *sink,
                    gd_target target)
{
  assert(patches->R == p->R && patches->S == p->S && patches->C == p->C);
  assert(patches->precision == p->precision);
  work w = {.p = p,
            .patches = patches,
            .source = source,
            .packed = packed,
            .sink = sink,
            .target = target,
            .cut = cut_of(patches)};
  w.tile = gd_tiles[w.cut.tile];
  w.may_be_source = takes_source(p) && gd_patches_are_source(patches) &&
                    patches->N == 1 && patches->rows == 1 &&
                    source->scale == NULL;
  gd_cut_run(&w.cut, p->n_blocks, ws, run_piece, &w);
}
