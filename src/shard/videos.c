#include "gradus/videos.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/file.h"
#include "gradus/memory.h"

/* The texts of a row, so that copying, writing, reading and freeing them are
 * loops over one list. */
static const struct {
  const char *name;
  size_t offset;
} TEXTS[] = {
    {"videos/id", offsetof(gd_video, id)},
    {"videos/path", offsetof(gd_video, path)},
    {"videos/landmarks", offsetof(gd_video, landmarks)},
    {"videos/subject", offsetof(gd_video, subject)},
    {"videos/task", offsetof(gd_video, task)},
};
enum { N_TEXTS = sizeof TEXTS / sizeof TEXTS[0] };

static const gd_dataset INDEX = {
    .name = "videos/index", .dtype = GD_I32, .rank = 1};
static const gd_dataset LABEL = {
    .name = "videos/label", .dtype = GD_F64, .rank = 1, .unit = "level"};
static const gd_dataset FOLD = {
    .name = "videos/fold", .dtype = GD_I32, .rank = 1};
static const char PARTITION[] = "videos/partition";

static const char **text_of(gd_video *video, int i)
{
  return (const char **)(void *)((char *)video + TEXTS[i].offset);
}

static const char *text_in(const gd_video *video, int i)
{
  return *text_of((gd_video *)video, i);
}

/* The arrays of a table are constant only to those who were given it. */
static gd_video *rows_of(const gd_video_table *t)
{
  return (gd_video *)t->videos;
}

static int32_t *index_of(const gd_video_table *t)
{
  return (int32_t *)t->index;
}

void gd_video_table_free(gd_video_table *t)
{
  if (t == NULL)
    return;
  for (int64_t v = 0; t->videos != NULL && v < t->n_videos; v++)
    for (int i = 0; i < N_TEXTS; i++)
      free((char *)text_in(&t->videos[v], i));
  free(rows_of(t));
  free(index_of(t));
  free(t);
}

/* Make a table of n empty rows. */
static gd_status make_table(int64_t n, gd_video_table **out)
{
  *out = NULL;
  gd_video_table *t = gd_alloc(1, sizeof *t);
  if (t == NULL)
    return GD_ERR_NOMEM;
  t->n_videos = n;
  t->videos = gd_alloc(n, sizeof *t->videos);
  t->index = gd_alloc(n, sizeof *t->index);
  if (t->videos == NULL || t->index == NULL) {
    gd_video_table_free(t);
    return GD_ERR_NOMEM;
  }
  *out = t;
  return GD_OK;
}

static gd_status set_row(gd_video_table *t, int64_t row, int32_t index,
                         const gd_video *from)
{
  gd_video *to = &rows_of(t)[row];
  index_of(t)[row] = index;
  to->partition = from->partition;
  to->label = from->label;
  to->fold = from->fold;
  for (int i = 0; i < N_TEXTS; i++) {
    *text_of(to, i) = gd_strdup(text_in(from, i));
    if (text_in(to, i) == NULL)
      return GD_ERR_NOMEM;
  }
  return GD_OK;
}

gd_status gd_video_table_of_corpus(const gd_corpus *c, gd_video_table **out)
{
  assert(c != NULL && out != NULL);

  if (c->n_videos > INT32_MAX)
    return gd_fail(GD_ERR_USAGE, "%" PRId64 " videos: at most %d fit a table",
                   c->n_videos, INT32_MAX);
  gd_status st = make_table(c->n_videos, out);
  for (int64_t v = 0; st == GD_OK && v < c->n_videos; v++)
    st = set_row(*out, v, (int32_t)v, &c->videos[v]);
  if (st != GD_OK) {
    gd_video_table_free(*out);
    *out = NULL;
  }
  return st;
}

gd_status gd_video_table_select(const gd_video_table *t, const int32_t *wanted,
                                int64_t n, gd_video_table **out)
{
  assert(t != NULL && out != NULL && n >= 0 && (n == 0 || wanted != NULL));

  gd_status st = make_table(n, out);
  for (int64_t i = 0; st == GD_OK && i < n; i++) {
    const int64_t row = gd_video_table_find(t, wanted[i]);
    assert(row >= 0 && (i == 0 || wanted[i - 1] < wanted[i]));
    st = set_row(*out, i, wanted[i], &t->videos[row]);
  }
  if (st != GD_OK) {
    gd_video_table_free(*out);
    *out = NULL;
  }
  return st;
}

