#include "gradus/conv.h"

#include <assert.h>
#include <stdlib.h>

#include "gradus/memory.h"
#include "gradus/norm.h"
#include "net/numbers.h"
#include "net/outer.h"
#include "net/product.h"
#include "net/whole.h"
#include "net/winograd.h"
#include "net/winograd_product.h"
#include "net/workspace.h"

enum { MOST_TAPS = 576 };

/* Input pixels (row + i * stride, column + j * stride): all see the output
 * through the same taps of the kernel, a rectangle of every stride-th.  A class
 * may have none. */
typedef struct {
  int row, column;
  int R, S;             /* taps; 0 x 0: none */
  int first_r, first_s; /* kernel element of tap (0, 0): the last */
  gd_product product;
  void *packed;
} residue;

struct gd_conv {
  gd_conv_shape shape;
  gd_precision precision;
  /* Forward: one of them, as the shape says. */
  gd_product forward;
  gd_winograd_product winograd;
  void *packed;
  /* Without training, what follows is 0 and NULL. */
  int n_residues; /* stride * stride; 0: Winograd's */
  residue *residues;
  gd_winograd_product winograd_back;
  void *packed_back;
  gd_outer *outer;
};

/* size: with all its padding */
static int out_of(int size, int kernel, int stride)
{
  return size < kernel ? 0 : (size - kernel) / stride + 1;
}

int gd_conv_out_H(gd_conv_shape s, int H)
{
  return out_of(H + 2 * s.pad + s.pad_behind, s.R, s.stride);
}

int gd_conv_out_W(gd_conv_shape s, int W)
{
  return out_of(W + 2 * s.pad + s.pad_behind, s.S, s.stride);
}

static gd_status check(gd_conv_shape s)
{
  if (s.C < 1 || s.K < 1 || s.C > GD_MOST_CHANNELS || s.K > GD_MOST_CHANNELS)
    return gd_fail(GD_ERR_USAGE,
                   "convolution of %d to %d channels: each must be 1 to %d",
                   s.C, s.K, GD_MOST_CHANNELS);
  if (s.R < 1 || s.S < 1 || s.R > MOST_TAPS || s.S > MOST_TAPS / s.R ||
      s.stride < 1 || s.pad < 0 || s.pad_behind < 0 ||
      s.pad + s.pad_behind >= s.R || s.pad + s.pad_behind >= s.S)
    return gd_fail(GD_ERR_USAGE,
                   "convolution with kernel %dx%d, stride %d, pad %d and %d: "
                   "the stride must be positive, the pad smaller than the "
                   "kernel, the kernel at most %d elements",
                   s.R, s.S, s.stride, s.pad, s.pad + s.pad_behind, MOST_TAPS);
  if (s.winograd && !gd_winograd_fits(s))
    return gd_fail(GD_ERR_USAGE,
                   "convolution of %d to %d channels with kernel %dx%d, stride "
                   "%d, pad %d and %d is none for Winograd's filtering: it "
                   "takes 3x3, stride 1, pad 1, and multiples of 64 channels "
                   "up to 1024",
                   s.C, s.K, s.R, s.S, s.stride, s.pad, s.pad + s.pad_behind);
  const int C = s.C > s.K ? s.C : s.K;
  if ((int64_t)s.R * s.stride * (GD_MOST_TILE + s.S) * C >
      GD_SLAB_FLOATS - C * 64)
    return gd_fail(GD_ERR_USAGE,
                   "convolution of %d to %d channels with kernel %dx%d and "
                   "stride %d sees too much at once: it needs fewer channels "
                   "or a smaller kernel",
                   s.C, s.K, s.R, s.S, s.stride);
  return GD_OK;
}

/* Input row h is seen through kernel row r by output row (h + pad - r) /
 * stride, where that is whole. */
static gd_status make_residue(residue *c, gd_conv_shape s,
                              gd_precision precision, int row, int column)
{
  *c = (residue){.row = row, .column = column};
  for (int r = 0; r < s.R; r++)
    if ((row + s.pad - r) % s.stride == 0)
      c->R++, c->first_r = r;
  for (int q = 0; q < s.S; q++)
    if ((column + s.pad - q) % s.stride == 0)
      c->S++, c->first_s = q;
  if (c->R == 0 || c->S == 0)
    c->R = c->S = 0;
  gd_status st = gd_product_init(&c->product, precision, c->R, c->S, s.K, s.C,
                                 c->R * c->S == 1 && s.stride == 1);
  if (st != GD_OK)
    return st;
  c->packed = gd_alloc(gd_product_packed(&c->product), gd_size_of(precision));
  return c->packed == NULL ? GD_ERR_NOMEM : GD_OK;
}

