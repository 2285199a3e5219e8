#include "gradus/model.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "gradus/memory.h"
#include "gradus/profile.h"

static const char FORMAT[] = "gradus-model";
enum { VERSION = 2 };

/* ---------------------------------------------------------------- writing */

static gd_status put_network(gd_store_writer *w, const gd_resnet_config *c)
{
  const struct {
    const char *name;
    int value;
  } numbers[] = {
      {"depth", c->depth},   {"height_px", c->height}, {"width_px", c->width},
      {"hidden", c->hidden}, {"outputs", c->outputs},
  };
  gd_status st = GD_OK;
  for (size_t i = 0; st == GD_OK && i < sizeof numbers / sizeof numbers[0]; i++)
    st = gd_store_set_int(w, numbers[i].name, numbers[i].value);
  char profile[GD_PROFILE_TEXT];
  gd_profile_write(c, profile);
  if (st == GD_OK)
    st = gd_store_set_text(w, "profile", profile);
  if (st == GD_OK && c->precision != GD_FP32)
    st = gd_store_set_text(w, "precision", gd_precision_name(c->precision));
  return st;
}

static gd_status put_info(gd_store_writer *w, const gd_model_info *info)
{
  char gemm[GD_GEMM_TEXT];
  gd_gemm_describe(info->network.precision, gemm);
  gd_status st = put_network(w, &info->network);
  const struct {
    const char *name, *value;
  } texts[] = {
      {"loss", gd_loss_name(info->loss)},
      {"template", info->face_template},
      {"gemm", gemm},
  };
  if (info->network.outputs == 0)
    return st;
  for (size_t i = 0; st == GD_OK && i < sizeof texts / sizeof texts[0]; i++)
    st = gd_store_set_text(w, texts[i].name, texts[i].value);
  if (st == GD_OK)
    st = gd_store_set_int(w, "n_levels", info->n_levels);
  if (st == GD_OK)
    st = gd_store_set_int(w, "epoch", info->epoch);
  if (st == GD_OK)
    st = gd_store_set_int(w, "step", info->step);
  if (st == GD_OK)
    st = gd_store_set_real(w, "dev_mae", info->dev_mae);
  if (st == GD_OK && info->made_with[0] != '\0')
    st = gd_store_set_text(w, "settings", info->made_with);
  if (st == GD_OK && info->detector[0] != '\0')
    st = gd_store_set_text(w, "detector", info->detector);
  return st;
}

/* A tensor as a dataset `<group>/<name>`, named in `name`. */
static gd_dataset dataset_of(const char *group, const gd_tensor_entry *e,
                             char name[GD_STORE_NAME_MAX])
{
  snprintf(name, GD_STORE_NAME_MAX, "%s/%s", group, e->name);
  gd_dataset d = {.name = name, .dtype = GD_F32, .rank = e->rank};
  for (int i = 0; i < e->rank; i++)
    d.dims[i] = e->shape[i];
  return d;
}

static gd_status put_tensors(gd_store_writer *w, const char *group,
                             const gd_tensor_table *table, const float *block)
{
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < table->n_entries; i++) {
    char name[GD_STORE_NAME_MAX];
    const gd_tensor_entry *e = &table->entries[i];
    const gd_dataset d = dataset_of(group, e, name);
    st = gd_store_put(w, &d, block + e->offset);
  }
  return st;
}

static gd_status reserve_tensors(gd_store_writer *w, const char *group,
                                 const gd_tensor_table *table,
                                 gd_store_place *places)
{
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < table->n_entries; i++) {
    char name[GD_STORE_NAME_MAX];
    const gd_dataset d = dataset_of(group, &table->entries[i], name);
    st = gd_store_reserve(w, &d, &places[i]);
  }
  return st;
}

static gd_status put_model(gd_store_writer *w, const gd_model_info *info,
                           const float *weights, const float *running)
{
  assert(info->network.shared_output == gd_loss_shares_weights(info->loss));
  gd_tensor_table w_table = {0}, r_table = {0};
  gd_status st = gd_resnet_tables(&info->network, &w_table, &r_table);
  if (st == GD_OK)
    st = put_info(w, info);
  if (st == GD_OK)
    st = put_tensors(w, "weights", &w_table, weights);
  if (st == GD_OK)
    st = put_tensors(w, "running", &r_table, running);
  gd_tensor_table_free(&w_table);
  gd_tensor_table_free(&r_table);
  return st;
}

gd_status gd_model_reserve(gd_store_writer *w, const gd_model_info *info,
                           const gd_tensor_table *weights,
                           const gd_tensor_table *running,
                           gd_store_place *places)
{
  assert(w != NULL && info != NULL && weights != NULL && running != NULL);
  gd_status st = put_info(w, info);
  if (st == GD_OK)
    st = reserve_tensors(w, "weights", weights, places);
  if (st == GD_OK)
    st = reserve_tensors(w, "running", running, places + weights->n_entries);
  return st;
}

