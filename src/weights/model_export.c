#include "gradus/model_export.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/file.h"
#include "gradus/memory.h"
#include "gradus/model.h"
#include "gradus/profile.h"
#include "weights/layer_names.h"

/* A model, and its tables: weights, then running statistics. */
typedef struct {
  gd_model *model;
  gd_tensor_table tables[2];
  const float *blocks[2];
  char profile[GD_PROFILE_TEXT];
} source;

static gd_status open_source(const char *path, source *s)
{
  gd_status st = gd_model_read(path, &s->model);
  if (st != GD_OK)
    return st;
  s->blocks[0] = s->model->weights;
  s->blocks[1] = s->model->running;
  gd_profile_write(&s->model->info.network, s->profile);
  return gd_resnet_tables(&s->model->info.network, &s->tables[0],
                          &s->tables[1]);
}

static void close_source(source *s)
{
  gd_tensor_table_free(&s->tables[0]);
  gd_tensor_table_free(&s->tables[1]);
  gd_model_free(s->model);
}

/* --------------------------------------------------------------- safetensors
 */

static void add_tensor(gd_text *header, const gd_tensor_entry *e,
                       int64_t *first_byte)
{
  gd_text_printf(header, ",\"%s\":{\"dtype\":\"F32\",\"shape\":[", e->name);
  for (int i = 0; i < e->rank; i++)
    gd_text_printf(header, "%s%d", i == 0 ? "" : ",", e->shape[i]);
  const int64_t end = *first_byte + 4 * e->count;
  gd_text_printf(header, "],\"data_offsets\":[%" PRId64 ",%" PRId64 "]}",
                 *first_byte, end);
  *first_byte = end;
}

static gd_status write_whole(const source *s, const gd_text *header,
                             const char *to)
{
  const size_t n_header = header->length_bytes;
  const size_t n_weights = (size_t)s->tables[0].count * sizeof(float);
  const size_t n_running = (size_t)s->tables[1].count * sizeof(float);
  const size_t n_bytes = 8 + n_header + n_weights + n_running;
  char *data = gd_alloc((int64_t)n_bytes, 1);
  if (data == NULL)
    return GD_ERR_NOMEM;
  for (int i = 0; i < 8; i++)
    data[i] = (char)(n_header >> (8 * i));
  memcpy(data + 8, gd_text_get(header), n_header);
  memcpy(data + 8 + n_header, s->blocks[0], n_weights);
  memcpy(data + 8 + n_header + n_weights, s->blocks[1], n_running);
  gd_status st = gd_file_write(to, data, n_bytes);
  free(data);
  return st;
}

static gd_status write_safetensors(const source *s, const char *to)
{
  gd_text header = {0};
  int64_t first_byte = 0;
  gd_text_printf(&header,
                 "{\"__metadata__\":{\"format\":\"pt\",\"depth\":\"%d\","
                 "\"profile\":\"%s\"}",
                 s->model->info.network.depth, s->profile);
  for (int t = 0; t < 2; t++)
    for (int i = 0; i < s->tables[t].n_entries; i++)
      add_tensor(&header, &s->tables[t].entries[i], &first_byte);
  gd_text_add(&header, "}");
  while (header.length_bytes % 8 != 0 && gd_text_status(&header) == GD_OK)
    gd_text_add(&header, " "); /* so that the values are aligned */
  gd_status st = gd_text_status(&header);
  if (st == GD_OK)
    st = write_whole(s, &header, to);
  gd_text_free(&header);
  return st;
}

/* ---------------------------------------------------------------------- HDF5
 */

static gd_status put_keys(const source *s, gd_store_writer *w)
{
  gd_status st = GD_OK;
  for (int t = 0; t < 2; t++)
    for (int i = 0; st == GD_OK && i < s->tables[t].n_entries; i++) {
      const gd_tensor_entry *e = &s->tables[t].entries[i];
      gd_dataset d = {.name = e->name, .dtype = GD_F32, .rank = e->rank};
      for (int k = 0; k < e->rank; k++)
        d.dims[k] = e->shape[k];
      st = gd_store_put(w, &d, s->blocks[t] + e->offset);
    }
  return st;
}

/* (K, C, R, S) to (R, S, C, K), (K, C) to (C, K). */
static gd_status put_turned(gd_store_writer *w, const char *name,
                            const gd_tensor_entry *e, const float *values)
{
  const int is_conv = e->kind == GD_TENSOR_CONV;
  const int K = e->shape[0], C = e->shape[1];
  const int taps = is_conv ? e->shape[2] * e->shape[3] : 1;
  gd_dataset d = {.name = name, .dtype = GD_F32, .rank = e->rank};
  int64_t *dims = d.dims;
  for (int i = 2; i < e->rank; i++)
    *dims++ = e->shape[i];
  dims[0] = C;
  dims[1] = K;
  float *turned = gd_alloc(e->count, sizeof *turned);
  if (turned == NULL)
    return GD_ERR_NOMEM;
  for (int k = 0; k < K; k++)
    for (int c = 0; c < C; c++)
      for (int t = 0; t < taps; t++)
        turned[((int64_t)t * C + c) * K + k] =
            values[((int64_t)k * C + c) * taps + t];
  gd_status st = gd_store_put(w, &d, turned);
  free(turned);
  return st;
}

