#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fit_parts.h"
#include "gradus/agree.h"
#include "gradus/gather.h"
#include "gradus/log.h"
#include "gradus/memory.h"
#include "gradus/model.h"
#include "gradus/profile.h"
#include "gradus/share.h"

/* ------------------------------------------------------------------- saving */

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
  snprintf(info.made_with, sizeof info.made_with, "%s", f->config->made_with);
  snprintf(info.detector, sizeof info.detector, "%s", f->config->detector);
  return info;
}

void gd_fit_parts_save(gd_fit_parts *f)
{
  const gd_checkpoint_frame frame = {.info = info_of(f),
                                     .weights = gd_trainer_weights(f->trainer),
                                     .running = gd_trainer_running(f->trainer),
                                     .where = f->where,
                                     .optimizer = f->files.optimizer,
                                     .n_states = gd_update_n_states(f->update),
                                     .states = f->state_names};
  gd_saver_begin(f->saver, &frame, &f->history);
}

const float *gd_fit_parts_evaluated(gd_fit_parts *f)
{
  const float *average = gd_update_average(f->update);
  if (average == NULL)
    return f->block;
  gd_buckets_unpack(f->buckets, f->rank, f->n_weights, average, f->averaged);
  gd_gather_parts(f->comm, f->n_weights, f->buckets, f->averaged);
  return f->averaged;
}

/* ---------------------------------------------------------------- the model */

/* Write model.h5 from a checkpoint: its weights, or their average. */
static gd_status write_model(const gd_fit_parts *f, gd_checkpoint *c)
{
  gd_model_info info = *gd_checkpoint_info(c);
  float *weights = gd_alloc(f->n_weights, sizeof *weights);
  float *running = gd_alloc(f->n_running, sizeof *running);
  gd_status st = weights == NULL || running == NULL ? GD_ERR_NOMEM : GD_OK;
  info.dev_mae = gd_checkpoint_where(c)->best_mae;
  if (st == GD_OK)
    st = gd_checkpoint_read_model(c, weights, running);
  if (st == GD_OK && f->config->average > 0)
    st = gd_checkpoint_read_state(c, "average", 0, f->n_weights, weights);
  if (st == GD_OK)
    st = gd_model_write(f->model, f->config->digest, &info, weights, running);
  free(weights);
  free(running);
  return st;
}

static int has_model(const gd_fit_parts *f)
{
  gd_model_info info;
  return gd_path_exists(f->model) && gd_store_verify(f->model) == GD_OK &&
         gd_model_read_info(f->model, &info) == GD_OK &&
         info.epoch == f->where.best_epoch + 1;
}

/* Rank 0's part of the end: only results stay, and two checkpoints to make them
 * from again. */
static gd_status write_results(const gd_fit_parts *f)
{
  char path[GD_PATH_MAX];
  gd_checkpoint *c = NULL;
  gd_publisher *publisher = NULL;
  const int64_t best = gd_checkpoints_best(&f->files, &f->where);
  gd_status st = gd_checkpoints_path(&f->files, best, path);
  if (st == GD_OK && !has_model(f)) {
    st = gd_checkpoint_open(path, f->files.digest, f->files.optimizer, &c);
    if (st == GD_OK)
      st = write_model(f, c);
    gd_checkpoint_close(c);
  }
  /* In case it was killed between the checkpoint and its metrics. */
  if (st == GD_OK)
    st = gd_publisher_new(&publisher);
  if (st == GD_OK)
    st = gd_history_write(&f->history, f->config->directory, publisher);
  if (st == GD_OK)
    st = gd_publisher_start(publisher);
  if (st == GD_OK)
    st = gd_publisher_wait(publisher);
  gd_publisher_free(publisher);
  return st == GD_OK ? gd_checkpoints_leave(&f->files, f->step, best) : st;
}

gd_status gd_fit_parts_conclude(gd_fit_parts *f, gd_status st)
{
  char reason[2048];
  snprintf(reason, sizeof reason, "%s", gd_reason());
  /* Also after a failure or a stop: what was begun gets on the disk. */
  const gd_status saved = gd_saver_finish(f->saver);
  if (f->rank == 0 && saved != GD_OK && (st == GD_OK || st == GD_ERR_STOPPED))
    st = saved;
  else if (st != GD_OK)
    st = gd_fail(st, "%s", reason); /* which finishing may have changed */
  if (f->rank == 0 && st == GD_OK)
    st = write_results(f);
  return gd_agree(f->comm, st);
}

