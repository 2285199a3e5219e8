#include "net/outer.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static int least(int a, int b)
{
  return a < b ? a : b;
}

/* Columns of a chunk of `width` channels beyond its whole tiles, rounded up to
 * whole vectors: the sums beyond are never read. */
static int rest_of(const gd_outer *o, int width)
{
  return (o->n_taps * width % GD_BLOCK + 15) / 16 * 16;
}

/* A source may stand for its panel only if no vector reaches past a row. */
static int may_be_source(const gd_outer *o)
{
  return o->n_taps == 1 && o->C % 16 == 0;
}

static gd_status make_kernels(gd_outer *o, int is_source)
{
  const int last = o->C % o->chunk == 0 ? o->chunk : o->C % o->chunk;
  const int columns[3] = {o->n_taps * o->chunk >= GD_BLOCK ? GD_BLOCK : 0,
                          rest_of(o, o->chunk), rest_of(o, last)};
  const int rows[2] = {o->K >= GD_OUTER_ROWS ? GD_OUTER_ROWS : 0,
                       o->K % GD_OUTER_ROWS};
  const int ldb = is_source ? o->C : GD_PANEL_DEPTH;
  gd_status st = GD_OK;

  for (int r = 0; r < 2; r++)
    for (int c = 0; c < 3; c++)
      for (int add = 0; add < 2 && rows[r] > 0 && columns[c] > 0 && st == GD_OK;
           add++)
        st = gd_gemm_make(
            (gd_gemm_shape){.m = rows[r],
                            .n = columns[c],
                            .k = GD_OUTER_DEPTH,
                            .lda = o->K,
                            .ldb = ldb,
                            .ldc = o->is_weights ? o->C : GD_PANEL_DEPTH,
                            .stride_a = GD_OUTER_DEPTH * o->K,
                            .stride_b = GD_OUTER_DEPTH * ldb,
                            .transposed_a = 1,
                            .accumulate = add},
            &o->kernels[is_source][r][c][add]);
  return st;
}

gd_status gd_outer_init(gd_outer *o, int n_taps, int C, int K)
{
  *o = (gd_outer){.n_taps = n_taps, .C = C, .K = K};
  o->chunk = gd_patches_chunk(n_taps, C);
  o->is_weights = may_be_source(o);
  gd_status st = make_kernels(o, 0);
  if (st == GD_OK && may_be_source(o))
    st = make_kernels(o, 1);
  return st;
}

/* One gradient: what all its tasks share. */
typedef struct {
  const gd_outer *o;
  const gd_patches *patches;
  const float *source, *dy;
  float *dweights;
  int64_t n_rows;
  int is_source;
} work;

/* One task: channels c0..c1-1, outputs k0..k1-1. */
typedef struct {
  int c0, c1, k0, k1;
  float *sums; /* of (k0, tap 0, c0) */
  int stride;
} task;

/* Add `pieces` of positions to all tiles of the task. */
static void add_pieces(const work *w, const task *t, int add, const float *dy,
                       const float *panel, int is_source, int pieces)
{
  const gd_outer *o = w->o;
  const int width = t->c1 - t->c0, columns = o->n_taps * width;
  for (int k = t->k0; k < t->k1; k += GD_OUTER_ROWS) {
    const int is_rest = t->k1 - k < GD_OUTER_ROWS;
    float *row = t->sums + (ptrdiff_t)(k - t->k0) * t->stride;
    for (int c = 0; c < columns; c += GD_BLOCK) {
      const int kind =
          columns - c >= GD_BLOCK ? 0 : (width == o->chunk ? 1 : 2);
      gd_gemm_run(&o->kernels[is_source][is_rest][kind][add], dy + k, panel + c,
                  pieces, row + c);
    }
  }
}

/* Fewer positions than a piece: the rest is filled up with zeros. */
static void add_rest(const work *w, const task *t, gd_scratch scratch, int add,
                     int64_t first, int n)
{
  const gd_outer *o = w->o;
  const int columns = o->n_taps * (t->c1 - t->c0);
  gd_patches_gather(w->patches, w->source, first, n, t->c0, t->c1,
                    scratch.panel);
  for (int r = n; r < GD_OUTER_DEPTH; r++)
    memset(scratch.panel + (ptrdiff_t)r * GD_PANEL_DEPTH, 0,
           (size_t)columns * sizeof(float));
  memcpy(scratch.tile, w->dy + first * o->K,
         (size_t)n * (size_t)o->K * sizeof(float));
  memset(scratch.tile + (ptrdiff_t)n * o->K, 0,
         (size_t)(GD_OUTER_DEPTH - n) * (size_t)o->K * sizeof(float));
  add_pieces(w, t, add, scratch.tile, scratch.panel, 0, 1);
}

