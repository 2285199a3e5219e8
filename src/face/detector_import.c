#include "gradus/detector_import.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "face/cascade_net.h"
#include "face/mtcnn_parts.h"
#include "gradus/memory.h"
#include "gradus/store.h"
#include "gradus/weights.h"

enum { N_NETS = 3, NAME_MAX = 96 };

/* A net's tensors where they come from. */
typedef struct {
  gd_weights *weights;
  const char *prefix; /* "pnet." in a file of all nets, or "" */
  int is_caffe;
} source;

static int has(gd_weights *w, const char *name)
{
  for (int i = 0; i < gd_weights_n(w); i++)
    if (strcmp(gd_weights_at(w, i).name, name) == 0)
      return 1;
  return 0;
}

/* Caffe calls dense4 conv4, and conv4_1 or dense5_1 conv4-1 and conv5-1. */
static void caffe_layer(const char *name, char out[NAME_MAX])
{
  const int is_dense = strncmp(name, "dense", 5) == 0;
  snprintf(out, NAME_MAX, "%s%s", is_dense ? "conv" : "",
           is_dense ? name + 5 : name);
  char *head = strchr(out, '_');
  if (head != NULL)
    *head = '-';
}

static void tensor_name(const source *from, const char *layer, int is_bias,
                        char out[NAME_MAX])
{
  char caffe[NAME_MAX];
  caffe_layer(layer, caffe);
  if (from->is_caffe)
    snprintf(out, NAME_MAX, "%.80s.%d", caffe, is_bias);
  else
    snprintf(out, NAME_MAX, "%s%s.%s", from->prefix, layer,
             is_bias ? "bias" : "weight");
}

/* Some of Caffe's three files write PReLU, others prelu. */
static void slope_name(const source *from, int number, char out[NAME_MAX])
{
  snprintf(out, NAME_MAX, from->is_caffe ? "%sprelu%d.0" : "%sprelu%d.weight",
           from->prefix, number);
  if (from->is_caffe && !has(from->weights, out))
    snprintf(out, NAME_MAX, "PReLU%d.0", number);
}

/* Give an importer's order to what Caffe's has: see the header.  A kernel of
 * (C, column, row) becomes (C, row, column), or (column, row, C) where a dense
 * layer reads it; both sides are square. */
static void reorder(const gd_cascade_layer *l, int C, const float *from,
                    float *to)
{
  const int n = l->size;
  const int64_t inputs = (int64_t)C * n * n;
  for (int k = 0; k < l->K; k++)
    for (int c = 0; c < C; c++)
      for (int x = 0; x < n; x++)
        for (int y = 0; y < n; y++) {
          const int64_t place = l->dense ? ((int64_t)x * n + y) * C + c
                                         : ((int64_t)c * n + y) * n + x;
          to[k * inputs + place] =
              from[k * inputs + ((int64_t)c * n + x) * n + y];
        }
}

static gd_status put(gd_store_writer *w, const char *net, const char *layer,
                     const char *what, int rank, const int64_t *shape,
                     const float *values)
{
  char name[GD_STORE_NAME_MAX * 2];
  gd_dataset d = {.name = name, .dtype = GD_F32, .rank = rank};
  snprintf(name, sizeof name, "%s/%s/%s", net, layer, what);
  memcpy(d.dims, shape, sizeof *shape * (size_t)rank);
  return gd_store_put(w, &d, values);
}

static gd_status copy_weight(const source *from, const char *net,
                             const gd_cascade_layer *l, int C,
                             gd_store_writer *w)
{
  char name[NAME_MAX];
  const int64_t inputs = (int64_t)C * l->size * l->size;
  const int64_t shape[4] = {l->K, l->dense ? inputs : C, l->size, l->size};
  const int rank = l->dense ? 2 : 4;
  float *values = gd_alloc(2 * l->K * inputs, sizeof *values);
  if (values == NULL)
    return GD_ERR_NOMEM;
  float *ordered = values;
  tensor_name(from, l->name, 0, name);
  gd_status st = gd_weights_read(from->weights, name, rank, shape, values);
  if (st == GD_OK && from->is_caffe) {
    ordered = values + l->K * inputs;
    reorder(l, C, values, ordered);
  }
  if (st == GD_OK)
    st = put(w, net, l->name, "weight", rank, shape, ordered);
  free(values);
  return st;
}

