#include "gradus/frames.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/converter.h"
#include "gradus/jpeg.h"
#include "gradus/memory.h"
#include "shard/frame_layouts.h"
#include "shard/frames_format.h"

enum { PIXEL_CHUNK = 1 << 20, COLUMN_CHUNK = 1 << 15 };

typedef struct {
  int64_t numbers[GD_READING_NUMBERS];
  char note[GD_NOTE_MAX];
} noted;

/* What is kept of a frame until the end; its pixels are written at once. */
typedef struct {
  int64_t frame_index;
  double time_s;
  int64_t end; /* of its bytes */
  int32_t video, layout;
  uint8_t status;
} row;

/* What the writer goes back to when a piece is read again. */
typedef struct {
  int64_t n_rows, n_videos, n_layouts, last_frame;
} mark;

struct gd_frame_writer {
  gd_store_writer *store;
  gd_frame_format format;
  const gd_video_table *corpus;

  gd_packer *packer;       /* lossless */
  gd_converter *converter; /* raw, jpeg */
  gd_jpeg *jpeg;           /* jpeg */
  uint8_t *rgb;            /* one frame */

  row *rows;
  int64_t n_rows, rows_room;
  int32_t *videos; /* that have rows, ascending */
  int64_t n_videos, videos_room;
  gd_layout_table layouts;
  noted *readings;
  int64_t n_readings, readings_room;
  int64_t last_frame; /* of the last video */
  mark mark;
};

static gd_status set_attributes(gd_frame_writer *w)
{
  const gd_frame_format *f = &w->format;
  gd_status st =
      gd_store_set_text(w->store, "store", gd_frame_storage_name(f->storage));
  if (st == GD_OK)
    st = gd_store_set_int(w->store, "height_px", f->height_px);
  if (st == GD_OK)
    st = gd_store_set_int(w->store, "width_px", f->width_px);
  if (st == GD_OK)
    st = gd_store_set_text(w->store, "damaged",
                           f->keeps_damaged ? GD_FRAMES_KEEP : GD_FRAMES_DROP);
  if (st == GD_OK && f->storage == GD_FRAMES_JPEG)
    st = gd_store_set_int(w->store, "quality", f->quality);
  return st;
}

static gd_status declare(gd_frame_writer *w)
{
  const gd_dataset pixels =
      w->format.storage == GD_FRAMES_RAW
          ? gd_frames_pixels(w->format.height_px, w->format.width_px)
          : GD_FRAMES_BYTES;
  gd_status st = gd_store_declare(w->store, &pixels, PIXEL_CHUNK);
  for (int i = 0; st == GD_OK && i < GD_FRAMES_COLUMNS; i++)
    st = gd_store_declare(w->store, &GD_FRAMES_COLUMN[i], COLUMN_CHUNK);
  if (st == GD_OK && w->format.storage != GD_FRAMES_RAW)
    st = gd_store_declare(w->store, &GD_FRAMES_OFFSET, COLUMN_CHUNK);
  if (st == GD_OK && w->format.storage == GD_FRAMES_LOSSLESS)
    st = gd_store_declare(w->store, &GD_FRAMES_LAYOUT_OF, COLUMN_CHUNK);
  return st == GD_OK ? set_attributes(w) : st;
}

static gd_status open_tools(gd_frame_writer *w)
{
  const gd_frame_format *f = &w->format;
  if (f->storage == GD_FRAMES_LOSSLESS)
    return gd_packer_new(&w->packer);
  w->rgb = gd_alloc((int64_t)f->width_px * f->height_px, 3);
  if (w->rgb == NULL)
    return GD_ERR_NOMEM;
  gd_status st = gd_converter_open(f->width_px, f->height_px, &w->converter);
  if (st == GD_OK && f->storage == GD_FRAMES_JPEG)
    st = gd_jpeg_new(&w->jpeg);
  return st;
}

gd_status gd_frame_writer_create(const char *path, gd_digest digest,
                                 const gd_frame_format *format,
                                 const gd_video_table *corpus,
                                 gd_frame_writer **out)
{
  assert(path != NULL && format != NULL && corpus != NULL && out != NULL);
  assert(format->height_px > 0 && format->width_px > 0);
  assert(format->storage != GD_FRAMES_JPEG ||
         (format->quality >= 1 && format->quality <= 100));

  *out = NULL;
  gd_frame_writer *w = gd_alloc(1, sizeof *w);
  if (w == NULL)
    return GD_ERR_NOMEM;
  w->format = *format;
  w->corpus = corpus;
  gd_status st = gd_store_create(path, GD_FRAMES_FORMAT, GD_FRAMES_VERSION,
                                 digest, &w->store);
  if (st == GD_OK)
    st = declare(w);
  if (st == GD_OK)
    st = open_tools(w);
  if (st != GD_OK) {
    gd_frame_writer_abandon(w);
    return st;
  }
  *out = w;
  return GD_OK;
}

