#include "gradus/attention_set.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "gradus/file.h"
#include "gradus/memory.h"
#include "gradus/store.h"

#define FORMAT "gradus-attention"
enum { VERSION = 1, MOST_SIDE = 65536 };

gd_status gd_attention_set_new(int n, int size_px, int rows, int columns,
                               gd_attention_set **out)
{
  assert(n >= 1 && n <= GD_ATTENTION_MOST && size_px >= 1 && rows >= 1);
  assert(columns >= 1 && out != NULL);

  *out = NULL;
  gd_attention_set *s = gd_alloc(1, sizeof *s);
  if (s == NULL)
    return GD_ERR_NOMEM;
  const int64_t n_cells = (int64_t)rows * columns;
  const int64_t n_bytes = (int64_t)size_px * size_px * 3;
  s->n = n;
  s->size_px = size_px;
  s->rows = rows;
  s->columns = columns;
  s->cases = gd_alloc(n, sizeof *s->cases);
  s->mean = gd_alloc(n_cells, sizeof *s->mean);
  gd_status st = s->cases == NULL || s->mean == NULL ? GD_ERR_NOMEM : GD_OK;
  for (int i = 0; st == GD_OK && i < n; i++) {
    s->cases[i].map = gd_alloc(n_cells, sizeof(float));
    s->cases[i].rgb = gd_alloc(n_bytes, 1);
    if (s->cases[i].map == NULL || s->cases[i].rgb == NULL)
      st = GD_ERR_NOMEM;
  }
  if (st != GD_OK) {
    gd_attention_set_free(s);
    return st;
  }
  *out = s;
  return GD_OK;
}

void gd_attention_set_free(gd_attention_set *s)
{
  if (s == NULL)
    return;
  for (int i = 0; s->cases != NULL && i < s->n; i++) {
    free(s->cases[i].id);
    free(s->cases[i].reason);
    free(s->cases[i].map);
    free(s->cases[i].rgb);
  }
  free(s->cases);
  free(s->mean);
  free(s);
}

/* The datasets with a row per case, each a member of it; map and face, whose
 * rows are arrays, are elsewhere. */
static const struct {
  gd_dataset like;
  size_t offset;
} columns[] = {
    {{.name = "video", .dtype = GD_I32, .rank = 1},
     offsetof(gd_attention_case, video)},
    {{.name = "frame_index", .dtype = GD_I64, .rank = 1},
     offsetof(gd_attention_case, frame_index)},
    {{.name = "label", .dtype = GD_F64, .rank = 1, .unit = "level"},
     offsetof(gd_attention_case, label)},
    {{.name = "predicted", .dtype = GD_F64, .rank = 1, .unit = "level"},
     offsetof(gd_attention_case, predicted)},
    {{.name = "expected", .dtype = GD_F64, .rank = 1, .unit = "level"},
     offsetof(gd_attention_case, expected)},
};
enum { N_COLUMNS = sizeof columns / sizeof columns[0] };

static gd_dataset map_of(const gd_attention_set *s)
{
  return (gd_dataset){.name = "map",
                      .dtype = GD_F32,
                      .rank = 3,
                      .dims = {0, s->rows, s->columns},
                      .unit = "level"};
}

static gd_dataset face_of(const gd_attention_set *s)
{
  return (gd_dataset){.name = "face",
                      .dtype = GD_U8,
                      .rank = 4,
                      .dims = {0, s->size_px, s->size_px, 3}};
}

static gd_dataset mean_of(const gd_attention_set *s)
{
  return (gd_dataset){.name = "mean",
                      .dtype = GD_F32,
                      .rank = 2,
                      .dims = {s->rows, s->columns},
                      .unit = "level"};
}

/* ---------------------------------------------------------------- writing */

static gd_status set_attributes(gd_store_writer *w, const gd_attention_set *s)
{
  const struct {
    const char *name;
    int64_t value;
  } whole[] = {{"n_levels", s->n_levels},
               {"exact", s->is_exact},
               {"size_px", s->size_px},
               {"blurred", s->is_blurred},
               {"n_videos", s->n_videos}};
  gd_status st =
      gd_store_set_text(w, "partition", gd_partition_name(s->partition));
  if (st == GD_OK)
    st = gd_store_set_text(w, "loss", s->loss);
  if (st == GD_OK)
    st = gd_store_set_text(w, "template", s->face_template);
  for (size_t i = 0; st == GD_OK && i < sizeof whole / sizeof *whole; i++)
    st = gd_store_set_int(w, whole[i].name, whole[i].value);
  return st;
}

static gd_status put_texts(gd_store_writer *w, const gd_attention_set *s)
{
  const char *ids[GD_ATTENTION_MOST], *reasons[GD_ATTENTION_MOST];
  for (int i = 0; i < s->n; i++) {
    ids[i] = s->cases[i].id;
    reasons[i] = s->cases[i].reason;
  }
  const gd_status st = gd_store_put_texts(w, "id", s->n, ids);
  return st == GD_OK ? gd_store_put_texts(w, "reason", s->n, reasons) : st;
}

static gd_status append_cases(gd_store_writer *w, const gd_attention_set *s)
{
  const gd_dataset map = map_of(s), face = face_of(s);
  gd_status st = gd_store_declare(w, &map, gd_dataset_row_bytes(&map));
  if (st == GD_OK)
    st = gd_store_declare(w, &face, gd_dataset_row_bytes(&face));
  for (int c = 0; st == GD_OK && c < N_COLUMNS; c++)
    st = gd_store_declare(w, &columns[c].like, 1);
  for (int i = 0; st == GD_OK && i < s->n; i++) {
    st = gd_store_append(w, map.name, 1, s->cases[i].map);
    if (st == GD_OK)
      st = gd_store_append(w, face.name, 1, s->cases[i].rgb);
    for (int c = 0; st == GD_OK && c < N_COLUMNS; c++)
      st = gd_store_append(w, columns[c].like.name, 1,
                           (const char *)&s->cases[i] + columns[c].offset);
  }
  return st;
}

