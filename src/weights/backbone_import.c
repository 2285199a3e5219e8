#include "gradus/backbone_import.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"
#include "gradus/model.h"
#include "gradus/profile.h"
#include "gradus/weights.h"
#include "weights/layer_names.h"
#include "weights/tensor_list.h"

typedef enum { PYTORCH, KERAS, CAFFE } naming;

/* Every ResNet has this one, under these names. */
static const char *const landmarks[] = {[PYTORCH] =
                                            "layer4.0.downsample.0.weight",
                                        [KERAS] = "conv5_1_1x1_proj.kernel:0",
                                        [CAFFE] = "conv5_1_1x1_proj.0"};
static const char KERAS_LAYER[] = "conv5_1_1x1_proj.";
static const char *const naming_names[] = {"PyTorch", "Keras", "Caffe"};

typedef struct {
  const char *path;
  const gd_backbone_wish *wish;
  gd_weights *weights;
  char *taken; /* by number of tensor */
  naming naming;
  char prefix[GD_WEIGHTS_NAME_MAX];
  int is_nested; /* Keras: groups of a layer's name within its group */
  gd_resnet_config config;
  gd_tensor_table table, running_table;
} source;

/* --------------------------------------------------------------- finding out
 */

static int ends_with(const char *text, const char *ending)
{
  const size_t n = strlen(text), m = strlen(ending);
  return n >= m && strcmp(text + n - m, ending) == 0 &&
         (n == m || text[n - m - 1] == '.');
}

/* Where a name's landmark begins, or -1. */
static int landmark_at(const char *name, naming *which)
{
  for (int k = PYTORCH; k <= CAFFE; k++)
    if (ends_with(name, landmarks[k])) {
      *which = (naming)k;
      return (int)(strlen(name) - strlen(landmarks[k]));
    }
  return -1;
}

/* A Keras layer's group may hold a group of the same name. */
static int without_nesting(const char *name, int at)
{
  const int n = (int)sizeof KERAS_LAYER - 1;
  return at >= n && strncmp(name + at - n, KERAS_LAYER, (size_t)n) == 0 ? at - n
                                                                        : at;
}

static gd_status find_network(source *s)
{
  int n_found = 0;
  char first[GD_WEIGHTS_NAME_MAX] = "";
  for (int i = 0; i < gd_weights_n(s->weights); i++) {
    const char *name = gd_weights_at(s->weights, i).name;
    naming which = PYTORCH;
    const int landmark = landmark_at(name, &which);
    if (landmark < 0)
      continue;
    const int at = which == KERAS ? without_nesting(name, landmark) : landmark;
    char prefix[GD_WEIGHTS_NAME_MAX];
    snprintf(prefix, sizeof prefix, "%.*s", at, name);
    if (s->wish->prefix != NULL && strcmp(prefix, s->wish->prefix) != 0)
      continue;
    if (n_found++ == 1)
      return gd_fail(GD_ERR_USAGE,
                     "%s: holds several networks: choose one with --prefix "
                     "'%s' or --prefix '%s'",
                     s->path, first, prefix);
    s->naming = which;
    s->is_nested = at < landmark;
    memcpy(s->prefix, prefix, sizeof prefix);
    memcpy(first, prefix, sizeof prefix);
  }
  if (n_found == 1)
    return GD_OK;
  if (s->wish->prefix != NULL)
    return gd_fail(GD_ERR_FORMAT, "%s: has no ResNet of prefix '%s'", s->path,
                   s->wish->prefix);
  return gd_fail(
      GD_ERR_FORMAT,
      "%s: holds no ResNet: neither layer4.0.downsample.0.weight, as "
      "PyTorch has it, nor conv5_1_1x1_proj, as Keras and Caffe",
      s->path);
}

