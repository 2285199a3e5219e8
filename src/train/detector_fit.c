#include "gradus/detector_fit.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "gradus/agree.h"
#include "gradus/log.h"
#include "gradus/schedule.h"
#include "train/detector_parts.h"

/* Class, box and landmarks in the sum. */
static const gd_detector_losses shares[GD_N_DETECTOR_NETS] = {
    {{1, 1, 0}}, {{1, 2, 0}}, {{1, 2, 4}}};

static int64_t least(int64_t a, int64_t b)
{
  return a < b ? a : b;
}

/* Images of step k of a net: a run of the source's. */
static gd_range images_of_step(const gd_detector_parts *f, int net, int64_t k)
{
  int64_t first = 0;
  for (int i = 0; i < net; i++)
    first += f->config->n_images[i];
  const int64_t end = first + f->config->n_images[net];
  const int64_t batch = f->config->batch;
  return (gd_range){first + k * batch, least(first + (k + 1) * batch, end)};
}

/* Leaves of a step of the net in training, and images of one of them. */
static int64_t n_leaves_of(const gd_detector_parts *f, int64_t k)
{
  const gd_range step = images_of_step(f, f->net, k);
  const int64_t size = f->config->microbatch;
  return (step.end - step.first + size - 1) / size;
}

static gd_range images_of_leaf(const gd_detector_parts *f, int64_t k,
                               int64_t leaf)
{
  const gd_range step = images_of_step(f, f->net, k);
  const int64_t size = f->config->microbatch;
  return (gd_range){step.first + leaf * size,
                    least(step.first + (leaf + 1) * size, step.end)};
}

/* -------------------------------------------------------------------- steps */

static void apply(void *context, int64_t first, int64_t count, const float *sum)
{
  const gd_detector_parts *f = context;
  float *states[GD_OPTIMIZER_MOST_STATES] = {0};
  for (int i = 0; i < gd_optimizer_n_states(f->optimizer.kind); i++)
    states[i] = f->states[i] + first;
  gd_optimizer_step(&f->optimizer, f->step + 1, 1, count,
                    f->weights[f->net] + first, sum, states);
}

/* Add the samples of images first .. end - 1. */
static gd_status collect(gd_detector_parts *f, gd_range images)
{
  gd_status st = GD_OK;
  for (int64_t i = images.first; st == GD_OK && i < images.end; i++) {
    gd_random r = gd_random_of(f->config->seed, GD_FOR_AUGMENT, f->net, i);
    gd_labelled_image image;
    st = f->source->read(f->source->context, i, &image);
    if (st != GD_OK)
      break;
    st = gd_detector_samples_add(&f->samples, f->net, f->before, &image, &r);
    gd_image_free(&image.image);
  }
  return st;
}

/* Collect the samples of the next steps that have as many leaves: this rank has
 * the same run of each. */
static gd_status fill_stock(gd_detector_parts *f, gd_range run)
{
  gd_detector_stock *s = &f->stock;
  const int64_t n_leaves = n_leaves_of(f, f->step);
  const int64_t most =
      least(f->step + GD_DETECTOR_STOCK, gd_detector_n_steps(f, f->net));
  int64_t n = 0;
  gd_status st = GD_OK;
  f->samples.n = 0;
  s->first = s->end = f->step;
  s->run = run;
  for (int64_t k = f->step; k < most && n_leaves_of(f, k) == n_leaves; k++) {
    for (int64_t i = run.first; st == GD_OK && i < run.end; i++) {
      st = collect(f, images_of_leaf(f, k, i));
      s->ends[n++] = f->samples.n;
    }
    if (st != GD_OK)
      return st;
    s->end = k + 1;
  }
  return st;
}

/* Return the samples of one of this rank's leaves of this step. */
static gd_range samples_of_leaf(const gd_detector_parts *f, int64_t leaf)
{
  const gd_detector_stock *s = &f->stock;
  const int64_t at = (f->step - s->first) * (s->run.end - s->run.first) +
                     (leaf - s->run.first);
  return (gd_range){at == 0 ? 0 : s->ends[at - 1], s->ends[at]};
}