typedef struct {
  int32_t index;
  const gd_video *video;
} entry;

static int by_index(const void *a, const void *b)
{
  const int32_t x = ((const entry *)a)->index, y = ((const entry *)b)->index;
  return (x > y) - (x < y);
}

/* Keep the first of the entries that tell of one video. */
static gd_status drop_doubles(entry *all, int64_t *n)
{
  int64_t kept = 0;
  for (int64_t i = 0; i < *n; i++) {
    if (kept == 0 || all[kept - 1].index != all[i].index)
      all[kept++] = all[i];
    else if (strcmp(all[kept - 1].video->id, all[i].video->id) != 0)
      return gd_fail(GD_ERR_FORMAT,
                     "video %d is %s in one shard and %s in another: these are "
                     "shards of two corpora",
                     all[i].index, all[kept - 1].video->id, all[i].video->id);
  }
  *n = kept;
  return GD_OK;
}

gd_status gd_video_table_merge(const gd_video_table *const *tables, int64_t n,
                               gd_video_table **out)
{
  assert(out != NULL && n >= 0 && (n == 0 || tables != NULL));

  *out = NULL;
  int64_t total = 0, filled = 0;
  for (int64_t i = 0; i < n; i++)
    total += tables[i]->n_videos;
  entry *all = gd_alloc(total, sizeof *all);
  if (all == NULL)
    return GD_ERR_NOMEM;
  for (int64_t i = 0; i < n; i++)
    for (int64_t v = 0; v < tables[i]->n_videos; v++)
      all[filled++] = (entry){tables[i]->index[v], &tables[i]->videos[v]};
  qsort(all, (size_t)total, sizeof *all, by_index);
  gd_status st = drop_doubles(all, &total);
  if (st == GD_OK)
    st = make_table(total, out);
  for (int64_t i = 0; st == GD_OK && i < total; i++)
    st = set_row(*out, i, all[i].index, all[i].video);
  free(all);
  if (st != GD_OK) {
    gd_video_table_free(*out);
    *out = NULL;
  }
  return st;
}

static gd_status write_texts(const gd_video_table *t, gd_store_writer *w)
{
  const char **column = gd_alloc(t->n_videos, sizeof *column);
  if (column == NULL)
    return GD_ERR_NOMEM;
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < N_TEXTS; i++) {
    for (int64_t v = 0; v < t->n_videos; v++)
      column[v] = text_in(&t->videos[v], i);
    st = gd_store_put_texts(w, TEXTS[i].name, t->n_videos, column);
  }
  for (int64_t v = 0; v < t->n_videos; v++)
    column[v] = gd_partition_name(t->videos[v].partition);
  if (st == GD_OK)
    st = gd_store_put_texts(w, PARTITION, t->n_videos, column);
  free(column);
  return st;
}

/* Files of corpora without folds are as they were before there were any. */
static gd_status write_folds(const gd_video_table *t, gd_store_writer *w)
{
  int is_any = 0;
  int32_t *folds = gd_alloc(t->n_videos, sizeof *folds);
  if (folds == NULL)
    return GD_ERR_NOMEM;
  for (int64_t v = 0; v < t->n_videos; v++) {
    folds[v] = t->videos[v].fold;
    is_any |= folds[v] > 0;
  }
  gd_dataset fold = FOLD;
  fold.dims[0] = t->n_videos;
  gd_status st = is_any ? gd_store_put(w, &fold, folds) : GD_OK;
  free(folds);
  return st;
}

gd_status gd_video_table_write(const gd_video_table *t, gd_store_writer *w)
{
  assert(t != NULL && w != NULL);

  double *labels = gd_alloc(t->n_videos, sizeof *labels);
  if (labels == NULL)
    return GD_ERR_NOMEM;
  for (int64_t v = 0; v < t->n_videos; v++)
    labels[v] = t->videos[v].label;
  gd_dataset index = INDEX, label = LABEL;
  index.dims[0] = label.dims[0] = t->n_videos;
  gd_status st = gd_store_put(w, &index, t->index);
  if (st == GD_OK)
    st = gd_store_put(w, &label, labels);
  if (st == GD_OK)
    st = write_texts(t, w);
  free(labels);
  return st == GD_OK ? write_folds(t, w) : st;
}