/* Note that the shard has rows of `video`. */
static gd_status use_video(gd_frame_writer *w, int32_t video)
{
  if (w->n_videos > 0 && w->videos[w->n_videos - 1] == video)
    return GD_OK;
  assert(w->n_videos == 0 || w->videos[w->n_videos - 1] < video);
  assert(gd_video_table_find(w->corpus, video) >= 0);

  gd_status st =
      gd_grow(&w->videos, w->n_videos + 1, &w->videos_room, sizeof *w->videos);
  if (st == GD_OK) {
    w->videos[w->n_videos++] = video;
    w->last_frame = -1;
  }
  return st;
}

/* --------------------------------------------------------------- one frame */

static gd_status write_packed(gd_frame_writer *w, const gd_picture *picture,
                              row *r)
{
  gd_packed packed;
  if (!gd_converter_knows(picture->layout.pixel_format))
    return gd_fail(GD_ERR_DECODE,
                   "pictures in the format %s cannot be converted to RGB",
                   picture->layout.pixel_format);
  gd_status st = gd_packer_run(w->packer, picture, &packed);
  if (st == GD_OK)
    st =
        gd_layout_table_row(&w->layouts, &picture->layout, &packed, &r->layout);
  if (st == GD_OK)
    st = gd_store_append(w->store, GD_FRAMES_BYTES.name,
                         (int64_t)packed.size_bytes, packed.bytes);
  r->end += (int64_t)packed.size_bytes;
  return st;
}

static gd_status write_jpeg(gd_frame_writer *w, row *r)
{
  const gd_image image = {.width_px = w->format.width_px,
                          .height_px = w->format.height_px,
                          .rgb = w->rgb};
  const uint8_t *bytes;
  size_t size;
  gd_status st =
      gd_jpeg_encode(w->jpeg, &image, w->format.quality, &bytes, &size);
  /* Which sizes JPEG holds is the video's matter, not the user's. */
  if (st == GD_ERR_USAGE)
    st = gd_fail(GD_ERR_DECODE, "%s", gd_reason());
  if (st == GD_OK)
    st = gd_store_append(w->store, GD_FRAMES_BYTES.name, (int64_t)size, bytes);
  if (st == GD_OK)
    r->end += (int64_t)size;
  return st;
}

static gd_status write_pixels(gd_frame_writer *w, const gd_picture *picture,
                              row *r)
{
  if (w->format.storage == GD_FRAMES_LOSSLESS)
    return write_packed(w, picture, r);
  gd_status st = gd_converter_run(w->converter, picture, w->rgb);
  if (st != GD_OK)
    return st;
  return w->format.storage == GD_FRAMES_JPEG
             ? write_jpeg(w, r)
             : gd_store_append(w->store, "frames", 1, w->rgb);
}

gd_status gd_frame_writer_append(gd_frame_writer *w, int32_t video,
                                 const gd_frame_info *info,
                                 const gd_picture *picture)
{
  assert(w != NULL && info != NULL && picture != NULL);
  assert(info->height_px == w->format.height_px &&
         info->width_px == w->format.width_px);

  row r = {.frame_index = info->frame_index,
           .time_s = info->time_s,
           .end = w->n_rows > 0 ? w->rows[w->n_rows - 1].end : 0,
           .video = video,
           .status = (uint8_t)info->status};
  gd_status st =
      gd_grow(&w->rows, w->n_rows + 1, &w->rows_room, sizeof *w->rows);
  if (st == GD_OK)
    st = use_video(w, video);
  if (st != GD_OK)
    return st;
  assert(info->frame_index > w->last_frame);
  st = write_pixels(w, picture, &r);
  if (st == GD_ERR_DECODE) {
    const int64_t v = gd_video_table_find(w->corpus, video);
    return gd_fail(st, "%s: %s", w->corpus->videos[v].path, gd_reason());
  }
  if (st != GD_OK)
    return st;
  w->last_frame = info->frame_index;
  w->rows[w->n_rows++] = r;
  return GD_OK;
}

/* ------------------------------------------------------------------ pieces */

/* A piece is complete: what comes now may be forgotten without it. */
static void begin_piece(gd_frame_writer *w)
{
  w->mark = (mark){w->n_rows, w->n_videos, w->layouts.n, w->last_frame};
  gd_store_mark(w->store);
}

