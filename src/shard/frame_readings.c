#include "gradus/frames.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "gradus/memory.h"
#include "shard/frames_format.h"

/* One reading as the walk's caller sees it. */
typedef gd_status (*visitor)(void *context, const gd_frame_reading *reading,
                             const char *video_id);

/* Read whole columns: opening a dataset costs more than reading it. */
static gd_status read_numbers(gd_store *store, int64_t n_rows, int64_t **out)
{
  int64_t *numbers = *out = gd_alloc(GD_READING_NUMBERS * n_rows, sizeof **out);
  gd_status st = numbers == NULL ? GD_ERR_NOMEM : GD_OK;
  for (int i = 0; st == GD_OK && i < GD_READING_NUMBERS; i++) {
    const gd_dataset d = gd_reading_column(i, 0);
    st = gd_store_read(store, &d, 0, n_rows, numbers + i * n_rows);
  }
  return st;
}

static gd_status visit_rows(gd_store *store, const gd_video_table *videos,
                            const int64_t *numbers, int64_t n_rows,
                            visitor visit, void *context)
{
  gd_status st = GD_OK;
  for (int64_t r = 0; st == GD_OK && r < n_rows; r++) {
    char note[GD_NOTE_MAX];
    int64_t n[GD_READING_NUMBERS];
    for (int i = 0; i < GD_READING_NUMBERS; i++)
      n[i] = numbers[i * n_rows + r];
    const int64_t v = n[0] < 0 || n[0] > INT32_MAX
                          ? -1
                          : gd_video_table_find(videos, (int32_t)n[0]);
    if (v < 0)
      return gd_fail(GD_ERR_FORMAT, "%s: reading %" PRId64 " is of no video",
                     gd_store_path(store), r);
    st = gd_store_read_text(store, GD_READING_NOTE, r, note, sizeof note);
    if (st != GD_OK)
      return st;
    const gd_frame_reading reading = {.video = (int32_t)n[0],
                                      .first_frame = n[1],
                                      .n_decoded = n[2],
                                      .n_lost = n[3],
                                      .n_kept = n[4],
                                      .n_damaged = n[5],
                                      .note = note};
    st = visit(context, &reading, videos->videos[v].id);
  }
  return st;
}

gd_status gd_frame_shard_readings(
    const char *path,
    gd_status (*visit)(void *context, const gd_frame_reading *reading,
                       const char *video_id),
    void *context)
{
  assert(path != NULL && visit != NULL);

  gd_store *store = NULL;
  gd_video_table *videos = NULL;
  int64_t *numbers = NULL;
  gd_dataset found;
  gd_status st =
      gd_store_open(path, GD_FRAMES_FORMAT, GD_FRAMES_VERSION, &store);
  if (st == GD_OK)
    st = gd_video_table_read(store, &videos);
  if (st == GD_OK)
    st = gd_store_describe(store, GD_READING_NOTE, &found);
  if (st == GD_OK)
    st = read_numbers(store, found.dims[0], &numbers);
  if (st == GD_OK)
    st = visit_rows(store, videos, numbers, found.dims[0], visit, context);
  free(numbers);
  gd_video_table_free(videos);
  gd_store_close(store);
  return st;
}
