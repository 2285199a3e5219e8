#include "gradus/aligner.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/file.h"
#include "gradus/landmarks.h"
#include "gradus/memory.h"
#include "gradus/quality.h"
#include "gradus/tracker.h"

struct gd_aligner {
  gd_aligner_config config;
  gd_mtcnn *mtcnn; /* NULL: landmarks come from CSV files */
  gd_subject *subject;
  gd_face_info *infos; /* of one video's frames */
  int64_t infos_room;
  uint8_t *frame; /* of one frame */
  int64_t frame_room;
  int64_t held;  /* the frame that is in it, of this video; -1: none */
  uint8_t *face; /* (S, S, 3) */
};

/* One video in its passes. */
typedef struct {
  gd_aligner *aligner;
  gd_frame_set *frames;
  int64_t v;
  const gd_landmarks *landmarks; /* NULL: the detector looks */
  gd_status (*tick)(void *context);
  void *context;
} video_search;

gd_status gd_aligner_open(const gd_aligner_config *config, gd_aligner **out)
{
  assert(config != NULL && config->size_px > 0 && out != NULL);
  assert(config->search_every >= 1 && config->max_gap >= 0);
  *out = NULL;

  gd_aligner *a = gd_alloc(1, sizeof *a);
  if (a == NULL)
    return GD_ERR_NOMEM;
  a->config = *config;
  a->config.detector = NULL; /* the caller's; not needed later */
  a->face = gd_alloc((int64_t)config->size_px * config->size_px, 3);
  gd_status st = a->face == NULL ? GD_ERR_NOMEM : gd_subject_new(&a->subject);
  if (st == GD_OK && strcmp(config->detector, "landmarks") != 0)
    st = gd_mtcnn_open(config->detector, &config->mtcnn, &a->mtcnn);
  if (st == GD_ERR_FORMAT)
    st = GD_ERR_USAGE; /* the wrong file was named: no retry will help */
  if (st == GD_OK)
    *out = a;
  else
    gd_aligner_close(a);
  return st;
}

void gd_aligner_close(gd_aligner *a)
{
  if (a == NULL)
    return;
  gd_mtcnn_close(a->mtcnn);
  gd_subject_free(a->subject);
  free(a->infos);
  free(a->frame);
  free(a->face);
  free(a);
}

static gd_status grow(gd_aligner *a, int64_t n_frames)
{
  if (n_frames <= a->infos_room)
    return GD_OK;
  free(a->infos);
  a->infos_room = 0;
  a->infos = gd_alloc(n_frames, sizeof *a->infos);
  if (a->infos == NULL)
    return GD_ERR_NOMEM;
  a->infos_room = n_frames;
  return GD_OK;
}

/* Read a frame into the aligner's buffer, unless it is there already. */
static gd_status read_frame(gd_aligner *a, gd_frame_set *frames, int64_t v,
                            int64_t i, gd_image *out)
{
  const gd_frame_info info = gd_frame_set_info(frames, v, i);
  const int64_t pixels = (int64_t)info.height_px * info.width_px;
  if (pixels > a->frame_room) {
    free(a->frame);
    a->frame_room = 0;
    a->held = -1;
    a->frame = gd_alloc(pixels, 3);
    if (a->frame == NULL)
      return GD_ERR_NOMEM;
    a->frame_room = pixels;
  }
  *out = (gd_image){
      .width_px = info.width_px, .height_px = info.height_px, .rgb = a->frame};
  if (a->held == i)
    return GD_OK;
  a->held = -1;
  gd_status st = gd_frame_set_read(frames, v, i, a->frame);
  if (st == GD_OK)
    a->held = i;
  return st;
}

static gd_status search_frame(void *context, int64_t i, const gd_face *before,
                              int n_before, const gd_face **faces, int *n)
{
  const video_search *s = context;
  gd_status st = GD_OK;
  if (s->landmarks != NULL) {
    const gd_frame_info info = gd_frame_set_info(s->frames, s->v, i);
    *n = gd_landmarks_at(s->landmarks, info.frame_index, faces);
  } else {
    gd_mtcnn *m = s->aligner->mtcnn;
    gd_image frame;
    st = read_frame(s->aligner, s->frames, s->v, i, &frame);
    if (st == GD_OK)
      st = before == NULL
               ? gd_mtcnn_detect(m, &frame, faces, n)
               : gd_mtcnn_follow(m, &frame, before, n_before, faces, n);
  }
  return st == GD_OK ? s->tick(s->context) : st;
}

/* First pass: what each frame offers. */
static gd_status find_faces(const video_search *s)
{
  gd_aligner *a = s->aligner;
  const gd_tracker_search search = {.search = search_frame,
                                    .context = (void *)s};
  gd_subject_clear(a->subject);
  return gd_tracker_run(gd_frame_set_n_frames(s->frames, s->v),
                        s->landmarks != NULL ? 1 : a->config.search_every,
                        &search, a->subject);
}

