/* evaluate -- score the faces of one partition with a model.
 *
 *   calibration.h5    scores of the development partition, from which the
 *                     prediction intervals of test videos are read off
 *   calibration.yaml  what predictions for other videos need of that: see
 *                     gradus/calibration.h
 *   scores.h5         scores of all: see gradus/scores.h
 *   predictions.csv   the same per video, for people
 *   attention.h5      where the levels of some faces come from, and pictures:
 *                     see evaluate_attention.h
 *
 * How faces become scores, over all ranks: see scoring.h. */
#include <stdlib.h>
#include <string.h>

#include "evaluate_attention.h"
#include "gradus/agree.h"
#include "gradus/calibration.h"
#include "gradus/conformal.h"
#include "gradus/memory.h"
#include "scoring.h"
#include "train.h"

/* The videos that are wanted, and those that intervals are read off. */
static gd_status list_videos(gd_scoring *e)
{
  gd_status st = gd_scoring_add(e, e->info.partition);
  e->n_wanted = e->n_videos;
  if (st == GD_OK && e->n_wanted == 0)
    st = gd_fail(GD_ERR_USAGE,
                 "%s: no video of the %s partition has a face: nothing to "
                 "evaluate",
                 gd_instance_title(e->env->self),
                 gd_partition_name(e->info.partition));
  /* A model has seen train, and was chosen on dev: only of what is new to it
   * does an interval promise anything. */
  if (e->info.partition != GD_TEST)
    e->info.interval = 0;
  if (st == GD_OK && e->info.interval > 0)
    st = gd_scoring_add(e, GD_DEV);
  if (e->n_videos == e->n_wanted)
    e->info.interval = 0;
  return st;
}

static gd_status model_path(const gd_stage_env *env, char out[GD_PATH_MAX])
{
  return gd_path_join(
      gd_instance_directory(gd_instance_upstream(env->self, "train")),
      "model.h5", out);
}

/* The model as its training kept activations, or as the manifest says. */
static gd_status set_precision(const gd_stage_env *env, gd_model *model)
{
  const char *wanted = gd_instance_text(env->self, "precision");
  return strcmp(wanted, "model") == 0
             ? GD_OK
             : gd_precision_of(wanted, &model->info.network.precision);
}

static gd_status open_inputs(gd_stage_env *env, gd_scoring *e)
{
  const gd_instance *train = gd_instance_upstream(env->self, "train");
  char model[GD_PATH_MAX];
  gd_status st = model_path(env, model);
  if (st == GD_OK)
    st = gd_scoring_open(
        env, model,
        gd_instance_directory(gd_instance_upstream(env->self, "align")), e);
  if (st == GD_OK)
    st = set_precision(env, e->model);
  if (st == GD_OK)
    st = gd_train_divide(train, e->faces);
  if (st == GD_OK)
    st = gd_partition_of(gd_instance_text(env->self, "partition"),
                         &e->info.partition);
  if (st == GD_OK)
    st =
        gd_average_of(gd_instance_text(env->self, "average"), &e->info.average);
  e->info.interval = gd_instance_real(env->self, "interval");
  if (st == GD_OK && gd_instance_int(env->self, "attention") > 0)
    st = gd_scoring_want_maps(e);
  return st;
}

static gd_status take_half_width(gd_scores_info *info, const gd_scores *s)
{
  double *truth = gd_alloc(s->n_videos, sizeof *truth);
  if (truth == NULL)
    return GD_ERR_NOMEM;
  for (int64_t v = 0; v < s->n_videos; v++)
    truth[v] = gd_scores_video(s, v)->label;
  info->n_calibration = s->n_videos;
  gd_status st = gd_conformal_half_width(s->n_videos, truth, s->predicted,
                                         info->interval, &info->half_width);
  free(truth);
  return st;
}

/* Find the half-width of the intervals, from calibration.h5. */
static gd_status calibrate(const gd_scoring *e, gd_scores_info *info)
{
  const gd_scores_info dev = gd_scoring_info(e, 0);
  char path[GD_PATH_MAX];
  gd_scores *s = NULL;
  gd_status st = gd_stage_path(e->env, "calibration.h5", path);
  if (st == GD_OK)
    st = gd_scoring_merge(e, e->n_units_wanted, e->n_units, &dev, path);
  if (st == GD_OK)
    st = gd_scores_read_videos(path, &s);
  if (st == GD_OK)
    st = take_half_width(info, s);
  gd_scores_free(s);
  return st;
}

