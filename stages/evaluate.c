/* evaluate -- score the faces of one partition with a model.
 *
 *   part-NNNNN.h5     scores of some videos, removed once they are merged
 *   calibration.h5    scores of the development partition, from which the
 *                     prediction intervals of test videos are read off
 *   scores.h5         scores of all: see gradus/scores.h
 *   predictions.csv   the same per video, for people
 *   attention.h5      where the levels of some faces come from, and pictures:
 *                     see evaluate_attention.h
 *
 * A unit of work is a run of whole videos, cut by the number of their faces
 * alone.  Rank 0 merges the parts video by video, so no rank holds all scores.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evaluate_attention.h"
#include "gradus/agree.h"
#include "gradus/conformal.h"
#include "gradus/evaluator.h"
#include "gradus/faces.h"
#include "gradus/loss.h"
#include "gradus/memory.h"
#include "gradus/model.h"
#include "gradus/scores.h"
#include "gradus/stage.h"
#include "train.h"

enum { UNIT_FACES = 32 };

/* Faces first .. end - 1 of the set are those of one video. */
typedef struct {
  int64_t row; /* in the set's table of videos */
  int64_t first, end;
} scored_video;

typedef struct {
  gd_stage_env *env;
  gd_face_set *faces;
  gd_model *model;
  gd_scores_info info;
  gd_evaluator *evaluator; /* made with the first unit of this rank */
  int64_t n_videos;
  scored_video *videos; /* those of the partition, then those to calibrate on */
  int64_t n_wanted;     /* those of the partition */
  int64_t n_units, n_units_wanted;
  int64_t *first_video; /* (n_units + 1) */
  double *cost;         /* (n_units) faces */
  int n_maps;           /* faces to have their map drawn */
} evaluation;

/* ------------------------------------------------------------------- plan */

/* Append the videos of a partition that have faces. */
static void add_videos(evaluation *e, gd_partition partition)
{
  const gd_video_table *table = gd_face_set_videos(e->faces);
  const int64_t n_faces = gd_face_set_n_faces(e->faces);
  for (int64_t i = 0, end; i < n_faces; i = end) {
    const int64_t row = gd_face_set_video_row(e->faces, i);
    for (end = i + 1;
         end < n_faces && gd_face_set_video_row(e->faces, end) == row; end++)
      ;
    if (table->videos[row].partition == partition)
      e->videos[e->n_videos++] = (scored_video){row, i, end};
  }
}

static gd_status list_videos(evaluation *e)
{
  const gd_video_table *table = gd_face_set_videos(e->faces);
  e->videos = gd_alloc(table->n_videos, sizeof *e->videos);
  if (e->videos == NULL)
    return GD_ERR_NOMEM;
  add_videos(e, e->info.partition);
  e->n_wanted = e->n_videos;
  if (e->n_wanted == 0)
    return gd_fail(GD_ERR_USAGE,
                   "%s: no video of the %s partition has a face: nothing to "
                   "evaluate",
                   gd_instance_title(e->env->self),
                   gd_partition_name(e->info.partition));
  /* A model has seen train, and was chosen on dev: only of what is new to it
   * does an interval promise anything. */
  if (e->info.partition != GD_TEST)
    e->info.interval = 0;
  if (e->info.interval > 0)
    add_videos(e, GD_DEV);
  if (e->n_videos == e->n_wanted)
    e->info.interval = 0;
  return GD_OK;
}

static gd_status cut_units(evaluation *e)
{
  e->first_video = gd_alloc(e->n_videos + 1, sizeof *e->first_video);
  e->cost = gd_alloc(e->n_videos, sizeof *e->cost);
  if (e->first_video == NULL || e->cost == NULL)
    return GD_ERR_NOMEM;
  for (int64_t v = 0; v < e->n_videos; v++) {
    if (v == e->n_wanted)
      e->n_units_wanted = e->n_units;
    if (v == 0 || v == e->n_wanted || e->cost[e->n_units - 1] >= UNIT_FACES)
      e->first_video[e->n_units++] = v;
    e->cost[e->n_units - 1] += (double)(e->videos[v].end - e->videos[v].first);
  }
  if (e->n_videos == e->n_wanted)
    e->n_units_wanted = e->n_units;
  e->first_video[e->n_units] = e->n_videos;
  return GD_OK;
}

/* Faces that were made otherwise than those the model has learnt from give
 * numbers that look like results. */