/* ---------------------------------------------------------------- restoring */

/* Read this rank's parts of a state. */
static gd_status read_state(gd_fit_parts *f, gd_checkpoint *c, int i)
{
  float *state = f->states[i];
  gd_status st = GD_OK;
  for (int k = 0; st == GD_OK && k < f->buckets->n; k++) {
    const int64_t n = f->parts[k].end - f->parts[k].first;
    if (n > 0)
      st = gd_checkpoint_read_state(c, f->state_names[i], f->parts[k].first, n,
                                    state);
    state += n;
  }
  return st;
}

/* The same training, but with other last digits than either would give alone:
 * on another kind of node, say. */
static void warn_of_kernels(const gd_fit_parts *f, const gd_model_info *was)
{
  char gemm[GD_GEMM_TEXT];
  gd_gemm_describe(f->config->trainer.network.precision, gemm);
  /* Earlier versions did not say for which processor. */
  if (f->rank == 0 && strstr(was->gemm, " for ") != NULL &&
      strcmp(was->gemm, gemm) != 0)
    gd_log(GD_LOG_WARNING,
           "the checkpoint of step %" PRId64 " was computed by %s, what "
           "follows is by %s: one of them alone would give other last digits",
           was->step, was->gemm, gemm);
}

static gd_status resume(gd_fit_parts *f, int64_t step)
{
  char path[GD_PATH_MAX];
  gd_checkpoint *c = NULL;
  gd_status st = gd_checkpoints_path(&f->files, step, path);
  if (st == GD_OK)
    st = gd_checkpoint_open(path, f->files.digest, f->files.optimizer, &c);
  if (st != GD_OK)
    return st;
  f->where = *gd_checkpoint_where(c);
  f->step = gd_checkpoint_info(c)->step;
  const int64_t n_rows = gd_checkpoint_n_rows(c);
  if (f->where.next_epoch > f->config->schedule.epochs ||
      f->where.next_step > gd_fit_steps_per_epoch(f) ||
      n_rows > f->where.next_epoch * (gd_fit_steps_per_epoch(f) + 2) +
                   f->where.next_step)
    st = gd_fail(GD_ERR_FORMAT, "%s: is of a longer training", path);
  const gd_precision is = gd_checkpoint_info(c)->network.precision;
  const gd_precision wanted = f->config->trainer.network.precision;
  if (st == GD_OK && is != wanted)
    st = gd_fail(GD_ERR_USAGE,
                 "%s: is of a training in %s, which cannot go on in %s: give "
                 "the manifest's `precision` back, or begin a new work "
                 "directory",
                 path, gd_precision_name(is), gd_precision_name(wanted));
  if (st == GD_OK)
    warn_of_kernels(f, gd_checkpoint_info(c));
  if (st == GD_OK)
    st = gd_history_reserve(&f->history, n_rows);
  if (st == GD_OK)
    st = gd_checkpoint_read_rows(c, f->history.rows);
  if (st == GD_OK)
    f->history.n = n_rows;
  if (st == GD_OK)
    st = gd_checkpoint_read_model(c, f->block, f->block + f->n_weights);
  for (int i = 0; st == GD_OK && i < gd_update_n_states(f->update); i++)
    st = read_state(f, c, i);
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
    gd_buckets_pack(f->buckets, f->rank, f->n_weights, f->block, average);
}

gd_status gd_fit_parts_restore(gd_fit_parts *f)
{
  int64_t step = -1;
  gd_status st = f->rank == 0 ? gd_checkpoints_find(&f->files, &step) : GD_OK;
  st = gd_agree(f->comm, st);
  if (st != GD_OK)
    return st;
  gd_share_ints(f->comm, 1, &step);
  st = step >= 0 ? resume(f, step) : start(f);
  if (step < 0)
    begin_average(f);
  return gd_agree(f->comm, st);
}