static gd_status make_winograd(gd_winograd_product *p, gd_precision precision,
                               int C, int columns, void **packed)
{
  gd_status st = gd_winograd_init(p, precision, C, columns);
  if (st != GD_OK)
    return st;
  *packed = gd_alloc(gd_winograd_packed(p), sizeof(float));
  return *packed == NULL ? GD_ERR_NOMEM : GD_OK;
}

static gd_status prepare_forward(gd_conv *conv)
{
  const gd_conv_shape s = conv->shape;
  if (s.winograd)
    return make_winograd(&conv->winograd, conv->precision, s.C, s.K,
                         &conv->packed);
  gd_status st = gd_product_init(&conv->forward, conv->precision, s.R, s.S, s.C,
                                 s.K, s.R * s.S == 1 && s.stride == 1);
  if (st != GD_OK)
    return st;
  conv->packed =
      gd_alloc(gd_product_packed(&conv->forward), gd_size_of(conv->precision));
  return conv->packed == NULL ? GD_ERR_NOMEM : GD_OK;
}

static gd_status prepare_residues(gd_conv *conv)
{
  const gd_conv_shape s = conv->shape;
  conv->residues = gd_alloc((int64_t)s.stride * s.stride, sizeof(residue));
  if (conv->residues == NULL)
    return GD_ERR_NOMEM;
  conv->n_residues = s.stride * s.stride;
  gd_status st = GD_OK;
  for (int i = 0; i < conv->n_residues && st == GD_OK; i++)
    st = make_residue(&conv->residues[i], s, conv->precision, i / s.stride,
                      i % s.stride);
  return st;
}

static gd_status prepare_training(gd_conv *conv)
{
  conv->outer = gd_alloc(1, sizeof *conv->outer);
  if (conv->outer == NULL)
    return GD_ERR_NOMEM;
  gd_status st = gd_outer_init(conv->outer, conv->precision, conv->shape);
  if (st != GD_OK)
    return st;
  const gd_conv_shape s = conv->shape;
  return s.winograd ? make_winograd(&conv->winograd_back, conv->precision, s.K,
                                    s.C, &conv->packed_back)
                    : prepare_residues(conv);
}

gd_status gd_conv_new(gd_conv_shape shape, gd_precision precision, int training,
                      gd_conv **out)
{
  *out = NULL;
  gd_status st = check(shape);
  if (st != GD_OK)
    return st;
  gd_conv *conv = gd_alloc(1, sizeof *conv);
  if (conv == NULL)
    return GD_ERR_NOMEM;
  conv->shape = shape;
  conv->precision = precision;
  if (gd_gemm_takes(precision) != GD_FP32)
    conv->shape.winograd = 0;
  st = prepare_forward(conv);
  if (st == GD_OK && training)
    st = prepare_training(conv);
  if (st != GD_OK) {
    gd_conv_free(conv);
    return st;
  }
  *out = conv;
  return GD_OK;
}

void gd_conv_free(gd_conv *conv)
{
  if (conv == NULL)
    return;
  for (int i = 0; i < conv->n_residues; i++)
    free(conv->residues[i].packed);
  free(conv->residues);
  free(conv->outer);
  free(conv->packed);
  free(conv->packed_back);
  free(conv);
}

/* Of the products that there are; the others are nothing. */
int64_t gd_conv_bytes(const gd_conv *conv)
{
  int64_t bytes =
      gd_conv_weight_bytes(conv) +
      gd_winograd_packed(&conv->winograd_back) * (int64_t)sizeof(float);
  for (int i = 0; i < conv->n_residues; i++)
    bytes += gd_product_packed(&conv->residues[i].product) *
             gd_precision_bytes(conv->precision);
  return bytes;
}

int64_t gd_conv_weight_bytes(const gd_conv *conv)
{
  return gd_product_packed(&conv->forward) *
             gd_precision_bytes(conv->precision) +
         gd_winograd_packed(&conv->winograd) * (int64_t)sizeof(float);
}

double gd_conv_flop(const gd_conv *conv, gd_conv_input in)
{
  const gd_conv_shape s = conv->shape;
  const double products = (double)in.N * s.C * s.K;
  if (s.winograd)
    return 2 * GD_POINTS * products * ((in.H + 1) / 2) * ((in.W + 1) / 2);
  return 2 * products * s.R * s.S * gd_conv_out_H(s, in.H) *
         gd_conv_out_W(s, in.W);
}