static gd_status check_faces(const evaluation *e)
{
  const gd_model_info *m = &e->model->info;
  const int size_px = gd_face_set_size_px(e->faces);
  if (size_px != m->network.height || size_px != m->network.width)
    return gd_fail(GD_ERR_USAGE,
                   "%s: faces are %d x %d px, the model was trained on %d x %d",
                   gd_instance_title(e->env->self), size_px, size_px,
                   m->network.height, m->network.width);
  if (strcmp(gd_face_set_template(e->faces), m->face_template) != 0)
    return gd_fail(GD_ERR_USAGE,
                   "%s: faces are aligned to \"%.100s\", the model was trained "
                   "on \"%.100s\"",
                   gd_instance_title(e->env->self),
                   gd_face_set_template(e->faces), m->face_template);
  return GD_OK;
}

static const gd_instance *input_of(const gd_stage_env *env, const char *kind)
{
  for (int i = 0; i < gd_instance_n_inputs(env->self); i++) {
    const gd_instance *input = gd_instance_input(env->self, i);
    if (strcmp(gd_instance_kind(input), kind) == 0)
      return input;
  }
  return NULL;
}

static gd_status open_inputs(evaluation *e)
{
  char path[GD_PATH_MAX];
  gd_status st = gd_path_join(gd_instance_directory(input_of(e->env, "train")),
                              "model.h5", path);
  if (st == GD_OK)
    st = gd_model_read(path, &e->model);
  if (st == GD_OK)
    st = gd_face_set_open(gd_instance_directory(input_of(e->env, "align")),
                          &e->faces);
  if (st == GD_OK)
    st = gd_train_divide(input_of(e->env, "train"), e->faces);
  if (st == GD_OK)
    st = check_faces(e);
  if (st == GD_OK)
    st = gd_partition_of(gd_instance_text(e->env->self, "partition"),
                         &e->info.partition);
  if (st == GD_OK)
    st = gd_average_of(gd_instance_text(e->env->self, "average"),
                       &e->info.average);
  if (st != GD_OK)
    return st;
  e->info.interval = gd_instance_real(e->env->self, "interval");
  const gd_model_info *m = &e->model->info;
  snprintf(e->info.loss, sizeof e->info.loss, "%s", gd_loss_name(m->loss));
  e->info.n_levels = m->n_levels;
  e->info.has_distribution = gd_loss_has_distribution(m->loss);
  e->n_maps = (int)gd_instance_int(e->env->self, "attention");
  if (e->n_maps == 0)
    return GD_OK;
  st = gd_evaluator_new(e->model, &e->evaluator);
  if (st == GD_OK)
    gd_evaluator_map_size(e->evaluator, &e->info.map_rows,
                          &e->info.map_columns);
  return st;
}

/* ------------------------------------------------------------------ score */

/* Room for the faces of one video. */
typedef struct {
  uint8_t *rgb;
  int64_t *frame_index;
  double *expected, *sigma;
  float *distribution;
  float *map;  /* of a face, then their mean; NULL: not wanted */
  double *sum; /* of the maps */
} buffers;

static gd_status make_room(const evaluation *e, int64_t n, int64_t n_cells,
                           buffers *b)
{
  const int64_t size_px = gd_face_set_size_px(e->faces);
  b->rgb = gd_alloc(size_px * size_px * 3, 1);
  b->frame_index = gd_alloc(n, sizeof *b->frame_index);
  b->expected = gd_alloc(n, sizeof *b->expected);
  b->sigma = gd_alloc(n, sizeof *b->sigma);
  if (e->info.has_distribution)
    b->distribution = gd_alloc(n * e->info.n_levels, sizeof *b->distribution);
  if (n_cells > 0) {
    b->map = gd_alloc(n_cells, sizeof *b->map);
    b->sum = gd_alloc(n_cells, sizeof *b->sum);
    if (b->map == NULL || b->sum == NULL)
      return GD_ERR_NOMEM;
  }
  return b->rgb == NULL || b->frame_index == NULL || b->expected == NULL ||
                 b->sigma == NULL ||
                 (e->info.has_distribution && b->distribution == NULL)
             ? GD_ERR_NOMEM
             : GD_OK;
}

static void drop_room(buffers *b)
{
  free(b->rgb);
  free(b->frame_index);
  free(b->expected);
  free(b->sigma);
  free(b->distribution);
  free(b->map);
  free(b->sum);
}

/* Add the map of the face that was scored last. */
static void add_map(evaluation *e, buffers *b, int is_first)
{
  const int n_cells = e->info.map_rows * e->info.map_columns;
  gd_evaluator_map(e->evaluator, b->map);
  for (int i = 0; i < n_cells; i++)
    b->sum[i] = (is_first ? 0 : b->sum[i]) + (double)b->map[i];
}

