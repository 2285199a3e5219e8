#include "weights/caffe.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "caffe.pb-c.h"
#include "gradus/file.h"
#include "gradus/memory.h"

enum { MODEL_MAX_BYTES = 1 << 30 };

struct gd_caffe {
  Gd__Caffe__Net *net;
  const Gd__Caffe__Blob **blobs; /* borrowed from the net */
  int64_t n_blobs, room;
};

void gd_caffe_close(gd_caffe *c)
{
  if (c == NULL)
    return;
  gd__caffe__net__free_unpacked(c->net, NULL);
  free(c->blobs);
  free(c);
}

/* Say what shape a blob has; see the header for the old form. */
static int read_shape(const Gd__Caffe__Blob *b, gd_tensor_place *t)
{
  if (b->shape != NULL) {
    if (b->shape->n_dim > GD_WEIGHTS_MAX_RANK)
      return 0;
    t->rank = (int)b->shape->n_dim;
    for (int i = 0; i < t->rank; i++)
      t->shape[i] = b->shape->dim[i];
  } else {
    const int64_t dims[4] = {b->num, b->channels, b->height, b->width};
    int first = 0;
    if (dims[0] == 1 && dims[1] == 1)
      first = dims[2] == 1 ? 3 : 2;
    t->rank = 4 - first;
    memcpy(t->shape, dims + first, sizeof *dims * (size_t)t->rank);
  }
  int64_t count = 1;
  for (int i = 0; i < t->rank; i++)
    if (t->shape[i] < 0 || __builtin_mul_overflow(count, t->shape[i], &count))
      return 0;
  return (uint64_t)count == b->n_data;
}

static gd_status add_blob(gd_caffe *c, const char *path, const char *layer,
                          size_t number, const Gd__Caffe__Blob *b,
                          gd_tensor_list *list)
{
  gd_tensor_place t = {.type = "F32", .first_byte = c->n_blobs};
  if (layer == NULL || snprintf(t.name, sizeof t.name, "%s.%zu", layer,
                                number) >= (int)sizeof t.name)
    return gd_fail(GD_ERR_FORMAT,
                   "%s: a layer without a name, or with one "
                   "that is too long",
                   path);
  if (!read_shape(b, &t))
    return gd_fail(GD_ERR_FORMAT,
                   "%s: blob %s has %zu values, which its shape does not give",
                   path, t.name, b->n_data);
  gd_status st = gd_grow(&c->blobs, c->n_blobs + 1, &c->room, sizeof *c->blobs);
  if (st != GD_OK)
    return st;
  c->blobs[c->n_blobs++] = b;
  return gd_tensor_list_add(list, &t);
}

static gd_status list_blobs(gd_caffe *c, const char *path, gd_tensor_list *list)
{
  gd_status st = GD_OK;
  for (size_t l = 0; l < c->net->n_layer; l++) {
    const Gd__Caffe__Layer *layer = c->net->layer[l];
    for (size_t b = 0; st == GD_OK && b < layer->n_blobs; b++)
      st = add_blob(c, path, layer->name, b, layer->blobs[b], list);
  }
  for (size_t l = 0; l < c->net->n_layers; l++) {
    const Gd__Caffe__LayerBefore2014 *layer = c->net->layers[l];
    for (size_t b = 0; st == GD_OK && b < layer->n_blobs; b++)
      st = add_blob(c, path, layer->name, b, layer->blobs[b], list);
  }
  return st;
}

gd_status gd_caffe_open(const char *path, gd_tensor_list *list, gd_caffe **out)
{
  assert(path != NULL && list != NULL && out != NULL);

  *out = NULL;
  char *data = NULL;
  size_t n_bytes = 0;
  gd_status st = gd_file_read(path, MODEL_MAX_BYTES, &data, &n_bytes);
  if (st != GD_OK)
    return st;
  gd_caffe *c = gd_alloc(1, sizeof *c);
  if (c == NULL) {
    st = GD_ERR_NOMEM;
  } else {
    c->net = gd__caffe__net__unpack(NULL, n_bytes, (const uint8_t *)data);
    st = c->net == NULL
             ? gd_fail(GD_ERR_FORMAT,
                       "%s: no model file of Caffe, or truncated", path)
             : list_blobs(c, path, list);
  }
  free(data);
  if (st != GD_OK) {
    gd_caffe_close(c);
    return st;
  }
  *out = c;
  return GD_OK;
}

void gd_caffe_read(const gd_caffe *c, const gd_tensor_place *t, float *values)
{
  assert(c != NULL && t != NULL && values != NULL);
  assert(t->first_byte >= 0 && t->first_byte < c->n_blobs);

  const Gd__Caffe__Blob *b = c->blobs[t->first_byte];
  if (b->n_data > 0)
    memcpy(values, b->data, b->n_data * sizeof *values);
}