static gd_status make_leaf(gd_detector_parts *f, int64_t leaf, int64_t n_leaves,
                           float *gradient, double tallies[3])
{
  gd_cascade_trainer *t = f->trainers[f->net];
  const gd_range samples = samples_of_leaf(f, leaf);
  const int n = (int)(samples.end - samples.first);
  gd_status st = GD_OK;
  if (n == 0) { /* nothing but faces that do not count */
    memset(gradient, 0,
           (size_t)gd_detector_n_weights(f, f->net) * sizeof *gradient);
    return GD_OK;
  }
  const float *y = gd_cascade_trainer_forward(
      t, n, gd_detector_samples_x(&f->samples, samples.first));
  const gd_detector_losses l = gd_detector_loss(
      n, gd_cascade_trainer_channels(t), y, f->samples.targets + samples.first,
      &shares[f->net], 1.0 / (double)n_leaves, f->scratch, f->dy);
  gd_cascade_trainer_backward(t, f->dy, gradient);
  for (int i = 0; i < 3; i++) {
    tallies[i] = l.part[i];
    if (!isfinite(l.part[i])) {
      const gd_range images = images_of_leaf(f, f->step, leaf);
      st = gd_fail(GD_ERR_NUMERIC,
                   "%s, step %" PRId64 ": loss is not finite (images %" PRId64
                   " to %" PRId64 ")",
                   gd_detector_specs[f->net]->name, f->step + 1, images.first,
                   images.end - 1);
    }
  }
  return st;
}

/* A request to stop is no failure: it waits for the end of the step. */
static gd_status tick(const gd_detector_parts *f, int64_t n, int *stop)
{
  const gd_status st = f->hooks->tick(f->hooks->context, n);
  *stop |= st == GD_ERR_STOPPED;
  return st == GD_ERR_STOPPED ? GD_OK : st;
}

static gd_status make_leaves(gd_detector_parts *f, int *stop)
{
  const int64_t n_leaves = n_leaves_of(f, f->step);
  gd_status st = gd_reduce_begin(f->reduce, n_leaves,
                                 &(gd_reduce_use){.apply = apply,
                                                  .context = f,
                                                  .block = f->weights[f->net]});
  const gd_range run = gd_reduce_run(f->reduce);
  *stop = 0;
  if (st == GD_OK && f->step >= f->stock.end)
    st = fill_stock(f, run);
  if (st == GD_OK && run.first < run.end)
    gd_cascade_trainer_pack(f->trainers[f->net], f->weights[f->net]);
  for (int64_t i = run.first; st == GD_OK && i < run.end; i++) {
    const gd_range images = images_of_leaf(f, f->step, i);
    double tallies[GD_REDUCE_TALLIES] = {0};
    st = make_leaf(f, i, n_leaves, gd_reduce_leaf(f->reduce), tallies);
    if (st != GD_OK)
      break;
    gd_reduce_add(f->reduce, tallies);
    st = tick(f, images.end - images.first, stop);
  }
  return st == GD_OK ? tick(f, 0, stop) : st;
}

static void note(gd_detector_parts *f, const gd_reduce_outcome *outcome)
{
  const gd_range images = images_of_step(f, f->net, f->step);
  const double n_leaves = (double)n_leaves_of(f, f->step);
  double *v = f->rows[f->n_rows++].value;
  v[GD_COLUMN_NET] = f->net;
  v[GD_COLUMN_STEP] = (double)f->step + 1;
  v[GD_COLUMN_IMAGES] = (double)(images.end - images.first);
  v[GD_COLUMN_RATE] = f->optimizer.rate;
  v[GD_COLUMN_LOSS] = 0;
  for (int i = 0; i < 3; i++) {
    v[GD_COLUMN_PARTS + i] = outcome->tallies[i] / n_leaves;
    v[GD_COLUMN_LOSS] += shares[f->net].part[i] * v[GD_COLUMN_PARTS + i];
  }
}

static gd_status make_step(gd_detector_parts *f, int *stop)
{
  const gd_schedule cosine = {
      .kind = GD_SCHEDULE_COSINE, .warmup = 0.02, .epochs = 1};
  gd_reduce_outcome outcome;
  f->optimizer.rate =
      f->config->rates[f->net] *
      gd_schedule_factor(&cosine, f->step, gd_detector_n_steps(f, f->net));
  gd_status st = make_leaves(f, stop);
  st = gd_reduce_end(f->reduce, st, *stop, &outcome);
  if (st == GD_ERR_NUMERIC && outcome.bad_at >= 0)
    return gd_fail(
        st, "%s, step %" PRId64 ": gradient of %s is not finite",
        gd_detector_specs[f->net]->name, f->step + 1,
        gd_tensor_table_at(gd_cascade_trainer_weights(f->trainers[f->net]),
                           outcome.bad_at)
            ->name);
  if (st != GD_OK)
    return st;
  note(f, &outcome);
  f->step++;
  *stop = outcome.stop;
  return GD_OK;
}