static gd_status merge(const gd_scoring *e, const char *path)
{
  gd_scores_info info = e->info;
  gd_status st = info.interval > 0 ? calibrate(e, &info) : GD_OK;
  return st == GD_OK ? gd_scoring_merge(e, 0, e->n_units_wanted, &info, path)
                     : st;
}

/* Draw the attention maps that are wanted.  The scores are there. */
static gd_status draw_maps(const gd_scoring *e, const char *scores_path)
{
  const gd_instance *self = e->env->self;
  const int n_maps = (int)gd_instance_int(self, "attention");
  gd_scores *s = NULL;
  if (n_maps == 0)
    return GD_OK;
  gd_status st = gd_scores_read(scores_path, &s);
  if (st == GD_OK)
    st = gd_evaluate_attention(e->env, e->faces, e->evaluator, s, n_maps,
                               gd_instance_flag(self, "blur"));
  gd_scores_free(s);
  return st;
}

/* Tell `predict` what was found.  The scores are there. */
static gd_status tell(const gd_scoring *e, const char *scores_path)
{
  char path[GD_PATH_MAX];
  gd_digest model;
  gd_scores *s = NULL;
  gd_status st = model_path(e->env, path);
  if (st == GD_OK)
    st = gd_digest_of_file(path, &model);
  if (st == GD_OK)
    st = gd_stage_path(e->env, "calibration.yaml", path);
  if (st == GD_OK)
    st = gd_scores_read_videos(scores_path, &s);
  if (st != GD_OK)
    return st;
  gd_calibration c = {.average = s->info.average,
                      .interval = s->info.interval,
                      .half_width = s->info.half_width,
                      .n_calibration = s->info.n_calibration};
  gd_digest_hex(model, c.model);
  gd_scores_free(s);
  return gd_calibration_write(path, &c);
}

/* Whether an earlier run was stopped behind the merge: its parts may be gone
 * already.  The path is that of scores.h5. */
static gd_status find_merged(const gd_scoring *e, const char *scores_path,
                             int *out)
{
  char path[GD_PATH_MAX];
  const gd_status st = gd_stage_path(e->env, "calibration.h5", path);
  *out = st == GD_OK && gd_path_exists(scores_path) &&
         (e->info.interval == 0 || gd_path_exists(path));
  return st;
}

static gd_status evaluate(gd_stage_env *env, gd_scoring *e)
{
  char path[GD_PATH_MAX];
  int merged = 0;
  gd_status st = open_inputs(env, e);
  if (st == GD_OK)
    st = list_videos(e);
  if (st == GD_OK)
    st = gd_scoring_cut(e);
  if (st == GD_OK)
    st = gd_stage_path(e->env, "scores.h5", path);
  if (st == GD_OK && e->env->rank == 0) {
    gd_stage_items(e->env, e->n_videos);
    st = find_merged(e, path, &merged);
  }
  st = gd_agree(e->env->comm, st);
  if (st != GD_OK)
    return st;

  MPI_Bcast(&merged, 1, MPI_INT, 0, e->env->comm);
  if (!merged) {
    st = gd_scoring_run(e);
    if (st != GD_OK)
      return st;
  }
  if (e->env->rank == 0 && !merged)
    st = merge(e, path);
  if (e->env->rank == 0 && st == GD_OK)
    st = draw_maps(e, path);
  if (e->env->rank == 0 && st == GD_OK)
    st = tell(e, path);
  if (e->env->rank == 0 && st == GD_OK)
    st = gd_scoring_finish(e, path);
  return gd_agree(e->env->comm, st);
}

static gd_status run(gd_stage_env *env)
{
  gd_scoring e = {0};
  const gd_status st = evaluate(env, &e);
  gd_scoring_close(&e);
  return st;
}

const gd_stage gd_stage_evaluate = {.kind = "evaluate", .run = run};