gd_status gd_frame_writer_rewind(gd_frame_writer *w)
{
  assert(w != NULL);
  w->n_rows = w->mark.n_rows;
  w->n_videos = w->mark.n_videos;
  w->last_frame = w->mark.last_frame;
  gd_layout_table_cut(&w->layouts, w->mark.n_layouts);
  return gd_store_rewind(w->store);
}

gd_status gd_frame_writer_note(gd_frame_writer *w,
                               const gd_frame_reading *reading)
{
  assert(w != NULL && reading != NULL && reading->note != NULL);

  gd_status st = use_video(w, reading->video);
  if (st == GD_OK)
    st = gd_grow(&w->readings, w->n_readings + 1, &w->readings_room,
                 sizeof *w->readings);
  if (st != GD_OK)
    return st;
  noted *r = &w->readings[w->n_readings++];
  *r = (noted){.numbers = {reading->video, reading->first_frame,
                           reading->n_decoded, reading->n_lost, reading->n_kept,
                           reading->n_damaged}};
  strncat(r->note, reading->note, sizeof r->note - 1);
  begin_piece(w);
  return GD_OK;
}

gd_status gd_frame_writer_skip(gd_frame_writer *w, int32_t video)
{
  assert(w != NULL);
  const int64_t at = gd_video_table_find(w->corpus, video);
  assert(at >= 0);
  gd_status st = gd_store_skip(w->store, w->corpus->videos[at].id, gd_reason());
  return st == GD_OK ? gd_frame_writer_rewind(w) : st;
}

/* ------------------------------------------------------------------ ending */

/* Where the columns lie in a row. */
static const struct {
  size_t at, bytes;
} FIELDS[GD_FRAMES_COLUMNS] = {
    [GD_FRAMES_INDEX] = {offsetof(row, frame_index), sizeof(int64_t)},
    [GD_FRAMES_TIME] = {offsetof(row, time_s), sizeof(double)},
    [GD_FRAMES_STATUS] = {offsetof(row, status), sizeof(uint8_t)},
    [GD_FRAMES_VIDEO] = {offsetof(row, video), sizeof(int32_t)}};

static gd_status put_rows(gd_frame_writer *w)
{
  const int64_t n = w->n_rows;
  int64_t *column = gd_alloc(n + 1, sizeof *column);
  gd_status st = column == NULL ? GD_ERR_NOMEM : GD_OK;
  for (int i = 0; st == GD_OK && i < GD_FRAMES_COLUMNS; i++) {
    for (int64_t r = 0; r < n; r++)
      memcpy((char *)column + (size_t)r * FIELDS[i].bytes,
             (const char *)&w->rows[r] + FIELDS[i].at, FIELDS[i].bytes);
    st = gd_store_append(w->store, GD_FRAMES_COLUMN[i].name, n, column);
  }
  if (st == GD_OK && w->format.storage != GD_FRAMES_RAW) {
    column[0] = 0;
    for (int64_t r = 0; r < n; r++)
      column[r + 1] = w->rows[r].end;
    st = gd_store_append(w->store, GD_FRAMES_OFFSET.name, n + 1, column);
  }
  if (st == GD_OK && w->format.storage == GD_FRAMES_LOSSLESS) {
    int32_t *layout = (int32_t *)column;
    for (int64_t r = 0; r < n; r++)
      layout[r] = w->rows[r].layout;
    st = gd_store_append(w->store, GD_FRAMES_LAYOUT_OF.name, n, layout);
  }
  free(column);
  if (st == GD_OK && w->format.storage == GD_FRAMES_LOSSLESS)
    st = gd_layout_table_write(&w->layouts, w->store);
  return st;
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
  gd_packer_free(w->packer);
  gd_converter_close(w->converter);
  gd_jpeg_free(w->jpeg);
  gd_layout_table_clear(&w->layouts);
  free(w->rgb);
  free(w->rows);
  free(w->videos);
  free(w->readings);
  free(w);
}

gd_status gd_frame_writer_commit(gd_frame_writer *w)
{
  assert(w != NULL);

  gd_video_table *videos = NULL;
  gd_status st = put_rows(w);
  if (st == GD_OK)
    st = gd_video_table_select(w->corpus, w->videos, w->n_videos, &videos);
  if (st == GD_OK)
    st = gd_video_table_write(videos, w->store);
  gd_video_table_free(videos);
  if (st == GD_OK)
    st = put_readings(w);
  st = gd_store_end(w->store, st);
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
