#include "fit_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/agree.h"
#include "gradus/gather.h"
#include "gradus/log.h"
#include "gradus/memory.h"
#include "gradus/model.h"
#include "gradus/profile.h"

enum { EXCHANGE_BYTES = 32 << 20 };

int64_t gd_fit_steps_per_epoch(const gd_fit_parts *f)
{
  return gd_sampler_n_steps(f->sampler);
}

/* ------------------------------------------------------------------- set-up */

static gd_status list_samples(gd_fit_parts *f, gd_face_set *faces)
{
  const gd_trainer_config *c = &f->config->trainer;
  gd_status st =
      gd_samples_of(faces, GD_TRAIN, c->loss, c->n_levels, &f->train);
  if (st == GD_OK)
    st = gd_samples_of(faces, GD_DEV, c->loss, c->n_levels, &f->dev);
  if (st == GD_OK && f->train->n == 0)
    st = gd_fail(GD_ERR_USAGE, "no faces in the training partition");
  if (st == GD_OK && f->dev->n == 0 && f->config->select_dev)
    st = gd_fail(GD_ERR_USAGE,
                 "no faces in the development partition to select the model "
                 "by: set `select: last`");
  if (st == GD_OK && gd_face_set_size_px(faces) != c->network.width)
    st = gd_fail(GD_ERR_USAGE, "faces are %d px wide, the network takes %d",
                 gd_face_set_size_px(faces), c->network.width);
  return st;
}

gd_status gd_balance_of(const char *name, gd_balance *out)
{
  static const char *const names[] = {"none", "level", "video"};
  for (int i = 0; i < 3; i++)
    if (strcmp(name, names[i]) == 0) {
      *out = (gd_balance)i;
      return GD_OK;
    }
  return gd_fail(GD_ERR_USAGE, "balance %s: there are none, level and video",
                 name);
}

static gd_status make_sampler(gd_fit_parts *f)
{
  const gd_fit_config *c = f->config;
  const gd_samples *s = f->train;
  const int64_t *group = c->balance == GD_BALANCE_VIDEO ? s->video : NULL;
  int64_t *levels = NULL;
  if (c->balance == GD_BALANCE_LEVEL) {
    levels = gd_alloc(s->n, sizeof levels[0]);
    if (levels == NULL)
      return GD_ERR_NOMEM;
    for (int64_t i = 0; i < s->n; i++)
      levels[i] = llroundf(s->label[i]);
    group = levels;
  }
  gd_status st = gd_sampler_new(s->n, c->batch, c->microbatch, c->trainer.seed,
                                group, &f->sampler);
  free(levels);
  return st;
}

static gd_status make_parts(gd_fit_parts *f, gd_face_set *faces)
{
  const gd_fit_config *c = f->config;
  f->face_template = gd_face_set_template(faces);
  gd_status st = gd_path_join(c->directory, "model.h5", f->model);
  if (st == GD_OK)
    st = gd_path_join(c->directory, "last.h5", f->last);
  if (st == GD_OK)
    st = gd_publisher_new(&f->publisher);
  if (st == GD_OK)
    st = list_samples(f, faces);
  if (st == GD_OK)
    st = make_sampler(f);
  if (st != GD_OK)
    return st;
  f->level_weights = gd_alloc(c->trainer.n_levels, sizeof f->level_weights[0]);
  if (f->level_weights == NULL)
    return GD_ERR_NOMEM;
  gd_loss_balance(f->train->label, f->train->n, c->trainer.n_levels,
                  f->level_weights);
  gd_trainer_config trainer = c->trainer;
  trainer.loss_options.weights = f->level_weights;
  int most = gd_sampler_most(f->sampler);
  most = most < c->microbatch ? c->microbatch : most;
  st = gd_trainer_new(&trainer, most, &f->trainer);
  if (st == GD_OK)
    st = gd_history_begin(&f->history,
                          c->schedule.epochs * (gd_fit_steps_per_epoch(f) + 2));
  return st;
}

