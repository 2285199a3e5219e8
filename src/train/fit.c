#include "gradus/fit.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gradus/agree.h"
#include "gradus/checkpoint.h"
#include "gradus/file.h"
#include "gradus/gather.h"
#include "gradus/history.h"
#include "gradus/log.h"
#include "gradus/memory.h"
#include "gradus/model.h"
#include "gradus/publisher.h"
#include "gradus/reduce.h"
#include "gradus/sampler.h"
#include "gradus/samples.h"

enum { EXCHANGE_BYTES = 32 << 20 };
/* PyTorch's momentum of running statistics. */
static const double MOMENTUM = 0.1;

typedef struct {
  const gd_fit_config *config;
  const gd_fit_hooks *hooks;
  MPI_Comm comm;
  int rank, size;
  char model[GD_PATH_MAX], last[GD_PATH_MAX];
  gd_publisher *publisher; /* of both; rank 0 */
  const char *face_template;

  gd_samples *train, *dev;
  gd_sampler *sampler;
  gd_trainer *trainer;
  gd_reduce *reduce;

  int64_t n_weights, n_running;
  float *block;   /* weights, then running statistics */
  gd_range chunk; /* the weights that this rank steps */
  float *states[GD_OPTIMIZER_MOST_STATES]; /* (chunk) each */
  float *expected;                         /* (dev->n) */
  int64_t *step_sizes;                     /* samples of an epoch's steps */

  gd_training_state where;
  int64_t step; /* optimiser steps done */
  gd_optimizer optimizer;
  gd_history history;
  double step_s, leaf_s; /* spent since the epoch began: in all, in leaves */
  int64_t n_images;      /* of all ranks, likewise */
} fit;

static double now_s(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Return rank 0's value on every rank. */
static int tell(const fit *f, int value)
{
  float told = (float)value;
  const gd_range mine = {f->rank == 0 ? 0 : 1, 1};
  gd_gather_all(f->comm, 1, mine, &told);
  return (int)told;
}

static int64_t steps_per_epoch(const fit *f)
{
  return gd_sampler_n_steps(f->sampler);
}

/* ------------------------------------------------------------------- set-up */

static gd_status list_samples(fit *f, gd_face_set *faces)
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

static gd_status make_parts(fit *f, gd_face_set *faces)
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
    st = gd_sampler_new(f->train->n, c->batch, c->microbatch, c->trainer.seed,
                        &f->sampler);
  if (st != GD_OK)
    return st;
  int most = gd_sampler_most(f->sampler);
  most = most < c->microbatch ? c->microbatch : most;
  st = gd_trainer_new(&c->trainer, most, &f->trainer);
  if (st == GD_OK)
    st = gd_history_begin(&f->history,
                          c->schedule.epochs * (steps_per_epoch(f) + 2));
  return st;
}

static gd_status allocate(fit *f)
{
  const int64_t n_steps = steps_per_epoch(f);
  const int64_t n_own = f->chunk.end - f->chunk.first;
  f->block = gd_alloc(f->n_weights + f->n_running, sizeof f->block[0]);
  f->expected = gd_alloc(f->dev->n, sizeof f->expected[0]);
  f->step_sizes = gd_alloc(n_steps, sizeof f->step_sizes[0]);
  int failed = f->block == NULL || f->expected == NULL || f->step_sizes == NULL;
  for (int i = 0; i < gd_optimizer_n_states(f->optimizer.kind); i++) {
    f->states[i] = gd_alloc(n_own, sizeof f->states[i][0]);
    failed |= f->states[i] == NULL;
  }
  if (failed)
    return GD_ERR_NOMEM;
  for (int64_t k = 0; k < n_steps; k++) {
    const gd_range places = gd_sampler_step(f->sampler, k);
    f->step_sizes[k] = places.end - places.first;
  }
  return GD_OK;
}

static gd_status begin(fit *f, gd_face_set *faces)
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

