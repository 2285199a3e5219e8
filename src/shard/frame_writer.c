#include "gradus/frames.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/converter.h"
#include "gradus/memory.h"
#include "shard/frames_format.h"

enum { PIXEL_CHUNK = 1 << 20, COLUMN_CHUNK = 4096 };

typedef struct {
  int64_t numbers[GD_READING_NUMBERS];
  char note[GD_NOTE_MAX];
} noted;

struct gd_frame_writer {
  gd_store_writer *store;
  gd_converter *converter;
  uint8_t *rgb; /* one frame */
  int height_px, width_px;
  const gd_video_table *corpus;
  int32_t *videos; /* that have rows, ascending */
  int64_t n_videos, videos_room;
  noted *readings;
  int64_t n_readings, readings_room;
  int64_t last_frame;
};

static gd_status declare(gd_frame_writer *w)
{
  const gd_dataset pixels = gd_frames_pixels(w->height_px, w->width_px);
  gd_status st = gd_store_declare(w->store, &pixels, PIXEL_CHUNK);
  const gd_dataset *columns[] = {&GD_FRAMES_INDEX, &GD_FRAMES_TIME,
                                 &GD_FRAMES_STATUS, &GD_FRAMES_VIDEO};
  for (int i = 0; st == GD_OK && i < 4; i++)
    st = gd_store_declare(w->store, columns[i], COLUMN_CHUNK);
  if (st == GD_OK)
    st = gd_store_set_text(w->store, "store", "raw");
  if (st == GD_OK)
    st = gd_store_set_int(w->store, "height_px", w->height_px);
  if (st == GD_OK)
    st = gd_store_set_int(w->store, "width_px", w->width_px);
  return st;
}

gd_status gd_frame_writer_create(const char *path, gd_digest digest,
                                 int height_px, int width_px,
                                 const gd_video_table *corpus,
                                 gd_frame_writer **out)
{
  assert(path != NULL && corpus != NULL && out != NULL);
  assert(height_px > 0 && width_px > 0);

  *out = NULL;
  gd_frame_writer *w = gd_alloc(1, sizeof *w);
  if (w == NULL)
    return GD_ERR_NOMEM;
  w->height_px = height_px;
  w->width_px = width_px;
  w->corpus = corpus;
  gd_status st = gd_store_create(path, GD_FRAMES_FORMAT, GD_FRAMES_VERSION,
                                 digest, &w->store);
  if (st == GD_OK)
    st = declare(w);
  if (st == GD_OK)
    st = gd_converter_open(width_px, height_px, &w->converter);
  if (st == GD_OK &&
      (w->rgb = gd_alloc((int64_t)width_px * height_px, 3)) == NULL)
    st = GD_ERR_NOMEM;
  if (st != GD_OK) {
    gd_frame_writer_abandon(w);
    return st;
  }
  *out = w;
  return GD_OK;
}

/* Make room for one more item. */
static gd_status grow(void **items, int64_t *room, int64_t n, size_t item_bytes)
{
  if (n < *room)
    return GD_OK;
  const int64_t more = *room == 0 ? 16 : 2 * *room;
  void *bigger = realloc(*items, (size_t)more * item_bytes);
  if (bigger == NULL)
    return gd_fail(GD_ERR_NOMEM, "no memory for %" PRId64 " more rows", more);
  *items = bigger;
  *room = more;
  return GD_OK;
}

/* Note that the shard has rows of `video`. */
static gd_status use_video(gd_frame_writer *w, int32_t video)
{
  if (w->n_videos > 0 && w->videos[w->n_videos - 1] == video)
    return GD_OK;
  assert(w->n_videos == 0 || w->videos[w->n_videos - 1] < video);
  assert(gd_video_table_find(w->corpus, video) >= 0);

  void *videos = w->videos;
  gd_status st = grow(&videos, &w->videos_room, w->n_videos, sizeof *w->videos);
  w->videos = videos;
  if (st == GD_OK) {
    w->videos[w->n_videos++] = video;
    w->last_frame = -1;
  }
  return st;
}

