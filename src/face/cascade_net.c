#include "face/cascade_net.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"

const gd_cascade_spec gd_pnet_spec = {
    .name = "pnet",
    .layers = {{"conv1", 10, 3, 2, 0},
               {"conv2", 16, 3, 0, 0},
               {"conv3", 32, 3, 0, 0}},
    .heads = {{"conv4_1", 2, 1, 0, 0}, {"conv4_2", 4, 1, 0, 0}},
};
const gd_cascade_spec gd_rnet_spec = {
    .name = "rnet",
    .layers = {{"conv1", 28, 3, 3, 0},
               {"conv2", 48, 3, 3, 0},
               {"conv3", 64, 2, 0, 0},
               {"dense4", 128, 3, 0, 1}},
    .heads = {{"dense5_1", 2, 1, 0, 1}, {"dense5_2", 4, 1, 0, 1}},
};
const gd_cascade_spec gd_onet_spec = {
    .name = "onet",
    .layers = {{"conv1", 32, 3, 3, 0},
               {"conv2", 64, 3, 3, 0},
               {"conv3", 64, 3, 2, 0},
               {"conv4", 128, 2, 0, 0},
               {"dense5", 256, 3, 0, 1}},
    .heads = {{"dense6_1", 2, 1, 0, 1},
              {"dense6_2", 4, 1, 0, 1},
              {"dense6_3", 10, 1, 0, 1}},
};

typedef struct {
  gd_conv *conv;
  float *slope; /* (K): PReLU; NULL for the heads */
  int K, pool;
} layer;

struct gd_cascade_net {
  layer layers[GD_CASCADE_LAYERS + 1]; /* the heads last */
  int n_layers;
};

void gd_cascade_buffers_free(gd_cascade_buffers *b)
{
  free(b->values[0]);
  free(b->values[1]);
  *b = (gd_cascade_buffers){0};
}

gd_status gd_cascade_buffers_grow(gd_cascade_buffers *b, int i, int64_t count)
{
  if (count <= b->room[i])
    return GD_OK;
  free(b->values[i]);
  b->room[i] = 0;
  b->values[i] = gd_alloc(count, sizeof(float));
  if (b->values[i] == NULL)
    return GD_ERR_NOMEM;
  b->room[i] = count;
  return GD_OK;
}

/* ---------------------------------------------------------------- reading */

/* Read weight and bias of one layer into (K, C, R, S) and (K). */
static gd_status read_layer(const char *net, const gd_cascade_layer *l, int C,
                            gd_weights *w, float *weight, float *bias)
{
  char name[64];
  const int64_t inputs = (int64_t)C * l->size * l->size;
  snprintf(name, sizeof name, "%s.%s.bias", net, l->name);
  gd_status st = gd_weights_read(w, name, 1, (int64_t[]){l->K}, bias);
  if (st != GD_OK)
    return st;
  snprintf(name, sizeof name, "%s.%s.weight", net, l->name);
  if (!l->dense)
    return gd_weights_read(w, name, 4, (int64_t[]){l->K, C, l->size, l->size},
                           weight);

  float *flat = gd_alloc(l->K * inputs, sizeof *flat);
  if (flat == NULL)
    return GD_ERR_NOMEM;
  st = gd_weights_read(w, name, 2, (int64_t[]){l->K, inputs}, flat);
  for (int k = 0; st == GD_OK && k < l->K; k++)
    for (int c = 0; c < C; c++)
      for (int r = 0; r < l->size; r++)
        for (int s = 0; s < l->size; s++)
          *weight++ = flat[k * inputs + (s * l->size + r) * C + c];
  free(flat);
  return st;
}

/* Make one convolution of layers that read the same C channels and lie side by
 * side in its output; a list that ends with a NULL name. */
static gd_status make_conv(const char *net,
                           const gd_cascade_layer *side_by_side, int C,
                           gd_weights *w, layer *out)
{
  const int size = side_by_side->size;
  out->K = 0;
  for (const gd_cascade_layer *l = side_by_side; l->name != NULL; l++)
    out->K += l->K;
  const int64_t inputs = (int64_t)C * size * size;
  float *weight = gd_alloc(out->K * inputs, sizeof *weight);
  float *bias = gd_alloc(out->K, sizeof *bias);
  gd_status st = weight == NULL || bias == NULL ? GD_ERR_NOMEM : GD_OK;
  int k = 0;
  for (const gd_cascade_layer *l = side_by_side; l->name != NULL; l++) {
    if (st == GD_OK)
      st = read_layer(net, l, C, w, weight + k * inputs, bias + k);
    k += l->K;
  }
  if (st == GD_OK)
    st = gd_conv_new(
        (gd_conv_shape){
            .C = C, .K = out->K, .R = size, .S = size, .stride = 1, .pad = 0},
        0, &out->conv);
  if (st == GD_OK)
    gd_conv_pack(out->conv, weight, bias);
  free(weight);
  free(bias);
  return st;
}

