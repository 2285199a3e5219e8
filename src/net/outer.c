#include "net/outer.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "net/numbers.h"
#include "net/whole.h"
#include "net/winograd.h"

enum { PIECE = 112 /* positions: two slabs share the cache */ };

/* Positions of a product, the deeper the better (of the weights' gradients, 28
 * take 3 % less time than 7); of bf16 they are in pairs.  0: no more. */
static const int depths_of[][GD_N_DEPTHS] = {
    [GD_FP32] = {28, 14, 7, 8}, [GD_BF16] = {28, 14, 8, 0}};
_Static_assert(28 <= GD_MOST_TILE, "a slab ends with as many zeros");

static int n_taps(const gd_outer *o)
{
  return o->winograd ? GD_POINTS : o->channels.narrow ? o->R : o->R * o->S;
}

/* Blocks of the channels (of the slab, so one if they are narrow). */
static int n_blocks_c(const gd_outer *o)
{
  return o->channels.n_whole + (o->channels.rest > 0);
}

static int n_blocks_k(const gd_outer *o)
{
  return gd_pieces(o->K, GD_BLOCK);
}

/* The largest group of blocks whose sums fit, nearly square for one tap. */
static void choose_groups(gd_outer *o)
{
  const int tiles = GD_SUM_FLOATS / (GD_BLOCK * GD_BLOCK);
  o->group_taps = gd_least(n_taps(o), tiles);
  const int most = tiles / o->group_taps;
  int c = 1, k = 1;
  while (1) {
    if (k <= c && k < n_blocks_k(o) && (k + 1) * c <= most)
      k++;
    else if (c < n_blocks_c(o) && k * (c + 1) <= most)
      c++;
    else if (k < n_blocks_k(o) && (k + 1) * c <= most)
      k++;
    else
      break;
  }
  o->group_k = gd_pieces(n_blocks_k(o), gd_pieces(n_blocks_k(o), k));
  o->group_c = gd_pieces(n_blocks_c(o), gd_pieces(n_blocks_c(o), c));
}

static gd_status make_kernels(gd_outer *o, int kind)
{
  const int rows[2] = {o->K >= GD_BLOCK ? GD_BLOCK : 0, o->K % GD_BLOCK};
  const int columns[2] = {o->channels.n_whole > 0 ? GD_BLOCK : 0,
                          o->channels.rest_pitch};
  gd_status st = GD_OK;
  for (int r = 0; r < 2; r++)
    for (int c = 0; c < 2; c++)
      for (int add = 0; add < 2 && rows[r] > 0 && columns[c] > 0 && st == GD_OK;
           add++)
        st = gd_gemm_make(
            (gd_gemm_shape){.precision = o->tiles,
                            .m = rows[r],
                            .n = columns[c],
                            .k = depths_of[o->tiles][kind],
                            .lda =
                                r == 0 ? GD_BLOCK : gd_pieces(rows[r], 16) * 16,
                            .ldb = c == 0 ? GD_BLOCK : columns[c],
                            .ldc = GD_BLOCK,
                            .transposed_a = 1,
                            .accumulate = add,
                            .scattered = 1},
            &o->kernels[kind][r][c][add]);
  return st;
}

gd_status gd_outer_init(gd_outer *o, gd_precision precision, gd_conv_shape s)
{
  *o = (gd_outer){.tiles = gd_gemm_takes(precision),
                  .R = s.R,
                  .S = s.S,
                  .C = s.C,
                  .K = s.K,
                  .winograd = s.winograd};
  o->channels = gd_channels_of(s.C, s.S);
  choose_groups(o);
  gd_status st = GD_OK;
  for (int kind = 0; kind < GD_N_DEPTHS && st == GD_OK; kind++)
    if (depths_of[o->tiles][kind] > 0)
      st = make_kernels(o, kind);
  return st;
}

/* One gradient: what all its tasks share. */
typedef struct {
  const gd_outer *o;
  const gd_patches *patches, *gradient; /* the gradient as the grid sees it */
  const gd_conv_source *source, *dy;
  float *dweights;
  gd_cut cut;
  int n_parts, n_groups_c, n_groups_taps;
  float *parts; /* (group, part, group_k, group_c, group_taps, GD_BLOCK,
                   GD_BLOCK) */
} work;

/* One task: blocks k0..k1 by c0..c1, some taps, pieces first..end. */
typedef struct {
  int k0, k1, c0, c1, tap0, tap1, first, end;
  float *sums; /* (block k, block c, tap, GD_BLOCK, GD_BLOCK) */
} task;