gd_status gd_attention_set_write(const char *path, gd_digest digest,
                                 const gd_attention_set *s)
{
  assert(path != NULL && s != NULL);

  gd_store_writer *w = NULL;
  const gd_dataset mean = mean_of(s);
  gd_status st = gd_store_create(path, FORMAT, VERSION, digest, &w);
  if (st == GD_OK)
    st = set_attributes(w, s);
  if (st == GD_OK)
    st = append_cases(w, s);
  if (st == GD_OK)
    st = put_texts(w, s);
  if (st == GD_OK)
    st = gd_store_put(w, &mean, s->mean);
  return gd_store_end(w, st);
}

/* ---------------------------------------------------------------- reading */

static gd_status get_within(gd_store *store, const char *name, int64_t low,
                            int64_t high, int *out)
{
  int64_t value = 0;
  gd_status st = gd_store_get_int(store, name, &value);
  if (st == GD_OK && (value < low || value > high))
    st = gd_fail(GD_ERR_FORMAT,
                 "%s: %s is %" PRId64 ", expected %" PRId64 " to %" PRId64
                 ": make the file again",
                 gd_store_path(store), name, value, low, high);
  *out = (int)value;
  return st;
}

static gd_status get_attributes(gd_store *store, gd_attention_set *s)
{
  char partition[16];
  gd_status st =
      gd_store_get_text(store, "partition", partition, sizeof partition);
  if (st == GD_OK)
    st = gd_partition_of(partition, &s->partition);
  if (st == GD_OK)
    st = gd_store_get_text(store, "loss", s->loss, sizeof s->loss);
  if (st == GD_OK)
    st = gd_store_get_text(store, "template", s->face_template,
                           sizeof s->face_template);
  if (st == GD_OK)
    st = get_within(store, "n_levels", 1, INT32_MAX, &s->n_levels);
  if (st == GD_OK)
    st = get_within(store, "exact", 0, 1, &s->is_exact);
  if (st == GD_OK)
    st = get_within(store, "blurred", 0, 1, &s->is_blurred);
  return st == GD_OK ? gd_store_get_int(store, "n_videos", &s->n_videos) : st;
}

static gd_status read_text(gd_store *store, const char *name, int row,
                           char **out)
{
  char text[GD_PATH_MAX];
  gd_status st = gd_store_read_text(store, name, row, text, sizeof text);
  if (st != GD_OK)
    return st;
  *out = gd_strdup(text);
  return *out == NULL ? GD_ERR_NOMEM : GD_OK;
}

static gd_status read_case(gd_store *store, const gd_attention_set *s, int i)
{
  const gd_dataset map = map_of(s), face = face_of(s);
  gd_attention_case *one = &s->cases[i];
  gd_status st = gd_store_read(store, &map, i, 1, one->map);
  if (st == GD_OK)
    st = gd_store_read(store, &face, i, 1, one->rgb);
  for (int c = 0; st == GD_OK && c < N_COLUMNS; c++)
    st = gd_store_read(store, &columns[c].like, i, 1,
                       (char *)one + columns[c].offset);
  if (st == GD_OK)
    st = read_text(store, "id", i, &one->id);
  return st == GD_OK ? read_text(store, "reason", i, &one->reason) : st;
}

/* The sizes are those of /map and the attribute size_px; what else there is has
 * to fit, or its reading says so. */
static gd_status make_for(gd_store *store, gd_attention_set **out)
{
  gd_dataset map;
  int size_px = 0;
  gd_status st = gd_store_describe(store, "map", &map);
  if (st == GD_OK)
    st = get_within(store, "size_px", 1, MOST_SIDE, &size_px);
  if (st != GD_OK)
    return st;
  if (map.rank != 3 || map.dims[0] < 1 || map.dims[0] > GD_ATTENTION_MOST ||
      map.dims[1] < 1 || map.dims[1] > size_px || map.dims[2] < 1 ||
      map.dims[2] > size_px)
    return gd_fail(GD_ERR_FORMAT,
                   "%s: /map is no list of 1 to %d maps of faces of %d px: "
                   "make the file again",
                   gd_store_path(store), GD_ATTENTION_MOST, size_px);
  return gd_attention_set_new((int)map.dims[0], size_px, (int)map.dims[1],
                              (int)map.dims[2], out);
}

gd_status gd_attention_set_read(const char *path, gd_attention_set **out)
{
  assert(path != NULL && out != NULL);

  *out = NULL;
  gd_store *store = NULL;
  gd_attention_set *s = NULL;
  gd_status st = gd_store_open(path, FORMAT, VERSION, &store);
  if (st == GD_OK)
    st = make_for(store, &s);
  if (st == GD_OK)
    st = get_attributes(store, s);
  for (int i = 0; st == GD_OK && i < s->n; i++)
    st = read_case(store, s, i);
  if (st == GD_OK) {
    const gd_dataset mean = mean_of(s);
    st = gd_store_read(store, &mean, 0, s->rows, s->mean);
  }
  gd_store_close(store);
  if (st != GD_OK) {
    gd_attention_set_free(s);
    return st;
  }
  *out = s;
  return GD_OK;
}
