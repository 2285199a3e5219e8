#include "gradus/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gradus/file.h"
#include "gradus/memory.h"
#include "h5.h"
#include "store_parts.h"

typedef struct {
  char name[GD_STORE_NAME_MAX];
  gd_dataset shape; /* dims[0] counts the rows written */
  hid_t id;
  gd_hasher *hasher;
  gd_hasher *marked; /* at the mark; NULL: does not grow */
  int64_t marked_rows;
  int reserved; /* its values, and their digests, come later */
} column;

struct gd_store_writer {
  char path[GD_PATH_MAX], part[GD_PATH_MAX];
  hid_t file;
  column *columns;
  int n_columns;
  int64_t columns_room;
  char **skipped; /* item, reason, item, reason, ... */
  int64_t n_skipped, skipped_room;
  int64_t digests;               /* where those of blocks lie */
  int64_t n_blocks, n_described; /* in all, and of datasets so far */
  int64_t reserved_bytes;
};

/* n < 0: a single value, no list. */
static gd_status put_attribute(hid_t object, const char *path, const char *name,
                               gd_dtype dtype, size_t text_bytes, int n,
                               const void *value)
{
  hid_t type = gd_h5_type(dtype, text_bytes);
  const hsize_t length = (hsize_t)n;
  hid_t space =
      n < 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &length, NULL);
  hid_t attribute =
      type < 0 || space < 0
          ? H5I_INVALID_HID
          : H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  gd_status st = GD_OK;
  if (attribute < 0 || H5Awrite(attribute, type, value) < 0)
    st = gd_h5_fail(GD_ERR_IO, path, "cannot write an attribute");
  if (attribute >= 0)
    H5Aclose(attribute);
  if (space >= 0)
    H5Sclose(space);
  if (type >= 0)
    H5Tclose(type);
  return st;
}

static gd_status put_text_attribute(hid_t object, const char *path,
                                    const char *name, const char *value)
{
  const size_t length = strlen(value);
  return put_attribute(object, path, name, GD_TEXT, length == 0 ? 1 : length,
                       -1, length == 0 ? "\0" : value);
}

gd_status gd_store_create(const char *path, const char *format, int version,
                          gd_digest digest, gd_store_writer **out)
{
  GD_H5_ALONE;
  assert(path != NULL && format != NULL && version >= 1 && out != NULL);
  *out = NULL;
  gd_h5_begin();

  gd_store_writer *w = gd_alloc(1, sizeof *w);
  if (w == NULL)
    return GD_ERR_NOMEM;
  w->file = H5I_INVALID_HID;
  gd_status st = gd_path_join("", path, w->path);
  if (st == GD_OK)
    st = gd_file_part(path, w->part);
  if (st == GD_OK) {
    /* Made by us first, so that it is private from its first byte. */
    const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
    const int fd = open(w->part, flags, 0600);
    if (fd < 0)
      st = gd_fail(GD_ERR_IO, "%s: cannot create: %s", path, strerror(errno));
    else
      close(fd);
  }
  if (st == GD_OK) {
    hid_t access = gd_h5_access(), timeless = gd_h5_timeless(H5P_FILE_CREATE);
    w->file = H5Fcreate(w->part, H5F_ACC_TRUNC, timeless, access);
    if (w->file < 0)
      st = gd_h5_fail(GD_ERR_IO, path, "cannot create");
    H5Pclose(timeless);
    H5Pclose(access);
  }
  char hex[GD_DIGEST_HEX];
  gd_digest_hex(digest, hex);
  if (st == GD_OK)
    st = gd_store_set_text(w, "format", format);
  if (st == GD_OK)
    st = gd_store_set_int(w, "version", version);
  if (st == GD_OK)
    st = gd_store_set_text(w, "digest", hex);
  if (st != GD_OK) {
    gd_store_abandon(w);
    return st;
  }
  *out = w;
  return GD_OK;
}

gd_status gd_store_set_int(gd_store_writer *w, const char *name, int64_t value)
{
  GD_H5_ALONE;
  assert(w != NULL && name != NULL);
  return put_attribute(w->file, w->path, name, GD_I64, 0, -1, &value);
}

gd_status gd_store_set_real(gd_store_writer *w, const char *name, double value)
{
  GD_H5_ALONE;
  assert(w != NULL && name != NULL);
  return put_attribute(w->file, w->path, name, GD_F64, 0, -1, &value);
}