/* Forward, the columns are the outputs k.  16 of them at a time: that many rows
 * of the weights are read together, and whole sectors written. */
static void pack_forward(gd_conv *conv, const float *weights)
{
  enum { TOGETHER = 16 };
  const gd_conv_shape s = conv->shape;
  const int n_taps = s.R * s.S;
#pragma omp parallel for schedule(static)
  for (int k0 = 0; k0 < s.K; k0 += TOGETHER) {
    const int n = gd_least(s.K - k0, TOGETHER);
    float columns[2][GD_BLOCK] = {{0}};
    for (int c0 = 0; c0 < s.C; c0 += 2)
      for (int tap = 0; tap < n_taps; tap++) {
        const int n_channels = gd_least(s.C - c0, 2);
        for (int c = 0; c < n_channels; c++)
          for (int k = 0; k < n; k++)
            columns[c][k] =
                weights[((int64_t)(k0 + k) * s.C + c0 + c) * n_taps + tap];
        gd_product_pack(&conv->forward, tap / s.S, tap % s.S, c0, n_channels,
                        k0, n, columns, conv->packed);
      }
  }
}

/* Backward, the columns are the channels c. */
static void pack_residue(const gd_conv *conv, residue *r, const float *weights)
{
  const gd_conv_shape s = conv->shape;
  const int n_taps = s.R * s.S;
#pragma omp parallel for schedule(static)
  for (int k0 = 0; k0 < s.K; k0 += 2)
    for (int tap = 0; tap < r->R * r->S; tap++) {
      const int a = tap / r->S, b = tap % r->S;
      const int element =
          (r->first_r - a * s.stride) * s.S + (r->first_s - b * s.stride);
      const int n_outputs = gd_least(s.K - k0, 2);
      for (int c0 = 0; c0 < s.C; c0 += GD_BLOCK) {
        float columns[2][GD_BLOCK] = {{0}};
        const int n = gd_least(s.C - c0, GD_BLOCK);
        for (int k = 0; k < n_outputs; k++)
          for (int c = 0; c < n; c++)
            columns[k][c] =
                weights[((int64_t)(k0 + k) * s.C + c0 + c) * n_taps + element];
        gd_product_pack(&r->product, a, b, k0, n_outputs, c0, n, columns,
                        r->packed);
      }
    }
}

void gd_conv_pack(gd_conv *conv, const float *weights)
{
  assert(conv != NULL && weights != NULL);
  if (conv->shape.winograd) {
    gd_winograd_pack(&conv->winograd, weights, 0, conv->packed);
    if (conv->packed_back != NULL)
      gd_winograd_pack(&conv->winograd_back, weights, 1, conv->packed_back);
    return;
  }
  pack_forward(conv, weights);
  for (int i = 0; i < conv->n_residues; i++)
    pack_residue(conv, &conv->residues[i], weights);
}

/* One tap that sees each pixel once makes of all images one row. */
static gd_patches flatten(gd_patches p)
{
  if (!gd_patches_are_source(&p))
    return p;
  p.columns = p.W = p.N * p.rows * p.columns;
  p.N = p.rows = p.H = 1;
  return p;
}

static gd_patches patches_of(const gd_conv *conv, gd_conv_input in)
{
  const gd_conv_shape s = conv->shape;
  if (s.winograd)
    return gd_winograd_patches(in, s.C, conv->precision);
  return flatten((gd_patches){.N = in.N,
                              .rows = gd_conv_out_H(s, in.H),
                              .columns = gd_conv_out_W(s, in.W),
                              .H = in.H,
                              .W = in.W,
                              .C = s.C,
                              .precision = conv->precision,
                              .step = s.stride,
                              .row = -s.pad,
                              .column = -s.pad,
                              .R = s.R,
                              .S = s.S});
}

/* The output's gradient as the input sees it, by Winograd. */
static gd_patches patches_back(const gd_conv *conv, gd_conv_input in)
{
  return gd_winograd_patches(in, conv->shape.K, conv->precision);
}

/* The output's gradient as a residue class of the input sees it; with no
 * taps, it only counts. */
