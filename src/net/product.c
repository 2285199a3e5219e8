#include "net/product.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

enum { SUM_PIECES = 3 }; /* pieces of GD_BLOCK that are summed in one go */

static int least(int a, int b)
{
  return a < b ? a : b;
}

/* Widths of tiles are rounded up to whole vectors: what lies beyond is zero in
 * the weights, and never leaves the scratch tile. */
static int round_up(int x, int to)
{
  return (x + to - 1) / to * to;
}

static int row_stride(const gd_product *p)
{
  return p->n_blocks * GD_BLOCK;
}

static int chunk_depth(const gd_product *p, int is_last)
{
  const int last = p->C % p->chunk == 0 ? p->chunk : p->C % p->chunk;
  return p->n_taps * (is_last ? last : p->chunk);
}

static gd_status make_kernels(gd_product *p, int is_source, int tile)
{
  const int last = p->columns - (p->n_blocks - 1) * GD_BLOCK;
  const int widths[2] = {p->n_blocks > 1 ? GD_BLOCK : 0, round_up(last, 16)};
  const int whole = chunk_depth(p, 0), end = chunk_depth(p, 1);
  const int depths[3] = {whole >= GD_BLOCK ? GD_BLOCK : 0, whole % GD_BLOCK,
                         end % GD_BLOCK};
  const int follows[3] = {0, whole > GD_BLOCK, end > GD_BLOCK};
  gd_status st = GD_OK;

  for (int w = 0; w < 2; w++)
    for (int d = 0; d < 3; d++)
      for (int part = 0;
           part < 2 && widths[w] > 0 && depths[d] > 0 && st == GD_OK; part++)
        st = gd_gemm_make(
            (gd_gemm_shape){.m = GD_LEAST_TILE << tile,
                            .n = widths[w],
                            .k = depths[d],
                            .lda = is_source ? p->C : GD_PANEL_DEPTH,
                            .ldb = GD_BLOCK,
                            .ldc = part ? GD_BLOCK : row_stride(p),
                            .stride_a = depths[d],
                            .stride_b = depths[d] * GD_BLOCK,
                            .accumulate = follows[d]},
            &p->kernels[is_source][tile][w][d][part]);
  return st;
}

gd_status gd_product_init(gd_product *p, int n_taps, int C, int columns,
                          int may_be_source)
{
  *p = (gd_product){.n_taps = n_taps, .C = C, .columns = columns};
  p->chunk = gd_patches_chunk(n_taps, C);
  p->n_depth = n_taps * C;
  p->n_blocks = (columns + GD_BLOCK - 1) / GD_BLOCK;
  gd_status st = GD_OK;
  for (int tile = 0; tile < GD_N_TILES && st == GD_OK; tile++) {
    st = make_kernels(p, 0, tile);
    if (st == GD_OK && may_be_source)
      st = make_kernels(p, 1, tile);
  }
  return st;
}

int64_t gd_product_packed(const gd_product *p)
{
  return (int64_t)p->n_blocks * p->n_depth * GD_BLOCK;
}

int64_t gd_product_at(const gd_product *p, int tap, int c, int column)
{
  const int c0 = c / p->chunk * p->chunk;
  const int width = least(p->chunk, p->C - c0);
  const int64_t depth = (int64_t)c0 * p->n_taps + tap * width + (c - c0);
  return ((int64_t)(column / GD_BLOCK) * p->n_depth + depth) * GD_BLOCK +
         column % GD_BLOCK;
}

/* One product: what all its panels share. */
typedef struct {
  const gd_product *p;
  const gd_patches *patches;
  const float *source, *packed, *bias;
  gd_target target;
  int64_t n_rows;
  int panel_rows;
  int is_source; /* the source is the matrix */
  int is_direct; /* whole tiles are computed in place */
} work;

typedef struct {
  int first, n,
      kind; /* rows first..+n of the panel; n < 8 << kind at the end */
} tile;

