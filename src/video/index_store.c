#include "gradus/index_store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/file.h"
#include "gradus/log.h"
#include "gradus/memory.h"
#include "index_store.h"

/* An index of hours of video is some megabytes. */
static const int64_t MOST_INDEX_BYTES = INT64_C(1) << 30;

/* What is open of a directory: one file of its store, its columns in memory. */
typedef struct {
  char *directory;
  int64_t file; /* -1: none yet */
  gd_store *store;
  int64_t n;
  int64_t *key, *size, *time, *sample, *offset;
} shelf;

struct gd_index_store {
  int64_t n_files, n_shelves;
  shelf *shelves;
};

static void close_file(shelf *s)
{
  gd_store_close(s->store);
  free(s->key);
  free(s->size);
  free(s->time);
  free(s->sample);
  free(s->offset);
  *s = (shelf){.directory = s->directory, .file = -1};
}

static gd_status read_column(gd_store *store, const gd_dataset *column,
                             int64_t n, int64_t **out)
{
  *out = gd_alloc(n * (column->rank == 2 ? 2 : 1), sizeof **out);
  if (*out == NULL)
    return GD_ERR_NOMEM;
  return n == 0 ? GD_OK : gd_store_read(store, column, 0, n, *out);
}

static gd_status read_columns(shelf *s)
{
  gd_dataset d;
  gd_status st = gd_store_describe(s->store, GD_INDEX_KEY.name, &d);
  if (st != GD_OK)
    return st;
  s->n = d.dims[0];
  st = read_column(s->store, &GD_INDEX_KEY, s->n, &s->key);
  if (st == GD_OK)
    st = read_column(s->store, &GD_INDEX_SIZE, s->n, &s->size);
  if (st == GD_OK)
    st = read_column(s->store, &GD_INDEX_TIME, s->n, &s->time);
  if (st == GD_OK)
    st = read_column(s->store, &GD_INDEX_SAMPLE, s->n, &s->sample);
  if (st == GD_OK)
    st = read_column(s->store, &GD_INDEX_OFFSET, s->n + 1, &s->offset);
  return st;
}

/* Open a file whose indices this program can unpack. */
static gd_status open_file(const char *path, gd_store **out)
{
  int64_t packing;
  gd_status st = gd_store_open(path, GD_INDEX_FORMAT, GD_INDEX_VERSION, out);
  if (st == GD_OK)
    st = gd_store_get_int(*out, GD_INDEX_PACKING, &packing);
  if (st == GD_OK && packing != GD_VIDEO_INDEX_VERSION)
    st = gd_fail(GD_ERR_FORMAT, "%s: by another version of gradus", path);
  if (st != GD_OK) {
    gd_store_close(*out);
    *out = NULL;
  }
  return st;
}

gd_status gd_index_store_check(const char *path)
{
  gd_store *store;
  gd_status st = open_file(path, &store);
  if (st != GD_OK)
    return st;
  gd_store_close(store);
  return gd_store_verify(path);
}

/* Open a file of a directory's store; one that is damaged is as if it were not
 * there. */
static gd_status turn_to(shelf *s, int64_t file)
{
  char name[GD_INDEX_NAME_BYTES], path[GD_PATH_MAX];
  if (s->file == file)
    return GD_OK;
  close_file(s);
  s->file = file;
  gd_index_store_name(file, name);
  gd_status st = gd_path_join(s->directory, name, path);
  if (st != GD_OK || !gd_path_exists(path))
    return GD_OK;
  st = open_file(path, &s->store);
  if (st == GD_OK)
    st = read_columns(s);
  if (st == GD_OK || st == GD_ERR_NOMEM)
    return st;
  gd_log(GD_LOG_WARNING, "%s: this index is not used", gd_reason());
  close_file(s);
  s->file = file;
  return GD_OK;
}

static int64_t row_of(const shelf *s, const char *id, const gd_fingerprint *f)
{
  const gd_digest key = gd_digest_of(id, strlen(id));
  for (int64_t i = 0; i < s->n; i++)
    if (s->key[2 * i] == (int64_t)key.high &&
        s->key[2 * i + 1] == (int64_t)key.low && s->size[i] == f->size_bytes &&
        s->sample[2 * i] == (int64_t)f->sample.high &&
        s->sample[2 * i + 1] == (int64_t)f->sample.low)
      return i;
  return -1;
}

