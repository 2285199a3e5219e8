#include "net/finish.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "gradus/norm.h"
#include "net/numbers.h"

enum {
  VECTORS = GD_BLOCK / GD_LANES,
  LARGE_BYTES = 12 << 20, /* of results: they leave most caches anyway */
  LINE_FLOATS = 16,       /* of a line of the cache */
  LINE_HALVES = 32,
  AHEAD = 4, /* positions */
};

/* What a block's columns share, and the sums over the positions of a piece. */
typedef struct {
  gd_vector mean[VECTORS], factor[VECTORS], addend[VECTORS];
  gd_vector sum[VECTORS], sum_x[VECTORS];
} columns;

/* What belongs to one position and block. */
typedef struct {
  gd_precision precision; /* a constant, where it is looked at */
  float *value;           /* the result */
  const void *add, *open, *raw;
  void *to;
  int is_streamed; /* past the caches */
  ptrdiff_t at;    /* of the first number, in all of these */
  int lanes;       /* of a vector that are of use */
} place;

/* One vector of a block at one position. */
typedef void visit(columns *c, const place *p, int i);

GD_INLINE gd_vector value(const place *p, int i)
{
  return gd_load(p->value + i * GD_LANES);
}

GD_INLINE gd_vector given(const place *p, const void *x, int i)
{
  return gd_load_some(p->precision, x, p->at + i * GD_LANES, p->lanes);
}

/* Return what is there now. */
GD_INLINE gd_vector keep(const place *p, int i, gd_vector v)
{
  const ptrdiff_t at = p->at + i * GD_LANES;
  if (p->precision != GD_FP32 || !p->is_streamed)
    return gd_keep_some(p->precision, p->to, at, p->lanes, v);
  gd_stream((float *)p->to + at, v);
  return v;
}

/* Say whether results are many, and of whole lines. */
static int are_streamed(const gd_conv_sink *sink, const gd_results *r)
{
  const int64_t count = (int64_t)r->N * r->target.H * r->target.W * r->K;
  return r->precision == GD_FP32 && r->K % LINE_FLOATS == 0 &&
         (uintptr_t)sink->y % (LINE_FLOATS * sizeof(float)) == 0 &&
         count * (int64_t)sizeof(float) >= LARGE_BYTES;
}

/* Call for what is given at a position, before it is wanted: of bf16 it is two
 * lines of each array, too few for the machine to foresee the next ones.  (With
 * fp32's four, nothing is won.) */
GD_INLINE void fetch(const place *p, ptrdiff_t at, int width)
{
  const void *const given[] = {p->add, p->open, p->raw};
  for (int i = 0; i < 3; i++)
    for (int c = 0; given[i] != NULL && c < width; c += LINE_HALVES)
      __builtin_prefetch(gd_at(GD_BF16, given[i], at + c));
}

/* Every position of use, in order, in `width` columns k.. of the results. */
GD_INLINE void visit_columns(gd_precision precision, int width,
                             const gd_conv_sink *sink, const gd_results *r,
                             int k, visit *f, columns *c)
{
  const gd_piece *piece = &r->piece;
  const gd_target *to = &r->target;
  const ptrdiff_t step = (ptrdiff_t)to->step * r->K;
  const ptrdiff_t image = (ptrdiff_t)to->H * to->W * r->K;
  const ptrdiff_t count = r->N * image;
  columns local = *c;
  place p = {.precision = precision,
             .add = sink->add,
             .open = sink->open,
             .raw = sink->raw,
             .to = sink->y,
             .is_streamed = are_streamed(sink, r)};
  for (int i = 0; i < piece->rows; i++) {
    p.value = r->values + k / GD_BLOCK * r->block_floats +
              (ptrdiff_t)i * r->row_pitch * GD_BLOCK;
    const ptrdiff_t row =
        piece->n0 * image +
        ((ptrdiff_t)to->row + (ptrdiff_t)(piece->i0 + i) * to->step) * to->W *
            r->K +
        (ptrdiff_t)to->column * r->K + r->k0 + k;
    for (int j = 0; j < piece->columns; j++)
      for (int n = 0; n < piece->n; n++, p.value += GD_BLOCK) {
        p.at = row + (piece->j0 + j) * step + n * image;
        p.lanes = GD_LANES;
        if (precision == GD_BF16 && p.at + AHEAD * step + width <= count)
          fetch(&p, p.at + AHEAD * step, width);
        for (int v = 0; v < width / GD_LANES; v++)
          f(&local, &p, v);
        p.lanes = width % GD_LANES;
        if (p.lanes > 0)
          f(&local, &p, width / GD_LANES);
      }
  }
  *c = local;
}

