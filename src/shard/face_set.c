#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "gradus/faces.h"
#include "gradus/file.h"
#include "gradus/folder.h"
#include "gradus/memory.h"
#include "shard/faces_format.h"

/* So many shards are kept open at a time, at most: all that `align` makes, as
 * training reads them in any order.  HDF5 takes 0.55 MB for each. */
enum { MOST_OPEN = 512 };

typedef struct {
  char path[GD_PATH_MAX];
  gd_video_table *videos;
  gd_store *open; /* NULL: not now */
} shard;

/* One face, and where its pixels are. */
typedef struct {
  gd_face_info info;
  int32_t shard;
  int64_t row;       /* in the shard */
  int64_t video_row; /* in the set's videos */
} entry;

struct gd_face_set {
  int size_px;
  char face_template[GD_FACES_TEMPLATE_MAX];
  shard *shards;
  int32_t n_shards;
  int64_t room_shards;
  entry *entries; /* by (video, frame_index) */
  int64_t n_entries, room_entries;
  gd_video_table *videos;
  int32_t opened[MOST_OPEN]; /* a ring of the shards that are open */
  int32_t n_opened, most_open;
};

void gd_face_set_close(gd_face_set *s)
{
  if (s == NULL)
    return;
  for (int32_t i = 0; i < s->n_shards; i++) {
    gd_video_table_free(s->shards[i].videos);
    gd_store_close(s->shards[i].open);
  }
  free(s->shards);
  free(s->entries);
  gd_video_table_free(s->videos);
  free(s);
}

/* -------------------------------------------------------------- one shard */

/* The columns of a shard, row by row. */
typedef struct {
  int64_t n;
  int size_px;
  char face_template[GD_FACES_TEMPLATE_MAX];
  float (*box)[4];
  float (*landmarks)[5][2];
  float *confidence, *sharpness;
  uint8_t *status, *flags;
  int64_t *frame_index;
  int32_t *video;
} columns;

static void free_columns(columns *c)
{
  free(c->box);
  free(c->landmarks);
  free(c->confidence);
  free(c->sharpness);
  free(c->status);
  free(c->flags);
  free(c->frame_index);
  free(c->video);
}

static gd_status read_shape(gd_store *store, columns *c)
{
  gd_dataset pixels;
  gd_status st = gd_store_describe(store, "faces", &pixels);
  if (st != GD_OK)
    return st;
  if (pixels.dtype != GD_U8 || pixels.rank != 4 || pixels.dims[1] < 1 ||
      pixels.dims[1] > GD_FACES_MAX_PX || pixels.dims[2] != pixels.dims[1] ||
      pixels.dims[3] != 3)
    return gd_fail(GD_ERR_FORMAT, "%s: /faces is not uint8 (N, S, S, 3)",
                   gd_store_path(store));
  c->n = pixels.dims[0];
  c->size_px = (int)pixels.dims[1];
  return gd_store_get_text(store, "template", c->face_template,
                           sizeof c->face_template);
}

static gd_status read_column(gd_store *store, const gd_dataset *d, int64_t n,
                             void *out)
{
  void *rows = gd_alloc(n, gd_dataset_row_bytes(d));
  *(void **)out = rows;
  return rows == NULL ? GD_ERR_NOMEM : gd_store_read(store, d, 0, n, rows);
}

static gd_status read_columns(gd_store *store, columns *c)
{
  gd_status st = read_shape(store, c);
  if (st == GD_OK)
    st = read_column(store, &GD_FACES_BOX, c->n, &c->box);
  if (st == GD_OK)
    st = read_column(store, &GD_FACES_LANDMARKS, c->n, &c->landmarks);
  if (st == GD_OK)
    st = read_column(store, &GD_FACES_CONFIDENCE, c->n, &c->confidence);
  if (st == GD_OK)
    st = read_column(store, &GD_FACES_SHARPNESS, c->n, &c->sharpness);
  if (st == GD_OK)
    st = read_column(store, &GD_FACES_STATUS, c->n, &c->status);
  if (st == GD_OK)
    st = read_column(store, &GD_FACES_FLAGS, c->n, &c->flags);
  if (st == GD_OK)
    st = read_column(store, &GD_FACES_INDEX, c->n, &c->frame_index);
  if (st == GD_OK)
    st = read_column(store, &GD_FACES_VIDEO, c->n, &c->video);
  for (int64_t i = 0; st == GD_OK && i < c->n; i++)
    if (c->status[i] >= GD_FACE_MISSING || c->frame_index[i] < 0)
      st = gd_fail(GD_ERR_FORMAT,
                   "%s: row %" PRId64 " has a status or a frame that does not "
                   "exist",
                   gd_store_path(store), i);
  return st;
}

const char *gd_face_status_name(gd_face_status status)
{
  static const char *const names[GD_N_FACE_STATUS] = {
      [GD_FACE_DETECTED] = "detected",
      [GD_FACE_TRACKED] = "tracked",
      [GD_FACE_FALLBACK] = "fallback",
      [GD_FACE_MISSING] = "missing"};
  assert((int)status >= 0 && status < GD_N_FACE_STATUS);
  return names[status];
}