gd_status gd_index_store_open(const char *const *directories,
                              int64_t n_directories, int64_t n_videos,
                              gd_index_store **out)
{
  assert(out != NULL && n_directories >= 0);
  assert(directories != NULL || n_directories == 0);
  *out = NULL;

  gd_index_store *s = gd_alloc(1, sizeof *s);
  if (s == NULL)
    return GD_ERR_NOMEM;
  s->n_files = gd_index_store_n_files(n_videos);
  s->shelves = gd_alloc(n_directories, sizeof *s->shelves);
  gd_status st = s->shelves == NULL ? GD_ERR_NOMEM : GD_OK;
  for (int64_t i = 0; st == GD_OK && i < n_directories; i++) {
    s->shelves[i] = (shelf){.directory = gd_strdup(directories[i]), .file = -1};
    s->n_shelves++;
    st = s->shelves[i].directory == NULL ? GD_ERR_NOMEM : GD_OK;
  }
  if (st != GD_OK) {
    gd_index_store_close(s);
    return st;
  }
  *out = s;
  return GD_OK;
}

void gd_index_store_close(gd_index_store *s)
{
  if (s == NULL)
    return;
  for (int64_t i = 0; i < s->n_shelves; i++) {
    close_file(&s->shelves[i]);
    free(s->shelves[i].directory);
  }
  free(s->shelves);
  free(s);
}

/* Find the first directory that has an entry; its row, or -1. */
static gd_status look_up(gd_index_store *s, const char *id,
                         const gd_fingerprint *fingerprint, int64_t from,
                         int64_t *at, int64_t *row)
{
  const int64_t file = gd_index_store_file_of(id, s->n_files);
  *row = -1;
  for (*at = from; *at < s->n_shelves; ++*at) {
    gd_status st = turn_to(&s->shelves[*at], file);
    if (st != GD_OK)
      return st;
    *row = row_of(&s->shelves[*at], id, fingerprint);
    if (*row >= 0)
      break;
  }
  return GD_OK;
}

static void tell(const shelf *s, int64_t row, const gd_fingerprint *f,
                 gd_fingerprint *then)
{
  if (then == NULL)
    return;
  *then = *f;
  then->modified_ns = s->time[row];
}

gd_status gd_index_store_has(gd_index_store *s, const char *id,
                             const gd_fingerprint *fingerprint, int *has,
                             gd_fingerprint *then)
{
  assert(s != NULL && id != NULL && fingerprint != NULL && has != NULL);
  int64_t at, row;
  gd_status st = look_up(s, id, fingerprint, 0, &at, &row);
  *has = st == GD_OK && row >= 0;
  if (*has)
    tell(&s->shelves[at], row, fingerprint, then);
  return st;
}

static gd_status read_row(shelf *s, int64_t row, const char *path,
                          gd_video_index **out)
{
  const int64_t first = s->offset[row], n = s->offset[row + 1] - first;
  if (first < 0 || n < 1 || n > MOST_INDEX_BYTES)
    return gd_fail(GD_ERR_FORMAT, "%s: its offsets are damaged",
                   gd_store_path(s->store));
  uint8_t *bytes = gd_alloc(n, 1);
  if (bytes == NULL)
    return GD_ERR_NOMEM;
  gd_status st = gd_store_read(s->store, &GD_INDEX_BYTES, first, n, bytes);
  if (st == GD_OK)
    st = gd_video_index_unpack(path, bytes, (size_t)n, out);
  free(bytes);
  return st;
}

gd_status gd_index_store_find(gd_index_store *s, const char *id,
                              const char *path,
                              const gd_fingerprint *fingerprint,
                              gd_video_index **out, gd_fingerprint *then)
{
  assert(s != NULL && id != NULL && path != NULL && fingerprint != NULL);
  assert(out != NULL);
  *out = NULL;

  for (int64_t from = 0;; from++) {
    int64_t row;
    gd_status st = look_up(s, id, fingerprint, from, &from, &row);
    if (st != GD_OK || row < 0)
      return st;
    st = read_row(&s->shelves[from], row, path, out);
    if (st == GD_OK)
      tell(&s->shelves[from], row, fingerprint, then);
    if (st == GD_OK || st == GD_ERR_NOMEM)
      return st;
    gd_log(GD_LOG_WARNING, "%s: this entry is not used", gd_reason());
  }
}
