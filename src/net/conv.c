#include "gradus/conv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"
#include "net/outer.h"
#include "net/patches.h"
#include "net/product.h"
#include "net/workspace.h"

/* Input pixels (row + i * stride, column + j * stride): all see the output
 * through the same taps of the kernel.  A class may have none. */
typedef struct {
  int row, column;
  int n_taps;
  gd_tap *taps; /* offsets from (i, j) into the output's gradient */
  int *kernel;  /* tap -> r * S + s */
  gd_product product;
  float *packed;
} residue;

struct gd_conv {
  gd_conv_shape shape;
  gd_tap *taps; /* (R * S) offsets into the input */
  gd_product forward;
  float *packed, *bias; /* bias is NULL without one */
  int has_bias;
  int n_residues; /* stride * stride, or 0 without training */
  residue *residues;
  gd_outer *outer; /* NULL without training */
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
  if (s.R < 1 || s.S < 1 || s.R > GD_PANEL_DEPTH ||
      s.S > GD_PANEL_DEPTH / s.R || s.stride < 1 || s.pad < 0 ||
      s.pad_behind < 0 || s.pad + s.pad_behind >= s.R ||
      s.pad + s.pad_behind >= s.S)
    return gd_fail(GD_ERR_USAGE,
                   "convolution with kernel %dx%d, stride %d, pad %d and %d: "
                   "the stride must be positive, the pad smaller than the "
                   "kernel, the kernel at most %d elements",
                   s.R, s.S, s.stride, s.pad, s.pad + s.pad_behind,
                   GD_PANEL_DEPTH);
  return GD_OK;
}

/* Input row h is seen through kernel row r by output row (h + pad - r) /
 * stride, where that is whole. */
static gd_status make_residue(residue *c, gd_conv_shape s, int row, int column)
{
  c->row = row;
  c->column = column;
  c->taps = gd_alloc(s.R * s.S, sizeof *c->taps);
  c->kernel = gd_alloc(s.R * s.S, sizeof *c->kernel);
  if (c->taps == NULL || c->kernel == NULL)
    return GD_ERR_NOMEM;
  /* From the last kernel element to the first, so that offsets ascend and
   * neighbours are copied as one run. */
  for (int r = s.R - 1; r >= 0; r--)
    for (int q = s.S - 1; q >= 0; q--)
      if ((row + s.pad - r) % s.stride == 0 &&
          (column + s.pad - q) % s.stride == 0) {
        c->taps[c->n_taps] = (gd_tap){(row + s.pad - r) / s.stride,
                                      (column + s.pad - q) / s.stride};
        c->kernel[c->n_taps++] = r * s.S + q;
      }
  if (c->n_taps == 0)
    return GD_OK;
  gd_status st =
      gd_product_init(&c->product, c->n_taps, s.K, s.C, c->n_taps == 1);
  if (st != GD_OK)
    return st;
  c->packed = gd_alloc(gd_product_packed(&c->product), sizeof *c->packed);
  return c->packed == NULL ? GD_ERR_NOMEM : GD_OK;
}

static gd_status prepare_training(gd_conv *conv)
{
  const gd_conv_shape s = conv->shape;
  conv->outer = gd_alloc(1, sizeof *conv->outer);
  conv->residues = gd_alloc((int64_t)s.stride * s.stride, sizeof(residue));
  if (conv->outer == NULL || conv->residues == NULL)
    return GD_ERR_NOMEM;
  conv->n_residues = s.stride * s.stride;
  gd_status st = gd_outer_init(conv->outer, s.R * s.S, s.C, s.K);
  for (int i = 0; i < conv->n_residues && st == GD_OK; i++)
    st = make_residue(&conv->residues[i], s, i / s.stride, i % s.stride);
  return st;
}

static gd_status prepare_forward(gd_conv *conv)
{
  const gd_conv_shape s = conv->shape;
  conv->taps = gd_alloc(s.R * s.S, sizeof *conv->taps);
  if (conv->taps == NULL)
    return GD_ERR_NOMEM;
  for (int r = 0; r < s.R; r++)
    for (int q = 0; q < s.S; q++)
      conv->taps[r * s.S + q] = (gd_tap){r - s.pad, q - s.pad};
  gd_status st = gd_product_init(&conv->forward, s.R * s.S, s.C, s.K,
                                 s.R * s.S == 1 && s.stride == 1);
  if (st != GD_OK)
    return st;
  conv->packed = gd_alloc(gd_product_packed(&conv->forward), sizeof(float));
  conv->bias = gd_alloc(s.K, sizeof *conv->bias);
  return conv->packed == NULL || conv->bias == NULL ? GD_ERR_NOMEM : GD_OK;
}

gd_status gd_conv_new(gd_conv_shape shape, int training, gd_conv **out)
{
  *out = NULL;
  gd_status st = check(shape);
  if (st != GD_OK)
    return st;
  gd_conv *conv = gd_alloc(1, sizeof *conv);
  if (conv == NULL)
    return GD_ERR_NOMEM;
  conv->shape = shape;
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
  for (int i = 0; i < conv->n_residues; i++) {
    free(conv->residues[i].taps);
    free(conv->residues[i].kernel);
    free(conv->residues[i].packed);
  }
  free(conv->residues);
  free(conv->outer);
  free(conv->taps);
  free(conv->packed);
  free(conv->bias);
  free(conv);
}

gd_conv_shape gd_conv_shape_of(const gd_conv *conv)
{
  return conv->shape;
}