static gd_status read_text(gd_store *s, const char *name, int64_t row,
                           const char **out)
{
  char text[GD_PATH_MAX];
  gd_status st = gd_store_read_text(s, name, row, text, sizeof text);
  if (st != GD_OK)
    return st;
  *out = gd_strdup(text);
  return *out == NULL ? GD_ERR_NOMEM : GD_OK;
}

static gd_status read_partitions(gd_store *s, gd_video_table *t)
{
  gd_status st = GD_OK;
  for (int64_t v = 0; st == GD_OK && v < t->n_videos; v++) {
    char name[16];
    st = gd_store_read_text(s, PARTITION, v, name, sizeof name);
    if (st == GD_OK && gd_partition_of(name, &rows_of(t)[v].partition) != GD_OK)
      st = gd_fail(GD_ERR_FORMAT, "%s: /%s: %s is no partition",
                   gd_store_path(s), PARTITION, name);
  }
  return st;
}

static gd_status read_folds(gd_store *s, gd_video_table *t)
{
  gd_status st = GD_OK;
  for (int64_t v = 0; st == GD_OK && v < t->n_videos; v++) {
    int32_t fold = 0;
    st = gd_store_read(s, &FOLD, v, 1, &fold);
    rows_of(t)[v].fold = fold;
    if (st == GD_OK && fold < 0)
      st = gd_fail(GD_ERR_FORMAT, "%s: /%s: %d is no fold", gd_store_path(s),
                   FOLD.name, fold);
  }
  return st;
}

/* Column by column: opening a dataset costs more than reading a row of it. */
static gd_status read_rows(gd_store *s, gd_video_table *t)
{
  gd_status st = gd_store_read(s, &INDEX, 0, t->n_videos, index_of(t));
  for (int64_t v = 1; st == GD_OK && v < t->n_videos; v++)
    if (t->index[v - 1] >= t->index[v])
      st = gd_fail(GD_ERR_FORMAT, "%s: /videos/index does not ascend",
                   gd_store_path(s));
  for (int i = 0; st == GD_OK && i < N_TEXTS; i++)
    for (int64_t v = 0; st == GD_OK && v < t->n_videos; v++)
      st = read_text(s, TEXTS[i].name, v, text_of(&rows_of(t)[v], i));
  if (st == GD_OK)
    st = read_partitions(s, t);
  for (int64_t v = 0; st == GD_OK && v < t->n_videos; v++)
    st = gd_store_read(s, &LABEL, v, 1, &rows_of(t)[v].label);
  return st == GD_OK && gd_store_has(s, FOLD.name) ? read_folds(s, t) : st;
}

gd_status gd_video_table_read(gd_store *s, gd_video_table **out)
{
  assert(s != NULL && out != NULL);

  *out = NULL;
  gd_dataset found;
  gd_status st = gd_store_describe(s, INDEX.name, &found);
  if (st != GD_OK)
    return st;
  st = make_table(found.dims[0], out);
  if (st == GD_OK)
    st = read_rows(s, *out);
  if (st != GD_OK) {
    gd_video_table_free(*out);
    *out = NULL;
  }
  return st;
}

int64_t gd_video_table_find(const gd_video_table *t, int32_t index)
{
  assert(t != NULL);

  int64_t low = 0, high = t->n_videos;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (t->index[middle] < index)
      low = middle + 1;
    else
      high = middle;
  }
  return low < t->n_videos && t->index[low] == index ? low : -1;
}

static int by_id(const void *id, const void *video)
{
  return strcmp(id, ((const gd_video *)video)->id);
}

typedef struct {
  const gd_video_table *table;
  gd_status (*note)(void *context, int64_t row, const char *reason);
  void *context;
} walk;

static gd_status note_video(void *context, const char *item, const char *reason)
{
  const walk *w = context;
  const gd_video_table *t = w->table;
  const gd_video *video =
      bsearch(item, t->videos, (size_t)t->n_videos, sizeof *video, by_id);
  return video == NULL ? GD_OK : w->note(w->context, video - t->videos, reason);
}

gd_status gd_video_table_each_skipped(const gd_video_table *t, const char *path,
                                      gd_status (*note)(void *context,
                                                        int64_t row,
                                                        const char *reason),
                                      void *context)
{
  assert(t != NULL && path != NULL && note != NULL);
  walk w = {t, note, context};
  gd_store *store;
  gd_status st = gd_store_open(path, NULL, INT_MAX, &store);
  if (st != GD_OK)
    return st;
  st = gd_store_each_skipped(store, note_video, &w);
  gd_store_close(store);
  return st;
}
