#include "gradus/frames.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gradus/file.h"
#include "gradus/folder.h"
#include "gradus/memory.h"
#include "shard/frame_pixels.h"
#include "shard/frames_format.h"

typedef struct {
  char *path;
  gd_frame_format format;
  gd_video_table *videos;
} shard;

/* One frame: where it is, and what is known without reading its pixels. */
typedef struct {
  int64_t frame_index;
  double time_s;
  int32_t video;
  int32_t shard;
  int64_t row;
  uint8_t status;
} entry;

struct gd_frame_set {
  gd_frame_choice choice;
  shard *shards;
  int64_t n_shards, room_shards;
  entry *entries; /* by video, then by frame */
  int64_t n_entries, room_entries;
  gd_video_table *videos;
  int64_t *first; /* entry of each row of `videos`; one more for the end */
  gd_frame_pixels *open; /* the shard that was read last */
  int32_t open_shard;
};

void gd_frame_set_close(gd_frame_set *s)
{
  if (s == NULL)
    return;
  for (int64_t i = 0; i < s->n_shards; i++) {
    free(s->shards[i].path);
    gd_video_table_free(s->shards[i].videos);
  }
  free(s->shards);
  free(s->entries);
  gd_video_table_free(s->videos);
  free(s->first);
  gd_frame_pixels_close(s->open);
  free(s);
}

static int is_shard(const char *name)
{
  static const char begin[] = "frames-";
  return strncmp(name, begin, sizeof begin - 1) == 0 &&
         gd_path_ends_with(name + sizeof begin - 1, ".h5");
}

static gd_status add_path(gd_frame_set *s, const char *path)
{
  gd_status st =
      gd_grow(&s->shards, s->n_shards + 1, &s->room_shards, sizeof *s->shards);
  if (st != GD_OK)
    return st;
  s->shards[s->n_shards] = (shard){.path = gd_strdup(path)};
  if (s->shards[s->n_shards].path == NULL)
    return GD_ERR_NOMEM;
  s->n_shards++;
  return GD_OK;
}

static gd_status list_shards(gd_frame_set *s, const char *path)
{
  struct stat info;
  if (stat(path, &info) == 0 && S_ISREG(info.st_mode))
    return add_path(s, path);
  gd_folder *folder;
  gd_status st = gd_folder_read(path, &folder);
  for (int64_t i = 0; st == GD_OK && i < folder->n_files; i++) {
    char one[GD_PATH_MAX];
    if (!is_shard(folder->names[i]))
      continue;
    st = gd_path_join(path, folder->names[i], one);
    if (st == GD_OK)
      st = add_path(s, one);
  }
  gd_folder_free(folder);
  if (st == GD_OK && s->n_shards == 0)
    st = gd_fail(GD_ERR_IO, "%s: has no frame shards (frames-*.h5)", path);
  return st;
}

/* The per-frame columns of one shard. */
typedef struct {
  int64_t *index;
  double *time;
  uint8_t *status;
  int32_t *video;
} columns;

static gd_status read_columns(gd_store *store, int64_t n, columns *c)
{
  c->index = gd_alloc(n, sizeof *c->index);
  c->time = gd_alloc(n, sizeof *c->time);
  c->status = gd_alloc(n, sizeof *c->status);
  c->video = gd_alloc(n, sizeof *c->video);
  if (c->index == NULL || c->time == NULL || c->status == NULL ||
      c->video == NULL)
    return GD_ERR_NOMEM;
  gd_status st =
      gd_store_read(store, &GD_FRAMES_COLUMN[GD_FRAMES_INDEX], 0, n, c->index);
  if (st == GD_OK)
    st = gd_store_read(store, &GD_FRAMES_COLUMN[GD_FRAMES_TIME], 0, n, c->time);
  if (st == GD_OK)
    st = gd_store_read(store, &GD_FRAMES_COLUMN[GD_FRAMES_STATUS], 0, n,
                       c->status);
  if (st == GD_OK)
    st = gd_store_read(store, &GD_FRAMES_COLUMN[GD_FRAMES_VIDEO], 0, n,
                       c->video);
  return st;
}