/* A layer of Keras: its name, and the names of its tensors. */
typedef struct {
  char name[GD_LAYER_NAME];
  char parts[4][2 * GD_LAYER_NAME];
  int n_parts;
} layer;

static gd_status put_part(gd_store_writer *w, layer *l, const char *layer_name,
                          const gd_tensor_entry *e, const float *values)
{
  char name[GD_STORE_NAME_MAX];
  char *part = l->parts[l->n_parts++];
  snprintf(part, sizeof l->parts[0], "%s/%s", layer_name,
           gd_layer_keras_part(e->kind));
  snprintf(name, sizeof name, "%.40s/%.50s", layer_name, part);
  if (e->rank > 1)
    return put_turned(w, name, e, values);
  const gd_dataset d = {
      .name = name, .dtype = GD_F32, .rank = 1, .dims = {e->shape[0]}};
  return gd_store_put(w, &d, values);
}

static gd_status end_layer(gd_store_writer *w, const layer *l)
{
  const char *names[4];
  for (int i = 0; i < l->n_parts; i++)
    names[i] = l->parts[i];
  return gd_store_set_texts(w, l->name, "weight_names", l->n_parts, names);
}

/* Put a layer's tensors in Keras' order: what is trained, then statistics. */
static gd_status put_layer(const source *s, gd_store_writer *w, layer *l)
{
  gd_status st = GD_OK;
  for (int t = 0; t < 2; t++)
    for (int i = 0; st == GD_OK && i < s->tables[t].n_entries; i++) {
      const gd_tensor_entry *e = &s->tables[t].entries[i];
      char name[GD_LAYER_NAME];
      gd_layer_name(e, name);
      if (strcmp(name, l->name) == 0)
        st = put_part(w, l, name, e, s->blocks[t] + e->offset);
    }
  return st == GD_OK ? end_layer(w, l) : st;
}

static gd_status put_keras(const source *s, gd_store_writer *w)
{
  const gd_tensor_table *table = &s->tables[0];
  layer *layers = gd_alloc(table->n_entries, sizeof *layers);
  const char **names = gd_alloc(table->n_entries, sizeof *names);
  int n = 0;
  gd_status st = layers == NULL || names == NULL ? GD_ERR_NOMEM : GD_OK;
  for (int i = 0; st == GD_OK && i < table->n_entries; i++) {
    layer *l = &layers[n];
    gd_layer_name(&table->entries[i], l->name);
    if (n > 0 && strcmp(l->name, layers[n - 1].name) == 0)
      continue;
    names[n++] = l->name;
    st = put_layer(s, w, l);
  }
  if (st == GD_OK)
    st = gd_store_set_texts(w, "", "layer_names", n, names);
  free(names);
  free(layers);
  return st;
}

static gd_status write_hdf5(const source *s, const char *to, const char *format,
                            gd_status (*put)(const source *, gd_store_writer *))
{
  gd_store_writer *w;
  gd_status st = gd_store_create(to, format, 1, (gd_digest){0}, &w);
  if (st != GD_OK)
    return st;
  st = gd_store_set_int(w, "depth", s->model->info.network.depth);
  if (st == GD_OK)
    st = gd_store_set_text(w, "profile", s->profile);
  if (st == GD_OK)
    st = put(s, w);
  return gd_store_end(w, st);
}

static gd_status write_keys(const source *s, const char *to)
{
  return write_hdf5(s, to, "gradus-pytorch-keys", put_keys);
}

static gd_status write_keras(const source *s, const char *to)
{
  const int depth = s->model->info.network.depth;
  if (gd_resnet_is_basic(depth))
    return gd_fail(GD_ERR_USAGE,
                   "Keras-VGGFace has no names for a ResNet-%d's tensors: "
                   "export it as safetensors or pytorch-keys",
                   depth);
  return write_hdf5(s, to, "gradus-keras", put_keras);
}

/* --------------------------------------------------------------------- whole
 */

static const struct {
  const char *name;
  gd_status (*write)(const source *, const char *);
} formats[] = {{"safetensors", write_safetensors},
               {"pytorch-keys", write_keys},
               {"keras", write_keras}};

gd_status gd_model_export(const char *path, const char *format, const char *to,
                          gd_text *said)
{
  assert(path != NULL && format != NULL && to != NULL && said != NULL);

  size_t f = 0;
  while (f < sizeof formats / sizeof formats[0] &&
         strcmp(formats[f].name, format) != 0)
    f++;
  if (f == sizeof formats / sizeof formats[0])
    return gd_fail(GD_ERR_USAGE,
                   "'%s' is no format to export to; there are safetensors, "
                   "pytorch-keys and keras",
                   format);
  source s = {0};
  gd_status st = open_source(path, &s);
  if (st == GD_OK)
    st = formats[f].write(&s, to);
  if (st == GD_OK)
    gd_text_printf(said, "%s: a ResNet-%d %s a head, %d tensors\nprofile: %s\n",
                   to, s.model->info.network.depth,
                   s.model->info.network.outputs > 0 ? "with" : "without",
                   s.tables[0].n_entries + s.tables[1].n_entries, s.profile);
  close_source(&s);
  return st;
}
