/* predict -- score videos that nobody has labelled, with a model from a file.
 *
 *   scores.h5         scores of all: see gradus/scores.h
 *   predictions.csv   the same per video, for people
 *   frames.csv        a row for each frame of each video
 *   attention-NNNNN.mp4   where the levels come from: see predict_film.h
 *
 * How faces become scores, over all ranks: see scoring.h.  A corpus without
 * any face gives files without rows. */
#include <inttypes.h>
#include <string.h>

#include "gradus/agree.h"
#include "gradus/calibration.h"
#include "gradus/frames.h"
#include "predict_film.h"
#include "scoring.h"

static gd_status read_calibration(const gd_instance *self, const char *path,
                                  gd_scores_info *info)
{
  gd_calibration c;
  char model[GD_DIGEST_HEX];
  gd_status st = gd_calibration_read(path, &c);
  if (st != GD_OK)
    return st;
  gd_digest_hex(gd_instance_content(self, "model"), model);
  if (strcmp(c.model, model) != 0)
    return gd_fail(GD_ERR_USAGE,
                   "%s: is of another model (digest %s, not %s): evaluate this "
                   "one",
                   path, c.model, model);
  info->average = c.average;
  info->interval = c.interval;
  info->half_width = c.half_width;
  info->n_calibration = c.n_calibration;
  return GD_OK;
}

static gd_status open_inputs(gd_stage_env *env, gd_scoring *s)
{
  const char *calibration = gd_instance_text(env->self, "calibration");
  gd_status st = gd_scoring_open(
      env, gd_instance_text(env->self, "model"),
      gd_instance_directory(gd_instance_upstream(env->self, "align")), s);
  s->info.partition = GD_TEST;
  s->info.average = GD_AVERAGE_MEAN;
  if (st == GD_OK && calibration[0] != '\0')
    st = read_calibration(env->self, calibration, &s->info);
  if (st == GD_OK)
    st = gd_scoring_add(s, GD_TEST);
  s->n_wanted = s->n_videos;
  return st == GD_OK ? gd_scoring_cut(s) : st;
}

/* --------------------------------------------------------------------- frames
 */

/* Where the next face and the next score are, as all three are in order of
 * (video, frame). */
typedef struct {
  const gd_face_set *faces;
  const gd_scores *scores;
  int64_t face, score;
} cursor;

static void add_frame(cursor *c, int32_t video, const gd_frame_info *frame,
                      gd_text *out)
{
  gd_face_status status = GD_FACE_MISSING;
  if (c->face < gd_face_set_n_faces(c->faces)) {
    const gd_face_info face = gd_face_set_info(c->faces, c->face);
    if (face.video == video && face.frame_index == frame->frame_index) {
      status = face.status;
      c->face++;
    }
  }
  gd_text_printf(out, ",%" PRId64 ",%.6f,%s,", frame->frame_index,
                 frame->time_s, gd_face_status_name(status));
  /* There is a score for each face. */
  if (status != GD_FACE_MISSING && c->score < c->scores->n_frames) {
    gd_text_printf(out, "%.6f,%.6f", c->scores->expected[c->score],
                   c->scores->sigma[c->score]);
    c->score++;
  } else {
    gd_text_add(out, ",");
  }
  gd_text_add(out, "\n");
}

static gd_status write_frames(const gd_scoring *s, const gd_scores *scores)
{
  char path[GD_PATH_MAX];
  gd_frame_set *frames = NULL;
  gd_text t = {0};
  cursor c = {.faces = s->faces, .scores = scores};
  const gd_instance *extract = gd_instance_upstream(s->env->self, "extract");
  gd_status st = gd_frame_set_open(gd_instance_directory(extract),
                                   GD_FRAMES_TO_USE, &frames);
  gd_text_add(&t, "video,frame,time_s,face,expected,sigma\n");
  const gd_video_table *videos =
      st == GD_OK ? gd_frame_set_videos(frames) : NULL;
  for (int64_t v = 0; st == GD_OK && v < videos->n_videos; v++) {
    for (int64_t i = 0; i < gd_frame_set_n_frames(frames, v); i++) {
      const gd_frame_info info = gd_frame_set_info(frames, v, i);
      gd_text_csv(&t, videos->videos[v].id);
      add_frame(&c, videos->index[v], &info, &t);
    }
    st = gd_stage_tick(s->env, 0);
  }
  gd_frame_set_close(frames);
  if (st == GD_OK && c.score != scores->n_frames)
    st = gd_fail(
        GD_ERR_FORMAT,
        "%s: holds faces of frames that are not there; remove it, and "
        "repeat the same command",
        gd_instance_directory(gd_instance_upstream(s->env->self, "align")));
  if (st == GD_OK)
    st = gd_text_status(&t);
  if (st == GD_OK)
    st = gd_stage_path(s->env, "frames.csv", path);
  if (st == GD_OK)
    st = gd_file_write(path, gd_text_get(&t), t.length_bytes);
  gd_text_free(&t);
  return st;
}

/* ---------------------------------------------------------------------- stage
 */

/* What rank 0 does when all parts are there, or were merged by an earlier run.
 */
static gd_status finish(const gd_scoring *s, const char *path)
{
  gd_scores *scores = NULL;
  gd_status st = GD_OK;
  if (!gd_path_exists(path))
    st = gd_scoring_merge(s, 0, s->n_units, &s->info, path);
  if (st == GD_OK)
    st = gd_scores_read(path, &scores);
  if (st == GD_OK)
    st = write_frames(s, scores);
  gd_scores_free(scores);
  return st == GD_OK ? gd_scoring_finish(s, path) : st;
}

static gd_status predict(gd_stage_env *env, gd_scoring *s)
{
  char path[GD_PATH_MAX];
  gd_status st = open_inputs(env, s);
  if (st == GD_OK)
    st = gd_stage_path(env, "scores.h5", path);
  st = gd_agree(env->comm, st);
  if (st != GD_OK)
    return st;
  int merged = env->rank == 0 && gd_path_exists(path);
  gd_stage_items(env, s->n_videos);
  MPI_Bcast(&merged, 1, MPI_INT, 0, env->comm);
  if (!merged) {
    st = gd_scoring_run(s);
    if (st != GD_OK)
      return st;
  }
  st = gd_agree(env->comm, env->rank == 0 ? finish(s, path) : GD_OK);
  if (st == GD_OK && gd_instance_flag(env->self, "film"))
    st = gd_predict_films(s, path, gd_instance_flag(env->self, "blur"));
  return st;
}

static gd_status run(gd_stage_env *env)
{
  gd_scoring s = {0};
  const gd_status st = predict(env, &s);
  gd_scoring_close(&s);
  return st;
}

const gd_stage gd_stage_predict = {.kind = "predict", .run = run};
