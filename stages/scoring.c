#include "scoring.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/loss.h"
#include "gradus/memory.h"

enum { UNIT_FACES = 32 };

/* Faces that were made otherwise than those the model has learnt from give
 * numbers that look like results. */
static gd_status check_faces(const gd_scoring *s)
{
  const gd_model_info *m = &s->model->info;
  const int size_px = gd_face_set_size_px(s->faces);
  if (size_px != m->network.height || size_px != m->network.width)
    return gd_fail(GD_ERR_USAGE,
                   "%s: faces are %d x %d px, the model was trained on %d x %d",
                   gd_instance_title(s->env->self), size_px, size_px,
                   m->network.height, m->network.width);
  if (strcmp(gd_face_set_template(s->faces), m->face_template) != 0)
    return gd_fail(GD_ERR_USAGE,
                   "%s: faces are aligned to \"%.100s\", the model was trained "
                   "on \"%.100s\"",
                   gd_instance_title(s->env->self),
                   gd_face_set_template(s->faces), m->face_template);
  return GD_OK;
}

gd_status gd_scoring_open(gd_stage_env *env, const char *model,
                          const char *faces, gd_scoring *out)
{
  *out = (gd_scoring){.env = env};
  gd_status st = gd_model_read(model, &out->model);
  if (st == GD_OK)
    st = gd_face_set_open(faces, &out->faces);
  if (st == GD_OK)
    st = check_faces(out);
  if (st != GD_OK)
    return st;
  const gd_model_info *m = &out->model->info;
  snprintf(out->info.loss, sizeof out->info.loss, "%s", gd_loss_name(m->loss));
  out->info.n_levels = m->n_levels;
  out->info.has_distribution = gd_loss_has_distribution(m->loss);
  return GD_OK;
}

void gd_scoring_close(gd_scoring *s)
{
  gd_evaluator_free(s->evaluator);
  gd_model_free(s->model);
  gd_face_set_close(s->faces);
  free(s->videos);
  free(s->first_video);
  free(s->cost);
}

gd_status gd_scoring_want_maps(gd_scoring *s)
{
  gd_status st = gd_evaluator_new(s->model, &s->evaluator);
  if (st == GD_OK)
    gd_evaluator_map_size(s->evaluator, &s->info.map_rows,
                          &s->info.map_columns);
  return st;
}

/* ------------------------------------------------------------------- plan */

gd_status gd_scoring_add(gd_scoring *s, gd_partition partition)
{
  const gd_video_table *table = gd_face_set_videos(s->faces);
  const int64_t n_faces = gd_face_set_n_faces(s->faces);
  if (s->videos == NULL)
    s->videos = gd_alloc(table->n_videos, sizeof *s->videos);
  if (s->videos == NULL)
    return GD_ERR_NOMEM;
  for (int64_t i = 0, end; i < n_faces; i = end) {
    const int64_t row = gd_face_set_video_row(s->faces, i);
    for (end = i + 1;
         end < n_faces && gd_face_set_video_row(s->faces, end) == row; end++)
      ;
    if (table->videos[row].partition == partition)
      s->videos[s->n_videos++] = (gd_scored_video){row, i, end};
  }
  return GD_OK;
}