static gd_status allocate(gd_fit_parts *f)
{
  const int64_t n_steps = gd_fit_steps_per_epoch(f);
  f->block = gd_alloc(f->n_weights + f->n_running, sizeof f->block[0]);
  f->expected = gd_alloc(f->dev->n, sizeof f->expected[0]);
  f->step_sizes = gd_alloc(n_steps, sizeof f->step_sizes[0]);
  int failed = f->block == NULL || f->expected == NULL || f->step_sizes == NULL;
  if (f->config->average > 0) {
    f->averaged = gd_alloc(f->n_weights, sizeof f->averaged[0]);
    failed |= f->averaged == NULL;
  }
  if (failed)
    return GD_ERR_NOMEM;
  for (int64_t k = 0; k < n_steps; k++) {
    const gd_range places = gd_sampler_step(f->sampler, k);
    f->step_sizes[k] = places.end - places.first;
  }
  const gd_update_config update = {.optimizer = f->config->optimizer,
                                   .clip = f->config->clip,
                                   .average = f->config->average,
                                   .freeze = f->config->freeze};
  return gd_update_new(f->comm, &update, gd_trainer_weights(f->trainer),
                       f->chunk, f->block, &f->update);
}

gd_status gd_fit_parts_begin(gd_fit_parts *f, gd_face_set *faces)
{
  gd_status st = gd_agree(f->comm, make_parts(f, faces));
  if (st != GD_OK)
    return st;
  f->n_weights = gd_trainer_weights(f->trainer)->count;
  f->n_running = gd_trainer_running(f->trainer)->count;
  st = gd_reduce_new(f->comm, f->n_weights + f->n_running, EXCHANGE_BYTES,
                     &f->reduce);
  if (st != GD_OK)
    return gd_agree(f->comm, st);
  f->chunk = gd_reduce_chunk(f->reduce);
  if (f->chunk.first > f->n_weights)
    f->chunk.first = f->n_weights;
  if (f->chunk.end > f->n_weights)
    f->chunk.end = f->n_weights;
  return gd_agree(f->comm, allocate(f));
}

void gd_fit_parts_end(gd_fit_parts *f)
{
  gd_publisher_free(f->publisher);
  gd_history_free(&f->history);
  gd_update_free(f->update);
  free(f->averaged);
  free(f->level_weights);
  free(f->step_sizes);
  free(f->expected);
  free(f->block);
  gd_reduce_free(f->reduce);
  gd_trainer_free(f->trainer);
  gd_sampler_free(f->sampler);
  gd_samples_free(f->dev);
  gd_samples_free(f->train);
}

/* -------------------------------------------------------------- checkpoints */

static gd_model_info info_of(const gd_fit_parts *f)
{
  const gd_trainer_config *c = &f->config->trainer;
  gd_model_info info = {.network = c->network,
                        .loss = c->loss,
                        .n_levels = c->n_levels,
                        .epoch = f->where.next_epoch,
                        .step = f->step,
                        .dev_mae = -1};
  snprintf(info.face_template, sizeof info.face_template, "%s",
           f->face_template);
  return info;
}

typedef struct {
  gd_checkpoint_writer *writer;
  gd_status status;
} sink;

static gd_status take_state(void *context, int64_t n, const float *values)
{
  sink *s = context;
  if (s->status == GD_OK)
    s->status = gd_checkpoint_append(s->writer, n, values);
  return s->status;
}

/* Send the update's state to rank 0, which appends it. */
static gd_status write_states(gd_fit_parts *f, gd_checkpoint_writer *writer)
{
  sink s = {.writer = writer, .status = GD_OK};
  for (int i = 0; i < gd_update_n_states(f->update); i++) {
    if (f->rank == 0 && s.status == GD_OK)
      s.status =
          gd_checkpoint_begin_state(writer, gd_update_state_name(f->update, i));
    gd_status st =
        gd_gather_stream(f->comm, f->chunk.end - f->chunk.first,
                         gd_update_state(f->update, i), take_state, &s);
    if (st != GD_OK && s.status == GD_OK)
      s.status = st;
    if (gd_agree(f->comm, s.status) != GD_OK)
      return s.status == GD_OK ? GD_ERR_PEER : s.status;
  }
  return s.status;
}