static gd_status add_entries(gd_frame_set *s, int32_t number, const columns *c,
                             int64_t n)
{
  const shard *at = &s->shards[number];
  gd_status st = gd_grow(&s->entries, s->n_entries + n, &s->room_entries,
                         sizeof *s->entries);
  if (st != GD_OK)
    return st;
  const int drops = s->choice == GD_FRAMES_TO_USE && !at->format.keeps_damaged;
  for (int64_t row = 0; row < n; row++) {
    if (gd_video_table_find(at->videos, c->video[row]) < 0 ||
        c->status[row] > GD_FRAME_DAMAGED || c->index[row] < 0)
      return gd_fail(GD_ERR_FORMAT,
                     "%s: row %" PRId64 " tells of a video, a frame or a "
                     "status that does not exist",
                     at->path, row);
    if (drops && c->status[row] == GD_FRAME_DAMAGED)
      continue;
    s->entries[s->n_entries++] = (entry){.frame_index = c->index[row],
                                         .time_s = c->time[row],
                                         .video = c->video[row],
                                         .shard = number,
                                         .row = row,
                                         .status = c->status[row]};
  }
  return GD_OK;
}

/* Count the frames; what is raw must have their shape. */
static gd_status read_shape(gd_store *store, const shard *at, int64_t *n_rows)
{
  const gd_frame_format *f = &at->format;
  gd_dataset rows, found;
  gd_status st =
      gd_store_describe(store, GD_FRAMES_COLUMN[GD_FRAMES_INDEX].name, &rows);
  if (st == GD_OK)
    *n_rows = rows.dims[0];
  if (st != GD_OK || f->storage != GD_FRAMES_RAW)
    return st;
  st = gd_store_describe(store, "frames", &found);
  if (st == GD_OK &&
      (found.dtype != GD_U8 || found.rank != 4 || found.dims[0] != *n_rows ||
       found.dims[1] != f->height_px || found.dims[2] != f->width_px ||
       found.dims[3] != 3))
    st = gd_fail(GD_ERR_FORMAT,
                 "%s: /frames is not uint8 (%" PRId64 ", %d, %d, 3)", at->path,
                 *n_rows, f->height_px, f->width_px);
  return st;
}

static gd_status read_shard(gd_frame_set *s, int32_t number)
{
  shard *at = &s->shards[number];
  gd_store *store = NULL;
  columns c = {0};
  int64_t n = 0;
  gd_status st =
      gd_store_open(at->path, GD_FRAMES_FORMAT, GD_FRAMES_VERSION, &store);
  if (st == GD_OK)
    st = gd_frame_format_read(store, &at->format);
  if (st == GD_OK)
    st = read_shape(store, at, &n);
  if (st == GD_OK)
    st = gd_video_table_read(store, &at->videos);
  if (st == GD_OK)
    st = read_columns(store, n, &c);
  if (st == GD_OK)
    st = add_entries(s, number, &c, n);
  free(c.index);
  free(c.time);
  free(c.status);
  free(c.video);
  gd_store_close(store);
  return st;
}

static int by_frame(const void *a, const void *b)
{
  const entry *x = a, *y = b;
  if (x->video != y->video)
    return x->video < y->video ? -1 : 1;
  return (x->frame_index > y->frame_index) - (x->frame_index < y->frame_index);
}

/* Find each video's first frame among the sorted ones. */
static gd_status find_first(gd_frame_set *s)
{
  for (int64_t i = 1; i < s->n_entries; i++)
    if (by_frame(&s->entries[i - 1], &s->entries[i]) == 0)
      return gd_fail(GD_ERR_FORMAT,
                     "%s and %s: both hold frame %" PRId64 " of video %d",
                     s->shards[s->entries[i - 1].shard].path,
                     s->shards[s->entries[i].shard].path,
                     s->entries[i].frame_index, s->entries[i].video);
  s->first = gd_alloc(s->videos->n_videos + 1, sizeof *s->first);
  if (s->first == NULL)
    return GD_ERR_NOMEM;
  int64_t i = 0;
  for (int64_t v = 0; v < s->videos->n_videos; v++) {
    s->first[v] = i;
    while (i < s->n_entries && s->entries[i].video == s->videos->index[v])
      i++;
  }
  s->first[s->videos->n_videos] = i;
  return GD_OK;
}