gd_status gd_model_write(const char *path, gd_digest digest,
                         const gd_model_info *info, const float *weights,
                         const float *running)
{
  assert(info != NULL && weights != NULL && running != NULL);
  gd_store_writer *w;
  gd_status st = gd_store_create(path, FORMAT, VERSION, digest, &w);
  if (st != GD_OK)
    return st;
  return gd_store_end(w, put_model(w, info, weights, running));
}

/* ---------------------------------------------------------------- reading */

static gd_status get_small(gd_store *s, const char *name, int *out)
{
  int64_t value = 0;
  gd_status st = gd_store_get_int(s, name, &value);
  if (st == GD_OK && (value < 0 || value > INT32_MAX))
    st = gd_fail(GD_ERR_FORMAT, "%s: attribute %s is %" PRId64,
                 gd_store_path(s), name, value);
  *out = (int)value;
  return st;
}

static gd_status get_network(gd_store *s, gd_resnet_config *c)
{
  const struct {
    const char *name;
    int *value;
  } numbers[] = {
      {"depth", &c->depth},     {"height_px", &c->height},
      {"width_px", &c->width},  {"hidden", &c->hidden},
      {"outputs", &c->outputs},
  };
  gd_status st = GD_OK;
  for (size_t i = 0; st == GD_OK && i < sizeof numbers / sizeof numbers[0]; i++)
    st = get_small(s, numbers[i].name, numbers[i].value);
  char profile[GD_PROFILE_TEXT], precision[32] = "fp32";
  if (st == GD_OK)
    st = gd_store_get_text(s, "profile", profile, sizeof profile);
  if (st == GD_OK && gd_store_has_attribute(s, "precision"))
    st = gd_store_get_text(s, "precision", precision, sizeof precision);
  if (st != GD_OK)
    return st;
  /* What a configuration may not be, a file may not say. */
  if (gd_profile_of(profile, c) != GD_OK ||
      gd_precision_of(precision, &c->precision) != GD_OK ||
      gd_resnet_config_check(c) != GD_OK)
    return gd_fail(GD_ERR_FORMAT, "%s: %s", gd_store_path(s), gd_reason());
  return GD_OK;
}

gd_status gd_model_get_info(gd_store *s, gd_model_info *out)
{
  assert(s != NULL && out != NULL);
  *out = (gd_model_info){0};
  char loss[32];
  gd_status st = get_network(s, &out->network);
  if (st == GD_OK && out->network.outputs == 0)
    return GD_OK;
  if (st == GD_OK)
    st = gd_store_get_text(s, "loss", loss, sizeof loss);
  if (st == GD_OK && gd_loss_of(loss, &out->loss) != GD_OK)
    st = gd_fail(GD_ERR_FORMAT, "%s: %s", gd_store_path(s), gd_reason());
  if (st == GD_OK)
    st = get_small(s, "n_levels", &out->n_levels);
  if (st == GD_OK)
    st = gd_store_get_text(s, "template", out->face_template,
                           sizeof out->face_template);
  if (st == GD_OK)
    st = gd_store_get_int(s, "epoch", &out->epoch);
  if (st == GD_OK)
    st = gd_store_get_int(s, "step", &out->step);
  if (st == GD_OK)
    st = gd_store_get_real(s, "dev_mae", &out->dev_mae);
  /* A remark: no reason to refuse a file. */
  if (st == GD_OK && gd_store_has_attribute(s, "gemm") &&
      gd_store_get_text(s, "gemm", out->gemm, sizeof out->gemm) != GD_OK)
    out->gemm[0] = '\0';
  if (st == GD_OK && gd_store_has_attribute(s, "settings"))
    st =
        gd_store_get_text(s, "settings", out->made_with, sizeof out->made_with);
  if (st == GD_OK && gd_store_has_attribute(s, "detector"))
    st = gd_store_get_text(s, "detector", out->detector, sizeof out->detector);
  if (st == GD_OK && (out->n_levels < 2 || out->n_levels > GD_LOSS_MOST_LEVELS))
    st = gd_fail(GD_ERR_FORMAT, "%s: n_levels is %d, not within 2 to %d",
                 gd_store_path(s), out->n_levels, GD_LOSS_MOST_LEVELS);
  if (st == GD_OK)
    out->network.shared_output = gd_loss_shares_weights(out->loss);
  if (st == GD_OK &&
      out->network.outputs != gd_loss_outputs(out->loss, out->n_levels))
    st = gd_fail(GD_ERR_FORMAT, "%s: %d outputs for loss %s with %d levels",
                 gd_store_path(s), out->network.outputs, loss, out->n_levels);
  return st;
}

/* Write a shape for people, as `64 x 3 x 7 x 7`. */
static void describe(const gd_dataset *d, char out[96])
{
  int n = 0;
  out[0] = '\0';
  for (int i = 0; i < d->rank && n < 80; i++)
    n += snprintf(out + n, (size_t)(96 - n), "%s%" PRId64, i == 0 ? "" : " x ",
                  d->dims[i]);
}

