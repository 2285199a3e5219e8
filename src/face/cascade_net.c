#include "face/cascade_net.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/flat_conv.h"
#include "gradus/memory.h"
#include "gradus/tile_conv.h"

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

/* Rows of a large image that go through all layers before the next ones do. */
enum { STRIP_ROWS = 16, LARGE_PX = 64 };

enum { VECTOR = 16 /* floats */ };

/* A convolution with its PReLU and its pool.  By tiles it is faster where their
 * change of basis is little beside the products: 3 x 3, and many channels. */
typedef struct {
  int C, K, size, pool;
  int is_dense; /* a whole image is one position of it */
  int is_tiled;
  gd_flat_conv flat; /* one of the two */
  gd_tile_conv tiles;
} layer;

struct gd_cascade_net {
  layer layers[GD_CASCADE_LAYERS + 1]; /* the heads last */
  int n_layers, n_spatial;             /* dense ones behind the spatial ones */
};

gd_status gd_floats_grow(gd_floats *f, int64_t count)
{
  if (count <= f->room)
    return GD_OK;
  free(f->values);
  f->room = 0;
  f->values = gd_alloc(count, sizeof *f->values);
  if (f->values == NULL)
    return GD_ERR_NOMEM;
  f->room = count;
  return GD_OK;
}

void gd_cascade_buffers_free(gd_cascade_buffers *b)
{
  for (size_t i = 0; i < sizeof b->values / sizeof b->values[0]; i++)
    free(b->values[i].values);
  free(b->scratch.values);
  *b = (gd_cascade_buffers){0};
}

/* ---------------------------------------------------------------- reading */

/* Read weight and bias of one layer; a dense one becomes (K, inputs), its
 * inputs in the order (row, column, channel) of the image that it sees. */
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
    for (int r = 0; r < l->size; r++)
      for (int s = 0; s < l->size; s++)
        for (int c = 0; c < C; c++)
          *weight++ = flat[k * inputs + (s * l->size + r) * C + c];
  free(flat);
  return st;
}

/* Make one convolution of layers that read the same C channels and lie side by
 * side in its output; a list that ends with a NULL name.
 * number: of the PReLU behind it, from 1; 0: none */
static gd_status make_conv(const char *net,
                           const gd_cascade_layer *side_by_side, int C,
                           int number, gd_weights *w, layer *out)
{
  const int size = side_by_side->size;
  const int64_t inputs = (int64_t)C * size * size;
  char prelu[64];
  int64_t K = 0, k = 0;
  for (const gd_cascade_layer *l = side_by_side; l->name != NULL; l++)
    K += l->K;
  out->is_dense = side_by_side->dense;
  out->C = out->is_dense ? (int)inputs : C;
  out->K = (int)K;
  out->size = out->is_dense ? 1 : size;
  out->is_tiled = out->size == 3 && C >= VECTOR && K % VECTOR == 0;
  float *values = gd_alloc(K * (inputs + 2), sizeof *values);
  if (values == NULL)
    return GD_ERR_NOMEM;
  float *bias = values + K * inputs, *slopes = bias + K;
  gd_status st = GD_OK;
  for (const gd_cascade_layer *l = side_by_side; l->name != NULL; l++) {
    if (st == GD_OK)
      st = read_layer(net, l, C, w, values + k * inputs, bias + k);
    k += l->K;
  }
  snprintf(prelu, sizeof prelu, "%s.prelu%d.weight", net, number);
  if (st == GD_OK && number > 0)
    st = gd_weights_read(w, prelu, 1, &K, slopes);
  if (number == 0)
    slopes = NULL;
  if (st == GD_OK && out->is_tiled)
    st = gd_tile_conv_begin(&out->tiles, out->C, out->K, values, bias, slopes);
  else if (st == GD_OK)
    st = gd_flat_conv_begin(&out->flat, out->C, out->K, out->size, values, bias,
                            slopes);
  free(values);
  return st;
}

static void layer_end(layer *l)
{
  gd_flat_conv_end(&l->flat);
  gd_tile_conv_end(&l->tiles);
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
    st = make_conv(spec->name, (gd_cascade_layer[2]){*l}, C, net->n_layers, w,
                   made);
    C = l->K;
  }
  if (st == GD_OK)
    st = make_conv(spec->name, spec->heads, C, 0, w,
                   &net->layers[net->n_layers++]);
  while (net->n_spatial < net->n_layers &&
         !net->layers[net->n_spatial].is_dense)
    net->n_spatial++;
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
  for (int i = 0; i < net->n_layers; i++)
    layer_end(&net->layers[i]);
  free(net);
}