/* --------------------------------------------------------------------- nets */

/* Log the means of the last steps, up to `most`. */
static void log_steps(const gd_detector_parts *f, int64_t most)
{
  const int64_t n = f->step < most ? f->step : most;
  double mean[GD_N_COLUMNS] = {0};
  for (int64_t i = f->n_rows - n; i < f->n_rows; i++)
    for (int k = 0; k < GD_N_COLUMNS; k++)
      mean[k] += f->rows[i].value[k] / (double)n;
  gd_log(GD_LOG_INFO,
         "net=%s step=%" PRId64 "/%" PRId64
         " loss=%.5g class=%.5g box=%.5g landmarks=%.5g",
         gd_detector_specs[f->net]->name, f->step,
         gd_detector_n_steps(f, f->net), mean[GD_COLUMN_LOSS],
         mean[GD_COLUMN_PARTS], mean[GD_COLUMN_PARTS + 1],
         mean[GD_COLUMN_PARTS + 2]);
}

static gd_status make_net(gd_detector_parts *f)
{
  enum { LOG_STEPS = 200 };
  while (f->step < gd_detector_n_steps(f, f->net)) {
    int stop = 0;
    gd_status st = make_step(f, &stop);
    const int64_t every = f->config->checkpoint_every;
    if (st == GD_OK &&
        (f->step % LOG_STEPS == 0 || f->step == gd_detector_n_steps(f, f->net)))
      log_steps(f, LOG_STEPS);
    if (st == GD_OK && (stop || (every > 0 && f->step % every == 0)))
      st = gd_detector_save(f);
    if (st == GD_OK && stop)
      st = gd_fail(GD_ERR_STOPPED,
                   "asked to stop: checkpoint written after step %" PRId64
                   " of %s",
                   f->step, gd_detector_specs[f->net]->name);
    if (st != GD_OK)
      return st;
  }
  return GD_OK;
}

static int64_t count_rest(const gd_detector_parts *f)
{
  int64_t n = 0;
  for (int i = f->net; i < GD_N_DETECTOR_NETS; i++)
    n += f->config->n_images[i];
  for (int64_t k = 0; k < f->step; k++) {
    const gd_range images = images_of_step(f, f->net, k);
    n -= images.end - images.first;
  }
  return n;
}

static gd_status run(gd_detector_parts *f)
{
  gd_status st = gd_detector_restore(f);
  if (st == GD_OK)
    f->hooks->expect(f->hooks->context, count_rest(f));
  while (st == GD_OK && f->net < GD_N_DETECTOR_NETS) {
    st = gd_detector_begin_net(f);
    if (st == GD_OK && f->step > 0)
      st = gd_agree(f->comm, gd_detector_read_states(f));
    else if (st == GD_OK)
      gd_cascade_trainer_init(f->trainers[f->net],
                              f->config->seed + (uint64_t)f->net,
                              f->weights[f->net]);
    if (st == GD_OK)
      st = make_net(f);
    gd_detector_end_net(f);
    if (st != GD_OK)
      return st;
    f->net++;
    f->step = 0;
    st = gd_detector_save(f);
  }
  if (st == GD_OK && f->rank == 0)
    st = gd_detector_write(f);
  return gd_agree(f->comm, st);
}

gd_status gd_detector_fit(MPI_Comm comm, int rank,
                          const gd_detector_fit_config *config,
                          const gd_labelled_source *source,
                          const gd_fit_hooks *hooks)
{
  assert(config != NULL && source != NULL && hooks != NULL);
  assert(config->microbatch >= 1 && config->microbatch <= config->batch);
  gd_detector_parts f = {.config = config,
                         .source = source,
                         .hooks = hooks,
                         .comm = comm,
                         .rank = rank};
  gd_status st = gd_agree(comm, gd_detector_begin(&f));
  if (st == GD_OK)
    st = run(&f);
  gd_detector_end(&f);
  return st;
}