gd_status gd_store_set_text(gd_store_writer *w, const char *name,
                            const char *value)
{
  GD_H5_ALONE;
  assert(w != NULL && name != NULL && value != NULL);
  return put_text_attribute(w->file, w->path, name, value);
}

/* Make the groups that the name lies in; HDF5 could, but then with times. */
static gd_status make_groups(gd_store_writer *w, const char *name)
{
  char group[GD_STORE_NAME_MAX];
  for (const char *slash = strchr(name, '/'); slash != NULL;
       slash = strchr(slash + 1, '/')) {
    snprintf(group, sizeof group, "%.*s", (int)(slash - name), name);
    if (H5Lexists(w->file, group, H5P_DEFAULT) > 0)
      continue;
    hid_t timeless = gd_h5_timeless(H5P_GROUP_CREATE);
    hid_t id = H5Gcreate2(w->file, group, H5P_DEFAULT, timeless, H5P_DEFAULT);
    H5Pclose(timeless);
    if (id < 0)
      return gd_h5_fail(GD_ERR_IO, w->path, "cannot make a group");
    H5Gclose(id);
  }
  return GD_OK;
}

/* How a dataset lies in the file, when it does not grow by chunks of rows. */
enum { CONTIGUOUS = 0, RESERVED = -1 };

static hid_t create_dataset(gd_store_writer *w, const gd_dataset *d,
                            int64_t chunk_rows)
{
  hsize_t dims[GD_STORE_MAX_RANK], most[GD_STORE_MAX_RANK],
      chunk[GD_STORE_MAX_RANK];
  for (int i = 0; i < d->rank; i++)
    dims[i] = most[i] = chunk[i] = (hsize_t)d->dims[i];
  hid_t create = gd_h5_timeless(H5P_DATASET_CREATE);
  hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
  if (chunk_rows == RESERVED) {
    H5Pset_alloc_time(create, H5D_ALLOC_TIME_EARLY);
    H5Pset_fill_time(create, H5D_FILL_TIME_NEVER);
  } else if (chunk_rows > 0) {
    const unsigned char zero[8] = {0};
    const size_t chunk_bytes = (size_t)chunk_rows * gd_dataset_row_bytes(d);
    most[0] = H5S_UNLIMITED;
    chunk[0] = (hsize_t)chunk_rows;
    H5Pset_chunk(create, d->rank, chunk);
    H5Pset_fletcher32(create);
    if (d->dtype != GD_TEXT)
      H5Pset_fill_value(create, gd_h5_file_type(d->dtype), zero);
    H5Pset_fill_time(create, H5D_FILL_TIME_ALLOC);
    H5Pset_chunk_cache(
        access, 97, chunk_bytes > (1u << 19) ? 2 * chunk_bytes : 1u << 20, 1.0);
  }
  hid_t type = gd_h5_type(d->dtype, (size_t)d->text_bytes);
  hid_t space = H5Screate_simple(d->rank, dims, most);
  hid_t id = type < 0 || space < 0 ? H5I_INVALID_HID
                                   : H5Dcreate2(w->file, d->name, type, space,
                                                H5P_DEFAULT, create, access);
  if (space >= 0)
    H5Sclose(space);
  if (type >= 0)
    H5Tclose(type);
  H5Pclose(access);
  H5Pclose(create);
  return id;
}

static gd_status add_column(gd_store_writer *w, const gd_dataset *d,
                            int64_t chunk_rows, column **out)
{
  assert(d->name != NULL && strlen(d->name) < GD_STORE_NAME_MAX);
  assert(d->dtype != GD_TEXT || d->text_bytes > 0);
  assert(gd_dataset_row_bytes(d) > 0);

  gd_status st = gd_grow(&w->columns, w->n_columns + 1, &w->columns_room,
                         sizeof w->columns[0]);
  if (st != GD_OK)
    return st;
  column *c = &w->columns[w->n_columns];
  *c = (column){.shape = *d, .id = H5I_INVALID_HID};
  snprintf(c->name, sizeof c->name, "%s", d->name);
  st = gd_hasher_new(&c->hasher);
  if (st != GD_OK)
    return st;
  w->n_columns++;
  st = make_groups(w, d->name);
  if (st != GD_OK)
    return st;
  c->id = create_dataset(w, d, chunk_rows);
  if (c->id < 0)
    return gd_h5_fail(GD_ERR_IO, w->path, "cannot make a dataset");
  *out = c;
  return d->unit == NULL ? GD_OK
                         : put_text_attribute(c->id, w->path, "unit", d->unit);
}