/* From (k, tap, c) to the weights' (k, c, tap). */
static void deliver(const work *w, const task *t)
{
  const gd_outer *o = w->o;
  const int width = t->c1 - t->c0, n_taps = o->n_taps;
  for (int k = t->k0; k < t->k1; k++) {
    const float *from = t->sums + (ptrdiff_t)(k - t->k0) * t->stride;
    float *to = w->dweights + ((ptrdiff_t)k * o->C + t->c0) * n_taps;
    for (int c = 0; c < width; c++)
      for (int tap = 0; tap < n_taps; tap++)
        to[c * n_taps + tap] = from[tap * width + c];
  }
}

static void run_task(const work *w, task t, gd_scratch scratch)
{
  const gd_outer *o = w->o;
  t.sums = o->is_weights ? w->dweights + (ptrdiff_t)t.k0 * o->C + t.c0
                         : scratch.sums;
  t.stride = o->is_weights ? o->C : GD_PANEL_DEPTH;

  for (int64_t first = 0; first < w->n_rows; first += GD_PANEL_ROWS) {
    const int n = w->n_rows - first < GD_PANEL_ROWS ? (int)(w->n_rows - first)
                                                    : GD_PANEL_ROWS;
    const int whole = n / GD_OUTER_DEPTH * GD_OUTER_DEPTH;
    if (whole > 0 && !w->is_source)
      gd_patches_gather(w->patches, w->source, first, whole, t.c0, t.c1,
                        scratch.panel);
    const float *panel =
        w->is_source ? w->source + first * o->C + t.c0 : scratch.panel;
    if (whole > 0)
      add_pieces(w, &t, first > 0, w->dy + first * o->K, panel, w->is_source,
                 whole / GD_OUTER_DEPTH);
    if (n > whole)
      add_rest(w, &t, scratch, first > 0 || whole > 0, first + whole,
               n - whole);
  }
  if (!o->is_weights)
    deliver(w, &t);
}

/* Outputs are cut at whole tiles, into as many groups as the scratch sums and
 * the number of threads ask for; the cut changes no sum. */
static int groups_for(const gd_outer *o, int n_chunks, int n_threads)
{
  const int tiles = (o->K + GD_OUTER_ROWS - 1) / GD_OUTER_ROWS;
  int groups = (o->K + GD_MOST_SUM_ROWS - 1) / GD_MOST_SUM_ROWS;
  while (n_threads > 1 && groups * n_chunks < 2 * n_threads && groups < tiles)
    groups++;
  return groups;
}

void gd_outer_run(const gd_outer *o, const gd_workspace *ws,
                  const gd_patches *patches, const float *source,
                  const float *dy, float *dweights)
{
  assert(patches->n_taps == o->n_taps && patches->C == o->C);
  const work w = {
      .o = o,
      .patches = patches,
      .source = source,
      .dy = dy,
      .dweights = dweights,
      .n_rows = (int64_t)patches->N * patches->rows * patches->columns,
      .is_source = may_be_source(o) && gd_patches_are_source(patches)};
  const int n_threads = gd_workspace_threads(ws);
  const int n_chunks = (o->C + o->chunk - 1) / o->chunk;
  const int groups = groups_for(o, n_chunks, n_threads);
  const int tiles = (o->K + GD_OUTER_ROWS - 1) / GD_OUTER_ROWS;

#pragma omp parallel for num_threads(n_threads) schedule(static)
  for (int i = 0; i < n_chunks * groups; i++) {
    const int chunk = i / groups, group = i % groups;
    const task t = {
        .c0 = chunk * o->chunk,
        .c1 = least((chunk + 1) * o->chunk, o->C),
        .k0 = tiles * group / groups * GD_OUTER_ROWS,
        .k1 = least(tiles * (group + 1) / groups * GD_OUTER_ROWS, o->K)};
    run_task(&w, t, gd_workspace_scratch(ws));
  }
}