gd_status gd_fit_parts_save(gd_fit_parts *f)
{
  gd_checkpoint_writer *writer = NULL;
  gd_status st = GD_OK;
  if (f->rank == 0) {
    const gd_model_info info = info_of(f);
    st = gd_publisher_wait(f->publisher);
    if (st == GD_OK)
      st = gd_checkpoint_create(f->last, f->config->digest, &info, f->block,
                                f->block + f->n_weights, &f->where,
                                gd_optimizer_name(f->config->optimizer.kind),
                                f->history.rows, f->history.n, &writer);
  }
  st = gd_agree(f->comm, st);
  if (st == GD_OK)
    st = write_states(f, writer);
  if (f->rank == 0 && st == GD_OK) {
    st = gd_checkpoint_finish(writer);
    writer = NULL;
  }
  gd_checkpoint_abandon(writer);
  if (f->rank == 0 && st == GD_OK)
    st = gd_publisher_add(f->publisher, f->last);
  if (f->rank == 0 && st == GD_OK)
    st = gd_publisher_start(f->publisher);
  if (f->rank == 0 && st == GD_OK)
    st = gd_history_write(&f->history, f->config->directory);
  return gd_agree(f->comm, st);
}

const float *gd_fit_parts_evaluated(gd_fit_parts *f)
{
  const float *average = gd_update_average(f->update);
  if (average == NULL)
    return f->block;
  memcpy(f->averaged + f->chunk.first, average,
         (size_t)(f->chunk.end - f->chunk.first) * sizeof average[0]);
  gd_gather_all(f->comm, f->n_weights, f->chunk, f->averaged);
  return f->averaged;
}

gd_status gd_fit_parts_save_model(gd_fit_parts *f, double dev_mae)
{
  const float *weights = gd_fit_parts_evaluated(f);
  gd_status st = GD_OK;
  if (f->rank == 0) {
    gd_model_info info = info_of(f);
    info.dev_mae = dev_mae;
    st = gd_publisher_wait(f->publisher);
    if (st == GD_OK)
      st = gd_model_write_part(f->model, f->config->digest, &info, weights,
                               f->block + f->n_weights);
    if (st == GD_OK)
      st = gd_publisher_add(f->publisher, f->model);
  }
  return gd_agree(f->comm, st);
}

/* Say on rank 0 whether there is a checkpoint to go on from: whole, and with
 * the selected model that it counts on. */
static int has_checkpoint(gd_fit_parts *f)
{
  gd_checkpoint *c = NULL;
  gd_model_info selected = {0};
  if (!gd_path_exists(f->last))
    return 0;
  gd_status st = gd_store_verify(f->last);
  if (st == GD_OK)
    st = gd_checkpoint_open(f->last, f->config->digest,
                            gd_optimizer_name(f->config->optimizer.kind), &c);
  const int64_t best = st == GD_OK ? gd_checkpoint_where(c)->best_epoch : -1;
  gd_checkpoint_close(c);
  if (st == GD_OK && best >= 0) {
    st = gd_store_verify(f->model);
    if (st == GD_OK)
      st = gd_model_read_info(f->model, &selected);
    /* It may be newer: killed after the model and before the checkpoint. */
    if (st == GD_OK && selected.epoch <= best)
      st = gd_fail(GD_ERR_FORMAT, "%s: is older than the checkpoint", f->model);
  }
  if (st != GD_OK)
    gd_log(GD_LOG_WARNING, "training starts anew: %s", gd_reason());
  return st == GD_OK;
}