/* Make the table of the videos that have frames. */
static gd_status merge_videos(gd_frame_set *s)
{
  const gd_video_table **tables = gd_alloc(s->n_shards, sizeof *tables);
  int32_t *used = gd_alloc(s->n_entries, sizeof *used);
  gd_video_table *all = NULL;
  gd_status st = tables == NULL || used == NULL ? GD_ERR_NOMEM : GD_OK;
  if (st == GD_OK) {
    for (int64_t i = 0; i < s->n_shards; i++)
      tables[i] = s->shards[i].videos;
    st = gd_video_table_merge(tables, s->n_shards, &all);
  }
  int64_t n = 0;
  for (int64_t i = 0; st == GD_OK && i < s->n_entries; i++)
    if (n == 0 || used[n - 1] != s->entries[i].video)
      used[n++] = s->entries[i].video;
  if (st == GD_OK)
    st = gd_video_table_select(all, used, n, &s->videos);
  gd_video_table_free(all);
  free(tables);
  free(used);
  return st;
}

gd_status gd_frame_set_open(const char *path, gd_frame_choice choice,
                            gd_frame_set **out)
{
  assert(path != NULL && out != NULL);

  *out = NULL;
  gd_frame_set *s = gd_alloc(1, sizeof *s);
  if (s == NULL)
    return GD_ERR_NOMEM;
  s->choice = choice;
  gd_status st = list_shards(s, path);
  for (int64_t i = 0; st == GD_OK && i < s->n_shards; i++)
    st = read_shard(s, (int32_t)i);
  if (st == GD_OK) {
    if (s->n_entries > 0)
      qsort(s->entries, (size_t)s->n_entries, sizeof *s->entries, by_frame);
    st = merge_videos(s);
  }
  if (st == GD_OK)
    st = find_first(s);
  if (st != GD_OK) {
    gd_frame_set_close(s);
    return st;
  }
  *out = s;
  return GD_OK;
}

const gd_video_table *gd_frame_set_videos(const gd_frame_set *s)
{
  assert(s != NULL);
  return s->videos;
}

int64_t gd_frame_set_n_frames(const gd_frame_set *s, int64_t v)
{
  assert(s != NULL && v >= 0 && v < s->videos->n_videos);
  return s->first[v + 1] - s->first[v];
}

static const entry *entry_of(const gd_frame_set *s, int64_t v, int64_t i)
{
  assert(i >= 0 && i < gd_frame_set_n_frames(s, v));
  return &s->entries[s->first[v] + i];
}

gd_frame_info gd_frame_set_info(const gd_frame_set *s, int64_t v, int64_t i)
{
  const entry *e = entry_of(s, v, i);
  return (gd_frame_info){.frame_index = e->frame_index,
                         .time_s = e->time_s,
                         .status = (gd_frame_status)e->status,
                         .height_px = s->shards[e->shard].format.height_px,
                         .width_px = s->shards[e->shard].format.width_px};
}

gd_status gd_frame_set_read(gd_frame_set *s, int64_t v, int64_t i, uint8_t *rgb)
{
  assert(rgb != NULL);

  const entry *e = entry_of(s, v, i);
  if (s->open == NULL || s->open_shard != e->shard) {
    gd_frame_pixels_close(s->open);
    gd_status st = gd_frame_pixels_open(s->shards[e->shard].path, &s->open);
    if (st != GD_OK)
      return st;
    s->open_shard = e->shard;
  }
  return gd_frame_pixels_read(s->open, e->row, rgb);
}