static gd_status read_slopes(const char *net, int number, gd_weights *w,
                             layer *out)
{
  char name[64];
  out->slope = gd_alloc(out->K, sizeof *out->slope);
  if (out->slope == NULL)
    return GD_ERR_NOMEM;
  snprintf(name, sizeof name, "%s.prelu%d.weight", net, number);
  return gd_weights_read(w, name, 1, (int64_t[]){out->K}, out->slope);
}

gd_status gd_cascade_net_read(const gd_cascade_spec *spec, gd_weights *w,
                              gd_cascade_net **out)
{
  assert(spec != NULL && w != NULL && out != NULL);
  *out = NULL;

  gd_cascade_net *net = gd_alloc(1, sizeof *net);
  if (net == NULL)
    return GD_ERR_NOMEM;
  gd_status st = GD_OK;
  int C = 3;
  for (const gd_cascade_layer *l = spec->layers; st == GD_OK && l->name != NULL;
       l++) {
    layer *made = &net->layers[net->n_layers++];
    made->pool = l->pool;
    st = make_conv(spec->name, (gd_cascade_layer[2]){*l}, C, w, made);
    if (st == GD_OK)
      st = read_slopes(spec->name, net->n_layers, w, made);
    C = l->K;
  }
  if (st == GD_OK)
    st =
        make_conv(spec->name, spec->heads, C, w, &net->layers[net->n_layers++]);
  if (st == GD_OK)
    *out = net;
  else
    gd_cascade_net_free(net);
  return st;
}

void gd_cascade_net_free(gd_cascade_net *net)
{
  if (net == NULL)
    return;
  for (int i = 0; i < net->n_layers; i++) {
    gd_conv_free(net->layers[i].conv);
    free(net->layers[i].slope);
  }
  free(net);
}

/* ---------------------------------------------------------------- running */

static void activate(const float *slope, int K, int64_t n_pixels, float *x)
{
  for (int64_t i = 0; i < n_pixels; i++, x += K)
    for (int k = 0; k < K; k++)
      x[k] = x[k] > 0 ? x[k] : slope[k] * x[k];
}

/* Rows of a pool of stride 2 whose last window is clipped, not left out. */
static int pool_out(int size, int pool)
{
  return (size - pool + 1) / 2 + 1;
}

static void take_maximum(const float *x, int K, float *y)
{
  for (int k = 0; k < K; k++)
    y[k] = x[k] > y[k] ? x[k] : y[k];
}

/* Pool (N, H, W, K) of x into y; windows are clipped below and at the right. */
static void pool_maximum(gd_conv_input in, int K, int pool, const float *x,
                         float *y)
{
  const int P = pool_out(in.H, pool), Q = pool_out(in.W, pool);
  for (int n = 0; n < in.N; n++, x += (int64_t)in.H * in.W * K)
    for (int p = 0; p < P; p++)
      for (int q = 0; q < Q; q++, y += K) {
        const int r1 = 2 * p + pool < in.H ? 2 * p + pool : in.H;
        const int s1 = 2 * q + pool < in.W ? 2 * q + pool : in.W;
        const float *corner = x + ((int64_t)2 * p * in.W + 2 * q) * K;
        memcpy(y, corner, (size_t)K * sizeof *y);
        for (int r = 2 * p; r < r1; r++)
          for (int s = 2 * q; s < s1; s++)
            take_maximum(x + ((int64_t)r * in.W + s) * K, K, y);
      }
}

static int64_t n_values(gd_conv_input s, int K)
{
  return (int64_t)s.N * s.H * s.W * K;
}

gd_status gd_cascade_net_forward(const gd_cascade_net *net, gd_workspace *ws,
                                 gd_cascade_buffers *buffers, gd_conv_input in,
                                 const float *x, gd_conv_input *shape,
                                 const float **out)
{
  assert(net != NULL && x != NULL && out != NULL);
  int next = 0; /* the buffer that x is not in */
  for (int i = 0; i < net->n_layers; i++) {
    const layer *l = &net->layers[i];
    const gd_conv_shape c = gd_conv_shape_of(l->conv);
    assert(in.H >= c.R && in.W >= c.S);
    gd_conv_input made = {.N = in.N,
                          .H = gd_conv_out(in.H, c.R, 1, 0),
                          .W = gd_conv_out(in.W, c.S, 1, 0)};
    gd_status st = gd_cascade_buffers_grow(buffers, next, n_values(made, l->K));
    if (st != GD_OK)
      return st;
    float *y = buffers->values[next];
    gd_conv_forward(l->conv, ws, in, x, y);
    if (l->slope != NULL)
      activate(l->slope, l->K, n_values(made, 1), y);
    next = !next;
    in = made;
    x = y;
    if (l->pool == 0)
      continue;

    assert(in.H >= l->pool && in.W >= l->pool);
    made.H = pool_out(in.H, l->pool);
    made.W = pool_out(in.W, l->pool);
    st = gd_cascade_buffers_grow(buffers, next, n_values(made, l->K));
    if (st != GD_OK)
      return st;
    pool_maximum(in, l->K, l->pool, x, buffers->values[next]);
    in = made;
    x = buffers->values[next];
    next = !next;
  }
  *shape = in;
  *out = x;
  return GD_OK;
}