static gd_status resume(gd_fit_parts *f)
{
  gd_checkpoint *c;
  gd_status st =
      gd_checkpoint_open(f->last, f->config->digest,
                         gd_optimizer_name(f->config->optimizer.kind), &c);
  if (st != GD_OK)
    return st;
  f->where = *gd_checkpoint_where(c);
  f->step = gd_checkpoint_info(c)->step;
  f->history.n = gd_checkpoint_n_rows(c);
  if (f->where.next_epoch > f->config->schedule.epochs ||
      f->where.next_step > gd_fit_steps_per_epoch(f) ||
      f->history.n > f->history.room)
    st = gd_fail(GD_ERR_FORMAT, "%s: is of a longer training", f->last);
  if (st == GD_OK)
    st = gd_checkpoint_read_rows(c, f->history.rows);
  if (st == GD_OK)
    st = gd_checkpoint_read_model(c, f->block, f->block + f->n_weights);
  for (int i = 0; st == GD_OK && i < gd_update_n_states(f->update); i++)
    st = gd_checkpoint_read_state(c, gd_update_state_name(f->update, i),
                                  f->chunk.first, f->chunk.end - f->chunk.first,
                                  gd_update_state(f->update, i));
  gd_checkpoint_close(c);
  return st;
}

/* Put the tensors of the initial model over the random ones. */
static gd_status take_init(gd_fit_parts *f, const char *init)
{
  const gd_resnet_config *network = &f->config->trainer.network;
  gd_model_info found;
  gd_status st =
      gd_model_load(init, network, f->block, f->block + f->n_weights, &found);
  if (st != GD_OK) /* The wrong file was named: no retry will help. */
    return st == GD_ERR_FORMAT ? GD_ERR_USAGE : st;
  char head[64] = "random (the file has none)";
  if (gd_model_fits(&found, network))
    snprintf(head, sizeof head, "the file's");
  else if (found.network.outputs > 0)
    snprintf(head, sizeof head, "random (the file's has %d units, %d outputs)",
             found.network.hidden, found.network.outputs);
  const char *profile = gd_profile_name(network);
  gd_log(GD_LOG_INFO, "init=%s depth=%d profile=%s head=%s", init,
         network->depth, profile == NULL ? "custom" : profile, head);
  return GD_OK;
}

static gd_status start(gd_fit_parts *f)
{
  const char *init = f->config->init;
  float *running = f->block + f->n_weights;
  f->where = (gd_training_state){.best_epoch = -1};
  f->step = 0;
  gd_resnet_init_weights(gd_trainer_weights(f->trainer),
                         f->config->trainer.seed, f->block);
  gd_resnet_init_running(gd_trainer_running(f->trainer), running);
  const gd_tensor_table *table = gd_trainer_weights(f->trainer);
  const gd_trainer_config *c = &f->config->trainer;
  gd_loss_first_biases(c->loss, c->n_levels,
                       f->block + table->entries[table->n_entries - 1].offset);
  return init[0] == '\0' ? GD_OK : take_init(f, init);
}

static void begin_average(gd_fit_parts *f)
{
  float *average = gd_update_average(f->update);
  if (average != NULL)
    memcpy(average, f->block + f->chunk.first,
           (size_t)(f->chunk.end - f->chunk.first) * sizeof average[0]);
}

/* Return rank 0's value on every rank. */
static int tell(const gd_fit_parts *f, int value)
{
  float told = (float)value;
  const gd_range mine = {f->rank == 0 ? 0 : 1, 1};
  gd_gather_all(f->comm, 1, mine, &told);
  return (int)told;
}

gd_status gd_fit_parts_restore(gd_fit_parts *f)
{
  const int go_on = tell(f, f->rank == 0 ? has_checkpoint(f) : 0);
  const gd_status st = go_on ? resume(f) : start(f);
  if (!go_on)
    begin_average(f);
  return gd_agree(f->comm, st);
}