static gd_status append_mean_map(const evaluation *e, buffers *b, int64_t n,
                                 gd_scores_writer *w)
{
  const int n_cells = e->info.map_rows * e->info.map_columns;
  for (int i = 0; i < n_cells; i++)
    b->map[i] = (float)(b->sum[i] / (double)n);
  return gd_scores_writer_map(w, b->map);
}

static gd_status score_video(evaluation *e, const scored_video *v, buffers *b,
                             gd_scores_writer *w)
{
  const gd_video_table *table = gd_face_set_videos(e->faces);
  gd_status st = GD_OK;
  for (int64_t i = v->first; st == GD_OK && i < v->end; i++) {
    const int64_t f = i - v->first;
    b->frame_index[f] = gd_face_set_info(e->faces, i).frame_index;
    st = gd_face_set_read(e->faces, i, b->rgb);
    if (st == GD_OK)
      st = gd_evaluator_face(
          e->evaluator, b->rgb, &b->expected[f], &b->sigma[f],
          b->distribution == NULL ? NULL
                                  : b->distribution + f * e->info.n_levels);
    if (st == GD_ERR_NUMERIC)
      st =
          gd_fail(st, "%s, frame %" PRId64 ": the model's output is not finite",
                  table->videos[v->row].id, b->frame_index[f]);
    if (st == GD_OK && b->map != NULL)
      add_map(e, b, i == v->first);
    if (st == GD_OK)
      st = gd_stage_tick(e->env, 0);
  }
  if (st == GD_OK)
    st = gd_scores_writer_append(w, table->index[v->row], v->end - v->first,
                                 b->frame_index, b->expected, b->sigma,
                                 b->distribution);
  if (st == GD_OK && b->map != NULL)
    st = append_mean_map(e, b, v->end - v->first, w);
  return st;
}

/* What a file says of scores whose intervals are not known, or not wanted;
 * development videos are there for the intervals alone, and have no maps. */
static gd_scores_info info_without_interval(const evaluation *e, int wanted)
{
  gd_scores_info info = e->info;
  info.interval = 0;
  if (!wanted) {
    info.partition = GD_DEV;
    info.map_rows = info.map_columns = 0;
  }
  return info;
}

static gd_status make_unit(void *context, gd_stage_env *env, int64_t unit,
                           const char *path)
{
  evaluation *e = context;
  const int64_t first = e->first_video[unit], end = e->first_video[unit + 1];
  const gd_scores_info info =
      info_without_interval(e, unit < e->n_units_wanted);
  buffers room = {0};
  gd_scores_writer *w = NULL;
  int64_t most = 0;
  for (int64_t v = first; v < end; v++)
    if (e->videos[v].end - e->videos[v].first > most)
      most = e->videos[v].end - e->videos[v].first;

  gd_status st =
      make_room(e, most, (int64_t)info.map_rows * info.map_columns, &room);
  if (st == GD_OK && e->evaluator == NULL)
    st = gd_evaluator_new(e->model, &e->evaluator);
  if (st == GD_OK)
    st = gd_scores_writer_create(path, gd_instance_digest(env->self), &info,
                                 gd_face_set_videos(e->faces), &w);
  for (int64_t v = first; st == GD_OK && v < end; v++)
    st = score_video(e, &e->videos[v], &room, w);
  if (st == GD_OK) {
    st = gd_scores_writer_commit(w);
    w = NULL;
  }
  gd_scores_writer_abandon(w);
  drop_room(&room);
  return st;
}

static void name_unit(const void *context, int64_t unit, char out[GD_PATH_MAX])
{
  (void)context;
  snprintf(out, GD_PATH_MAX, "part-%05" PRId64 ".h5", unit);
}

/* ------------------------------------------------------------------ merge */

static gd_status append_part(const evaluation *e, int64_t unit,
                             gd_scores_writer *w)
{
  char name[GD_PATH_MAX], path[GD_PATH_MAX];
  gd_scores *s = NULL;
  name_unit(e, unit, name);
  gd_status st = gd_stage_path(e->env, name, path);
  if (st == GD_OK)
    st = gd_scores_read(path, &s);
  for (int64_t v = 0; st == GD_OK && v < s->n_videos; v++) {
    const int64_t f = s->first_frame[v];
    st = gd_scores_writer_append(
        w, s->videos->index[s->row[v]], s->first_frame[v + 1] - f,
        s->frame_index + f, s->expected + f, s->sigma + f,
        s->distribution == NULL ? NULL
                                : s->distribution + f * s->info.n_levels);
    if (st == GD_OK && s->map != NULL)
      st = gd_scores_writer_map(w, s->map + v * (int64_t)s->info.map_rows *
                                                s->info.map_columns);
  }
  gd_scores_free(s);
  return st;
}