gd_status gd_frame_writer_append(gd_frame_writer *w, int32_t video,
                                 const gd_frame_info *info,
                                 const gd_picture *picture)
{
  assert(w != NULL && info != NULL && picture != NULL);
  assert(info->height_px == w->height_px && info->width_px == w->width_px);

  gd_status st = gd_converter_run(w->converter, picture, w->rgb);
  if (st == GD_OK)
    st = use_video(w, video);
  if (st != GD_OK)
    return st;
  assert(info->frame_index > w->last_frame);
  w->last_frame = info->frame_index;
  const uint8_t status = (uint8_t)info->status;
  st = gd_store_append(w->store, "frames", 1, w->rgb);
  if (st == GD_OK)
    st = gd_store_append(w->store, GD_FRAMES_INDEX.name, 1, &info->frame_index);
  if (st == GD_OK)
    st = gd_store_append(w->store, GD_FRAMES_TIME.name, 1, &info->time_s);
  if (st == GD_OK)
    st = gd_store_append(w->store, GD_FRAMES_STATUS.name, 1, &status);
  if (st == GD_OK)
    st = gd_store_append(w->store, GD_FRAMES_VIDEO.name, 1, &video);
  return st;
}

gd_status gd_frame_writer_note(gd_frame_writer *w,
                               const gd_frame_reading *reading)
{
  assert(w != NULL && reading != NULL && reading->note != NULL);

  gd_status st = use_video(w, reading->video);
  void *readings = w->readings;
  if (st == GD_OK)
    st = grow(&readings, &w->readings_room, w->n_readings, sizeof *w->readings);
  w->readings = readings;
  if (st != GD_OK)
    return st;
  noted *r = &w->readings[w->n_readings++];
  *r = (noted){.numbers = {reading->video, reading->first_frame,
                           reading->n_decoded, reading->n_lost, reading->n_kept,
                           reading->n_damaged}};
  strncat(r->note, reading->note, sizeof r->note - 1);
  return GD_OK;
}

gd_status gd_frame_writer_skip(gd_frame_writer *w, int32_t video)
{
  assert(w != NULL);
  const int64_t row = gd_video_table_find(w->corpus, video);
  assert(row >= 0);
  return gd_store_skip(w->store, w->corpus->videos[row].id, gd_reason());
}

static gd_status put_readings(gd_frame_writer *w)
{
  const int64_t n = w->n_readings;
  int64_t *column = gd_alloc(n, sizeof *column);
  const char **notes = gd_alloc(n, sizeof *notes);
  gd_status st = column == NULL || notes == NULL ? GD_ERR_NOMEM : GD_OK;
  for (int i = 0; st == GD_OK && i < GD_READING_NUMBERS; i++) {
    for (int64_t r = 0; r < n; r++)
      column[r] = w->readings[r].numbers[i];
    const gd_dataset d = gd_reading_column(i, n);
    st = gd_store_put(w->store, &d, column);
  }
  for (int64_t r = 0; st == GD_OK && r < n; r++)
    notes[r] = w->readings[r].note;
  if (st == GD_OK)
    st = gd_store_put_texts(w->store, GD_READING_NOTE, n, notes);
  free(column);
  free(notes);
  return st;
}

static void free_writer(gd_frame_writer *w)
{
  gd_converter_close(w->converter);
  free(w->rgb);
  free(w->videos);
  free(w->readings);
  free(w);
}

gd_status gd_frame_writer_commit(gd_frame_writer *w)
{
  assert(w != NULL);

  gd_video_table *videos = NULL;
  gd_status st =
      gd_video_table_select(w->corpus, w->videos, w->n_videos, &videos);
  if (st == GD_OK)
    st = gd_video_table_write(videos, w->store);
  gd_video_table_free(videos);
  if (st == GD_OK)
    st = put_readings(w);
  if (st == GD_OK)
    st = gd_store_commit(w->store);
  else
    gd_store_abandon(w->store);
  free_writer(w);
  return st;
}

void gd_frame_writer_abandon(gd_frame_writer *w)
{
  if (w == NULL)
    return;
  gd_store_abandon(w->store);
  free_writer(w);
}