int64_t gd_conv_bytes(const gd_conv *conv)
{
  int64_t floats = gd_product_packed(&conv->forward) + conv->shape.K;
  for (int i = 0; i < conv->n_residues; i++)
    if (conv->residues[i].n_taps > 0)
      floats += gd_product_packed(&conv->residues[i].product);
  return floats * (int64_t)sizeof(float);
}

/* Forward, the columns are the outputs k.  Eight of them at a time: that many
 * rows of the weights are read together, and whole sectors written. */
static void pack_forward(gd_conv *conv, const float *weights)
{
  const gd_conv_shape s = conv->shape;
  const int n_taps = s.R * s.S;
  const gd_product *p = &conv->forward;
#pragma omp parallel for schedule(static)
  for (int k0 = 0; k0 < s.K; k0 += 16)
    for (int tap = 0; tap < n_taps; tap++)
      for (int c = 0; c < s.C; c++) {
        float *to = conv->packed + gd_product_at(p, tap, c, k0);
        const int n = s.K - k0 < 16 ? s.K - k0 : 16;
        for (int k = 0; k < n; k++)
          to[k] = weights[((int64_t)(k0 + k) * s.C + c) * n_taps + tap];
      }
}

/* Backward, the columns are the channels c. */
static void pack_residue(const gd_conv *conv, residue *r, const float *weights)
{
  const gd_conv_shape s = conv->shape;
  const int n_taps = s.R * s.S;
#pragma omp parallel for schedule(static)
  for (int k = 0; k < s.K; k++)
    for (int tap = 0; tap < r->n_taps; tap++) {
      const float *from = weights + (int64_t)k * s.C * n_taps + r->kernel[tap];
      for (int c0 = 0; c0 < s.C; c0 += GD_BLOCK) {
        float *to = r->packed + gd_product_at(&r->product, tap, k, c0);
        const int n = s.C - c0 < GD_BLOCK ? s.C - c0 : GD_BLOCK;
        for (int c = 0; c < n; c++)
          to[c] = from[(int64_t)(c0 + c) * n_taps];
      }
    }
}

void gd_conv_pack(gd_conv *conv, const float *weights, const float *bias)
{
  assert(conv != NULL && weights != NULL);
  pack_forward(conv, weights);
  for (int i = 0; i < conv->n_residues; i++)
    pack_residue(conv, &conv->residues[i], weights);
  conv->has_bias = bias != NULL;
  if (bias != NULL)
    memcpy(conv->bias, bias, (size_t)conv->shape.K * sizeof *bias);
}

static gd_patches patches_of(const gd_conv *conv, gd_conv_input in)
{
  const gd_conv_shape s = conv->shape;
  return (gd_patches){.N = in.N,
                      .rows = gd_conv_out_H(s, in.H),
                      .columns = gd_conv_out_W(s, in.W),
                      .H = in.H,
                      .W = in.W,
                      .C = s.C,
                      .step = s.stride,
                      .n_taps = s.R * s.S,
                      .taps = conv->taps};
}

void gd_conv_forward(const gd_conv *conv, gd_workspace *ws, gd_conv_input in,
                     const float *x, float *y)
{
  const gd_patches patches = patches_of(conv, in);
  assert(patches.rows > 0 && patches.columns > 0);
  gd_product_run(
      &conv->forward, ws, &patches, x, conv->packed,
      conv->has_bias ? conv->bias : NULL,
      (gd_target){
          .pixels = y, .H = patches.rows, .W = patches.columns, .step = 1});
}

void gd_conv_backward_data(const gd_conv *conv, gd_workspace *ws,
                           gd_conv_input in, const float *dy, float *dx)
{
  assert(conv->residues != NULL);
  const gd_conv_shape s = conv->shape;
  for (int i = 0; i < conv->n_residues; i++)
    if (conv->residues[i].n_taps == 0) {
      memset(dx, 0, (size_t)in.N * in.H * in.W * s.C * sizeof *dx);
      break;
    }
  for (int i = 0; i < conv->n_residues; i++) {
    const residue *c = &conv->residues[i];
    const gd_patches patches = {
        .N = in.N,
        .rows = (in.H - c->row + s.stride - 1) / s.stride,
        .columns = (in.W - c->column + s.stride - 1) / s.stride,
        .H = gd_conv_out_H(s, in.H),
        .W = gd_conv_out_W(s, in.W),
        .C = s.K,
        .step = 1,
        .n_taps = c->n_taps,
        .taps = c->taps};
    if (c->n_taps > 0 && patches.rows > 0 && patches.columns > 0)
      gd_product_run(&c->product, ws, &patches, dy, c->packed, NULL,
                     (gd_target){.pixels = dx,
                                 .H = in.H,
                                 .W = in.W,
                                 .row = c->row,
                                 .column = c->column,
                                 .step = s.stride});
  }
}

void gd_conv_backward_weights(const gd_conv *conv, gd_workspace *ws,
                              gd_conv_input in, const float *x, const float *dy,
                              float *dweights)
{
  assert(conv->outer != NULL);
  const gd_patches patches = patches_of(conv, in);
  gd_outer_run(conv->outer, ws, &patches, x, dy, dweights);
}

void gd_conv_backward_bias(const float *dy, int64_t n_rows, int K, float *dbias)
{
  for (int k = 0; k < K; k++) {
    double sum = 0;
    for (int64_t i = 0; i < n_rows; i++)
      sum += (double)dy[i * K + k];
    dbias[k] = (float)sum;
  }
}