/* With the width of a whole block as a constant, its sums stay in registers. */
GD_INLINE void visit_kept(gd_precision precision, const gd_conv_sink *sink,
                          const gd_results *r, int k, visit *f, columns *c)
{
  if (r->width - k >= GD_BLOCK)
    visit_columns(precision, GD_BLOCK, sink, r, k, f, c);
  else
    visit_columns(precision, r->width - k, sink, r, k, f, c);
}

GD_INLINE void visit_all(const gd_conv_sink *sink, const gd_results *r, int k,
                         visit *f, columns *c)
{
  if (r->precision == GD_FP32)
    visit_kept(GD_FP32, sink, r, k, f, c);
  else
    visit_kept(GD_BF16, sink, r, k, f, c);
}

/* ------------------------------------------------------------------ forward
 */

GD_INLINE void store(columns *c, const place *p, int i)
{
  (void)c;
  keep(p, i, value(p, i));
}

/* What is kept takes the result's place, for sum_squares(). */
GD_INLINE void store_sum(columns *c, const place *p, int i)
{
  const gd_vector kept = keep(p, i, value(p, i));
  c->sum[i] += kept;
  if (p->precision != GD_FP32)
    gd_store(p->value + i * GD_LANES, kept);
}

/* v = (value - mean) factor + addend, + add. */
GD_INLINE gd_vector scaled(const columns *c, const place *p, int i)
{
  gd_vector v = (value(p, i) - c->mean[i]) * c->factor[i] + c->addend[i];
  if (p->add != NULL)
    v += given(p, p->add, i);
  return v;
}

GD_INLINE void scale(columns *c, const place *p, int i)
{
  keep(p, i, scaled(c, p, i));
}

GD_INLINE void scale_relu(columns *c, const place *p, int i)
{
  keep(p, i, gd_relu(scaled(c, p, i)));
}

/* The sums of the distances from a first mean, and of their squares. */
static void sum_squares(const gd_results *r, int k, columns *c)
{
  columns local = *c;
  for (int i = 0; i < r->piece.rows; i++) {
    const float *values = r->values + k / GD_BLOCK * r->block_floats +
                          (ptrdiff_t)i * r->row_pitch * GD_BLOCK;
    for (int j = 0; j < r->piece.columns * r->piece.n; j++, values += GD_BLOCK)
      for (int v = 0; v < VECTORS; v++) {
        const gd_vector d = gd_load(values + v * GD_LANES) - local.mean[v];
        local.sum[v] += d;
        local.sum_x[v] += d * d;
      }
  }
  *c = local;
}

/* Mean and squared distances from it, of the piece. */
static void finish_measured(const gd_conv_sink *sink, const gd_results *r,
                            int k, columns *c, double *piece)
{
  const double n = (double)r->piece.rows * r->piece.columns * r->piece.n;
  visit_all(sink, r, k, store_sum, c);
  for (int i = 0; i < VECTORS; i++) {
    c->mean[i] = c->sum[i] / (float)n;
    c->sum[i] -= c->sum[i];
  }
  sum_squares(r, k, c);
  double *mean = piece + 1 + r->k0 + k, *squares = mean + r->K;
  for (int i = 0; i < GD_BLOCK && k + i < r->width; i++) {
    const int v = i / GD_LANES, lane = i % GD_LANES;
    const double d = (double)c->sum[v][lane] / n;
    mean[i] = (double)c->mean[v][lane] + d;
    squares[i] = (double)c->sum_x[v][lane] - d * d * n;
  }
}