/* ---------------------------------------------------------------- running */

/* An image on its way: rows so far, `pitch` pixels from one to the next. */
typedef struct {
  int H, W, pitch, K;
  int n_rows; /* that are there */
  float *x;
} plane;

/* Rows of a pool of stride 2 whose last window is clipped, not left out. */
static int pool_out(int size, int pool)
{
  return (size - pool + 1) / 2 + 1;
}

/* Compute the rows that can be, given those of `in` that are there; by tiles,
 * pairs of them until the last. */
static void advance_conv(const layer *l, const plane *in, float *scratch,
                         plane *out)
{
  const int first = out->n_rows;
  int n = in->n_rows - l->size + 1 - first;
  if (l->is_tiled && in->n_rows < in->H)
    n -= n % 2;
  if (n <= 0)
    return;
  const float *x = in->x + (int64_t)first * in->pitch * in->K;
  float *y = out->x + (int64_t)first * out->pitch * out->K;
  if (l->is_tiled)
    gd_tile_conv_run(&l->tiles, n + l->size - 1, in->W, in->pitch, x, scratch,
                     y);
  else
    gd_flat_conv_run(&l->flat, x, in->pitch,
                     (int64_t)(n - 1) * in->pitch + out->W, y);
  out->n_rows = first + n;
}

/* Take the maximum over a window of size x size pixels, given the addresses of
 * its rows and the distances of its columns, by whole vectors: what they hold
 * beyond K channels the next pixel overwrites. */
static inline void pool_window(int size, const float *const *rows,
                               const int *columns, int K, float *y)
{
  for (int k = 0; k < K; k += VECTOR)
#pragma omp simd
    for (int i = k; i < k + VECTOR; i++) {
      float most = rows[0][columns[0] + i];
      for (int r = 0; r < size; r++)
        for (int s = 0; s < size; s++) {
          const float value = rows[r][columns[s] + i];
          most = value > most ? value : most;
        }
      y[i] = most;
    }
}

/* Pool the rows that can be.  A row or column outside the image is replaced by
 * the window's first one. */
static void advance_pool(int size, const plane *in, plane *out)
{
  const int K = in->K;
  const int64_t row = (int64_t)in->pitch * K;
  assert(size == 2 || size == 3);
  for (; out->n_rows < out->H; out->n_rows++) {
    const int r0 = 2 * out->n_rows;
    if ((r0 + size < in->H ? r0 + size : in->H) > in->n_rows)
      return;
    const float *rows[3];
    for (int r = 0; r < size; r++)
      rows[r] = in->x + (r0 + r < in->H ? r0 + r : r0) * row;
    float *y = out->x + (int64_t)out->n_rows * out->pitch * K;
    for (int q = 0; q < out->W; q++, y += K) {
      int columns[3];
      for (int s = 0; s < size; s++)
        columns[s] = K * (2 * q + s < in->W ? 2 * q + s : 2 * q);
      if (size == 2)
        pool_window(2, rows, columns, K, y);
      else
        pool_window(3, rows, columns, K, y);
    }
  }
}

/* Make room for a plane's rows, the pixel and the vector that are read behind
 * them. */
static gd_status make_room(plane *p, gd_floats *room)
{
  const gd_status st =
      gd_floats_grow(room, ((int64_t)p->H * p->pitch + 1) * p->K + VECTOR);
  p->x = room->values;
  return st;
}

/* Lay out the planes of an image: [0] the input, then of each spatial layer
 * what its convolution and its pool give, the same without a pool. */
