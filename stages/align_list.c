/* The last part of align: a table of all videos and contact sheets, which tell
 * whether the faces are fit for use, and which to look at. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "align.h"
#include "gradus/folder.h"
#include "gradus/memory.h"
#include "gradus/quality.h"
#include "gradus/sheet.h"

enum { SHEET_FACES = 64 };

/* A row of the table. */
typedef struct {
  int64_t v; /* row of the frames' videos */
  gd_quality quality;
  gd_range faces; /* of the set */
  int has_sheet;
  gd_text note;
} video_row;

typedef struct {
  gd_stage_env *env;
  const gd_align *align;
  gd_face_set *faces;
  int64_t n_videos;
  video_row *rows;   /* by video */
  video_row **worst; /* those with faces, worst first */
  int64_t n_worst;
} listing;

/* ------------------------------------------------------------------- gathering
 */

/* Go through a video's frames and the faces that the set has of them, which
 * begin at `next`. */
static int64_t measure_video(const listing *l, video_row *row, int64_t next)
{
  gd_frame_set *frames = l->align->frames;
  const int32_t video = gd_frame_set_videos(frames)->index[row->v];
  const int64_t n_faces = gd_face_set_n_faces(l->faces);
  const gd_face_info missing = {.status = GD_FACE_MISSING};
  gd_face_info face = missing;
  row->faces.first = next;
  for (int64_t i = 0; i < gd_frame_set_n_frames(frames, row->v); i++) {
    const gd_face_info before = face;
    const int64_t frame = gd_frame_set_info(frames, row->v, i).frame_index;
    face = next < n_faces ? gd_face_set_info(l->faces, next) : missing;
    if (face.status != GD_FACE_MISSING && face.video == video &&
        face.frame_index == frame)
      next++;
    else
      face = missing;
    gd_quality_add(&row->quality, &face, &before);
  }
  row->faces.end = next;
  return next;
}

/* Both sets are in order of (video, frame). */
static gd_status measure(listing *l)
{
  int64_t next = 0;
  for (int64_t v = 0; v < l->n_videos; v++) {
    l->rows[v].v = v;
    next = measure_video(l, &l->rows[v], next);
  }
  if (next == gd_face_set_n_faces(l->faces))
    return GD_OK;
  return gd_fail(GD_ERR_FORMAT,
                 "%s: holds faces of frames that are not there; remove it, and "
                 "repeat the same command",
                 l->env->directory);
}

static gd_status note_skipped(void *context, int64_t row, const char *reason)
{
  const listing *l = context;
  gd_text_add(&l->rows[row].note, reason);
  return GD_OK;
}

/* Take what the shards note as skipped. */
static gd_status note_all(listing *l)
{
  char name[GD_PATH_MAX], path[GD_PATH_MAX];
  gd_status st = GD_OK;
  for (int64_t u = 0; st == GD_OK && u < l->align->n_units; u++) {
    gd_align_name_unit(l->align, u, name);
    st = gd_stage_path(l->env, name, path);
    if (st == GD_OK)
      st = gd_video_table_each_skipped(gd_frame_set_videos(l->align->frames),
                                       path, note_skipped, l);
  }
  return st;
}

/* --------------------------------------------------------------------- drawing
 */

static int64_t n_frames_of(const gd_quality *q)
{
  int64_t n = 0;
  for (int i = 0; i < GD_N_FACE_STATUS; i++)
    n += q->n[i];
  return n;
}

/* Worse: a larger share of frames without a detected face; of equal ones, less
 * sure of those that there are. */
static int worse_first(const void *a, const void *b)
{
  const video_row *x = *(video_row *const *)a, *y = *(video_row *const *)b;
  const gd_quality *p = &x->quality, *q = &y->quality;
  const int64_t found_x = p->n[GD_FACE_DETECTED] * n_frames_of(q);
  const int64_t found_y = q->n[GD_FACE_DETECTED] * n_frames_of(p);
  if (found_x != found_y)
    return found_x < found_y ? -1 : 1;
  const double sure_x = p->confidence * (double)q->n[GD_FACE_DETECTED];
  const double sure_y = q->confidence * (double)p->n[GD_FACE_DETECTED];
  if (sure_x < sure_y || sure_x > sure_y)
    return sure_x < sure_y ? -1 : 1;
  return (x->v > y->v) - (x->v < y->v);
}

static void name_sheet(const listing *l, const video_row *row,
                       char out[GD_PATH_MAX])
{
  snprintf(out, GD_PATH_MAX, "sheet-%05" PRId32 ".png",
           gd_frame_set_videos(l->align->frames)->index[row->v]);
}