gd_status gd_store_declare(gd_store_writer *w, const gd_dataset *d,
                           size_t chunk_bytes)
{
  GD_H5_ALONE;
  assert(w != NULL && d != NULL && d->dims[0] == 0);
  const size_t row_bytes = gd_dataset_row_bytes(d);
  const int64_t chunk_rows =
      chunk_bytes < row_bytes ? 1 : (int64_t)(chunk_bytes / row_bytes);
  column *c = NULL;
  gd_status st = add_column(w, d, chunk_rows, &c);
  return st == GD_OK ? gd_hasher_new(&c->marked) : st;
}

static column *find_column(gd_store_writer *w, const char *name)
{
  for (int i = 0; i < w->n_columns; i++)
    if (strcmp(w->columns[i].name, name) == 0)
      return &w->columns[i];
  return NULL;
}

static gd_status write_rows(gd_store_writer *w, column *c, int64_t first,
                            int64_t n_rows, const void *rows)
{
  hid_t memory;
  hid_t type = gd_h5_type(c->shape.dtype, (size_t)c->shape.text_bytes);
  hid_t window = gd_h5_select(c->id, &c->shape, first, n_rows, &memory);
  gd_status st = GD_OK;
  if (type < 0 || window < 0 || memory < 0 ||
      H5Dwrite(c->id, type, memory, window, H5P_DEFAULT, rows) < 0)
    st = gd_h5_fail(GD_ERR_IO, w->path, "cannot write");
  if (memory >= 0)
    H5Sclose(memory);
  if (window >= 0)
    H5Sclose(window);
  if (type >= 0)
    H5Tclose(type);
  gd_hasher_bytes(c->hasher, rows,
                  (size_t)n_rows * gd_dataset_row_bytes(&c->shape));
  return st;
}

/* Give a dataset that grows another number of rows. */
static gd_status set_rows(gd_store_writer *w, column *c, int64_t n_rows)
{
  hsize_t dims[GD_STORE_MAX_RANK];
  for (int i = 0; i < c->shape.rank; i++)
    dims[i] = (hsize_t)c->shape.dims[i];
  dims[0] = (hsize_t)n_rows;
  if (H5Dset_extent(c->id, dims) < 0)
    return gd_h5_fail(GD_ERR_IO, w->path, "cannot resize a dataset");
  c->shape.dims[0] = n_rows;
  return GD_OK;
}

gd_status gd_store_append(gd_store_writer *w, const char *name, int64_t n_rows,
                          const void *rows)
{
  GD_H5_ALONE;
  assert(w != NULL && n_rows >= 0 && (rows != NULL || n_rows == 0));
  column *c = find_column(w, name);
  assert(c != NULL);
  if (n_rows == 0)
    return GD_OK;

  const int64_t first = c->shape.dims[0];
  gd_status st = set_rows(w, c, first + n_rows);
  return st == GD_OK ? write_rows(w, c, first, n_rows, rows) : st;
}

void gd_store_mark(gd_store_writer *w)
{
  GD_H5_ALONE;
  assert(w != NULL);
  for (int i = 0; i < w->n_columns; i++) {
    column *c = &w->columns[i];
    if (c->marked == NULL)
      continue;
    c->marked_rows = c->shape.dims[0];
    gd_hasher_copy(c->marked, c->hasher);
  }
}

gd_status gd_store_rewind(gd_store_writer *w)
{
  GD_H5_ALONE;
  assert(w != NULL);
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < w->n_columns; i++) {
    column *c = &w->columns[i];
    if (c->marked == NULL || c->shape.dims[0] == c->marked_rows)
      continue;
    st = set_rows(w, c, c->marked_rows);
    gd_hasher_copy(c->hasher, c->marked);
  }
  return st;
}

gd_status gd_store_put(gd_store_writer *w, const gd_dataset *d,
                       const void *data)
{
  GD_H5_ALONE;
  assert(w != NULL && d != NULL && (data != NULL || d->dims[0] == 0));
  column *c = NULL;
  gd_status st = add_column(w, d, CONTIGUOUS, &c);
  if (st == GD_OK && d->dims[0] > 0)
    st = write_rows(w, c, 0, d->dims[0], data);
  return st;
}

int64_t gd_store_n_blocks(int64_t n_bytes)
{
  assert(n_bytes >= 0);
  return (n_bytes + GD_STORE_BLOCK_BYTES - 1) / GD_STORE_BLOCK_BYTES;
}