/* The name of a tensor in the file; of Caffe's, `blob` of the layer. */
static void name_in_file(const source *s, const gd_tensor_entry *e,
                         const char *blob, char out[GD_WEIGHTS_NAME_MAX])
{
  char layer[GD_LAYER_NAME];
  gd_layer_name(e, layer);
  if (s->naming == PYTORCH) {
    snprintf(out, GD_WEIGHTS_NAME_MAX, "%.60s%s", s->prefix, e->name);
    return;
  }
  if (s->naming == CAFFE) {
    snprintf(out, GD_WEIGHTS_NAME_MAX, "%.40s%s%s", s->prefix, layer, blob);
    return;
  }
  for (char *c = layer; *c != '\0'; c++) /* as groups are joined */
    *c = *c == '/' ? '.' : *c;
  snprintf(out, GD_WEIGHTS_NAME_MAX, "%.30s%s%s%.30s.%s", s->prefix,
           s->is_nested ? layer : "", s->is_nested ? "." : "", layer,
           gd_layer_keras_part(e->kind));
}

/* What Caffe calls a tensor within its layer. */
static const char *blob_of(gd_tensor_kind kind)
{
  switch (kind) {
  case GD_TENSOR_GAMMA:
    return "/scale.0";
  case GD_TENSOR_BETA:
    return "/scale.1";
  case GD_TENSOR_VARIANCE:
    return ".1";
  default:
    return ".0"; /* a kernel, a mean */
  }
}

static int number_of(const source *s, const char *name)
{
  int first = 0, end = gd_weights_n(s->weights);
  while (first < end) {
    const int middle = first + (end - first) / 2;
    const int order = strcmp(gd_weights_at(s->weights, middle).name, name);
    if (order == 0)
      return middle;
    if (order < 0)
      first = middle + 1;
    else
      end = middle;
  }
  return -1;
}

/* As PyTorch stores it; elsewhere kernels never fit, in any network. */
static int has_shape(const source *s, int number, const gd_tensor_entry *e)
{
  const gd_weights_entry t = gd_weights_at(s->weights, number);
  int fits = t.rank == e->rank;
  for (int i = 0; fits && i < e->rank; i++)
    fits = t.shape[i] == e->shape[i];
  return fits;
}

/* Count a tensor that is there, and again if its shape is the network's: what
 * tells a block of two 3x3 from one of 1x1, 3x3, 1x1. */
static int count_fitting(const source *s, const gd_tensor_table *table)
{
  int n = 0;
  for (int i = 0; i < table->n_entries; i++) {
    char name[GD_WEIGHTS_NAME_MAX];
    const gd_tensor_entry *e = &table->entries[i];
    name_in_file(s, e, blob_of(e->kind), name);
    const int number = number_of(s, name);
    if (number >= 0)
      n += 1 + has_shape(s, number, e);
  }
  return n;
}

/* The network that most tensors fit; of several, the one that needs no more.
 *  Whether the profile fits it is asked when it is found. */
static gd_status find_depth(source *s)
{
  int best = 0, most = -1;
  gd_resnet_config any = s->config;
  any.stride_on_3x3 = 1;
  for (int i = 0; gd_resnet_depth_at(i) > 0; i++) {
    gd_tensor_table table = {0};
    any.depth = gd_resnet_depth_at(i);
    if (gd_resnet_is_basic(any.depth) && s->naming != PYTORCH)
      continue; /* the others have no names for it */
    gd_status st = gd_resnet_tables(&any, &table, NULL);
    if (st != GD_OK)
      return st;
    const int fitting = count_fitting(s, &table);
    gd_tensor_table_free(&table);
    if (fitting > most) {
      best = any.depth;
      most = fitting;
    }
  }
  s->config.depth = best;
  gd_status st = gd_resnet_tables(&s->config, &s->table, &s->running_table);
  return st == GD_ERR_USAGE ? gd_fail(st, "%s: %s", s->path, gd_reason()) : st;
}

/* ------------------------------------------------------------------- reading
 */