static gd_patches residue_patches(const gd_conv *conv, gd_conv_input in,
                                  const residue *r)
{
  const gd_conv_shape s = conv->shape;
  const gd_patches p = {.N = in.N,
                        .rows = (in.H - r->row + s.stride - 1) / s.stride,
                        .columns = (in.W - r->column + s.stride - 1) / s.stride,
                        .H = gd_conv_out_H(s, in.H),
                        .W = gd_conv_out_W(s, in.W),
                        .C = s.K,
                        .precision = conv->precision,
                        .step = 1,
                        .row = (r->row + s.pad - r->first_r) / s.stride,
                        .column = (r->column + s.pad - r->first_s) / s.stride,
                        .R = r->R,
                        .S = r->S};
  return s.stride == 1 ? flatten(p) : p;
}

int gd_conv_n_pieces(const gd_conv *conv, gd_conv_input in, int is_backward)
{
  if (conv->shape.winograd) {
    const gd_patches p =
        is_backward ? patches_back(conv, in) : patches_of(conv, in);
    return gd_winograd_n_pieces(&p);
  }
  if (!is_backward) {
    const gd_patches p = patches_of(conv, in);
    return gd_product_n_pieces(&p);
  }
  int n = 0;
  for (int i = 0; i < conv->n_residues; i++) {
    const gd_patches p = residue_patches(conv, in, &conv->residues[i]);
    if (p.rows > 0 && p.columns > 0)
      n += gd_product_n_pieces(&p);
  }
  return n;
}

void gd_conv_forward(const gd_conv *conv, gd_workspace *ws, gd_conv_input in,
                     const gd_conv_source *source, const gd_conv_sink *sink)
{
  const gd_patches patches = patches_of(conv, in);
  assert(patches.rows > 0 && patches.columns > 0);
  if (conv->shape.winograd)
    gd_winograd_run(&conv->winograd, ws, &patches, source, conv->packed, sink);
  else
    gd_product_run(
        &conv->forward, ws, &patches, source, conv->packed, sink,
        (gd_target){.H = patches.rows, .W = patches.columns, .step = 1});
}

static void backward_residues(const gd_conv *conv, gd_workspace *ws,
                              gd_conv_input in, const gd_conv_source *source,
                              const gd_conv_sink *sink)
{
  const gd_conv_shape s = conv->shape;
  gd_conv_sink to = *sink;
  for (int i = 0; i < conv->n_residues; i++) {
    const residue *r = &conv->residues[i];
    const gd_patches patches = residue_patches(conv, in, r);
    if (patches.rows < 1 || patches.columns < 1)
      continue;
    gd_product_run(
        &r->product, ws, &patches, source, r->packed, &to,
        s.stride == 1
            ? (gd_target){.H = patches.rows, .W = patches.columns, .step = 1}
            : (gd_target){.H = in.H,
                          .W = in.W,
                          .row = r->row,
                          .column = r->column,
                          .step = s.stride});
    if (to.sums != NULL)
      to.sums += gd_product_n_pieces(&patches) * gd_norm_piece(s.C);
  }
}

void gd_conv_backward_data(const gd_conv *conv, gd_workspace *ws,
                           gd_conv_input in, const void *dy,
                           const gd_conv_sink *sink)
{
  assert(conv->outer != NULL);
  const gd_conv_source source = {.x = dy};
  if (!conv->shape.winograd) {
    backward_residues(conv, ws, in, &source, sink);
    return;
  }
  const gd_patches patches = patches_back(conv, in);
  gd_winograd_run(&conv->winograd_back, ws, &patches, &source,
                  conv->packed_back, sink);
}

void gd_conv_backward_weights(const gd_conv *conv, gd_workspace *ws,
                              gd_conv_input in, const gd_conv_source *source,
                              const void *dy, float *dweights)
{
  assert(conv->outer != NULL);
  const gd_patches patches = patches_of(conv, in);
  gd_outer_run(conv->outer, ws, &patches, source, dy, dweights);
}

void gd_conv_backward_bias(const float *dy, int64_t n_rows, int K, float *dbias)
{
  enum { BLOCK = 64 }; /* sums side by side: rows are read as they lie */
  for (int k0 = 0; k0 < K; k0 += BLOCK) {
    const int n = K - k0 < BLOCK ? K - k0 : BLOCK;
    double sums[BLOCK] = {0};
    for (int64_t i = 0; i < n_rows; i++)
      for (int k = 0; k < n; k++)
        sums[k] += (double)dy[i * K + k0 + k];
    for (int k = 0; k < n; k++)
      dbias[k0 + k] = (float)sums[k];
  }
}
