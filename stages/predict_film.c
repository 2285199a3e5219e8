#include "predict_film.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "gradus/agree.h"
#include "gradus/attention_picture.h"
#include "gradus/blur.h"
#include "gradus/canvas.h"
#include "gradus/encoder.h"
#include "gradus/frames.h"
#include "gradus/memory.h"

/* A picture is a square, and two lines of text below it; both sides even. */
enum { SIDE = 224, LINE = 18, HEIGHT = SIDE + 2 * LINE + 4 };

typedef struct {
  gd_scoring *scoring;
  gd_scores *scores;
  gd_frame_set *frames; /* for their times */
  int is_blurred;
  int rows, columns;
  float *map;             /* (rows, columns) */
  uint8_t *face, *screen; /* (S, S, 3), (HEIGHT, SIDE, 3) */
} filming;

/* Return the time of a frame; NaN if the set lacks it. */
static double time_of(const filming *f, int32_t video, int64_t frame_index)
{
  const int64_t v = gd_video_table_find(gd_frame_set_videos(f->frames), video);
  const int64_t n = v < 0 ? 0 : gd_frame_set_n_frames(f->frames, v);
  int64_t low = 0, high = n;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (gd_frame_set_info(f->frames, v, middle).frame_index < frame_index)
      low = middle + 1;
    else
      high = middle;
  }
  return low < n ? gd_frame_set_info(f->frames, v, low).time_s : NAN;
}

/* Return how many pictures a second make the film as long as the video. */
static double rate_of(const filming *f, int64_t v, int32_t video)
{
  const int64_t first = f->scores->first_frame[v];
  const int64_t last = f->scores->first_frame[v + 1] - 1;
  const double seconds = time_of(f, video, f->scores->frame_index[last]) -
                         time_of(f, video, f->scores->frame_index[first]);
  const double rate = seconds > 0 ? (double)(last - first) / seconds : 1;
  return fmin(fmax(rate, 1), 240);
}

static void write_line(gd_canvas *c, int line, const char *text)
{
  const gd_font font = {.size = 13, .anchor = 0.5};
  gd_canvas_text(c, SIDE / 2.0, SIDE + LINE * (line + 1) - 3, font,
                 gd_colour_hex(line == 0 ? 0x1b1f24 : 0x59636e), text);
}

/* Draw a face with its map; `score` is the row of the scores' frames. */
static gd_status draw(filming *f, int64_t v, int64_t score, double time_s)
{
  const int size_px = gd_face_set_size_px(f->scoring->faces);
  const float whole[4] = {0, 0, (float)size_px, (float)size_px};
  gd_image image = {size_px, size_px, f->face};
  char text[64];
  gd_canvas *c = NULL;
  gd_status st = f->is_blurred ? gd_image_blur(&image, whole) : GD_OK;
  if (st == GD_OK)
    st = gd_canvas_new(GD_CANVAS_PIXELS, SIDE, HEIGHT, &c);
  if (st != GD_OK)
    return st;
  gd_attention_overlay(f->map, f->rows, f->columns, size_px, f->face);
  gd_canvas_image(c, f->face, size_px, size_px, 0, 0, SIDE, SIDE);
  snprintf(text, sizeof text, "level %.1f at %.2f s",
           f->scores->expected[score], time_s);
  write_line(c, 0, text);
  snprintf(text, sizeof text, "of the video: %.1f", f->scores->predicted[v]);
  write_line(c, 1, text);
  st = gd_canvas_rgb(c, f->screen);
  gd_canvas_free(c);
  return st;
}

/* Faces and scores of a video are in the same order. */
static gd_status film(filming *f, int64_t v, gd_encoder *e)
{
  gd_scoring *s = f->scoring;
  const gd_scored_video *video = &s->videos[v];
  gd_status st = GD_OK;
  for (int64_t i = video->first; st == GD_OK && i < video->end; i++) {
    const gd_face_info info = gd_face_set_info(s->faces, i);
    double expected, sigma;
    st = gd_face_set_read(s->faces, i, f->face);
    if (st == GD_OK)
      st = gd_evaluator_face(s->evaluator, f->face, &expected, &sigma, NULL);
    if (st != GD_OK)
      break;
    gd_evaluator_map(s->evaluator, f->map);
    st = draw(f, v, f->scores->first_frame[v] + i - video->first,
              time_of(f, info.video, info.frame_index));
    if (st == GD_OK)
      st = gd_encoder_append(e, f->screen);
    if (st == GD_OK)
      st = gd_stage_tick(s->env, 0);
  }
  return st;
}

static gd_status make_film(void *context, gd_stage_env *env, int64_t unit,
                           const char *path)
{
  filming *f = context;
  gd_encoder *e = NULL;
  (void)env;
  const int32_t video = gd_face_set_videos(f->scoring->faces)
                            ->index[f->scoring->videos[unit].row];
  gd_status st = gd_encoder_create(
      path, (gd_encoding){SIDE, HEIGHT, rate_of(f, unit, video)}, &e);
  if (st == GD_OK)
    st = film(f, unit, e);
  if (st == GD_OK)
    return gd_encoder_commit(e);
  gd_encoder_abandon(e);
  return st;
}

static void name_film(const void *context, int64_t unit, char out[GD_PATH_MAX])
{
  const filming *f = context;
  const gd_scoring *s = f->scoring;
  snprintf(out, GD_PATH_MAX, "attention-%05" PRId32 ".mp4",
           gd_face_set_videos(s->faces)->index[s->videos[unit].row]);
}

static gd_status prepare(filming *f, const char *scores)
{
  gd_scoring *s = f->scoring;
  const int64_t size_px = gd_face_set_size_px(s->faces);
  gd_status st = gd_scores_read(scores, &f->scores);
  if (st == GD_OK && f->scores->n_videos != s->n_videos)
    st = gd_fail(GD_ERR_FORMAT,
                 "%s: is not of these faces: remove it, it is made again",
                 scores);
  if (st == GD_OK)
    st = gd_frame_set_open(
        gd_instance_directory(gd_instance_upstream(s->env->self, "extract")),
        GD_FRAMES_TO_USE, &f->frames);
  if (st == GD_OK && s->evaluator == NULL)
    st = gd_evaluator_new(s->model, &s->evaluator);
  if (st != GD_OK)
    return st;
  gd_evaluator_map_size(s->evaluator, &f->rows, &f->columns);
  f->map = gd_alloc((int64_t)f->rows * f->columns, sizeof *f->map);
  f->face = gd_alloc(size_px * size_px * 3, 1);
  f->screen = gd_alloc((int64_t)SIDE * HEIGHT * 3, 1);
  return f->map == NULL || f->face == NULL || f->screen == NULL ? GD_ERR_NOMEM
                                                                : GD_OK;
}

gd_status gd_predict_films(gd_scoring *s, const char *scores, int is_blurred)
{
  filming f = {.scoring = s, .is_blurred = is_blurred};
  gd_status st = gd_agree(s->env->comm, prepare(&f, scores));
  if (st == GD_OK) {
    const gd_units films = {.n_units = s->n_videos,
                            .name = name_film,
                            .make = make_film,
                            .context = &f};
    st = gd_stage_units(s->env, &films);
  }
  gd_scores_free(f.scores);
  gd_frame_set_close(f.frames);
  free(f.map);
  free(f.face);
  free(f.screen);
  return st;
}