static int cut(int n, tile tiles[GD_N_TILES + 1])
{
  int n_tiles = 0;
  for (int at = 0; at < n;) {
    int kind = GD_N_TILES - 1;
    while (kind > 0 && GD_LEAST_TILE << kind > n - at)
      kind--;
    tiles[n_tiles++] = (tile){at, least(n - at, GD_LEAST_TILE << kind), kind};
    at += GD_LEAST_TILE << kind;
  }
  return n_tiles;
}

static int is_whole(tile t)
{
  return t.n == GD_LEAST_TILE << t.kind;
}

static void add_part(const float *part, int rows, float *c, int stride)
{
  for (int r = 0; r < rows; r++)
    for (int i = 0; i < GD_BLOCK; i++)
      c[(ptrdiff_t)r * stride + i] += part[r * GD_BLOCK + i];
}

/* Multiply one tile's rows with the columns of one block, over one chunk. */
static void multiply(const work *w, tile t, int block, int c0, int width,
                     const float *a, int is_source, float *part, float *c)
{
  const gd_product *p = w->p;
  const int depth = p->n_taps * width;
  const int pieces = depth / GD_BLOCK, rest = depth % GD_BLOCK;
  const float *b =
      w->packed +
      ((int64_t)block * p->n_depth + (int64_t)c0 * p->n_taps) * GD_BLOCK;
  const gd_gemm(*kernels)[2] =
      p->kernels[is_source][t.kind][block == p->n_blocks - 1];
  const gd_gemm *last = kernels[width == p->chunk ? 1 : 2];

  for (int at = 0; at == 0 || at < pieces; at += SUM_PIECES) {
    const int is_part = c0 > 0 || at > 0;
    const int n = least(pieces - at, SUM_PIECES);
    const float *b_at = b + (ptrdiff_t)at * GD_BLOCK * GD_BLOCK;
    float *to = is_part ? part : c;
    if (n > 0)
      gd_gemm_run(&kernels[0][is_part], a + at * GD_BLOCK, b_at, n, to);
    if (rest > 0 && at + n == pieces)
      gd_gemm_run(&last[is_part], a + pieces * GD_BLOCK,
                  b + (ptrdiff_t)pieces * GD_BLOCK * GD_BLOCK, 1, to);
    if (is_part)
      add_part(part, GD_LEAST_TILE << t.kind, c, row_stride(p));
  }
}

/* A scratch tile of the panel's rows; where only an end of fewer rows than a
 * tile goes through scratch, it begins there. */
static float *scratch_of(const work *w, gd_scratch scratch, tile t)
{
  return scratch.tile +
         (w->is_direct ? 0 : (ptrdiff_t)t.first * row_stride(w->p));
}

static float *pixel_of(const work *w, int64_t position)
{
  const gd_patches *g = w->patches;
  const gd_target *to = &w->target;
  const int64_t sample = position / ((int64_t)g->rows * g->columns);
  const int64_t i = position / g->columns % g->rows;
  const int64_t j = position % g->columns;
  const int64_t pixel = (sample * to->H + to->row + i * to->step) * to->W +
                        to->column + j * to->step;
  return to->pixels + pixel * w->p->columns;
}

/* Bring columns b0..b1 (in blocks) of a scratch tile to their pixels. */
static void deliver(const work *w, int64_t first, tile t, const float *from,
                    int b0, int b1)
{
  const int begin = b0 * GD_BLOCK;
  const int end = least(b1 * GD_BLOCK, w->p->columns);
  for (int r = 0; r < t.n; r++) {
    const float *row = from + (ptrdiff_t)r * row_stride(w->p);
    float *to = pixel_of(w, first + t.first + r);
    if (w->bias == NULL)
      memcpy(to + begin, row + begin, (size_t)(end - begin) * sizeof *to);
    else
      for (int c = begin; c < end; c++)
        to[c] = row[c] + w->bias[c];
  }
}

