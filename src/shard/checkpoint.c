#include "gradus/checkpoint.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"

static const char FORMAT[] = "gradus-model";
enum { VERSION = 2, ROW = sizeof(gd_metrics_row) / sizeof(double) };

static const gd_dataset METRICS = {
    .name = "metrics", .dtype = GD_F64, .rank = 2, .dims = {0, ROW}};

static gd_dataset state_dataset(const char *state, char name[GD_STORE_NAME_MAX])
{
  snprintf(name, GD_STORE_NAME_MAX, "optimizer/%s", state);
  return (gd_dataset){.name = name, .dtype = GD_F32, .rank = 1};
}

/* ---------------------------------------------------------------- writing */

static gd_status put_where(gd_store_writer *w, const gd_training_state *where,
                           const char *optimizer)
{
  gd_status st = gd_store_set_text(w, "optimizer", optimizer);
  if (st == GD_OK)
    st = gd_store_set_int(w, "next_epoch", where->next_epoch);
  if (st == GD_OK)
    st = gd_store_set_int(w, "next_step", where->next_step);
  if (st == GD_OK)
    st = gd_store_set_int(w, "best_epoch", where->best_epoch);
  if (st == GD_OK)
    st = gd_store_set_real(w, "best_mae", where->best_mae);
  return st;
}

static int64_t blocks_of(const gd_tensor_table *table)
{
  int64_t n = 0;
  for (int i = 0; i < table->n_entries; i++)
    n += gd_store_n_blocks(table->entries[i].count * (int64_t)sizeof(float));
  return n;
}

static gd_status reserve_states(gd_store_writer *w, int64_t count, int n_states,
                                const char *const *states,
                                gd_store_place *places)
{
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < n_states; i++) {
    char name[GD_STORE_NAME_MAX];
    gd_dataset d = state_dataset(states[i], name);
    d.dims[0] = count;
    st = gd_store_reserve(w, &d, &places[i]);
  }
  return st;
}

static gd_status put_frame(gd_store_writer *w, const gd_checkpoint_frame *f,
                           gd_store_place *places)
{
  const int n_tensors = f->weights->n_entries + f->running->n_entries;
  const int64_t count = f->weights->count;
  gd_dataset metrics = METRICS;
  metrics.dims[0] = f->n_rows;
  gd_status st = put_where(w, &f->where, f->optimizer);
  if (st == GD_OK)
    st = gd_store_put(w, &metrics, f->rows);
  if (st == GD_OK)
    st = gd_store_expect_blocks(
        w, blocks_of(f->weights) + blocks_of(f->running) +
               f->n_states * gd_store_n_blocks(count * (int64_t)sizeof(float)));
  if (st == GD_OK)
    st = gd_model_reserve(w, &f->info, f->weights, f->running, places);
  if (st == GD_OK)
    st = reserve_states(w, count, f->n_states, f->states, places + n_tensors);
  return st;
}

gd_status gd_checkpoint_write_frame(const char *path, gd_digest digest,
                                    const gd_checkpoint_frame *frame,
                                    gd_store_place *places)
{
  assert(path != NULL && frame != NULL && places != NULL);
  gd_store_writer *w;
  gd_status st = gd_store_create(path, FORMAT, VERSION, digest, &w);
  if (st != GD_OK)
    return st;
  st = put_frame(w, frame, places);
  if (st != GD_OK) {
    gd_store_abandon(w);
    return st;
  }
  return gd_store_finish(w);
}

/* ---------------------------------------------------------------- reading */

struct gd_checkpoint {
  gd_store *store;
  gd_model_info info;
  gd_training_state where;
  int64_t n_rows;
};

static gd_status get_where(gd_store *s, gd_training_state *where)
{
  gd_status st = gd_store_get_int(s, "next_epoch", &where->next_epoch);
  if (st == GD_OK)
    st = gd_store_get_int(s, "next_step", &where->next_step);
  if (st == GD_OK)
    st = gd_store_get_int(s, "best_epoch", &where->best_epoch);
  if (st == GD_OK)
    st = gd_store_get_real(s, "best_mae", &where->best_mae);
  if (st == GD_OK && (where->next_epoch < 0 || where->next_step < 0 ||
                      where->best_epoch >= where->next_epoch))
    st = gd_fail(GD_ERR_FORMAT, "%s: epoch or step make no sense",
                 gd_store_path(s));
  return st;
}

static gd_status expect_same(gd_store *s, gd_digest digest,
                             const char *optimizer)
{
  char found[32];
  if (!gd_digest_equal(gd_store_digest(s), digest))
    return gd_fail(GD_ERR_FORMAT, "%s: is of another stage instance",
                   gd_store_path(s));
  gd_status st = gd_store_get_text(s, "optimizer", found, sizeof found);
  if (st == GD_OK && strcmp(found, optimizer) != 0)
    st = gd_fail(GD_ERR_FORMAT, "%s: optimizer is %s, wanted %s",
                 gd_store_path(s), found, optimizer);
  return st;
}

gd_status gd_checkpoint_open(const char *path, gd_digest digest,
                             const char *optimizer, gd_checkpoint **out)
{
  assert(path != NULL && optimizer != NULL && out != NULL);
  *out = NULL;
  gd_checkpoint *c = gd_alloc(1, sizeof *c);
  if (c == NULL)
    return GD_ERR_NOMEM;
  gd_dataset metrics;
  gd_status st = gd_store_open(path, FORMAT, VERSION, &c->store);
  if (st == GD_OK)
    st = expect_same(c->store, digest, optimizer);
  if (st == GD_OK)
    st = gd_model_get_info(c->store, &c->info);
  if (st == GD_OK)
    st = get_where(c->store, &c->where);
  if (st == GD_OK)
    st = gd_store_describe(c->store, METRICS.name, &metrics);
  if (st != GD_OK) {
    gd_checkpoint_close(c);
    return st;
  }
  c->n_rows = metrics.dims[0];
  *out = c;
  return GD_OK;
}

void gd_checkpoint_close(gd_checkpoint *c)
{
  if (c == NULL)
    return;
  gd_store_close(c->store);
  free(c);
}

const gd_model_info *gd_checkpoint_info(const gd_checkpoint *c)
{
  return &c->info;
}

const gd_training_state *gd_checkpoint_where(const gd_checkpoint *c)
{
  return &c->where;
}

int64_t gd_checkpoint_n_rows(const gd_checkpoint *c)
{
  return c->n_rows;
}

gd_status gd_checkpoint_read_rows(gd_checkpoint *c, gd_metrics_row *rows)
{
  return c->n_rows == 0 ? GD_OK
                        : gd_store_read(c->store, &METRICS, 0, c->n_rows, rows);
}

gd_status gd_checkpoint_read_model(gd_checkpoint *c, float *weights,
                                   float *running)
{
  return gd_model_get(c->store, &c->info.network, weights, running);
}

gd_status gd_checkpoint_read_state(gd_checkpoint *c, const char *name,
                                   int64_t first, int64_t n, float *values)
{
  char full[GD_STORE_NAME_MAX];
  const gd_dataset d = state_dataset(name, full);
  return n == 0 ? GD_OK : gd_store_read(c->store, &d, first, n, values);
}
