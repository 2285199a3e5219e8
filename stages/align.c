/* align -- find the subject's face in every frame, cut it out upright.
 *
 *   faces-NNNNN.h5   the aligned faces of a group of whole videos
 *   faces.csv        how good the faces of each video are
 *   sheet.png        a sample of all faces, to be looked at
 *   sheet-NNNNN.png  the same of single videos, the worst ones first
 *
 * A unit of work is a run of neighbouring videos: a video's faces depend on all
 * of its frames, and lie in one shard.  Runs are cut by the numbers of frames
 * alone. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "align.h"
#include "gradus/agree.h"
#include "gradus/memory.h"

/* A unit has at least so many frames, and more where that would make more
 * units than files are handy. */
enum { LEAST_FRAMES = 64, MOST_UNITS = 512 };

static gd_status plan(gd_align *a)
{
  const int64_t n_videos = gd_frame_set_videos(a->frames)->n_videos;
  int64_t all = 0;
  for (int64_t v = 0; v < n_videos; v++)
    all += gd_frame_set_n_frames(a->frames, v);
  const int64_t target =
      all / MOST_UNITS > LEAST_FRAMES ? all / MOST_UNITS : LEAST_FRAMES;

  a->first = gd_alloc(n_videos + 1, sizeof *a->first);
  a->cost = gd_alloc(n_videos, sizeof *a->cost);
  if (a->first == NULL || a->cost == NULL)
    return GD_ERR_NOMEM;
  for (int64_t v = 0; v < n_videos; v++) {
    a->cost[a->n_units] += (double)gd_frame_set_n_frames(a->frames, v);
    if (a->cost[a->n_units] >= (double)target || v + 1 == n_videos)
      a->first[++a->n_units] = v + 1;
  }
  return GD_OK;
}

void gd_align_name_unit(const void *context, int64_t unit,
                        char out[GD_PATH_MAX])
{
  (void)context;
  snprintf(out, GD_PATH_MAX, "faces-%05" PRId64 ".h5", unit);
}

static gd_status tick(void *env)
{
  return gd_stage_tick(env, 0);
}

static gd_status make_unit(void *context, gd_stage_env *env, int64_t unit,
                           const char *path)
{
  gd_align *a = context;
  char alignment[GD_ALIGNMENT_TEXT];
  gd_face_writer *w;
  gd_alignment_text(&a->alignment, alignment);
  gd_status st = gd_face_writer_create(path, a->digest, a->size_px, alignment,
                                       gd_frame_set_videos(a->frames), &w);
  if (st != GD_OK)
    return st;
  for (int64_t v = a->first[unit]; st == GD_OK && v < a->first[unit + 1]; v++)
    st = gd_aligner_video(a->aligner, a->frames, v, w, tick, env);
  if (st == GD_OK)
    return gd_face_writer_commit(w);
  gd_face_writer_abandon(w);
  return st;
}

static gd_status count_unit(void *context, gd_stage_env *env, int64_t unit,
                            const char *path)
{
  (void)context;
  (void)unit;
  int64_t counts[GD_N_FACE_STATUS];
  gd_status st = gd_face_shard_count(path, counts);
  for (int i = 0; st == GD_OK && i < GD_N_FACE_STATUS; i++) {
    gd_stage_count(env, "frames", counts[i]);
    gd_stage_count(env, gd_face_status_name(i), counts[i]);
  }
  return st;
}

static gd_status prepare(gd_stage_env *env, gd_align *a)
{
  const gd_instance *self = env->self;
  const double *thresholds = gd_instance_reals(self, "thresholds");
  gd_aligner_config config = {
      .detector = gd_instance_text(self, "detector"),
      .mtcnn = gd_mtcnn_defaults(),
      .search_every = gd_instance_int(self, "search_every"),
      .max_gap = gd_instance_int(self, "max_gap"),
      .alignment = {.margin = gd_instance_real(self, "margin")},
      .size_px = (int)gd_instance_int(self, "size")};
  config.mtcnn.min_face_px = (double)gd_instance_int(self, "min_face");
  config.mtcnn.factor = gd_instance_real(self, "factor");
  for (int i = 0; i < 3; i++)
    config.mtcnn.thresholds[i] = thresholds[i];
  a->digest = gd_instance_digest(self);
  a->size_px = config.size_px;
  a->n_sheets = gd_instance_int(self, "sheets");
  a->sheets_are_blurred = gd_instance_flag(self, "blur");

  const gd_instance *extract = gd_instance_upstream(self, "extract");
  assert(extract != NULL);
  gd_status st =
      gd_missing_policy_of(gd_instance_text(self, "missing"), &config.missing);
  if (st == GD_OK)
    st = gd_alignment_mode_of(gd_instance_text(self, "alignment"),
                              &config.alignment.mode);
  a->alignment = config.alignment;
  if (st == GD_OK)
    st = gd_aligner_open(&config, &a->aligner);
  if (st == GD_OK)
    st = gd_frame_set_open(gd_instance_directory(extract), GD_FRAMES_TO_USE,
                           &a->frames);
  return st == GD_OK ? plan(a) : st;
}

static gd_status run(gd_stage_env *env)
{
  gd_align a = {0};
  gd_status st = gd_agree(env->comm, prepare(env, &a));
  if (st == GD_OK) {
    const gd_units units = {.n_units = a.n_units,
                            .cost = a.cost,
                            .name = gd_align_name_unit,
                            .make = make_unit,
                            .count = count_unit,
                            .context = &a};
    gd_stage_items(env, gd_frame_set_videos(a.frames)->n_videos);
    st = gd_stage_units(env, &units);
  }
  if (st == GD_OK)
    st = gd_agree(env->comm, env->rank == 0 ? gd_align_list(env, &a) : GD_OK);
  gd_frame_set_close(a.frames);
  gd_aligner_close(a.aligner);
  free(a.first);
  free(a.cost);
  return st;
}

const gd_stage gd_stage_align = {.kind = "align", .run = run};