static float *sums_of(const work *w, const task *t, int k, int c, int tap)
{
  const int64_t tile = ((int64_t)(k - t->k0) * (t->c1 - t->c0) + (c - t->c0)) *
                           w->o->group_taps +
                       (tap - t->tap0);
  return t->sums + tile * GD_BLOCK * GD_BLOCK;
}

/* The blocks first..end of some channels. */
static gd_channels range_of(const gd_channels *all, int first, int end)
{
  gd_channels c = *all;
  c.n_whole = gd_least(end, all->n_whole) - first;
  if (c.n_whole < 0)
    c.n_whole = 0;
  if (end <= all->n_whole)
    c.rest = c.rest_pitch = 0;
  return c;
}

/* The matrices of one piece in the cache. */
typedef struct {
  gd_slab x, dy;
  const void *x_numbers, *dy_numbers;
  int kind, depth;    /* of a product */
  int rows, n_depths; /* of the grid; products in a row */
} slabs;

/* Rows of the grid by products in a row: their addresses are listed. */
static void add_tile(const work *w, const task *t, const slabs *s, int k, int c,
                     int tap, int add)
{
  const gd_outer *o = w->o;
  const int is_rest_k = (k + 1) * GD_BLOCK > o->K;
  const int is_rest_c = c >= o->channels.n_whole;
  const int pitch_k = is_rest_k ? s->dy.channels.rest_pitch : GD_BLOCK;
  const int pitch_c = is_rest_c ? o->channels.rest_pitch : GD_BLOCK;
  const int taps_b = o->channels.narrow ? 1 : o->S;
  const void *dy =
      gd_at(o->tiles, s->dy_numbers, (k - t->k0) * s->dy.next_block);
  const void *x =
      gd_at(o->tiles, s->x_numbers,
            (c - t->c0) * s->x.next_block +
                gd_slab_pixel(&s->x, w->patches, tap / taps_b, tap % taps_b) *
                    pitch_c);
  const void *a[PIECE], *b[PIECE];
  int n = 0;
  for (int64_t i = 0; i < s->rows; i++)
    for (int d = 0; d < s->n_depths; d++, n++) {
      const int first = d * s->depth;
      a[n] = gd_at(o->tiles, dy, (i * s->dy.row_pixels + first) * pitch_k);
      b[n] = gd_at(o->tiles, x, (i * s->x.row_pixels + first) * pitch_c);
    }
  gd_gemm_run_scattered(&o->kernels[s->kind][is_rest_k][is_rest_c][add], a, b,
                        n, sums_of(w, t, k, c, tap));
}

/* Which products cover so many positions best; of equals, the deepest. */
static int kind_for(const gd_outer *o, int positions)
{
  const int *depths = depths_of[o->tiles];
  int best = 0;
  for (int kind = 1; kind < GD_N_DEPTHS && depths[kind] > 0; kind++)
    if (gd_pieces(positions, depths[kind]) * depths[kind] <
        gd_pieces(positions, depths[best]) * depths[best])
      best = kind;
  return best;
}

/* The points of a piece, a row of them at a time: their products are added to
 * the sums of one block of outputs by one of channels. */
static void add_points(const work *w, const task *t, gd_scratch scratch,
                       const gd_piece *piece, int add)
{
  const gd_channels one = {.n_whole = 1};
  const gd_slab x = gd_slab_of(w->patches, piece, &one, GD_SLAB_FP32, 1);
  const gd_slab dy = gd_slab_of(w->gradient, piece, &one, GD_SLAB_FP32, 1);
  const int positions = piece->rows * piece->columns * piece->n;
  const int kind = kind_for(w->o, positions);
  const int depth = depths_of[GD_FP32][kind];
  const int n_depths = gd_pieces(positions, depth), n = n_depths * depth;
  const int64_t next = gd_point_floats(n);
  assert(t->k1 - t->k0 == 1 && t->c1 - t->c0 == 1);
  assert(t->tap1 - t->tap0 == GD_POINTS);
  assert(x.next_block <= GD_SLAB_FLOATS / 2);
  assert(4 * next <= GD_SLAB_FLOATS / 2 && n_depths <= PIECE);
  float *x_points = scratch.slab + GD_SLAB_FLOATS / 2;
  float *dy_points = scratch.other_slab + GD_SLAB_FLOATS / 2;
  gd_slab_fill(&x, w->patches, piece, w->source, t->c0 * GD_BLOCK,
               scratch.slab);
  gd_slab_fill(&dy, w->gradient, piece, w->dy, t->k0 * GD_BLOCK,
               scratch.other_slab);
  for (int row = 0; row < 4; row++) {
    const gd_range one_row = {row, row + 1};
    gd_winograd_patch(&x, w->patches, piece, scratch.slab, one_row, n,
                      x_points);
    gd_winograd_square(&dy, w->gradient, piece, scratch.other_slab, one_row, n,
                       dy_points);
    for (int j = 0; j < 4; j++) {
      const void *a[PIECE], *b[PIECE];
      for (int d = 0; d < n_depths; d++) {
        a[d] = dy_points + j * next + (ptrdiff_t)d * depth * GD_BLOCK;
        b[d] = x_points + j * next + (ptrdiff_t)d * depth * GD_BLOCK;
      }
      gd_gemm_run_scattered(&w->o->kernels[kind][0][0][add], a, b, n_depths,
                            sums_of(w, t, t->k0, t->c0, 4 * row + j));
    }
  }
}