static gd_status draw_sheet(const listing *l, gd_range faces, const char *name)
{
  char path[GD_PATH_MAX];
  const gd_sheet sheet = {.faces = faces,
                          .most = SHEET_FACES,
                          .is_blurred = l->align->sheets_are_blurred};
  gd_status st = gd_stage_path(l->env, name, path);
  if (st == GD_OK && faces.first < faces.end)
    st = gd_sheet_write(l->faces, &sheet, path);
  return st == GD_OK ? gd_stage_tick(l->env, 0) : st;
}

/* Sheets of an earlier run may show other videos, or faces that are to be
 * blurred now. */
static gd_status remove_sheets(const listing *l)
{
  char path[GD_PATH_MAX];
  gd_folder *folder;
  gd_status st = gd_folder_read(l->env->directory, &folder);
  for (int64_t i = 0; st == GD_OK && i < folder->n_files; i++) {
    const char *name = folder->names[i];
    if (strncmp(name, "sheet", 5) != 0)
      continue;
    st = gd_stage_path(l->env, name, path);
    if (st == GD_OK)
      st = gd_file_remove(path);
  }
  gd_folder_free(folder);
  return st;
}

static gd_status draw_sheets(listing *l)
{
  const int64_t all = gd_face_set_n_faces(l->faces);
  l->worst = gd_alloc(l->n_videos, sizeof *l->worst);
  if (l->worst == NULL)
    return GD_ERR_NOMEM;
  for (int64_t v = 0; v < l->n_videos; v++)
    if (l->rows[v].faces.first < l->rows[v].faces.end)
      l->worst[l->n_worst++] = &l->rows[v];
  if (l->n_worst > 0)
    qsort(l->worst, (size_t)l->n_worst, sizeof *l->worst, worse_first);
  gd_status st = remove_sheets(l);
  if (st == GD_OK)
    st = draw_sheet(l, (gd_range){0, all}, "sheet.png");
  for (int64_t i = 0; i < l->n_worst && i < l->align->n_sheets; i++) {
    char name[GD_PATH_MAX];
    name_sheet(l, l->worst[i], name);
    if (st == GD_OK)
      st = draw_sheet(l, l->worst[i]->faces, name);
    l->worst[i]->has_sheet = 1;
  }
  return st;
}

/* --------------------------------------------------------------------- writing
 */

static gd_status write_table(const listing *l)
{
  const gd_video_table *videos = gd_frame_set_videos(l->align->frames);
  char path[GD_PATH_MAX], name[GD_PATH_MAX];
  gd_text t = {0};
  gd_text_printf(&t, "video,%s,sheet,note\n", gd_quality_header);
  for (int64_t v = 0; v < l->n_videos; v++) {
    const video_row *row = &l->rows[v];
    gd_text_csv(&t, videos->videos[v].id);
    gd_text_add(&t, ",");
    gd_quality_row(&row->quality, &t);
    name_sheet(l, row, name);
    gd_text_printf(&t, ",%s,", row->has_sheet ? name : "");
    gd_text_csv(&t, gd_text_get(&row->note));
    gd_text_add(&t, "\n");
  }
  gd_status st = gd_text_status(&t);
  if (st == GD_OK)
    st = gd_stage_path(l->env, "faces.csv", path);
  if (st == GD_OK)
    st = gd_file_write(path, gd_text_get(&t), t.length_bytes);
  gd_text_free(&t);
  return st;
}

gd_status gd_align_list(gd_stage_env *env, const gd_align *a)
{
  listing l = {.env = env,
               .align = a,
               .n_videos = gd_frame_set_videos(a->frames)->n_videos};
  l.rows = gd_alloc(l.n_videos, sizeof *l.rows);
  gd_status st = l.rows == NULL ? GD_ERR_NOMEM : GD_OK;
  if (st == GD_OK)
    st = gd_face_set_open(env->directory, &l.faces);
  if (st == GD_OK)
    st = measure(&l);
  if (st == GD_OK)
    st = note_all(&l);
  if (st == GD_OK)
    st = draw_sheets(&l);
  if (st == GD_OK)
    st = write_table(&l);
  for (int64_t v = 0; l.rows != NULL && v < l.n_videos; v++)
    gd_text_free(&l.rows[v].note);
  free(l.worst);
  free(l.rows);
  gd_face_set_close(l.faces);
  return st;
}
