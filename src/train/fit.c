#include "gradus/fit.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "fit_parts.h"
#include "gradus/agree.h"
#include "gradus/clock.h"
#include "gradus/gather.h"
#include "gradus/log.h"

static_assert((int)GD_N_TALLIES <= (int)GD_REDUCE_TALLIES,
              "a leaf's sums are reduced");

/* PyTorch's momentum of running statistics. */
static const double MOMENTUM = 0.1;

/* -------------------------------------------------------------------- steps */

/* Step the part first .. first + count - 1 of the block. */
static void apply(void *context, int64_t first, int64_t count, const float *sum)
{
  const gd_fit_parts *f = context;
  int64_t n = f->n_weights - first;
  n = n < 0 ? 0 : n < count ? n : count;
  if (n > 0)
    gd_update_take(f->update, first, n, sum);
  if (n < count)
    gd_resnet_update_running(f->block + first + n, sum + n, count - n,
                             MOMENTUM);
}

static void settle(void *context)
{
  const gd_fit_parts *f = context;
  gd_update_settle(f->update);
}

/* Report n samples done.  A request to stop is no failure: it waits for the
 * end of the step, where the ranks agree on it. */
static gd_status tick(const gd_fit_parts *f, int64_t n, int *stop)
{
  gd_saver_poll(f->saver);
  const gd_status st = f->hooks->tick(f->hooks->context, n);
  *stop |= st == GD_ERR_STOPPED;
  return st == GD_ERR_STOPPED ? GD_OK : st;
}

/* Say at which step the network's outputs were not finite, and which layer is
 * to be looked at: that of the largest weight, or of the first that is none. */
static gd_status name_layer(const gd_fit_parts *f)
{
  int64_t worst = 0;
  for (int64_t i = 0; i < f->n_weights && isfinite(f->block[worst]); i++)
    if (!(fabsf(f->block[i]) <= fabsf(f->block[worst])))
      worst = i;
  return gd_fail(
      GD_ERR_NUMERIC, "step %" PRId64 ": %s; the largest weight is %.3g, in %s",
      f->step + 1, gd_reason(), (double)f->block[worst],
      gd_tensor_table_at(gd_trainer_weights(f->trainer), worst)->name);
}

/* The gradient grows: let the exchange go on. */
static void hear(void *reduce, int64_t first)
{
  gd_reduce_ready(reduce, first);
}

/* Make this rank's leaves of a step.  The backward pass cannot fail; so what
 * can, comes before it, and the last one hides the exchange. */
static gd_status make_leaves(gd_fit_parts *f, int64_t k, int *stop)
{
  const gd_range places = gd_sampler_step(f->sampler, k);
  const int64_t n_leaves = gd_sampler_n_leaves(f->sampler, k);
  const gd_reduce_use use = {.apply = apply,
                             .settle =
                                 gd_update_has_norms(f->update) ? settle : NULL,
                             .context = f,
                             .block = f->block};
  gd_status st = gd_reduce_begin(f->reduce, n_leaves, &use);
  const gd_range run = gd_reduce_run(f->reduce);
  if (st == GD_OK && run.first < run.end)
    gd_trainer_pack(f->trainer, f->block);
  *stop = 0;
  for (int64_t i = run.first; st == GD_OK && i < run.end; i++) {
    const gd_range leaf = gd_sampler_leaf(f->sampler, k, i);
    const gd_microbatch m = {.epoch = f->where.next_epoch,
                             .samples =
                                 gd_sampler_order(f->sampler) + leaf.first,
                             .turns = gd_sampler_turns(f->sampler) + leaf.first,
                             .n = (int)(leaf.end - leaf.first),
                             .batch = places.end - places.first,
                             .n_leaves = n_leaves};
    float *values = gd_reduce_leaf(f->reduce);
    double tallies[GD_REDUCE_TALLIES] = {0};
    const double begun_s = gd_clock_s();
    st = gd_trainer_forward(f->trainer, f->train, &m, values, tallies);
    if (st == GD_ERR_NUMERIC)
      st = name_layer(f);
    if (st != GD_OK)
      break;
    st = tick(f, m.n, stop);
    if (st != GD_OK)
      break;
    gd_reduce_add(f->reduce, tallies);
    const int starts = f->overlaps && i == run.end - 1;
    if (starts)
      gd_reduce_start(f->reduce, *stop);
    gd_trainer_backward(f->trainer, values, starts ? hear : NULL, f->reduce);
    f->leaf_s += gd_clock_s() - begun_s;
  }
  return st == GD_OK && run.first == run.end ? tick(f, 0, stop) : st;
}

/* Say so when reading is slower than computing.  Waiting for the first faces
 * of an epoch, and now and then for a late one, is nothing to speak of. */