static void add_piece(const work *w, const task *t, gd_scratch scratch,
                      const gd_piece *piece, int add)
{
  if (w->o->winograd) {
    add_points(w, t, scratch, piece, add);
    return;
  }
  const gd_channels all_k = gd_channels_of(w->o->K, 1);
  const gd_channels in_k = range_of(&all_k, t->k0, t->k1);
  const gd_channels in_c = range_of(&w->o->channels, t->c0, t->c1);
  const int positions = piece->columns * piece->n;
  const int *depths = depths_of[w->o->tiles];
  const int kind = kind_for(w->o, positions);
  const int is_fp32 = w->o->tiles == GD_FP32;
  slabs s = {.kind = kind,
             .depth = depths[kind],
             .x = gd_slab_of(w->patches, piece, &in_c,
                             is_fp32 ? GD_SLAB_FP32 : GD_SLAB_BF16, 1),
             .dy = gd_slab_of(w->gradient, piece, &in_k,
                              is_fp32 ? GD_SLAB_FP32 : GD_SLAB_BF16_PAIRS,
                              depths[kind]),
             .x_numbers = scratch.slab,
             .dy_numbers = scratch.other_slab,
             .rows = piece->rows,
             .n_depths = gd_pieces(positions, depths[kind])};
  gd_slab_fill(&s.x, w->patches, piece, w->source, t->c0 * GD_BLOCK,
               scratch.slab);
  gd_slab_fill(&s.dy, w->gradient, piece, w->dy, t->k0 * GD_BLOCK,
               scratch.other_slab);
  for (int k = t->k0; k < t->k1; k++)
    for (int c = t->c0; c < t->c1; c++)
      for (int tap = t->tap0; tap < t->tap1; tap++)
        add_tile(w, t, &s, k, c, tap, add);
}

/* From (tap, k, c) of the tiles to the weights' (k, c, tap): a row of taps is
 * written at once. */
static void deliver_block(const work *w, const task *t, int k, int c)
{
  const gd_outer *o = w->o;
  const int all_taps = o->R * o->S, n = t->tap1 - t->tap0;
  const int k_end = gd_least(GD_BLOCK, o->K - k * GD_BLOCK);
  const int width = c < o->channels.n_whole ? GD_BLOCK : o->channels.rest;
  for (int i = 0; i < k_end; i++) {
    const float *from = sums_of(w, t, k, c, t->tap0) + i * GD_BLOCK;
    float *to = w->dweights + (int64_t)(k * GD_BLOCK + i) * o->C * all_taps;
    if (o->winograd) {
      gd_winograd_dkernels(from, GD_BLOCK * GD_BLOCK,
                           to + (ptrdiff_t)c * GD_BLOCK * all_taps);
      continue;
    }
    if (o->channels.narrow) { /* j = (tap in the row, channel) */
      for (int j = 0; j < width; j++)
        for (int tap = 0; tap < n; tap++)
          to[j % o->C * all_taps + (t->tap0 + tap) * o->S + j / o->C] =
              from[tap * GD_BLOCK * GD_BLOCK + j];
      continue;
    }
    to += (int64_t)c * GD_BLOCK * all_taps;
    if (all_taps == 1)
      memcpy(to, from, (size_t)width * sizeof *to);
    else
      for (int j = 0; j < width; j++)
        for (int tap = 0; tap < n; tap++)
          to[j * all_taps + t->tap0 + tap] =
              from[tap * GD_BLOCK * GD_BLOCK + j];
  }
}