static gd_status read_one(source *s, const char *name, int rank,
                          const int64_t *shape, float *values)
{
  const int number = number_of(s, name);
  if (number >= 0)
    s->taken[number] = 1;
  gd_status st = gd_weights_read(s->weights, name, rank, shape, values);
  if (st == GD_ERR_FORMAT)
    st = gd_fail(st, "%s (for a ResNet-%d)", gd_reason(), s->config.depth);
  return st;
}

/* (R, S, C, K) to (K, C, R, S) */
static gd_status read_keras_kernel(source *s, const char *name,
                                   const gd_tensor_entry *e, float *values)
{
  const int K = e->shape[0], C = e->shape[1], taps = e->shape[2] * e->shape[3];
  const int64_t shape[4] = {e->shape[2], e->shape[3], C, K};
  float *stored = gd_alloc(e->count, sizeof *stored);
  if (stored == NULL)
    return GD_ERR_NOMEM;
  gd_status st = read_one(s, name, 4, shape, stored);
  for (int t = 0; st == GD_OK && t < taps; t++)
    for (int c = 0; c < C; c++)
      for (int k = 0; k < K; k++)
        values[((int64_t)k * C + c) * taps + t] =
            stored[((int64_t)t * C + c) * K + k];
  free(stored);
  return st;
}

/* Caffe keeps sums of its statistics, and in a third blob their weight. */
static gd_status divide_by_weight(source *s, const gd_tensor_entry *e,
                                  float *values)
{
  char name[GD_WEIGHTS_NAME_MAX];
  const int64_t one = 1;
  float weight = 0;
  name_in_file(s, e, ".2", name);
  gd_status st = read_one(s, name, 1, &one, &weight);
  if (st == GD_OK && !(weight > 0))
    st = gd_fail(GD_ERR_FORMAT, "%s: tensor %s is %g: its layer never ran",
                 s->path, name, (double)weight);
  for (int64_t i = 0; st == GD_OK && i < e->count; i++)
    values[i] /= weight;
  return st;
}

static gd_status read_entry(source *s, const gd_tensor_entry *e, float *values)
{
  char name[GD_WEIGHTS_NAME_MAX];
  int64_t shape[4];
  for (int i = 0; i < e->rank; i++)
    shape[i] = e->shape[i];
  name_in_file(s, e, blob_of(e->kind), name);
  gd_status st = s->naming == KERAS && e->kind == GD_TENSOR_CONV
                     ? read_keras_kernel(s, name, e, values)
                     : read_one(s, name, e->rank, shape, values);
  const int is_running =
      e->kind == GD_TENSOR_MEAN || e->kind == GD_TENSOR_VARIANCE;
  if (st == GD_OK && s->naming == CAFFE && is_running)
    st = divide_by_weight(s, e, values);
  for (int64_t i = 0;
       st == GD_OK && e->kind == GD_TENSOR_VARIANCE && i < e->count; i++)
    if (values[i] < 0)
      st = gd_fail(GD_ERR_FORMAT, "%s: tensor %s has a variance below 0",
                   s->path, name);
  return st;
}

static gd_status read_table(source *s, const gd_tensor_table *table,
                            float *block)
{
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < table->n_entries; i++)
    st = read_entry(s, &table->entries[i], block + table->entries[i].offset);
  return st;
}

/* -------------------------------------------------------------- what is over
 */

static int begins_with(const char *text, const char *beginning)
{
  return strncmp(text, beginning, strlen(beginning)) == 0;
}

static int is_ignored(const source *s, const char *name)
{
  for (int i = 0; i < s->wish->n_ignored; i++)
    if (begins_with(name, s->wish->ignored[i]))
      return 1;
  return 0;
}

/* Behind the last block, by the names that are in use. */
static int is_head(const char *name)
{
  static const char *const heads[] = {"fc", "classifier", "dense", "head",
                                      "predictions"};
  for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
    if (begins_with(name, heads[i]))
      return 1;
  return 0;
}