static void note_reading(const gd_fit_parts *f)
{
  const double share = f->waited_s / f->step_s;
  char note[96] = "";
  if (f->hooks->note == NULL)
    return;
  if (share > 0.1)
    snprintf(note, sizeof note,
             "reading is slower than computing: %.0f%% of the time is waiting "
             "for faces",
             100 * share);
  f->hooks->note(f->hooks->context, note);
}

/* Name the step, the tensor, and the fewest faces that a gradient which is not
 * finite can be blamed on.  Collective. */
static gd_status blame(gd_fit_parts *f, int64_t k, int64_t at)
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

static gd_status make_step(gd_fit_parts *f, int *stop)
{
  const int64_t k = f->where.next_step;
  const double n_samples = (double)f->step_sizes[k], begun_s = gd_clock_s();
  const double rate = f->config->optimizer.rate *
                      gd_schedule_factor(&f->config->schedule, f->step,
                                         gd_fit_steps_per_epoch(f));
  gd_update_begin(f->update, f->step + 1, rate);
  gd_reduce_outcome outcome;
  gd_status st = make_leaves(f, k, stop);
  st = gd_reduce_end(f->reduce, st, *stop, &outcome);
  f->leaf_s -= outcome.times.inside_s;
  f->exposed_s += outcome.times.exposed_s;
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
      .rate = rate};
  double square = gd_update_square(f->update);
  gd_gather_add(f->comm, 1, &square);
  const double step_s = gd_clock_s() - begun_s;
  const double waited_s = outcome.tallies[GD_TALLY_WAITED] / f->size;
  gd_fit_parts_note(
      f, &row,
      &(gd_journal_pace){.gradient_norm = sqrt(square),
                         .images_per_s = n_samples / step_s,
                         .exchanging = outcome.times.exposed_s / step_s,
                         .waiting = waited_s / step_s});
  f->n_images += f->step_sizes[k];
  f->step_s += step_s;
  f->waited_s += waited_s;
  note_reading(f);
  return GD_OK;
}

/* ------------------------------------------------------------------- epochs */

/* Predict the development faces; each rank a part of them.  They are cut into
 * groups by position alone, so that no face's result depends on the ranks. */
static gd_status predict_dev(gd_fit_parts *f)
{
  const int64_t n = f->dev->n, size = f->config->microbatch;
  const gd_range groups = gd_range_of((n + size - 1) / size, f->rank, f->size);
  gd_range mine = {groups.first * size, groups.end * size};
  mine.first = mine.first < n ? mine.first : n;
  mine.end = mine.end < n ? mine.end : n;
  gd_status st = GD_OK;
  gd_fit_parts_prefetch_dev(f, mine);
  gd_trainer_pack(f->trainer, gd_fit_parts_evaluated(f));
  for (int64_t g = groups.first; st == GD_OK && g < groups.end; g++) {
    const gd_range places = {g * size, (g + 1) * size < n ? (g + 1) * size : n};
    st = gd_trainer_predict(f->trainer, f->dev, places, f->block + f->n_weights,
                            f->expected + places.first);
    int stop = 0; /* the next step will see it too */
    if (st == GD_OK)
      st = tick(f, 0, &stop);
  }
  st = gd_agree(f->comm, st);
  if (st == GD_OK)
    gd_gather_all(f->comm, n, mine, f->expected);
  return st;
}

/* MAE and RMSE over videos, a video's level being the mean over its faces. */
static gd_metrics_row score_dev(const gd_fit_parts *f)
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

static void select_epoch(gd_fit_parts *f, double dev_mae)
{
  const int is_last = f->where.next_epoch == f->config->schedule.epochs;
  const int better = f->where.best_epoch < 0 || dev_mae < f->where.best_mae;
  if (f->config->select_dev ? !better : !is_last)
    return;
  f->where.best_epoch = f->where.next_epoch - 1;
  f->where.best_mae = dev_mae;
}