gd_status gd_face_shard_count(const char *path,
                              int64_t counts[GD_N_FACE_STATUS])
{
  assert(path != NULL && counts != NULL);
  memset(counts, 0, GD_N_FACE_STATUS * sizeof *counts);

  gd_store *store = NULL;
  gd_dataset missing;
  columns c = {0};
  int64_t *n_missing = NULL;
  gd_status st = gd_store_open(path, GD_FACES_FORMAT, GD_FACES_VERSION, &store);
  if (st == GD_OK)
    st = read_columns(store, &c);
  if (st == GD_OK)
    st = gd_store_describe(store, GD_FACES_MISSING.name, &missing);
  if (st == GD_OK)
    st = read_column(store, &GD_FACES_MISSING, missing.dims[0], &n_missing);
  for (int64_t i = 0; st == GD_OK && i < c.n; i++)
    counts[c.status[i]]++;
  for (int64_t i = 0; st == GD_OK && i < missing.dims[0]; i++)
    counts[GD_FACE_MISSING] += n_missing[i];
  free(n_missing);
  free_columns(&c);
  gd_store_close(store);
  return st;
}

/* ---------------------------------------------------------------- opening */

static int is_shard(const char *name)
{
  static const char begin[] = "faces-";
  return strncmp(name, begin, sizeof begin - 1) == 0 &&
         gd_path_ends_with(name + sizeof begin - 1, ".h5");
}

/* Append a shard to the list. */
static gd_status add_shard(gd_face_set *s, const char *directory,
                           const char *name)
{
  gd_status st =
      gd_grow(&s->shards, s->n_shards + 1, &s->room_shards, sizeof *s->shards);
  if (st != GD_OK)
    return st;
  shard *at = &s->shards[s->n_shards++];
  at->videos = NULL;
  at->open = NULL;
  return gd_path_join(directory, name, at->path);
}

static gd_status list_shards(gd_face_set *s, const char *directory)
{
  gd_folder *folder;
  gd_status st = gd_folder_read(directory, &folder);
  for (int64_t i = 0; st == GD_OK && i < folder->n_files; i++)
    if (is_shard(folder->names[i]))
      st = add_shard(s, directory, folder->names[i]);
  gd_folder_free(folder);
  if (st == GD_OK && s->n_shards == 0)
    st = gd_fail(GD_ERR_IO, "%s: has no face shards (faces-*.h5)", directory);
  return st;
}

static gd_status add_entries(gd_face_set *s, int32_t number, const columns *c)
{
  const shard *at = &s->shards[number];
  gd_status st = gd_grow(&s->entries, s->n_entries + c->n, &s->room_entries,
                         sizeof *s->entries);
  if (st != GD_OK)
    return st;
  for (int64_t row = 0; row < c->n; row++) {
    if (gd_video_table_find(at->videos, c->video[row]) < 0)
      return gd_fail(GD_ERR_FORMAT,
                     "%s: row %" PRId64 " is of a video that does not exist",
                     at->path, row);
    entry *e = &s->entries[s->n_entries++];
    *e = (entry){.shard = number, .row = row};
    memcpy(e->info.face.box, c->box[row], sizeof e->info.face.box);
    memcpy(e->info.face.landmarks, c->landmarks[row],
           sizeof e->info.face.landmarks);
    e->info.face.confidence = c->confidence[row];
    e->info.sharpness = c->sharpness[row];
    e->info.status = (gd_face_status)c->status[row];
    e->info.flags = c->flags[row];
    e->info.frame_index = c->frame_index[row];
    e->info.video = c->video[row];
  }
  return GD_OK;
}

/* Read what shard `number` says about its faces; all shards must agree. */
static gd_status read_shard(gd_face_set *s, int32_t number)
{
  shard *at = &s->shards[number];
  gd_store *store = NULL;
  columns c = {0};
  gd_status st =
      gd_store_open(at->path, GD_FACES_FORMAT, GD_FACES_VERSION, &store);
  if (st == GD_OK)
    st = gd_video_table_read(store, &at->videos);
  if (st == GD_OK)
    st = read_columns(store, &c);
  if (st == GD_OK && number == 0) {
    s->size_px = c.size_px;
    memcpy(s->face_template, c.face_template, sizeof s->face_template);
  }
  if (st == GD_OK && (c.size_px != s->size_px ||
                      strcmp(c.face_template, s->face_template) != 0))
    st = gd_fail(GD_ERR_FORMAT,
                 "%s: faces of %d px aligned to '%s', unlike %s: %d px, '%s'",
                 at->path, c.size_px, c.face_template, s->shards[0].path,
                 s->size_px, s->face_template);
  if (st == GD_OK)
    st = add_entries(s, number, &c);
  free_columns(&c);
  gd_store_close(store);
  return st;
}