/* Say what is left out; refuse what the network has no place for. */
static gd_status tell_rest(const source *s, gd_text *said)
{
  const size_t n_prefix = strlen(s->prefix);
  int n_counters = 0, n_others = 0, n_named = 0;
  for (int i = 0; i < gd_weights_n(s->weights); i++) {
    const char *name = gd_weights_at(s->weights, i).name;
    if (s->taken[i])
      continue;
    if (!begins_with(name, s->prefix) && !is_ignored(s, name)) {
      n_others++;
    } else if (ends_with(name, "num_batches_tracked")) {
      n_counters++;
    } else if (is_ignored(s, name) || is_head(name + n_prefix)) {
      gd_text_printf(said, "%s%s", n_named++ == 0 ? "left out: " : ", ", name);
    } else {
      return gd_fail(GD_ERR_FORMAT,
                     "%s: tensor %s has no place in a ResNet-%d; should it be "
                     "left out, say --ignore %s",
                     s->path, name, s->config.depth, name);
    }
  }
  if (n_named > 0)
    gd_text_add(said, "\n");
  if (n_counters > 0)
    gd_text_printf(said, "left out: %d counters num_batches_tracked\n",
                   n_counters);
  if (n_others > 0)
    gd_text_printf(said, "left out: %d tensors outside of '%s'\n", n_others,
                   s->prefix);
  return GD_OK;
}

/* --------------------------------------------------------------------- whole
 */

static gd_status find_profile(source *s)
{
  s->config = gd_resnet_config_default();
  s->config.hidden = s->config.outputs = 0;
  gd_status st = gd_profile_of(s->wish->profile, &s->config);
  for (int i = 0; st == GD_OK && i < s->wish->n_settings; i++)
    st = gd_profile_set(s->wish->settings[i], &s->config);
  return st;
}

static void tell_network(const source *s, const char *to, gd_text *said)
{
  char settings[GD_PROFILE_TEXT];
  gd_profile_write(&s->config, settings);
  gd_text_printf(said,
                 "%s: a ResNet-%d without a head, %d tensors by %s's names; "
                 "use it with `init: %s`\nprofile: %s\n",
                 to, s->config.depth,
                 s->table.n_entries + s->running_table.n_entries,
                 naming_names[s->naming], to, settings);
}

static gd_status import(source *s, const char *to, gd_text *said)
{
  gd_status st = find_network(s);
  if (st == GD_OK && number_of(s, "running.bn1.running_mean") >= 0)
    st = gd_fail(GD_ERR_USAGE,
                 "%s: is a model of gradus already: `init` takes it as it is",
                 s->path);
  if (st == GD_OK)
    st = find_depth(s);
  if (st != GD_OK)
    return st;
  float *weights = gd_alloc(s->table.count, sizeof *weights);
  float *running = gd_alloc(s->running_table.count, sizeof *running);
  s->taken = gd_alloc(gd_weights_n(s->weights), 1);
  if (weights == NULL || running == NULL || s->taken == NULL)
    st = GD_ERR_NOMEM;
  if (st == GD_OK)
    st = read_table(s, &s->table, weights);
  if (st == GD_OK)
    st = read_table(s, &s->running_table, running);
  tell_network(s, to, said);
  if (st == GD_OK)
    st = tell_rest(s, said);
  const gd_model_info info = {.network = s->config};
  if (st == GD_OK)
    st = gd_model_write(to, (gd_digest){0}, &info, weights, running);
  free(weights);
  free(running);
  return st;
}

gd_status gd_backbone_import(const char *path, const gd_backbone_wish *wish,
                             const char *to, gd_text *said)
{
  assert(path != NULL && wish != NULL && wish->profile != NULL);
  assert(to != NULL && said != NULL);

  source s = {.path = path, .wish = wish};
  gd_status st = find_profile(&s);
  if (st == GD_OK)
    st = gd_weights_open(path, &s.weights);
  if (st == GD_OK)
    st = import(&s, to, said);
  free(s.taken);
  gd_tensor_table_free(&s.table);
  gd_tensor_table_free(&s.running_table);
  gd_weights_close(s.weights);
  return st;
}
