#include "fit_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/agree.h"
#include "gradus/log.h"
#include "gradus/memory.h"

enum { BUCKET_BYTES = 8 << 20, PREFETCH_BYTES = 32 << 20 };

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

static gd_status read_face(void *faces, int64_t i, void *rgb)
{
  return gd_face_set_read(faces, i, rgb);
}

/* Faces for two microbatches, or more where they are small. */
static gd_status make_prefetch(gd_fit_parts *f, gd_face_set *faces, int most)
{
  const int64_t size_px = gd_face_set_size_px(faces);
  const int64_t face_bytes = size_px * size_px * 3;
  const int64_t n = f->train->n > f->dev->n ? f->train->n : f->dev->n;
  int64_t ahead = PREFETCH_BYTES / face_bytes;
  ahead = ahead < 2 * most ? 2 * most : ahead;
  ahead = ahead < n ? ahead : n;
  return gd_prefetch_new(face_bytes, (int)ahead, n, read_face, faces,
                         &f->prefetch);
}

void gd_fit_parts_prefetch_epoch(gd_fit_parts *f)
{
  const int64_t *order = gd_sampler_order(f->sampler);
  gd_prefetch_begin(f->prefetch);
  for (int64_t k = f->where.next_step; k < gd_fit_steps_per_epoch(f); k++) {
    const gd_range run =
        gd_range_of(gd_sampler_n_leaves(f->sampler, k), f->rank, f->size);
    for (int64_t i = run.first; i < run.end; i++) {
      const gd_range leaf = gd_sampler_leaf(f->sampler, k, i);
      for (int64_t place = leaf.first; place < leaf.end; place++)
        gd_prefetch_add(f->prefetch, f->train->face[order[place]]);
    }
  }
}

void gd_fit_parts_prefetch_dev(gd_fit_parts *f, gd_range mine)
{
  gd_prefetch_begin(f->prefetch);
  for (int64_t i = mine.first; i < mine.end; i++)
    gd_prefetch_add(f->prefetch, f->dev->face[i]);
}

static gd_status make_parts(gd_fit_parts *f, gd_face_set *faces)
{
  const gd_fit_config *c = f->config;
  f->face_template = gd_face_set_template(faces);
  gd_status st = gd_reduce_overlaps(&f->overlaps);
  if (st == GD_OK)
    st = gd_path_join(c->directory, "model.h5", f->model);
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
  st = make_prefetch(f, faces, most);
  if (st == GD_OK)
    st = gd_trainer_new(&trainer, most, f->prefetch, &f->trainer);
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
  return gd_update_new(f->comm, f->rank, &update,
                       gd_trainer_weights(f->trainer), f->buckets, f->block,
                       &f->update);
}

static gd_status make_saver(gd_fit_parts *f)
{
  const int n_states = gd_update_n_states(f->update);
  gd_snapshot_source source = {.weights = gd_trainer_weights(f->trainer),
                               .running = gd_trainer_running(f->trainer),
                               .block = f->block,
                               .n_parts = f->buckets->n,
                               .parts = f->parts,
                               .n_states = n_states,
                               .states = f->states};
  for (int i = 0; i < f->buckets->n; i++)
    f->parts[i] = gd_buckets_within(f->buckets, i, f->rank, f->n_weights);
  for (int i = 0; i < n_states; i++) {
    f->state_names[i] = gd_update_state_name(f->update, i);
    f->states[i] = gd_update_state(f->update, i);
  }
  f->files = (gd_checkpoints){.directory = f->config->directory,
                              .digest = f->config->digest,
                              .optimizer =
                                  gd_optimizer_name(f->config->optimizer.kind),
                              .steps_per_epoch = gd_fit_steps_per_epoch(f),
                              .keep = f->config->keep_checkpoints};
  return gd_saver_new(f->comm, f->rank, f->size, &f->files, &source, &f->saver);
}

gd_status gd_fit_parts_begin(gd_fit_parts *f, gd_face_set *faces)
{
  gd_status st = gd_agree(f->comm, make_parts(f, faces));
  if (st != GD_OK)
    return st;
  f->n_weights = gd_trainer_weights(f->trainer)->count;
  f->n_running = gd_trainer_running(f->trainer)->count;
  st = gd_reduce_new(f->comm, f->n_weights + f->n_running, BUCKET_BYTES,
                     &f->reduce);
  if (st != GD_OK)
    return gd_agree(f->comm, st);
  f->buckets = gd_reduce_buckets(f->reduce);
  st = gd_agree(f->comm, allocate(f));
  return st == GD_OK ? make_saver(f) : st;
}

void gd_fit_parts_end(gd_fit_parts *f)
{
  gd_saver_free(f->saver);
  gd_journal_end(f->journal);
  gd_history_free(&f->history);
  gd_update_free(f->update);
  free(f->averaged);
  free(f->level_weights);
  free(f->step_sizes);
  free(f->expected);
  free(f->block);
  gd_reduce_free(f->reduce);
  gd_trainer_free(f->trainer);
  gd_prefetch_free(f->prefetch);
  gd_sampler_free(f->sampler);
  gd_samples_free(f->dev);
  gd_samples_free(f->train);
}

/* ------------------------------------------------------------------ journal */

static void expect_journal(gd_fit_parts *f, gd_status st)
{
  if (st == GD_OK)
    return;
  gd_log(GD_LOG_WARNING, "training goes on without its journal: %s",
         gd_reason());
  gd_journal_end(f->journal);
  f->journal = NULL;
}

void gd_fit_parts_begin_journal(gd_fit_parts *f)
{
  if (f->rank == 0)
    expect_journal(f, gd_journal_begin(f->config->directory, f->history.rows,
                                       f->history.n, &f->journal));
}

void gd_fit_parts_note(gd_fit_parts *f, const gd_metrics_row *row,
                       const gd_journal_pace *pace)
{
  gd_history_add(&f->history, row);
  if (f->journal != NULL)
    expect_journal(f, gd_journal_add(f->journal, row, pace));
}