static void deliver(const work *w, const task *t)
{
  for (int k = t->k0; k < t->k1; k++)
    for (int c = t->c0; c < t->c1; c++)
      deliver_block(w, t, k, c);
}

static int64_t task_floats(const gd_outer *o)
{
  return (int64_t)o->group_k * o->group_c * o->group_taps * GD_BLOCK * GD_BLOCK;
}

/* Task number i: parts of the pieces are the innermost. */
static task task_of(const work *w, int i)
{
  const gd_outer *o = w->o;
  const int part = i % w->n_parts, group = i / w->n_parts;
  const int group_kc = group / w->n_groups_taps;
  const int n_pieces = gd_cut_n_pieces(&w->cut);
  task t = {.k0 = group_kc / w->n_groups_c * o->group_k,
            .c0 = group_kc % w->n_groups_c * o->group_c,
            .tap0 = group % w->n_groups_taps * o->group_taps,
            .first = (int)((int64_t)n_pieces * part / w->n_parts),
            .end = (int)((int64_t)n_pieces * (part + 1) / w->n_parts)};
  t.k1 = gd_least(t.k0 + o->group_k, n_blocks_k(o));
  t.c1 = gd_least(t.c0 + o->group_c, n_blocks_c(o));
  t.tap1 = gd_least(t.tap0 + o->group_taps, n_taps(o));
  return t;
}

/* A part of a group's sums; the whole is delivered. */
static void sum_part(const void *context, gd_scratch scratch, int i)
{
  const work *w = context;
  task t = task_of(w, i);
  t.sums = w->n_parts == 1 ? scratch.sums : w->parts + i * task_floats(w->o);
  for (int piece = t.first; piece < t.end; piece++) {
    const gd_piece at = gd_cut_piece(&w->cut, w->patches, piece);
    add_piece(w, &t, scratch, &at, piece > t.first);
  }
  if (w->n_parts == 1)
    deliver(w, &t);
}

/* Add the sums of a group's other parts to the first part's. */
static void sum_parts(const void *context, gd_scratch scratch, int group)
{
  const work *w = context;
  const int64_t floats = task_floats(w->o);
  float *sums = w->parts + (int64_t)group * w->n_parts * floats;
  task t = task_of(w, group * w->n_parts);
  for (int part = 1; part < w->n_parts; part++) {
    const float *more = sums + part * floats;
#pragma omp simd
    for (int64_t i = 0; i < floats; i++)
      sums[i] += more[i];
  }
  t.sums = sums;
  deliver(w, &t);
  (void)scratch; /* all is in the parts */
}

void gd_outer_run(const gd_outer *o, const gd_workspace *ws,
                  const gd_patches *patches, const gd_conv_source *source,
                  const void *dy, float *dweights)
{
  assert(patches->C == o->C);
  assert(o->winograd || (patches->R == o->R && patches->S == o->S));
  const gd_patches gradient =
      o->winograd ? gd_winograd_squares(patches, o->K)
                  : (gd_patches){.N = patches->N,
                                 .rows = patches->rows,
                                 .columns = patches->columns,
                                 .H = patches->rows,
                                 .W = patches->columns,
                                 .C = o->K,
                                 .precision = patches->precision,
                                 .step = 1,
                                 .R = 1,
                                 .S = 1};
  const gd_conv_source gradient_source = {.x = dy};
  work w = {.o = o,
            .patches = patches,
            .gradient = &gradient,
            .source = source,
            .dy = &gradient_source,
            .dweights = dweights,
            .cut =
                o->winograd
                    ? gd_winograd_cut(patches)
                    : gd_cut_of(patches, gd_least(o->C, o->group_c * GD_BLOCK),
                                PIECE, GD_CACHE_FLOATS)};
  w.n_groups_c = gd_pieces(n_blocks_c(o), o->group_c);
  w.n_groups_taps = gd_pieces(n_taps(o), o->group_taps);
  const int n_groups =
      gd_pieces(n_blocks_k(o), o->group_k) * w.n_groups_c * w.n_groups_taps;
  w.n_parts = n_groups > GD_MOST_PARTS
                  ? 1
                  : gd_least(GD_MOST_PARTS / n_groups, gd_cut_n_pieces(&w.cut));
  w.parts = gd_workspace_parts(ws);
  gd_workspace_run(ws, n_groups * w.n_parts, sum_part, &w);
  if (w.n_parts > 1)
    gd_workspace_run(ws, n_groups, sum_parts, &w);
}