static int by_frame(const void *a, const void *b)
{
  const gd_face_info *x = &((const entry *)a)->info;
  const gd_face_info *y = &((const entry *)b)->info;
  if (x->video != y->video)
    return x->video < y->video ? -1 : 1;
  return (x->frame_index > y->frame_index) - (x->frame_index < y->frame_index);
}

/* Sort the faces, merge the tables of videos, and tie them together. */
static gd_status join_shards(gd_face_set *s)
{
  const gd_video_table **tables = gd_alloc(s->n_shards, sizeof *tables);
  if (tables == NULL)
    return GD_ERR_NOMEM;
  for (int32_t i = 0; i < s->n_shards; i++)
    tables[i] = s->shards[i].videos;
  gd_status st = gd_video_table_merge(tables, s->n_shards, &s->videos);
  free(tables);
  if (st != GD_OK)
    return st;
  if (s->n_entries > 0)
    qsort(s->entries, (size_t)s->n_entries, sizeof *s->entries, by_frame);
  for (int64_t i = 0; i < s->n_entries; i++) {
    entry *e = &s->entries[i];
    if (i > 0 && by_frame(e - 1, e) == 0)
      return gd_fail(GD_ERR_FORMAT,
                     "%s and %s: both hold frame %" PRId64 " of video %d",
                     s->shards[e[-1].shard].path, s->shards[e->shard].path,
                     e->info.frame_index, e->info.video);
    e->video_row = gd_video_table_find(s->videos, e->info.video);
  }
  return GD_OK;
}

gd_status gd_face_set_open(const char *directory, gd_face_set **out)
{
  assert(directory != NULL && out != NULL);
  *out = NULL;

  gd_face_set *s = gd_alloc(1, sizeof *s);
  if (s == NULL)
    return GD_ERR_NOMEM;
  gd_status st = list_shards(s, directory);
  for (int32_t i = 0; st == GD_OK && i < s->n_shards; i++)
    st = read_shard(s, i);
  if (st == GD_OK)
    st = join_shards(s);
  if (st == GD_OK)
    *out = s;
  else
    gd_face_set_close(s);
  return st;
}

/* ---------------------------------------------------------------- reading */

int gd_face_set_size_px(const gd_face_set *s)
{
  assert(s != NULL);
  return s->size_px;
}

const char *gd_face_set_template(const gd_face_set *s)
{
  assert(s != NULL);
  return s->face_template;
}

int64_t gd_face_set_n_faces(const gd_face_set *s)
{
  assert(s != NULL);
  return s->n_entries;
}

const gd_video_table *gd_face_set_videos(const gd_face_set *s)
{
  assert(s != NULL);
  return s->videos;
}

void gd_face_set_divide(gd_face_set *s, const gd_partition *partition)
{
  assert(s != NULL && (partition != NULL || s->videos->n_videos == 0));
  /* The rows are constant only to those who were given the table. */
  for (int64_t v = 0; v < s->videos->n_videos; v++)
    ((gd_video *)s->videos->videos)[v].partition = partition[v];
}

int64_t gd_face_set_video_row(const gd_face_set *s, int64_t i)
{
  assert(s != NULL && i >= 0 && i < s->n_entries);
  return s->entries[i].video_row;
}

gd_face_info gd_face_set_info(const gd_face_set *s, int64_t i)
{
  assert(s != NULL && i >= 0 && i < s->n_entries);
  return s->entries[i].info;
}

/* Half of the files that this process may have. */
static int32_t count_allowed(void)
{
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) != 0 ||
      files.rlim_cur / 2 >= (rlim_t)MOST_OPEN)
    return MOST_OPEN;
  return files.rlim_cur < 4 ? 1 : (int32_t)(files.rlim_cur / 2);
}

/* Open a shard, and close the one that has been open longest if need be. */
static gd_status open_shard(gd_face_set *s, int32_t number)
{
  shard *at = &s->shards[number];
  if (at->open != NULL)
    return GD_OK;
  if (s->most_open == 0)
    s->most_open = count_allowed();
  const int32_t most = s->most_open;
  int32_t *place = &s->opened[s->n_opened % most];
  if (s->n_opened >= most) {
    gd_store_close(s->shards[*place].open);
    s->shards[*place].open = NULL;
  }
  gd_status st =
      gd_store_open(at->path, GD_FACES_FORMAT, GD_FACES_VERSION, &at->open);
  if (st != GD_OK)
    return st;
  *place = number;
  s->n_opened = s->n_opened + 1 < 2 * most ? s->n_opened + 1 : most;
  return GD_OK;
}

gd_status gd_face_set_read(gd_face_set *s, int64_t i, uint8_t *rgb)
{
  assert(s != NULL && i >= 0 && i < s->n_entries && rgb != NULL);
  const entry *e = &s->entries[i];
  const gd_dataset pixels = gd_faces_pixels(s->size_px);
  gd_status st = open_shard(s, e->shard);
  if (st == GD_OK)
    st = gd_store_read(s->shards[e->shard].open, &pixels, e->row, 1, rgb);
  return st;
}