/* A vector of K values: biases or slopes. */
static gd_status copy_vector(const source *from, const char *net,
                             const char *name, const char *layer,
                             const char *what, int64_t K, gd_store_writer *w)
{
  float *values = gd_alloc(K, sizeof *values);
  if (values == NULL)
    return GD_ERR_NOMEM;
  gd_status st = gd_weights_read(from->weights, name, 1, &K, values);
  if (st == GD_OK)
    st = put(w, net, layer, what, 1, &K, values);
  free(values);
  return st;
}

static gd_status copy_layer(const source *from, const char *net,
                            const gd_cascade_layer *l, int C,
                            gd_store_writer *w)
{
  char name[NAME_MAX];
  tensor_name(from, l->name, 1, name);
  gd_status st = copy_weight(from, net, l, C, w);
  return st == GD_OK ? copy_vector(from, net, name, l->name, "bias", l->K, w)
                     : st;
}

static gd_status copy_net(const source *from, const gd_cascade_spec *spec,
                          gd_store_writer *w)
{
  gd_status st = GD_OK;
  int C = 3, number = 0;
  for (const gd_cascade_layer *l = spec->layers; st == GD_OK && l->name != NULL;
       l++) {
    char name[NAME_MAX], prelu[NAME_MAX];
    snprintf(prelu, sizeof prelu, "prelu%d", ++number);
    slope_name(from, number, name);
    st = copy_layer(from, spec->name, l, C, w);
    if (st == GD_OK)
      st = copy_vector(from, spec->name, name, prelu, "weight", l->K, w);
    C = l->K;
  }
  for (const gd_cascade_layer *l = spec->heads; st == GD_OK && l->name != NULL;
       l++)
    st = copy_layer(from, spec->name, l, C, w);
  return st;
}

/* Copy what weights of our own say of boxes. */
static gd_status copy_framed(gd_weights *from, gd_store_writer *w)
{
  const gd_dataset d = {
      .name = "cascade/framed", .dtype = GD_F32, .rank = 1, .dims = {1}};
  float value;
  if (!has(from, GD_MTCNN_FRAMED))
    return GD_OK;
  gd_status st =
      gd_weights_read(from, GD_MTCNN_FRAMED, 1, (int64_t[]){1}, &value);
  return st == GD_OK ? gd_store_put(w, &d, &value) : st;
}

static gd_status copy_nets(int n_paths, gd_weights *const *weights,
                           const char *to)
{
  static const gd_cascade_spec *const specs[N_NETS] = {
      &gd_pnet_spec, &gd_rnet_spec, &gd_onet_spec};
  static const char *const prefixes[N_NETS] = {"pnet.", "rnet.", "onet."};
  gd_store_writer *w;
  gd_status st = gd_store_create(to, "gradus-detector", 1, (gd_digest){0}, &w);
  if (st != GD_OK)
    return st;
  for (int i = 0; st == GD_OK && i < N_NETS; i++) {
    const source from = {.weights = weights[n_paths == 1 ? 0 : i],
                         .prefix = n_paths == 1 ? prefixes[i] : "",
                         .is_caffe =
                             has(weights[n_paths == 1 ? 0 : i], "conv1.0")};
    st = copy_net(&from, specs[i], w);
  }
  if (st == GD_OK)
    st = copy_framed(weights[0], w);
  return gd_store_end(w, st);
}

gd_status gd_detector_import(int n_paths, const char *const *paths,
                             const char *to)
{
  assert(paths != NULL && to != NULL);

  gd_weights *weights[N_NETS] = {NULL};
  if (n_paths != 1 && n_paths != N_NETS)
    return gd_fail(GD_ERR_USAGE,
                   "a detector is one file of all nets, or three: P-, R- and "
                   "O-Net");
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < n_paths; i++)
    st = gd_weights_open(paths[i], &weights[i]);
  if (st == GD_OK)
    st = copy_nets(n_paths, weights, to);
  for (int i = 0; i < N_NETS; i++)
    gd_weights_close(weights[i]);
  return st;
}