static void end(fit *f)
{
  gd_publisher_free(f->publisher);
  gd_history_free(&f->history);
  for (int i = 0; i < GD_OPTIMIZER_MOST_STATES; i++)
    free(f->states[i]);
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

static gd_model_info info_of(const fit *f)
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

/* Send the optimiser's state to rank 0, which appends it. */
static gd_status write_states(fit *f, gd_checkpoint_writer *writer)
{
  const gd_optimizer_kind kind = f->optimizer.kind;
  sink s = {.writer = writer, .status = GD_OK};
  for (int i = 0; i < gd_optimizer_n_states(kind); i++) {
    if (f->rank == 0 && s.status == GD_OK)
      s.status =
          gd_checkpoint_begin_state(writer, gd_optimizer_state_name(kind, i));
    gd_status st = gd_gather_stream(f->comm, f->chunk.end - f->chunk.first,
                                    f->states[i], take_state, &s);
    if (st != GD_OK && s.status == GD_OK)
      s.status = st;
    if (gd_agree(f->comm, s.status) != GD_OK)
      return s.status == GD_OK ? GD_ERR_PEER : s.status;
  }
  return s.status;
}

static gd_status write_checkpoint(fit *f)
{
  gd_checkpoint_writer *writer = NULL;
  gd_status st = GD_OK;
  if (f->rank == 0) {
    const gd_model_info info = info_of(f);
    st = gd_publisher_wait(f->publisher);
    if (st == GD_OK)
      st = gd_checkpoint_create(f->last, f->config->digest, &info, f->block,
                                f->block + f->n_weights, &f->where,
                                gd_optimizer_name(f->optimizer.kind),
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

/* Say on rank 0 whether there is a checkpoint to go on from: whole, and with
 * the selected model that it counts on. */
static int has_checkpoint(fit *f)
{
  gd_checkpoint *c = NULL;
  gd_model_info selected = {0};
  if (!gd_path_exists(f->last))
    return 0;
  gd_status st = gd_store_verify(f->last);
  if (st == GD_OK)
    st = gd_checkpoint_open(f->last, f->config->digest,
                            gd_optimizer_name(f->optimizer.kind), &c);
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

static gd_status resume(fit *f)
{
  gd_checkpoint *c;
  const gd_optimizer_kind kind = f->optimizer.kind;
  gd_status st = gd_checkpoint_open(f->last, f->config->digest,
                                    gd_optimizer_name(kind), &c);
  if (st != GD_OK)
    return st;
  f->where = *gd_checkpoint_where(c);
  f->step = gd_checkpoint_info(c)->step;
  f->history.n = gd_checkpoint_n_rows(c);
  if (f->where.next_epoch > f->config->schedule.epochs ||
      f->where.next_step > steps_per_epoch(f) || f->history.n > f->history.room)
    st = gd_fail(GD_ERR_FORMAT, "%s: is of a longer training", f->last);
  if (st == GD_OK)
    st = gd_checkpoint_read_rows(c, f->history.rows);
  if (st == GD_OK)
    st = gd_checkpoint_read_model(c, f->block, f->block + f->n_weights);
  for (int i = 0; st == GD_OK && i < gd_optimizer_n_states(kind); i++)
    st = gd_checkpoint_read_state(c, gd_optimizer_state_name(kind, i),
                                  f->chunk.first, f->chunk.end - f->chunk.first,
                                  f->states[i]);
  gd_checkpoint_close(c);
  return st;
}

static gd_status start(fit *f)
{
  const char *init = f->config->init;
  float *running = f->block + f->n_weights;
  f->where = (gd_training_state){.best_epoch = -1};
  f->step = 0;
  if (init[0] != '\0')
    return gd_model_load(init, &f->config->trainer.network, f->block, running);
  gd_resnet_init_weights(gd_trainer_weights(f->trainer),
                         f->config->trainer.seed, f->block);
  gd_resnet_init_running(gd_trainer_running(f->trainer), running);
  return GD_OK;
}

/* -------------------------------------------------------------------- steps */

/* Step the part first .. first + count - 1 of the block. */
static void apply(void *context, int64_t first, int64_t count, const float *sum)
{
  const fit *f = context;
  int64_t n = f->n_weights - first;
  n = n < 0 ? 0 : n < count ? n : count;
  if (n > 0) {
    float *states[GD_OPTIMIZER_MOST_STATES] = {0};
    for (int i = 0; i < gd_optimizer_n_states(f->optimizer.kind); i++)
      states[i] = f->states[i] + (first - f->chunk.first);
    gd_optimizer_step(&f->optimizer, f->step + 1, n, f->block + first, sum,
                      states);
  }
  if (n < count)
    gd_resnet_update_running(f->block + first + n, sum + n, count - n,
                             MOMENTUM);
}

/* Report n samples done.  A request to stop is no failure: it waits for the
 * end of the step, where the ranks agree on it. */
static gd_status tick(const fit *f, int64_t n, int *stop)
{
  const gd_status st = f->hooks->tick(f->hooks->context, n);
  *stop |= st == GD_ERR_STOPPED;
  return st == GD_ERR_STOPPED ? GD_OK : st;
}

/* Make this rank's leaves of a step. */
static gd_status make_leaves(fit *f, int64_t k, int *stop)
{
  const gd_range places = gd_sampler_step(f->sampler, k);
  const int64_t n_leaves = gd_sampler_n_leaves(f->sampler, k);
  gd_status st = gd_reduce_begin(f->reduce, n_leaves);
  const gd_range run = gd_reduce_run(f->reduce);
  if (st == GD_OK && run.first < run.end)
    gd_trainer_pack(f->trainer, f->block);
  *stop = 0;
  for (int64_t i = run.first; st == GD_OK && i < run.end; i++) {
    const gd_range leaf = gd_sampler_leaf(f->sampler, k, i);
    const gd_microbatch m = {.epoch = f->where.next_epoch,
                             .samples =
                                 gd_sampler_order(f->sampler) + leaf.first,
                             .n = (int)(leaf.end - leaf.first),
                             .batch = places.end - places.first,
                             .n_leaves = n_leaves};
    float *values = gd_reduce_leaf(f->reduce);
    double tallies[GD_REDUCE_TALLIES] = {0};
    const double begun_s = now_s();
    st = gd_trainer_leaf(f->trainer, f->train, &m, values, tallies);
    f->leaf_s += now_s() - begun_s;
    if (st == GD_ERR_NUMERIC)
      st = gd_fail(st, "step %" PRId64 ": %s", f->step + 1, gd_reason());
    if (st != GD_OK)
      break;
    gd_reduce_add(f->reduce, tallies);
    st = tick(f, m.n, stop);
  }
  return st == GD_OK ? tick(f, 0, stop) : st;
}

/* Name the step, the tensor, and the fewest faces that a gradient which is not
 * finite can be blamed on.  Collective. */
static gd_status blame(fit *f, int64_t k, int64_t at)
{
  const gd_tensor_entry *e =
      at < f->n_weights ? gd_tensor_table_at(gd_trainer_weights(f->trainer), at)
                        : gd_tensor_table_at(gd_trainer_running(f->trainer),
                                             at - f->n_weights);
  const gd_range leaves = gd_reduce_blame(f->reduce, at);
  const int64_t *order = gd_sampler_order(f->sampler);
  char names[512];
  gd_status mine = GD_OK;
  if (leaves.first < leaves.end) {
    const int64_t first = gd_sampler_leaf(f->sampler, k, leaves.first).first;
    const int64_t last = gd_sampler_leaf(f->sampler, k, leaves.end - 1).end;
    gd_samples_name(f->train, order + first, last - first, names, sizeof names);
    mine = gd_fail(GD_ERR_NUMERIC,
                   "step %" PRId64 ": gradient of %s is not finite (faces %s)",
                   f->step + 1, e->name, names);
  }
  gd_status st = gd_agree(f->comm, mine);
  if (st != GD_OK)
    return st;
  /* Each rank's sums are finite, their total is not: the whole step. */
  return gd_fail(GD_ERR_NUMERIC,
                 "step %" PRId64 ": gradient of %s is not finite", f->step + 1,
                 e->name);
}

static gd_status make_step(fit *f, int *stop)
{
  const int64_t k = f->where.next_step;
  const double n_samples = (double)f->step_sizes[k], begun_s = now_s();
  f->optimizer.rate =
      f->config->optimizer.rate *
      gd_schedule_factor(&f->config->schedule, f->step, steps_per_epoch(f));
  gd_reduce_outcome outcome;
  gd_status st = make_leaves(f, k, stop);
  st = gd_reduce_end(f->reduce, st, *stop, apply, f, f->block, &outcome);
  if (st == GD_ERR_NUMERIC && outcome.bad_at >= 0)
    return blame(f, k, outcome.bad_at);
  if (st != GD_OK)
    return st;
  f->step++;
  f->where.next_step++;
  *stop = outcome.stop;
  const gd_metrics_row row = {
      .epoch = (double)f->where.next_epoch + 1,
      .step = (double)f->step,
      .split = GD_METRICS_BATCH,
      .loss = outcome.tallies[GD_TALLY_LOSS],
      .mae = outcome.tallies[GD_TALLY_ABSOLUTE] / n_samples,
      .rmse = sqrt(outcome.tallies[GD_TALLY_SQUARED] / n_samples),
      .rate = f->optimizer.rate};
  gd_history_add(&f->history, &row);
  f->n_images += f->step_sizes[k];
  f->step_s += now_s() - begun_s;
  return GD_OK;
}

/* ------------------------------------------------------------------- epochs */

/* Predict the development faces; each rank a part of them.  They are cut into
 * groups by position alone, so that no face's result depends on the ranks. */
static gd_status predict_dev(fit *f)
{
  const int64_t n = f->dev->n, size = f->config->microbatch;
  const gd_range groups = gd_range_of((n + size - 1) / size, f->rank, f->size);
  gd_status st = GD_OK;
  gd_trainer_pack(f->trainer, f->block);
  for (int64_t g = groups.first; st == GD_OK && g < groups.end; g++) {
    const gd_range places = {g * size, (g + 1) * size < n ? (g + 1) * size : n};
    st = gd_trainer_predict(f->trainer, f->dev, places, f->block + f->n_weights,
                            f->expected + places.first);
    int stop = 0; /* the next step will see it too */
    if (st == GD_OK)
      st = tick(f, 0, &stop);
  }
  st = gd_agree(f->comm, st);
  if (st == GD_OK) {
    gd_range mine = {groups.first * size, groups.end * size};
    mine.first = mine.first < n ? mine.first : n;
    mine.end = mine.end < n ? mine.end : n;
    gd_gather_all(f->comm, n, mine, f->expected);
  }
  return st;
}

/* MAE and RMSE over videos, a video's level being the mean over its faces. */
static gd_metrics_row score_dev(const fit *f)
{
  const gd_samples *s = f->dev;
  double absolute = 0, squared = 0, n_videos = 0;
  for (int64_t i = 0; i < s->n;) {
    const int64_t first = i;
    double sum = 0;
    for (; i < s->n && s->video[i] == s->video[first]; i++)
      sum += (double)f->expected[i];
    const double error = sum / (double)(i - first) - (double)s->label[first];
    absolute += fabs(error);
    squared += error * error;
    n_videos++;
  }
  return (gd_metrics_row){.split = GD_METRICS_DEV,
                          .loss = NAN,
                          .mae = absolute / n_videos,
                          .rmse = sqrt(squared / n_videos),
                          .rate = NAN};
}

static gd_status select_model(fit *f, double dev_mae)
{
  const int64_t epoch = f->where.next_epoch - 1;
  const int is_last = f->where.next_epoch == f->config->schedule.epochs;
  const int better = f->where.best_epoch < 0 || dev_mae < f->where.best_mae;
  if (f->config->select_dev ? !better : !is_last)
    return GD_OK;
  f->where.best_epoch = epoch;
  f->where.best_mae = dev_mae;
  gd_status st = GD_OK;
  if (f->rank == 0) {
    gd_model_info info = info_of(f);
    info.dev_mae = dev_mae;
    st = gd_publisher_wait(f->publisher);
    if (st == GD_OK)
      st = gd_model_write_part(f->model, f->config->digest, &info, f->block,
                               f->block + f->n_weights);
    if (st == GD_OK)
      st = gd_publisher_add(f->publisher, f->model);
  }
  return gd_agree(f->comm, st);
}

static gd_status end_epoch(fit *f)
{
  f->where.next_epoch++;
  f->where.next_step = 0;
  const gd_metrics_row train = gd_history_epoch(
      &f->history, f->where.next_epoch, f->step_sizes, steps_per_epoch(f));
  gd_history_add(&f->history, &train);
  gd_metrics_row dev = {.mae = -1};
  gd_status st = GD_OK;
  if (f->dev->n > 0) {
    st = predict_dev(f);
    if (st != GD_OK)
      return st;
    dev = score_dev(f);
    dev.epoch = train.epoch;
    dev.step = train.step;
    gd_history_add(&f->history, &dev);
  }
  st = select_model(f, dev.mae);
  if (st == GD_OK)
    st = write_checkpoint(f);
  const double step_s = f->step_s > 0 ? f->step_s : 1;
  gd_log(GD_LOG_INFO,
         "epoch=%" PRId64 "/%" PRId64 " step=%" PRId64
         " loss=%.6g train_mae=%.4g dev_mae=%.4g best_epoch=%" PRId64
         " images_per_s=%.4g outside_network=%.1f%%",
         f->where.next_epoch, f->config->schedule.epochs, f->step, train.loss,
         train.mae, dev.mae, f->where.best_epoch + 1,
         (double)f->n_images / step_s, 100 * (1 - f->leaf_s / step_s));
  return st;
}

static gd_status make_epoch(fit *f)
{
  f->step_s = f->leaf_s = 0;
  f->n_images = 0;
  gd_sampler_begin(f->sampler, f->where.next_epoch);
  while (f->where.next_step < steps_per_epoch(f)) {
    int stop = 0;
    gd_status st = make_step(f, &stop);
    const int64_t every = f->config->checkpoint_every;
    if (st == GD_OK && (stop || (every > 0 && f->step % every == 0)))
      st = write_checkpoint(f);
    if (st == GD_OK && stop)
      st = gd_fail(GD_ERR_STOPPED,
                   "asked to stop: checkpoint written after step %" PRId64,
                   f->step);
    if (st != GD_OK)
      return st;
  }
  return end_epoch(f);
}

/* Samples that are still to be trained on. */
static int64_t count_rest(const fit *f)
{
  int64_t n = (f->config->schedule.epochs - f->where.next_epoch) * f->train->n;
  for (int64_t k = 0; k < f->where.next_step; k++)
    n -= f->step_sizes[k];
  return n;
}

static gd_status run(fit *f)
{
  const int go_on = tell(f, f->rank == 0 ? has_checkpoint(f) : 0);
  gd_status st = gd_agree(f->comm, go_on ? resume(f) : start(f));
  if (st != GD_OK)
    return st;
  gd_log(GD_LOG_INFO,
         "train=%" PRId64 " dev=%" PRId64 " steps_per_epoch=%" PRId64
         " next_epoch=%" PRId64 " next_step=%" PRId64 " weights=%" PRId64
         " trainer_mib=%" PRId64,
         f->train->n, f->dev->n, steps_per_epoch(f), f->where.next_epoch + 1,
         f->where.next_step + 1, f->n_weights,
         gd_trainer_bytes(f->trainer) >> 20);
  f->hooks->expect(f->hooks->context, count_rest(f));
  while (st == GD_OK && f->where.next_epoch < f->config->schedule.epochs)
    st = make_epoch(f);
  if (f->rank == 0) {
    /* Also after a failure or a stop: what was begun gets on the disk. */
    gd_status published = gd_publisher_wait(f->publisher);
    if (st == GD_OK)
      st = published;
    /* In case it was killed between the checkpoint and its metrics. */
    if (st == GD_OK)
      st = gd_history_write(&f->history, f->config->directory);
  }
  return gd_agree(f->comm, st);
}

gd_status gd_fit(MPI_Comm comm, int rank, int size, const gd_fit_config *config,
                 gd_face_set *faces, const gd_fit_hooks *hooks)
{
  assert(config != NULL && faces != NULL && hooks != NULL);
  assert(config->microbatch >= 1 && config->microbatch <= config->batch);
  fit f = {.config = config,
           .hooks = hooks,
           .comm = comm,
           .rank = rank,
           .size = size,
           .optimizer = config->optimizer};
  gd_status st = begin(&f, faces);
  if (st == GD_OK)
    st = run(&f);
  end(&f);
  return st;
}