/* Add a dataset whose values come later, and find out where. */
static gd_status reserve(gd_store_writer *w, const gd_dataset *d, column **out,
                         int64_t *at)
{
  assert(d->dtype != GD_TEXT && d->dims[0] > 0);
  gd_status st = add_column(w, d, RESERVED, out);
  if (st != GD_OK)
    return st;
  (*out)->reserved = 1;
  w->reserved_bytes += d->dims[0] * (int64_t)gd_dataset_row_bytes(d);
  const haddr_t found = H5Dget_offset((*out)->id);
  *at = (int64_t)found;
  return found == HADDR_UNDEF
             ? gd_h5_fail(GD_ERR_IO, w->path, "cannot reserve a dataset")
             : GD_OK;
}

gd_status gd_store_expect_blocks(gd_store_writer *w, int64_t n_blocks)
{
  GD_H5_ALONE;
  assert(w != NULL && w->n_blocks == 0 && n_blocks > 0);
  gd_dataset d = GD_STORE_BLOCKS;
  d.dims[0] = n_blocks;
  column *c = NULL;
  w->n_blocks = n_blocks;
  return reserve(w, &d, &c, &w->digests);
}

gd_status gd_store_reserve(gd_store_writer *w, const gd_dataset *d,
                           gd_store_place *place)
{
  GD_H5_ALONE;
  assert(w != NULL && d != NULL && place != NULL);
  column *c = NULL;
  const int64_t first = w->n_described;
  gd_status st = reserve(w, d, &c, &place->values);
  if (st == GD_OK)
    st = put_attribute(c->id, w->path, "first_block", GD_I64, 0, -1, &first);
  place->digests = w->digests + first * (int64_t)sizeof(gd_digest);
  w->n_described +=
      gd_store_n_blocks(d->dims[0] * (int64_t)gd_dataset_row_bytes(d));
  assert(w->n_described <= w->n_blocks);
  return st;
}

/* Put texts side by side, padded with zeros to the longest; NULL: no memory. */
static char *rows_of(int64_t n, const char *const *texts, size_t *row_bytes)
{
  *row_bytes = 1;
  for (int64_t i = 0; i < n; i++)
    if (strlen(texts[i]) > *row_bytes)
      *row_bytes = strlen(texts[i]);
  char *rows = gd_alloc(n, *row_bytes);
  for (int64_t i = 0; rows != NULL && i < n; i++)
    memcpy(rows + (size_t)i * *row_bytes, texts[i], strlen(texts[i]));
  return rows;
}

gd_status gd_store_put_texts(gd_store_writer *w, const char *name, int64_t n,
                             const char *const *texts)
{
  GD_H5_ALONE;
  assert(w != NULL && name != NULL && (texts != NULL || n == 0));
  size_t longest;
  char *rows = rows_of(n, texts, &longest);
  if (rows == NULL)
    return GD_ERR_NOMEM;
  const gd_dataset d = {.name = name,
                        .dtype = GD_TEXT,
                        .rank = 1,
                        .dims = {n},
                        .text_bytes = (int)longest};
  gd_status st = gd_store_put(w, &d, rows);
  free(rows);
  return st;
}

gd_status gd_store_set_texts(gd_store_writer *w, const char *group,
                             const char *name, int n, const char *const *texts)
{
  GD_H5_ALONE;
  assert(w != NULL && group != NULL && name != NULL && n >= 0);
  size_t longest;
  char *rows = rows_of(n, texts, &longest);
  if (rows == NULL)
    return GD_ERR_NOMEM;
  hid_t id = group[0] == '\0' ? w->file : H5Oopen(w->file, group, H5P_DEFAULT);
  gd_status st =
      id < 0 ? gd_h5_fail(GD_ERR_IO, w->path, "cannot open a group")
             : put_attribute(id, w->path, name, GD_TEXT, longest, n, rows);
  if (id >= 0 && id != w->file)
    H5Oclose(id);
  free(rows);
  return st;
}

/* Cut a text to what readers take, before a character that would be split. */
static void cut_reason(char *text)
{
  size_t n = strlen(text);
  if (n < GD_STORE_REASON_MAX)
    return;
  n = GD_STORE_REASON_MAX - 1;
  while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
    n--;
  text[n] = '\0';
}

