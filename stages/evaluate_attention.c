#include "evaluate_attention.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gradus/attention_choice.h"
#include "gradus/attention_picture.h"
#include "gradus/attention_set.h"
#include "gradus/blur.h"
#include "gradus/memory.h"

/* Return the face of a frame, which the scores are of, or -1. */
static int64_t find_face(const gd_face_set *faces, int64_t row,
                         int64_t frame_index)
{
  for (int64_t i = 0; i < gd_face_set_n_faces(faces); i++)
    if (gd_face_set_video_row(faces, i) == row &&
        gd_face_set_info(faces, i).frame_index == frame_index)
      return i;
  return -1;
}

static gd_status describe(const gd_scores *s, const gd_attention_choice *choice,
                          gd_attention_case *out)
{
  const gd_video *video = gd_scores_video(s, choice->video);
  out->video = s->videos->index[s->row[choice->video]];
  out->frame_index = s->frame_index[choice->frame];
  out->label = video->label;
  out->predicted = s->predicted[choice->video];
  out->expected = s->expected[choice->frame];
  out->id = gd_strdup(video->id);
  out->reason = gd_strdup(choice->reason);
  return out->id == NULL || out->reason == NULL ? GD_ERR_NOMEM : GD_OK;
}

static gd_status look_at(gd_face_set *faces, gd_evaluator *evaluator,
                         int64_t row, int size_px, int is_blurred,
                         gd_attention_case *out)
{
  const int64_t face = find_face(faces, row, out->frame_index);
  double expected, sigma;
  if (face < 0)
    return gd_fail(GD_ERR_FORMAT,
                   "%s, frame %" PRId64 ": has a score but no face: remove the "
                   "scores, they are made again",
                   out->id, out->frame_index);
  gd_status st = gd_face_set_read(faces, face, out->rgb);
  if (st == GD_OK)
    st = gd_evaluator_face(evaluator, out->rgb, &expected, &sigma, NULL);
  if (st != GD_OK)
    return st;
  gd_evaluator_map(evaluator, out->map);
  gd_image image = {size_px, size_px, out->rgb};
  const float whole[4] = {0, 0, (float)size_px, (float)size_px};
  return is_blurred ? gd_image_blur(&image, whole) : GD_OK;
}

static gd_status fill(gd_face_set *faces, gd_evaluator *evaluator,
                      const gd_scores *s, const gd_attention_choice *choices,
                      gd_attention_set *out)
{
  gd_status st = GD_OK;
  out->partition = s->info.partition;
  out->n_levels = s->info.n_levels;
  out->is_exact = !s->info.has_distribution;
  out->n_videos = s->n_videos;
  memcpy(out->loss, s->info.loss, sizeof out->loss);
  snprintf(out->face_template, sizeof out->face_template, "%s",
           gd_face_set_template(faces));
  gd_attention_mean(s, out->mean);
  for (int i = 0; st == GD_OK && i < out->n; i++) {
    st = describe(s, &choices[i], &out->cases[i]);
    if (st == GD_OK)
      st = look_at(faces, evaluator, s->row[choices[i].video], out->size_px,
                   out->is_blurred, &out->cases[i]);
  }
  return st;
}

static gd_status draw(const gd_stage_env *env, const gd_attention_set *s,
                      int which)
{
  char name[32], path[GD_PATH_MAX];
  gd_text png = {0};
  if (which == GD_ATTENTION_MEAN)
    snprintf(name, sizeof name, "attention-mean.png");
  else
    snprintf(name, sizeof name, "attention-%02d.png", which + 1);
  gd_status st = gd_attention_picture(s, which, 1, &png);
  if (st == GD_OK)
    st = gd_text_status(&png);
  if (st == GD_OK)
    st = gd_stage_path(env, name, path);
  if (st == GD_OK)
    st = gd_file_write(path, png.data, png.length_bytes);
  gd_text_free(&png);
  return st;
}

static gd_status keep(const gd_stage_env *env, const gd_attention_set *s)
{
  char path[GD_PATH_MAX];
  gd_status st = gd_stage_path(env, "attention.h5", path);
  if (st == GD_OK)
    st = gd_attention_set_write(path, gd_instance_digest(env->self), s);
  for (int i = GD_ATTENTION_MEAN; st == GD_OK && i < s->n; i++)
    st = draw(env, s, i);
  return st;
}

gd_status gd_evaluate_attention(gd_stage_env *env, gd_face_set *faces,
                                gd_evaluator *evaluator, const gd_scores *s,
                                int most, int is_blurred)
{
  gd_attention_choice choices[GD_ATTENTION_MOST];
  gd_attention_set *set = NULL;
  int n = 0;
  assert(most >= 1 && most <= GD_ATTENTION_MOST && s->map != NULL);

  gd_status st = gd_attention_choose(s, most, choices, &n);
  if (st == GD_OK && n == 0)
    st = gd_fail(GD_ERR_USAGE,
                 "%s: no video has a label: no attention map can be chosen, "
                 "set attention: 0",
                 gd_instance_title(env->self));
  if (st == GD_OK)
    st = gd_attention_set_new(n, gd_face_set_size_px(faces), s->info.map_rows,
                              s->info.map_columns, &set);
  if (st != GD_OK)
    return st;
  set->is_blurred = is_blurred;
  st = fill(faces, evaluator, s, choices, set);
  if (st == GD_OK)
    st = keep(env, set);
  gd_attention_set_free(set);
  return st;
}