gd_status gd_scoring_cut(gd_scoring *s)
{
  s->first_video = gd_alloc(s->n_videos + 1, sizeof *s->first_video);
  s->cost = gd_alloc(s->n_videos, sizeof *s->cost);
  if (s->first_video == NULL || s->cost == NULL)
    return GD_ERR_NOMEM;
  for (int64_t v = 0; v < s->n_videos; v++) {
    if (v == s->n_wanted)
      s->n_units_wanted = s->n_units;
    if (v == 0 || v == s->n_wanted || s->cost[s->n_units - 1] >= UNIT_FACES)
      s->first_video[s->n_units++] = v;
    s->cost[s->n_units - 1] += (double)(s->videos[v].end - s->videos[v].first);
  }
  if (s->n_videos == s->n_wanted)
    s->n_units_wanted = s->n_units;
  s->first_video[s->n_units] = s->n_videos;
  return GD_OK;
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

static gd_status make_room(const gd_scoring *s, int64_t n, int64_t n_cells,
                           buffers *b)
{
  const int64_t size_px = gd_face_set_size_px(s->faces);
  b->rgb = gd_alloc(size_px * size_px * 3, 1);
  b->frame_index = gd_alloc(n, sizeof *b->frame_index);
  b->expected = gd_alloc(n, sizeof *b->expected);
  b->sigma = gd_alloc(n, sizeof *b->sigma);
  if (s->info.has_distribution)
    b->distribution = gd_alloc(n * s->info.n_levels, sizeof *b->distribution);
  if (n_cells > 0) {
    b->map = gd_alloc(n_cells, sizeof *b->map);
    b->sum = gd_alloc(n_cells, sizeof *b->sum);
    if (b->map == NULL || b->sum == NULL)
      return GD_ERR_NOMEM;
  }
  return b->rgb == NULL || b->frame_index == NULL || b->expected == NULL ||
                 b->sigma == NULL ||
                 (s->info.has_distribution && b->distribution == NULL)
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
static void add_map(gd_scoring *s, buffers *b, int is_first)
{
  const int n_cells = s->info.map_rows * s->info.map_columns;
  gd_evaluator_map(s->evaluator, b->map);
  for (int i = 0; i < n_cells; i++)
    b->sum[i] = (is_first ? 0 : b->sum[i]) + (double)b->map[i];
}

static gd_status append_mean_map(const gd_scoring *s, buffers *b, int64_t n,
                                 gd_scores_writer *w)
{
  const int n_cells = s->info.map_rows * s->info.map_columns;
  for (int i = 0; i < n_cells; i++)
    b->map[i] = (float)(b->sum[i] / (double)n);
  return gd_scores_writer_map(w, b->map);
}

static gd_status score_video(gd_scoring *s, const gd_scored_video *v,
                             buffers *b, gd_scores_writer *w)
{
  const gd_video_table *table = gd_face_set_videos(s->faces);
  gd_status st = GD_OK;
  for (int64_t i = v->first; st == GD_OK && i < v->end; i++) {
    const int64_t f = i - v->first;
    b->frame_index[f] = gd_face_set_info(s->faces, i).frame_index;
    st = gd_face_set_read(s->faces, i, b->rgb);
    if (st == GD_OK)
      st = gd_evaluator_face(
          s->evaluator, b->rgb, &b->expected[f], &b->sigma[f],
          b->distribution == NULL ? NULL
                                  : b->distribution + f * s->info.n_levels);
    if (st == GD_ERR_NUMERIC)
      st =
          gd_fail(st, "%s, frame %" PRId64 ": the model's output is not finite",
                  table->videos[v->row].id, b->frame_index[f]);
    if (st == GD_OK && b->map != NULL)
      add_map(s, b, i == v->first);
    if (st == GD_OK)
      st = gd_stage_tick(s->env, 0);
  }
  if (st == GD_OK)
    st = gd_scores_writer_append(w, table->index[v->row], v->end - v->first,
                                 b->frame_index, b->expected, b->sigma,
                                 b->distribution);
  if (st == GD_OK && b->map != NULL)
    st = append_mean_map(s, b, v->end - v->first, w);
  return st;
}

gd_scores_info gd_scoring_info(const gd_scoring *s, int wanted)
{
  gd_scores_info info = s->info;
  info.interval = 0;
  if (!wanted) {
    info.partition = GD_DEV;
    info.map_rows = info.map_columns = 0;
  }
  return info;
}

/* A part of the scores carries the videos of its own: of many parts, each with
 * the table of all, none would be left to read. */
static gd_status create_part(const gd_scoring *s, int64_t first, int64_t end,
                             const gd_scores_info *info, const char *path,
                             gd_scores_writer **out)
{
  const gd_video_table *all = gd_face_set_videos(s->faces);
  gd_video_table *own = NULL;
  int32_t *wanted = gd_alloc(end - first, sizeof *wanted);
  gd_status st = wanted == NULL ? GD_ERR_NOMEM : GD_OK;
  for (int64_t v = first; st == GD_OK && v < end; v++)
    wanted[v - first] = all->index[s->videos[v].row];
  if (st == GD_OK)
    st = gd_video_table_select(all, wanted, end - first, &own);
  if (st == GD_OK)
    st = gd_scores_writer_create(path, gd_instance_digest(s->env->self), info,
                                 own, out);
  gd_video_table_free(own);
  free(wanted);
  return st;
}

static gd_status make_unit(void *context, gd_stage_env *env, int64_t unit,
                           const char *path)
{
  (void)env;
  gd_scoring *s = context;
  const int64_t first = s->first_video[unit], end = s->first_video[unit + 1];
  const gd_scores_info info = gd_scoring_info(s, unit < s->n_units_wanted);
  buffers room = {0};
  gd_scores_writer *w = NULL;
  int64_t most = 0;
  for (int64_t v = first; v < end; v++)
    if (s->videos[v].end - s->videos[v].first > most)
      most = s->videos[v].end - s->videos[v].first;

  gd_status st =
      make_room(s, most, (int64_t)info.map_rows * info.map_columns, &room);
  if (st == GD_OK && s->evaluator == NULL)
    st = gd_evaluator_new(s->model, &s->evaluator);
  if (st == GD_OK)
    st = create_part(s, first, end, &info, path, &w);
  for (int64_t v = first; st == GD_OK && v < end; v++)
    st = score_video(s, &s->videos[v], &room, w);
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

gd_status gd_scoring_run(gd_scoring *s)
{
  return gd_stage_units(s->env, &(gd_units){.n_units = s->n_units,
                                            .cost = s->cost,
                                            .name = name_unit,
                                            .make = make_unit,
                                            .context = s});
}

/* ------------------------------------------------------------------ merge */

static gd_status append_part(const gd_scoring *s, int64_t unit,
                             gd_scores_writer *w)
{
  char name[GD_PATH_MAX], path[GD_PATH_MAX];
  gd_scores *part = NULL;
  name_unit(s, unit, name);
  gd_status st = gd_stage_path(s->env, name, path);
  if (st == GD_OK)
    st = gd_scores_read(path, &part);
  for (int64_t v = 0; st == GD_OK && v < part->n_videos; v++) {
    const int64_t f = part->first_frame[v];
    st = gd_scores_writer_append(
        w, part->videos->index[part->row[v]], part->first_frame[v + 1] - f,
        part->frame_index + f, part->expected + f, part->sigma + f,
        part->distribution == NULL
            ? NULL
            : part->distribution + f * part->info.n_levels);
    if (st == GD_OK && part->map != NULL)
      st =
          gd_scores_writer_map(w, part->map + v * (int64_t)part->info.map_rows *
                                                  part->info.map_columns);
  }
  gd_scores_free(part);
  return st;
}

gd_status gd_scoring_merge(const gd_scoring *s, int64_t first, int64_t end,
                           const gd_scores_info *info, const char *path)
{
  gd_scores_writer *w = NULL;
  gd_status st =
      gd_scores_writer_create(path, gd_instance_digest(s->env->self), info,
                              gd_face_set_videos(s->faces), &w);
  for (int64_t u = first; st == GD_OK && u < end; u++) {
    st = append_part(s, u, w);
    if (st == GD_OK)
      st = gd_stage_tick(s->env, 0);
  }
  if (st == GD_OK)
    return gd_scores_writer_commit(w);
  gd_scores_writer_abandon(w);
  return st;
}

static gd_status drop_parts(const gd_scoring *s)
{
  char path[GD_PATH_MAX], name[GD_PATH_MAX];
  gd_status st = GD_OK;
  for (int64_t u = 0; st == GD_OK && u < s->n_units; u++) {
    name_unit(s, u, name);
    st = gd_stage_path(s->env, name, path);
    if (st == GD_OK)
      st = gd_file_remove(path);
  }
  return st;
}

gd_status gd_scoring_finish(const gd_scoring *s, const char *path)
{
  char csv_path[GD_PATH_MAX];
  gd_text csv = {0};
  gd_scores *scores = NULL;
  gd_status st = gd_scores_read_videos(path, &scores);
  if (st == GD_OK) {
    gd_scores_csv(scores, &csv);
    gd_stage_count(s->env, "videos", scores->n_videos);
    gd_stage_count(s->env, "faces", scores->n_frames);
    gd_stage_count(s->env, "calibration", scores->info.n_calibration);
    st = gd_text_status(&csv);
  }
  gd_scores_free(scores);
  if (st == GD_OK)
    st = gd_stage_path(s->env, "predictions.csv", csv_path);
  if (st == GD_OK)
    st = gd_file_write(csv_path, gd_text_get(&csv), csv.length_bytes);
  gd_text_free(&csv);
  return st == GD_OK ? drop_parts(s) : st;
}