static gd_status lay_out(const gd_cascade_net *net, gd_cascade_buffers *b,
                         int H, int W, plane *planes)
{
  gd_status st = GD_OK;
  planes[0] = (plane){.H = H, .W = W, .pitch = W, .K = net->layers[0].C};
  for (int i = 0; st == GD_OK && i < net->n_spatial; i++) {
    const layer *l = &net->layers[i];
    const plane *in = &planes[2 * i];
    plane *made = &planes[2 * i + 1], *pooled = &planes[2 * i + 2];
    assert(in->H >= l->size && in->W >= l->size);
    *made = (plane){.H = in->H - l->size + 1,
                    .W = in->W - l->size + 1,
                    .pitch = in->pitch,
                    .K = l->K};
    st = make_room(made, &b->values[2 * i]);
    if (st == GD_OK && l->is_tiled)
      st = gd_floats_grow(&b->scratch, gd_tile_conv_scratch(&l->tiles));
    *pooled = *made;
    if (st != GD_OK || l->pool == 0)
      continue;
    assert(made->H >= l->pool && made->W >= l->pool);
    pooled->H = pool_out(made->H, l->pool);
    pooled->W = pooled->pitch = pool_out(made->W, l->pool);
    st = make_room(pooled, &b->values[2 * i + 1]);
  }
  return st;
}

/* Send one image through the spatial layers. */
static void run_spatial(const gd_cascade_net *net, const float *x,
                        float *scratch, plane *planes)
{
  const int strip = planes[0].W < LARGE_PX ? planes[0].H : STRIP_ROWS;
  planes[0].x = (float *)x;
  for (int i = 0; i <= 2 * net->n_spatial; i++)
    planes[i].n_rows = 0;
  while (planes[0].n_rows < planes[0].H) {
    const int end = planes[0].n_rows + strip;
    planes[0].n_rows = end < planes[0].H ? end : planes[0].H;
    for (int i = 0; i < net->n_spatial; i++) {
      plane *made = &planes[2 * i + 1], *pooled = &planes[2 * i + 2];
      advance_conv(&net->layers[i], &planes[2 * i], scratch, made);
      if (net->layers[i].pool > 0)
        advance_pool(net->layers[i].pool, made, pooled);
      else
        pooled->n_rows = made->n_rows;
    }
  }
}

/* Copy an image without what lies between its rows. */
static void compact(const plane *from, float *to)
{
  const int64_t n = (int64_t)from->W * from->K;
  for (int r = 0; r < from->H; r++)
    memcpy(to + r * n, from->x + (int64_t)r * from->pitch * from->K,
           (size_t)n * sizeof *to);
}

gd_status gd_cascade_net_forward(const gd_cascade_net *net,
                                 gd_cascade_buffers *buffers,
                                 gd_cascade_shape in, const float *x,
                                 gd_cascade_shape *shape, const float **out)
{
  assert(net != NULL && x != NULL && out != NULL);
  plane planes[2 * (GD_CASCADE_LAYERS + 1) + 1];
  gd_floats *room = &buffers->values[2 * net->n_spatial];
  gd_status st = lay_out(net, buffers, in.H, in.W, planes);
  const plane *last = &planes[2 * net->n_spatial];
  int64_t n_values = (int64_t)last->H * last->W * last->K;
  if (st == GD_OK)
    st = gd_floats_grow(room, in.N * n_values);
  for (int n = 0; st == GD_OK && n < in.N; n++) {
    run_spatial(net, x + (int64_t)n * in.H * in.W * planes[0].K,
                buffers->scratch.values, planes);
    compact(last, room->values + n * n_values);
  }
  *shape = (gd_cascade_shape){in.N, last->H, last->W};
  for (int i = net->n_spatial; st == GD_OK && i < net->n_layers; i++) {
    const layer *l = &net->layers[i];
    assert(n_values == l->C);
    n_values = l->K;
    st = gd_floats_grow(room + 1, in.N * n_values);
    if (st == GD_OK)
      gd_flat_conv_run(&l->flat, room->values, 1, in.N, room[1].values);
    *shape = (gd_cascade_shape){in.N, 1, 1};
    room++;
  }
  *out = room->values;
  return st;
}

double gd_cascade_net_flop(const gd_cascade_net *net, gd_cascade_shape in)
{
  assert(net != NULL);
  double flop = 0;
  int H = in.H, W = in.W;
  for (int i = 0; i < net->n_layers; i++) {
    const layer *l = &net->layers[i];
    H = l->is_dense ? 1 : H - l->size + 1;
    W = l->is_dense ? 1 : W - l->size + 1;
    flop += 2.0 * H * W * l->size * l->size * l->C * l->K;
    H = l->pool > 0 ? pool_out(H, l->pool) : H;
    W = l->pool > 0 ? pool_out(W, l->pool) : W;
  }
  return in.N * flop;
}