/* Join the parts of units first .. end - 1. */
static gd_status merge_parts(const evaluation *e, int64_t first, int64_t end,
                             const gd_scores_info *info, const char *path)
{
  gd_scores_writer *w = NULL;
  gd_status st =
      gd_scores_writer_create(path, gd_instance_digest(e->env->self), info,
                              gd_face_set_videos(e->faces), &w);
  for (int64_t u = first; st == GD_OK && u < end; u++) {
    st = append_part(e, u, w);
    if (st == GD_OK)
      st = gd_stage_tick(e->env, 0);
  }
  if (st == GD_OK)
    return gd_scores_writer_commit(w);
  gd_scores_writer_abandon(w);
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
static gd_status calibrate(const evaluation *e, gd_scores_info *info)
{
  const gd_scores_info dev = info_without_interval(e, 0);
  char path[GD_PATH_MAX];
  gd_scores *s = NULL;
  gd_status st = gd_stage_path(e->env, "calibration.h5", path);
  if (st == GD_OK)
    st = merge_parts(e, e->n_units_wanted, e->n_units, &dev, path);
  if (st == GD_OK)
    st = gd_scores_read_videos(path, &s);
  if (st == GD_OK)
    st = take_half_width(info, s);
  gd_scores_free(s);
  return st;
}

static gd_status merge(const evaluation *e, const char *path)
{
  gd_scores_info info = e->info;
  gd_status st = info.interval > 0 ? calibrate(e, &info) : GD_OK;
  return st == GD_OK ? merge_parts(e, 0, e->n_units_wanted, &info, path) : st;
}

/* What rank 0 does when the scores are there: predictions.csv, attention maps,
 * counts, and no parts any more. */
static gd_status finish(const evaluation *e, const char *scores_path)
{
  char path[GD_PATH_MAX], name[GD_PATH_MAX];
  gd_text csv = {0};
  gd_scores *s = NULL;
  gd_status st = gd_scores_read_videos(scores_path, &s);
  if (st == GD_OK) {
    gd_scores_csv(s, &csv);
    gd_stage_count(e->env, "videos", s->n_videos);
    gd_stage_count(e->env, "faces", s->n_frames);
    gd_stage_count(e->env, "calibration", s->info.n_calibration);
    st = gd_text_status(&csv);
  }
  if (st == GD_OK && e->n_maps > 0)
    st = gd_evaluate_attention(e->env, e->faces, e->evaluator, s, e->n_maps,
                               gd_instance_flag(e->env->self, "blur"));
  gd_scores_free(s);
  if (st == GD_OK)
    st = gd_stage_path(e->env, "predictions.csv", path);
  if (st == GD_OK)
    st = gd_file_write(path, gd_text_get(&csv), csv.length_bytes);
  gd_text_free(&csv);
  for (int64_t u = 0; st == GD_OK && u < e->n_units; u++) {
    name_unit(e, u, name);
    st = gd_stage_path(e->env, name, path);
    if (st == GD_OK)
      st = gd_file_remove(path);
  }
  return st;
}

/* Whether an earlier run was stopped behind the merge: its parts may be gone
 * already.  The path is that of scores.h5. */
static gd_status find_merged(const evaluation *e, const char *scores_path,
                             int *out)
{
  char path[GD_PATH_MAX];
  const gd_status st = gd_stage_path(e->env, "calibration.h5", path);
  *out = st == GD_OK && gd_path_exists(scores_path) &&
         (e->info.interval == 0 || gd_path_exists(path));
  return st;
}

static gd_status evaluate(evaluation *e)
{
  char path[GD_PATH_MAX];
  int merged = 0;
  gd_status st = open_inputs(e);
  if (st == GD_OK)
    st = list_videos(e);
  if (st == GD_OK)
    st = cut_units(e);
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
    st = gd_stage_units(e->env, &(gd_units){.n_units = e->n_units,
                                            .cost = e->cost,
                                            .name = name_unit,
                                            .make = make_unit,
                                            .context = e});
    if (st != GD_OK)
      return st;
  }
  if (e->env->rank == 0 && !merged)
    st = merge(e, path);
  if (e->env->rank == 0 && st == GD_OK)
    st = finish(e, path);
  return gd_agree(e->env->comm, st);
}

static gd_status run(gd_stage_env *env)
{
  evaluation e = {.env = env};
  const gd_status st = evaluate(&e);
  gd_evaluator_free(e.evaluator);
  gd_model_free(e.model);
  gd_face_set_close(e.faces);
  free(e.videos);
  free(e.first_video);
  free(e.cost);
  return st;
}

const gd_stage gd_stage_evaluate = {
    .kind = "evaluate",
    .summary = "score the videos of one partition with a model",
    .run = run,
};