static gd_status end_epoch(gd_fit_parts *f)
{
  f->where.next_epoch++;
  f->where.next_step = 0;
  const gd_metrics_row train =
      gd_history_epoch(&f->history, f->where.next_epoch, f->step_sizes,
                       gd_fit_steps_per_epoch(f));
  gd_journal_pace pace = gd_journal_unknown();
  if (f->step_s > 0)
    pace.images_per_s = (double)f->n_images / f->step_s;
  gd_fit_parts_note(f, &train, &pace);
  gd_metrics_row dev = {.mae = -1};
  gd_status st = GD_OK;
  if (f->dev->n > 0) {
    st = predict_dev(f);
    if (st != GD_OK)
      return st;
    dev = score_dev(f);
    dev.epoch = train.epoch;
    dev.step = train.step;
    pace = gd_journal_unknown();
    gd_fit_parts_note(f, &dev, &pace);
  }
  select_epoch(f, dev.mae);
  gd_fit_parts_save(f);
  const double step_s = f->step_s > 0 ? f->step_s : 1;
  gd_log(GD_LOG_INFO,
         "epoch=%" PRId64 "/%" PRId64 " step=%" PRId64
         " loss=%.6g train_mae=%.4g dev_mae=%.4g best_epoch=%" PRId64
         " images_per_s=%.4g outside_network=%.1f%% exchange=%.1f%% "
         "waiting_for_faces=%.1f%%",
         f->where.next_epoch, f->config->schedule.epochs, f->step, train.loss,
         train.mae, dev.mae, f->where.best_epoch + 1,
         (double)f->n_images / step_s, 100 * (1 - f->leaf_s / step_s),
         100 * f->exposed_s / step_s, 100 * f->waited_s / step_s);
  return st;
}

static gd_status make_epoch(gd_fit_parts *f)
{
  f->step_s = f->leaf_s = f->exposed_s = f->waited_s = 0;
  f->n_images = 0;
  /* A row of each step, and two of the epoch. */
  const gd_status begun = gd_agree(
      f->comm, gd_history_reserve(&f->history, gd_fit_steps_per_epoch(f) + 2));
  if (begun != GD_OK)
    return begun;
  gd_sampler_begin(f->sampler, f->where.next_epoch);
  gd_fit_parts_prefetch_epoch(f);
  while (f->where.next_step < gd_fit_steps_per_epoch(f)) {
    int stop = 0;
    gd_status st = make_step(f, &stop);
    const int64_t every = f->config->checkpoint_every;
    if (st != GD_OK)
      return st;
    /* That at an epoch's end is of the same step. */
    const int is_end = f->where.next_step == gd_fit_steps_per_epoch(f);
    if (stop || (every > 0 && f->step % every == 0 && !is_end))
      gd_fit_parts_save(f);
    if (stop)
      return gd_fail(GD_ERR_STOPPED,
                     "asked to stop: checkpoint written after step %" PRId64,
                     f->step);
  }
  return end_epoch(f);
}

/* Samples that are still to be trained on. */
static int64_t count_rest(const gd_fit_parts *f)
{
  int64_t n = (f->config->schedule.epochs - f->where.next_epoch) * f->train->n;
  for (int64_t k = 0; k < f->where.next_step; k++)
    n -= f->step_sizes[k];
  return n;
}

/* Say whether another epoch is to be made. */
static int goes_on(const gd_fit_parts *f)
{
  const int64_t in_vain = f->where.next_epoch - 1 - f->where.best_epoch;
  return f->where.next_epoch < f->config->schedule.epochs &&
         (f->config->patience == 0 || in_vain < f->config->patience);
}

static gd_status run(gd_fit_parts *f)
{
  gd_status st = gd_fit_parts_restore(f);
  if (st != GD_OK)
    return st;
  gd_fit_parts_begin_journal(f);
  gd_log(GD_LOG_INFO,
         "train=%" PRId64 " dev=%" PRId64 " steps_per_epoch=%" PRId64
         " next_epoch=%" PRId64 " next_step=%" PRId64 " weights=%" PRId64
         " trainer_mib=%" PRId64,
         f->train->n, f->dev->n, gd_fit_steps_per_epoch(f),
         f->where.next_epoch + 1, f->where.next_step + 1, f->n_weights,
         gd_trainer_bytes(f->trainer) >> 20);
  f->hooks->expect(f->hooks->context, count_rest(f));
  while (st == GD_OK && goes_on(f))
    st = make_epoch(f);
  if (st == GD_OK && f->where.next_epoch < f->config->schedule.epochs)
    gd_log(GD_LOG_INFO,
           "stopped_after=%" PRId64 " best_epoch=%" PRId64 " patience=%" PRId64,
           f->where.next_epoch, f->where.best_epoch + 1, f->config->patience);
  return gd_fit_parts_conclude(f, st);
}

gd_status gd_fit(MPI_Comm comm, int rank, int size, const gd_fit_config *config,
                 gd_face_set *faces, const gd_fit_hooks *hooks)
{
  assert(config != NULL && faces != NULL && hooks != NULL);
  assert(config->microbatch >= 1 && config->microbatch <= config->batch);
  assert(config->patience == 0 || config->select_dev);
  gd_fit_parts f = {.config = config,
                    .hooks = hooks,
                    .comm = comm,
                    .rank = rank,
                    .size = size};
  gd_status st = gd_fit_parts_begin(&f, faces);
  if (st == GD_OK)
    st = run(&f);
  gd_fit_parts_end(&f);
  return st;
}