/* ----------------------------------------------------------------- backward
 */

GD_INLINE void add_gradient(columns *c, const place *p, int i, gd_vector g,
                            gd_vector x)
{
  const gd_vector kept = keep(p, i, g);
  c->sum[i] += kept;
  c->sum_x[i] += kept * x;
}

/* The gradient in front of ReLU, and its sums with the norm's input. */
GD_INLINE void gate(columns *c, const place *p, int i)
{
  const gd_vector x = given(p, p->raw, i) - c->mean[i];
  const gd_vector y = x * c->factor[i] + c->addend[i];
  add_gradient(c, p, i, gd_where(y > 0.0f, value(p, i)), x);
}

/* The shortcut's gradient joins in, and the ReLU's result is at hand. */
GD_INLINE gd_vector joined(const place *p, int i)
{
  const gd_vector v = value(p, i) + given(p, p->add, i);
  return gd_where(given(p, p->open, i) > 0.0f, v);
}

GD_INLINE void join(columns *c, const place *p, int i)
{
  add_gradient(c, p, i, joined(p, i), given(p, p->raw, i) - c->mean[i]);
}

GD_INLINE void join_open(columns *c, const place *p, int i)
{
  (void)c;
  keep(p, i, joined(p, i));
}

static void finish_gated(const gd_conv_sink *sink, const gd_results *r, int k,
                         columns *c, double *piece)
{
  if (sink->open == NULL)
    visit_all(sink, r, k, gate, c);
  else
    visit_all(sink, r, k, join, c);
  double *sum = piece + 1 + r->k0 + k, *sum_x = sum + r->K;
  for (int i = 0; i < GD_BLOCK && k + i < r->width; i++) {
    sum[i] = (double)c->sum[i / GD_LANES][i % GD_LANES];
    sum_x[i] = (double)c->sum_x[i / GD_LANES][i % GD_LANES];
  }
}

/* ---------------------------------------------------------------------- all
 */

static columns columns_of(const gd_conv_sink *sink, const gd_results *r, int k)
{
  columns c;
  memset(&c, 0, sizeof c);
  for (int i = 0; i < GD_BLOCK && k + i < r->width; i++) {
    const int v = i / GD_LANES, lane = i % GD_LANES, at = r->k0 + k + i;
    c.factor[v][lane] = 1.0f;
    if (sink->bias != NULL)
      c.addend[v][lane] = sink->bias[at];
    if (sink->scale == NULL)
      continue;
    c.mean[v][lane] = sink->scale->mean[at];
    c.factor[v][lane] = sink->scale->factor[at];
    c.addend[v][lane] = sink->scale->addend[at];
  }
  return c;
}

static void finish_block(const gd_conv_sink *sink, const gd_results *r, int k,
                         double *piece)
{
  columns c = columns_of(sink, r, k);
  if (sink->raw != NULL)
    finish_gated(sink, r, k, &c, piece);
  else if (sink->open != NULL)
    visit_all(sink, r, k, join_open, &c);
  else if (piece != NULL)
    finish_measured(sink, r, k, &c, piece);
  else if (sink->relu)
    visit_all(sink, r, k, scale_relu, &c);
  else if (sink->scale != NULL || sink->bias != NULL || sink->add != NULL)
    visit_all(sink, r, k, scale, &c);
  else
    visit_all(sink, r, k, store, &c);
}

void gd_finish(const gd_conv_sink *sink, const gd_results *r, int i)
{
  double *piece = sink->sums == NULL
                      ? NULL
                      : sink->sums + (ptrdiff_t)i * gd_norm_piece(r->K);
  if (piece != NULL && r->k0 == 0)
    piece[0] = (double)r->piece.rows * r->piece.columns * r->piece.n;
  for (int k = 0; k < r->width; k += GD_BLOCK)
    finish_block(sink, r, k, piece);
  if (are_streamed(sink, r))
    gd_stream_end();
}