/* Rows first..+n, columns of blocks b0..b1-1. */
static void run_panel(const work *w, gd_scratch scratch, int64_t first, int n,
                      int b0, int b1)
{
  const gd_product *p = w->p;
  const int stride = row_stride(p);
  tile tiles[GD_N_TILES + 1];
  const int n_tiles = cut(n, tiles);

  for (int c0 = 0; c0 < p->C; c0 += p->chunk) {
    const int c1 = least(c0 + p->chunk, p->C);
    if (!w->is_source)
      gd_patches_gather(w->patches, w->source, first, n, c0, c1, scratch.panel);
    for (int i = 0; i < n_tiles; i++) {
      const tile t = tiles[i];
      const int from_source = w->is_source && is_whole(t);
      float *panel = scratch.panel + (ptrdiff_t)t.first * GD_PANEL_DEPTH;
      if (w->is_source && !from_source)
        gd_patches_gather(w->patches, w->source, first + t.first, t.n, c0, c1,
                          panel);
      const float *a =
          from_source ? w->source + (first + t.first) * p->C + c0 : panel;
      float *c = w->is_direct && is_whole(t)
                     ? w->target.pixels + (first + t.first) * stride
                     : scratch_of(w, scratch, t);
      for (int b = b0; b < b1; b++)
        multiply(w, t, b, c0, c1 - c0, a, from_source, scratch.sums,
                 c + b * GD_BLOCK);
    }
  }
  for (int i = 0; i < n_tiles; i++)
    if (!w->is_direct || !is_whole(tiles[i]))
      deliver(w, first, tiles[i], scratch_of(w, scratch, tiles[i]), b0, b1);
}

/* Blocks of columns go to several tasks only if the panels are too few for the
 * threads.  Every tile is the same work in any case, so the cut may depend on
 * the number of threads: the bits do not. */
static int groups_for(const work *w, int64_t n_panels, int n_threads)
{
  const int64_t wanted = n_threads == 1 ? 1 : 2 * n_threads;
  if (n_panels >= wanted)
    return 1;
  const int64_t groups = (wanted + n_panels - 1) / n_panels;
  return groups < w->p->n_blocks ? (int)groups : w->p->n_blocks;
}

void gd_product_run(const gd_product *p, const gd_workspace *ws,
                    const gd_patches *patches, const float *source,
                    const float *packed, const float *bias, gd_target target)
{
  assert(patches->n_taps == p->n_taps && patches->C == p->C);
  work w = {.p = p,
            .patches = patches,
            .source = source,
            .packed = packed,
            .bias = bias,
            .target = target,
            .n_rows = (int64_t)patches->N * patches->rows * patches->columns,
            .panel_rows = GD_PANEL_ROWS};
  w.is_source = gd_patches_are_source(patches);
  w.is_direct = bias == NULL && p->columns % GD_BLOCK == 0 &&
                target.step == 1 && target.H == patches->rows &&
                target.W == patches->columns;
  while (!w.is_direct && w.panel_rows * row_stride(p) > GD_TILE_FLOATS)
    w.panel_rows /= 2;

  const int n_threads = gd_workspace_threads(ws);
  const int64_t n_panels = (w.n_rows + w.panel_rows - 1) / w.panel_rows;
  const int groups = groups_for(&w, n_panels, n_threads);

#pragma omp parallel for num_threads(n_threads) schedule(static)
  for (int64_t task = 0; task < n_panels * groups; task++) {
    const int64_t first = task / groups * w.panel_rows;
    const int64_t left = w.n_rows - first;
    const int group = (int)(task % groups);
    run_panel(&w, gd_workspace_scratch(ws), first,
              left < w.panel_rows ? (int)left : w.panel_rows,
              p->n_blocks * group / groups, p->n_blocks * (group + 1) / groups);
  }
}