/* What can be told of a face that is drawn in a->face. */
static void describe_face(const gd_aligner *a, const gd_image *frame,
                          gd_face_info *info)
{
  info->sharpness = gd_face_sharpness(a->face, a->config.size_px);
  if (gd_face_is_profile((const float(*)[2])info->face.landmarks))
    info->flags |= GD_FACE_PROFILE;
  if (gd_face_is_partial(info->face.box, frame->width_px, frame->height_px))
    info->flags |= GD_FACE_PARTIAL;
}

/* Second pass: draw the subject's face of every frame that has one.  A face
 * that cannot be aligned (its landmarks coincide) counts as missing. */
static gd_status draw_faces(const video_search *s, gd_face_writer *w,
                            int64_t *n_drawn)
{
  gd_aligner *a = s->aligner;
  gd_frame_set *frames = s->frames;
  const int64_t v = s->v;
  const int32_t video = gd_frame_set_videos(frames)->index[v];
  gd_status st = GD_OK;
  *n_drawn = 0;
  for (int64_t i = 0; st == GD_OK && i < gd_frame_set_n_frames(frames, v);
       i++) {
    gd_face_info *info = &a->infos[i];
    gd_image frame;
    if (info->status == GD_FACE_MISSING) {
      gd_face_writer_missing(w, video, 1);
      continue;
    }
    info->frame_index = gd_frame_set_info(frames, v, i).frame_index;
    info->video = video;
    st = read_frame(a, frames, v, i, &frame);
    if (st != GD_OK)
      break;
    st = gd_face_align(&frame, &a->config.alignment, &info->face,
                       a->config.size_px, a->face);
    if (st == GD_OK) {
      describe_face(a, &frame, info);
      st = gd_face_writer_append(w, info, a->face);
      ++*n_drawn;
    } else if (st == GD_ERR_NUMERIC) {
      gd_face_writer_missing(w, video, 1);
      st = GD_OK;
    }
    if (st == GD_OK)
      st = s->tick(s->context);
  }
  return st;
}

static int64_t count_faces(const gd_aligner *a, int64_t n_frames)
{
  int64_t n = 0;
  for (int64_t i = 0; i < n_frames; i++)
    n += a->infos[i].status != GD_FACE_MISSING;
  return n;
}

/* Open the landmark CSV beside a video.  GD_ERR_FORMAT: the video has none that
 * can be read, now or later. */
static gd_status read_landmarks(const gd_video *video, gd_landmarks **out)
{
  if (video->landmarks[0] == '\0')
    return gd_fail(GD_ERR_FORMAT,
                   "%s: no landmark CSV beside the video / set `detector` to "
                   "the weights of MTCNN",
                   video->path);
  return gd_file_judge(gd_landmarks_read(video->landmarks, out),
                       video->landmarks);
}

gd_status gd_aligner_video(gd_aligner *a, gd_frame_set *frames, int64_t v,
                           gd_face_writer *w, gd_status (*tick)(void *context),
                           void *context)
{
  assert(a != NULL && frames != NULL && w != NULL && tick != NULL);

  const gd_video_table *videos = gd_frame_set_videos(frames);
  const int64_t n = gd_frame_set_n_frames(frames, v);
  gd_landmarks *landmarks = NULL;
  if (a->mtcnn == NULL) {
    gd_status st = read_landmarks(&videos->videos[v], &landmarks);
    if (st == GD_ERR_FORMAT)
      return gd_face_writer_skip(w, videos->index[v]);
    if (st != GD_OK)
      return st;
  }
  video_search search = {.aligner = a,
                         .frames = frames,
                         .v = v,
                         .landmarks = landmarks,
                         .tick = tick,
                         .context = context};
  a->held = -1;
  gd_status st = grow(a, n);
  if (st == GD_OK)
    st = find_faces(&search);
  gd_landmarks_free(landmarks);
  search.landmarks = NULL;
  if (st != GD_OK)
    return st;

  const gd_frame_info first = gd_frame_set_info(frames, v, 0);
  const gd_subject_rules rules = {
      .max_gap = a->config.max_gap,
      .missing = a->config.missing,
      .stand_in = gd_alignment_centred(&a->config.alignment, first.width_px,
                                       first.height_px)};
  gd_subject_choose(a->subject, &rules, a->infos);
  const int64_t n_found = count_faces(a, n);
  int64_t n_drawn;
  st = draw_faces(&search, w, &n_drawn);
  if (st != GD_OK || n_drawn > 0)
    return st;
  (void)!gd_fail(
      GD_ERR_DECODE, "%s: no face in any of its %" PRId64 " frames%s",
      videos->videos[v].path, n, n_found > 0 ? " can be aligned" : "");
  return gd_face_writer_skip(w, videos->index[v]);
}
