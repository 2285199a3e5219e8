#include "gradus/faces.h"

#include <assert.h>
#include <stdlib.h>

#include "gradus/memory.h"
#include "shard/faces_format.h"

enum { COLUMN_CHUNK = 4096 };

struct gd_face_writer {
  gd_store_writer *store;
  int size_px;
  const gd_video_table *videos;
  int64_t *n_faces;   /* per row of videos */
  int64_t *n_missing; /* per row of videos */
  int64_t last_row, last_frame;
};

static gd_status declare(gd_face_writer *w, const char *face_template)
{
  const gd_dataset pixels = gd_faces_pixels(w->size_px);
  const gd_dataset *columns[] = {&GD_FACES_BOX,       &GD_FACES_LANDMARKS,
                                 &GD_FACES_INDEX,     &GD_FACES_CONFIDENCE,
                                 &GD_FACES_STATUS,    &GD_FACES_VIDEO,
                                 &GD_FACES_SHARPNESS, &GD_FACES_FLAGS};
  const int n = (int)(sizeof columns / sizeof columns[0]);
  gd_status st =
      gd_store_declare(w->store, &pixels, gd_dataset_row_bytes(&pixels));
  for (int i = 0; st == GD_OK && i < n; i++)
    st = gd_store_declare(w->store, columns[i], COLUMN_CHUNK);
  if (st == GD_OK)
    st = gd_store_set_int(w->store, "size_px", w->size_px);
  if (st == GD_OK)
    st = gd_store_set_text(w->store, "template", face_template);
  return st;
}

gd_status gd_face_writer_create(const char *path, gd_digest digest, int size_px,
                                const char *face_template,
                                const gd_video_table *videos,
                                gd_face_writer **out)
{
  assert(path != NULL && size_px > 0 && face_template != NULL);
  assert(videos != NULL && out != NULL);
  *out = NULL;

  gd_face_writer *w = gd_alloc(1, sizeof *w);
  if (w == NULL)
    return GD_ERR_NOMEM;
  w->size_px = size_px;
  w->videos = videos;
  w->last_row = w->last_frame = -1;
  w->n_faces = gd_alloc(videos->n_videos, sizeof *w->n_faces);
  w->n_missing = gd_alloc(videos->n_videos, sizeof *w->n_missing);
  gd_status st =
      w->n_faces == NULL || w->n_missing == NULL ? GD_ERR_NOMEM : GD_OK;
  if (st == GD_OK)
    st = gd_store_create(path, GD_FACES_FORMAT, GD_FACES_VERSION, digest,
                         &w->store);
  if (st == GD_OK)
    st = declare(w, face_template);
  if (st == GD_OK)
    *out = w;
  else
    gd_face_writer_abandon(w);
  return st;
}

gd_status gd_face_writer_append(gd_face_writer *w, const gd_face_info *info,
                                const uint8_t *rgb)
{
  assert(w != NULL && info != NULL && rgb != NULL);
  assert(info->status < GD_FACE_MISSING);

  const int64_t row = gd_video_table_find(w->videos, info->video);
  assert(row >= w->last_row && row >= 0);
  assert(row > w->last_row || info->frame_index > w->last_frame);
  w->last_row = row;
  w->last_frame = info->frame_index;
  w->n_faces[row]++;

  const uint8_t status = (uint8_t)info->status;
  const struct {
    const char *name;
    const void *value;
  } columns[] = {{"faces", rgb},
                 {GD_FACES_BOX.name, info->face.box},
                 {GD_FACES_LANDMARKS.name, info->face.landmarks},
                 {GD_FACES_CONFIDENCE.name, &info->face.confidence},
                 {GD_FACES_STATUS.name, &status},
                 {GD_FACES_SHARPNESS.name, &info->sharpness},
                 {GD_FACES_FLAGS.name, &info->flags},
                 {GD_FACES_INDEX.name, &info->frame_index},
                 {GD_FACES_VIDEO.name, &info->video}};
  const int n = (int)(sizeof columns / sizeof columns[0]);
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < n; i++)
    st = gd_store_append(w->store, columns[i].name, 1, columns[i].value);
  return st;
}

void gd_face_writer_missing(gd_face_writer *w, int32_t video, int64_t n)
{
  assert(w != NULL && n >= 0);
  const int64_t row = gd_video_table_find(w->videos, video);
  assert(row >= 0);
  w->n_missing[row] += n;
}

gd_status gd_face_writer_skip(gd_face_writer *w, int32_t video)
{
  assert(w != NULL);
  const int64_t row = gd_video_table_find(w->videos, video);
  assert(row >= 0);
  return gd_store_skip(w->store, w->videos->videos[row].id, gd_reason());
}

/* Write the rows of the videos that have faces, and what they miss. */
static gd_status put_videos(gd_face_writer *w)
{
  const int64_t all = w->videos->n_videos;
  int32_t *used = gd_alloc(all, sizeof *used);
  gd_video_table *table = NULL;
  int64_t n = 0;
  if (used == NULL)
    return GD_ERR_NOMEM;
  for (int64_t row = 0; row < all; row++)
    if (w->n_faces[row] > 0) {
      used[n] = w->videos->index[row];
      w->n_missing[n++] = w->n_missing[row];
    }
  gd_dataset missing = GD_FACES_MISSING;
  missing.dims[0] = n;
  gd_status st = gd_video_table_select(w->videos, used, n, &table);
  if (st == GD_OK)
    st = gd_video_table_write(table, w->store);
  if (st == GD_OK)
    st = gd_store_put(w->store, &missing, w->n_missing);
  gd_video_table_free(table);
  free(used);
  return st;
}

static void free_writer(gd_face_writer *w)
{
  free(w->n_faces);
  free(w->n_missing);
  free(w);
}

gd_status gd_face_writer_commit(gd_face_writer *w)
{
  assert(w != NULL);
  gd_status st = put_videos(w);
  st = gd_store_end(w->store, st);
  free_writer(w);
  return st;
}

void gd_face_writer_abandon(gd_face_writer *w)
{
  if (w == NULL)
    return;
  gd_store_abandon(w->store);
  free_writer(w);
}