static gd_status get_tensor(gd_store *s, const gd_dataset *wanted, float *out)
{
  gd_dataset found;
  gd_status st = gd_store_describe(s, wanted->name, &found);
  if (st != GD_OK)
    return st;
  int same = found.dtype == wanted->dtype && found.rank == wanted->rank;
  int64_t count = 1;
  for (int i = 0; i < wanted->rank; i++) {
    same = same && found.dims[i] == wanted->dims[i];
    count *= wanted->dims[i];
  }
  if (!same) {
    char has[96], wants[96];
    describe(&found, has);
    describe(wanted, wants);
    return gd_fail(GD_ERR_FORMAT,
                   "%s: tensor %s is %s, the network needs float32 %s",
                   gd_store_path(s), wanted->name, has, wants);
  }
  st = gd_store_read(s, wanted, 0, wanted->dims[0], out);
  for (int64_t i = 0; st == GD_OK && i < count; i++)
    if (!isfinite(out[i]))
      st =
          gd_fail(GD_ERR_FORMAT, "%s: tensor %s has a value that is not finite",
                  gd_store_path(s), wanted->name);
  return st;
}

static gd_status get_tensors(gd_store *s, const char *group,
                             const gd_tensor_table *table, float *block)
{
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < table->n_entries; i++) {
    char name[GD_STORE_NAME_MAX];
    const gd_tensor_entry *e = &table->entries[i];
    const gd_dataset d = dataset_of(group, e, name);
    st = get_tensor(s, &d, block + e->offset);
  }
  return st;
}

gd_status gd_model_get(gd_store *s, const gd_resnet_config *config,
                       float *weights, float *running)
{
  assert(s != NULL && config != NULL && weights != NULL && running != NULL);
  gd_tensor_table w_table = {0}, r_table = {0};
  gd_status st = gd_resnet_tables(config, &w_table, &r_table);
  if (st == GD_OK)
    st = get_tensors(s, "weights", &w_table, weights);
  if (st == GD_OK)
    st = get_tensors(s, "running", &r_table, running);
  gd_tensor_table_free(&w_table);
  gd_tensor_table_free(&r_table);
  return st;
}

gd_status gd_model_read_info(const char *path, gd_model_info *out)
{
  gd_store *s;
  gd_status st = gd_store_open(path, FORMAT, VERSION, &s);
  if (st != GD_OK)
    return st;
  st = gd_model_get_info(s, out);
  gd_store_close(s);
  return st;
}

static gd_status allocate(gd_model *m)
{
  gd_tensor_table w_table = {0}, r_table = {0};
  gd_status st = gd_resnet_tables(&m->info.network, &w_table, &r_table);
  if (st == GD_OK) {
    m->weights = gd_alloc(w_table.count, sizeof m->weights[0]);
    m->running = gd_alloc(r_table.count, sizeof m->running[0]);
    if (m->weights == NULL || m->running == NULL)
      st = GD_ERR_NOMEM;
  }
  gd_tensor_table_free(&w_table);
  gd_tensor_table_free(&r_table);
  return st;
}

gd_status gd_model_read(const char *path, gd_model **out)
{
  assert(path != NULL && out != NULL);
  *out = NULL;
  gd_model *m = gd_alloc(1, sizeof *m);
  if (m == NULL)
    return GD_ERR_NOMEM;
  gd_store *s = NULL;
  gd_status st = gd_store_open(path, FORMAT, VERSION, &s);
  if (st == GD_OK)
    st = gd_model_get_info(s, &m->info);
  if (st == GD_OK)
    st = allocate(m);
  if (st == GD_OK)
    st = gd_model_get(s, &m->info.network, m->weights, m->running);
  gd_store_close(s);
  if (st != GD_OK) {
    gd_model_free(m);
    return st;
  }
  *out = m;
  return GD_OK;
}

void gd_model_free(gd_model *m)
{
  if (m == NULL)
    return;
  free(m->weights);
  free(m->running);
  free(m);
}

int gd_model_fits(const gd_model_info *info, const gd_resnet_config *config)
{
  return info->network.hidden == config->hidden &&
         info->network.outputs == config->outputs &&
         info->network.shared_output == config->shared_output;
}

/* A network of the same tensors computes something else when these differ. */
static gd_status expect_network(const char *path, const gd_resnet_config *found,
                                const gd_resnet_config *wanted)
{
  char how[GD_PROFILE_TEXT];
  if (found->depth != wanted->depth)
    return gd_fail(GD_ERR_USAGE, "%s: depth is %d, wanted %d", path,
                   found->depth, wanted->depth);
  if (gd_profile_differs(found, wanted, how))
    return gd_fail(GD_ERR_USAGE, "%s: %s", path, how);
  return GD_OK;
}

gd_status gd_model_load(const char *path, const gd_resnet_config *config,
                        float *weights, float *running, gd_model_info *found)
{
  assert(path != NULL && config != NULL && found != NULL);
  gd_store *s;
  gd_status st = gd_store_open(path, FORMAT, VERSION, &s);
  if (st != GD_OK)
    return st;
  st = gd_model_get_info(s, found);
  if (st == GD_OK)
    st = expect_network(path, &found->network, config);
  gd_resnet_config part = *config;
  if (!gd_model_fits(found, config))
    part.hidden = part.outputs = 0;
  if (st == GD_OK)
    st = gd_model_get(s, &part, weights, running);
  gd_store_close(s);
  return st;
}