gd_status gd_store_skip(gd_store_writer *w, const char *item,
                        const char *reason)
{
  GD_H5_ALONE;
  assert(w != NULL && item != NULL && reason != NULL);
  gd_status st = gd_grow(&w->skipped, w->n_skipped + 1, &w->skipped_room,
                         2 * sizeof w->skipped[0]);
  if (st != GD_OK)
    return st;
  char *a = gd_strdup(item), *b = gd_strdup(reason);
  if (a == NULL || b == NULL) {
    free(a);
    free(b);
    return GD_ERR_NOMEM;
  }
  cut_reason(b);
  w->skipped[2 * w->n_skipped] = a;
  w->skipped[2 * w->n_skipped + 1] = b;
  w->n_skipped++;
  return GD_OK;
}

static gd_status put_skipped(gd_store_writer *w)
{
  if (w->n_skipped == 0)
    return GD_OK;
  const char **texts = gd_alloc(2 * w->n_skipped, sizeof texts[0]);
  if (texts == NULL)
    return GD_ERR_NOMEM;
  for (int64_t i = 0; i < w->n_skipped; i++) {
    texts[i] = w->skipped[2 * i];
    texts[w->n_skipped + i] = w->skipped[2 * i + 1];
  }
  gd_status st = gd_store_put_texts(w, "skipped/item", w->n_skipped, texts);
  if (st == GD_OK)
    st = gd_store_put_texts(w, "skipped/reason", w->n_skipped,
                            texts + w->n_skipped);
  free(texts);
  return st;
}

static gd_status put_digests(gd_store_writer *w)
{
  gd_status st = GD_OK;
  for (int i = 0; i < w->n_columns; i++) {
    column *c = &w->columns[i];
    char hex[GD_DIGEST_HEX];
    gd_digest_hex(gd_hasher_end(c->hasher), hex);
    c->hasher = NULL;
    if (st == GD_OK && !c->reserved)
      st = put_text_attribute(c->id, w->path, "xxh128", hex);
  }
  return st;
}

static void close_columns(gd_store_writer *w)
{
  for (int i = 0; i < w->n_columns; i++) {
    if (w->columns[i].id >= 0)
      H5Dclose(w->columns[i].id);
    w->columns[i].id = H5I_INVALID_HID;
  }
}

static void free_writer(gd_store_writer *w)
{
  if (w->file >= 0) /* abandoned */
    gd_h5_divert(w->file);
  close_columns(w);
  for (int i = 0; i < w->n_columns; i++) {
    (void)gd_hasher_end(w->columns[i].hasher);
    (void)gd_hasher_end(w->columns[i].marked);
  }
  for (int64_t i = 0; i < 2 * w->n_skipped; i++)
    free(w->skipped[i]);
  if (w->file >= 0)
    H5Fclose(w->file);
  free(w->skipped);
  free(w->columns);
  free(w);
}

gd_status gd_store_finish(gd_store_writer *w)
{
  GD_H5_ALONE;
  assert(w != NULL);
  gd_status st = put_skipped(w);
  if (st == GD_OK)
    st = put_digests(w);
  /* A full disk shows here at the latest, while all can still be closed. */
  if (st == GD_OK)
    st = gd_h5_check_room(w->file, w->path, w->reserved_bytes);
  if (st == GD_OK && H5Fflush(w->file, H5F_SCOPE_LOCAL) < 0)
    st = gd_h5_fail(GD_ERR_IO, w->path, "cannot write");
  if (st != GD_OK) {
    gd_store_abandon(w);
    return st;
  }
  close_columns(w);
  if (H5Fclose(w->file) < 0)
    st = gd_h5_fail(GD_ERR_IO, w->path, "cannot write");
  w->file = H5I_INVALID_HID;
  if (st != GD_OK)
    unlink(w->part);
  free_writer(w);
  return st;
}

gd_status gd_store_commit(gd_store_writer *w)
{
  GD_H5_ALONE;
  assert(w != NULL);
  char path[GD_PATH_MAX], part[GD_PATH_MAX];
  memcpy(path, w->path, sizeof path);
  memcpy(part, w->part, sizeof part);
  gd_status st = gd_store_finish(w);
  if (st == GD_OK) {
    st = gd_file_publish(path);
    if (st != GD_OK)
      unlink(part);
  }
  return st;
}

void gd_store_abandon(gd_store_writer *w)
{
  GD_H5_ALONE;
  if (w == NULL)
    return;
  char part[GD_PATH_MAX];
  memcpy(part, w->part, sizeof part);
  free_writer(w);
  if (part[0] != '\0')
    unlink(part);
  H5Eclear2(H5E_DEFAULT);
}

gd_status gd_store_end(gd_store_writer *w, gd_status st)
{
  if (st == GD_OK)
    return gd_store_commit(w);
  gd_store_abandon(w);
  return st;
}
