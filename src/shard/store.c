#include "gradus/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gradus/file.h"
#include "gradus/memory.h"

/* HDF5 keeps its own stack of errors: take the innermost sentence of it, which
 * for a failed write is the system's ("No space left on device"). */
static herr_t take_innermost(unsigned n, const H5E_error2_t *error, void *text)
{
  if (n == 0)
    snprintf(text, 400, "%s", error->desc == NULL ? "" : error->desc);
  return 0;
}

static gd_status fail_hdf5(gd_status code, const char *path, const char *what)
{
  char text[400] = "";
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_innermost, text);
  H5Eclear2(H5E_DEFAULT);
  const char *system = strstr(text, "error message = '");
  if (system != NULL) {
    char message[128];
    snprintf(message, sizeof message, "%s", system + 17);
    message[strcspn(message, "'")] = '\0';
    return gd_fail(code, "%s: %s: %s", path, what, message);
  }
  return gd_fail(code, "%s: %s%s%s", path, what, text[0] ? ": " : "", text);
}

/* After a failed write (full disk) HDF5 cannot close the file, and its own work
 * at exit crashes on what is left: everything is closed by us instead. */
static void begin_hdf5(void)
{
  H5dont_atexit();
}

/* The library prints every error unless told not to. */
static void quiet_hdf5(void)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, begin_hdf5);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

static hid_t file_type(gd_dtype dtype)
{
  switch (dtype) {
  case GD_F32:
    return H5T_IEEE_F32LE;
  case GD_F64:
    return H5T_IEEE_F64LE;
  case GD_U8:
    return H5T_STD_U8LE;
  case GD_I32:
    return H5T_STD_I32LE;
  case GD_I64:
    return H5T_STD_I64LE;
  case GD_TEXT:
    break;
  }
  return H5T_C_S1;
}

static size_t item_bytes(const gd_dataset *d)
{
  switch (d->dtype) {
  case GD_F32:
  case GD_I32:
    return 4;
  case GD_F64:
  case GD_I64:
    return 8;
  case GD_U8:
    return 1;
  case GD_TEXT:
    break;
  }
  return (size_t)d->text_bytes;
}

size_t gd_dataset_row_bytes(const gd_dataset *d)
{
  assert(d != NULL && d->rank >= 1 && d->rank <= GD_STORE_MAX_RANK);
  size_t bytes = item_bytes(d);
  for (int i = 1; i < d->rank; i++)
    bytes *= (size_t)d->dims[i];
  return bytes;
}

/* A type of ours for files and for memory: numbers little-endian, texts padded
 * with zeros.  Ends with H5Tclose(). */
static hid_t make_type(gd_dtype dtype, size_t text_bytes)
{
  hid_t type = H5Tcopy(file_type(dtype));
  if (type >= 0 && dtype == GD_TEXT &&
      (H5Tset_size(type, text_bytes) < 0 ||
       H5Tset_strpad(type, H5T_STR_NULLPAD) < 0 ||
       H5Tset_cset(type, H5T_CSET_UTF8) < 0)) {
    H5Tclose(type);
    return H5I_INVALID_HID;
  }
  return type;
}

static gd_status put_attribute(hid_t object, const char *path, const char *name,
                               gd_dtype dtype, size_t text_bytes,
                               const void *value)
{
  hid_t type = make_type(dtype, text_bytes);
  hid_t space = H5Screate(H5S_SCALAR);
  hid_t attribute =
      type < 0 || space < 0
          ? H5I_INVALID_HID
          : H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  gd_status st = GD_OK;
  if (attribute < 0 || H5Awrite(attribute, type, value) < 0)
    st = fail_hdf5(GD_ERR_IO, path, "cannot write an attribute");
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
                       length == 0 ? "\0" : value);
}

/* ---------------------------------------------------------------- writing */

typedef struct {
  char name[GD_STORE_NAME_MAX];
  gd_dataset shape; /* dims[0] counts the rows written */
  hid_t id;
  gd_hasher *hasher;
} column;

struct gd_store_writer {
  char path[GD_PATH_MAX], part[GD_PATH_MAX];
  hid_t file;
  column *columns;
  int n_columns;
  char **skipped; /* item, reason, item, reason, ... */
  int64_t n_skipped;
};

static hid_t make_access(void)
{
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  if (access >= 0) {
    /* The newest format puts a checksum on all metadata; locks fail on many
     * parallel file systems, and nobody reads an unfinished file. */
    H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
    H5Pset_file_locking(access, 0, 1);
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
  }
  return access;
}

static hid_t make_timeless(hid_t class)
{
  hid_t list = H5Pcreate(class);
  if (list >= 0)
    H5Pset_obj_track_times(list, 0);
  return list;
}

gd_status gd_store_create(const char *path, const char *format, int version,
                          gd_digest digest, gd_store_writer **out)
{
  assert(path != NULL && format != NULL && version >= 1 && out != NULL);
  *out = NULL;
  quiet_hdf5();

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
    hid_t access = make_access(), timeless = make_timeless(H5P_FILE_CREATE);
    w->file = H5Fcreate(w->part, H5F_ACC_TRUNC, timeless, access);
    if (w->file < 0)
      st = fail_hdf5(GD_ERR_IO, path, "cannot create");
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
  assert(w != NULL && name != NULL);
  return put_attribute(w->file, w->path, name, GD_I64, 0, &value);
}

gd_status gd_store_set_real(gd_store_writer *w, const char *name, double value)
{
  assert(w != NULL && name != NULL);
  return put_attribute(w->file, w->path, name, GD_F64, 0, &value);
}

gd_status gd_store_set_text(gd_store_writer *w, const char *name,
                            const char *value)
{
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
    hid_t timeless = make_timeless(H5P_GROUP_CREATE);
    hid_t id = H5Gcreate2(w->file, group, H5P_DEFAULT, timeless, H5P_DEFAULT);
    H5Pclose(timeless);
    if (id < 0)
      return fail_hdf5(GD_ERR_IO, w->path, "cannot make a group");
    H5Gclose(id);
  }
  return GD_OK;
}

/* Create the dataset; chunk_rows 0 stores it contiguously. */
static hid_t create_dataset(gd_store_writer *w, const gd_dataset *d,
                            int64_t chunk_rows)
{
  hsize_t dims[GD_STORE_MAX_RANK], most[GD_STORE_MAX_RANK],
      chunk[GD_STORE_MAX_RANK];
  for (int i = 0; i < d->rank; i++)
    dims[i] = most[i] = chunk[i] = (hsize_t)d->dims[i];
  hid_t create = make_timeless(H5P_DATASET_CREATE);
  hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
  if (chunk_rows > 0) {
    const unsigned char zero[8] = {0};
    const size_t chunk_bytes = (size_t)chunk_rows * gd_dataset_row_bytes(d);
    most[0] = H5S_UNLIMITED;
    chunk[0] = (hsize_t)chunk_rows;
    H5Pset_chunk(create, d->rank, chunk);
    H5Pset_fletcher32(create);
    if (d->dtype != GD_TEXT)
      H5Pset_fill_value(create, file_type(d->dtype), zero);
    H5Pset_fill_time(create, H5D_FILL_TIME_ALLOC);
    H5Pset_chunk_cache(
        access, 97, chunk_bytes > (1u << 19) ? 2 * chunk_bytes : 1u << 20, 1.0);
  }
  hid_t type = make_type(d->dtype, (size_t)d->text_bytes);
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

  column *grown =
      realloc(w->columns, (size_t)(w->n_columns + 1) * sizeof w->columns[0]);
  if (grown == NULL)
    return gd_fail(GD_ERR_NOMEM, "%s: out of memory", w->path);
  w->columns = grown;
  column *c = &w->columns[w->n_columns];
  *c = (column){.shape = *d, .id = H5I_INVALID_HID};
  snprintf(c->name, sizeof c->name, "%s", d->name);
  gd_status st = gd_hasher_new(&c->hasher);
  if (st != GD_OK)
    return st;
  w->n_columns++;
  st = make_groups(w, d->name);
  if (st != GD_OK)
    return st;
  c->id = create_dataset(w, d, chunk_rows);
  if (c->id < 0)
    return fail_hdf5(GD_ERR_IO, w->path, "cannot make a dataset");
  *out = c;
  return d->unit == NULL ? GD_OK
                         : put_text_attribute(c->id, w->path, "unit", d->unit);
}

gd_status gd_store_declare(gd_store_writer *w, const gd_dataset *d,
                           size_t chunk_bytes)
{
  assert(w != NULL && d != NULL && d->dims[0] == 0);
  const size_t row_bytes = gd_dataset_row_bytes(d);
  const int64_t chunk_rows =
      chunk_bytes < row_bytes ? 1 : (int64_t)(chunk_bytes / row_bytes);
  column *c = NULL;
  return add_column(w, d, chunk_rows, &c);
}

static column *find_column(gd_store_writer *w, const char *name)
{
  for (int i = 0; i < w->n_columns; i++)
    if (strcmp(w->columns[i].name, name) == 0)
      return &w->columns[i];
  return NULL;
}

/* Rows first .. first + n of a dataset, as a selection of its file space. */
static hid_t select_rows(hid_t dataset, const gd_dataset *d, int64_t first,
                         int64_t n, hid_t *memory)
{
  hsize_t start[GD_STORE_MAX_RANK] = {0}, count[GD_STORE_MAX_RANK];
  for (int i = 0; i < d->rank; i++)
    count[i] = (hsize_t)d->dims[i];
  start[0] = (hsize_t)first;
  count[0] = (hsize_t)n;
  hid_t window = H5Dget_space(dataset);
  *memory = H5Screate_simple(d->rank, count, NULL);
  if (window >= 0 && H5Sselect_hyperslab(window, H5S_SELECT_SET, start, NULL,
                                         count, NULL) < 0) {
    H5Sclose(window);
    window = H5I_INVALID_HID;
  }
  return window;
}

static gd_status write_rows(gd_store_writer *w, column *c, int64_t first,
                            int64_t n_rows, const void *rows)
{
  hid_t memory;
  hid_t type = make_type(c->shape.dtype, (size_t)c->shape.text_bytes);
  hid_t window = select_rows(c->id, &c->shape, first, n_rows, &memory);
  gd_status st = GD_OK;
  if (type < 0 || window < 0 || memory < 0 ||
      H5Dwrite(c->id, type, memory, window, H5P_DEFAULT, rows) < 0)
    st = fail_hdf5(GD_ERR_IO, w->path, "cannot write");
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

gd_status gd_store_append(gd_store_writer *w, const char *name, int64_t n_rows,
                          const void *rows)
{
  assert(w != NULL && n_rows >= 0 && (rows != NULL || n_rows == 0));
  column *c = find_column(w, name);
  assert(c != NULL);
  if (n_rows == 0)
    return GD_OK;

  const int64_t first = c->shape.dims[0];
  hsize_t dims[GD_STORE_MAX_RANK];
  for (int i = 0; i < c->shape.rank; i++)
    dims[i] = (hsize_t)c->shape.dims[i];
  dims[0] = (hsize_t)(first + n_rows);
  if (H5Dset_extent(c->id, dims) < 0)
    return fail_hdf5(GD_ERR_IO, w->path, "cannot extend a dataset");
  c->shape.dims[0] = first + n_rows;
  return write_rows(w, c, first, n_rows, rows);
}

gd_status gd_store_put(gd_store_writer *w, const gd_dataset *d,
                       const void *data)
{
  assert(w != NULL && d != NULL && (data != NULL || d->dims[0] == 0));
  column *c = NULL;
  gd_status st = add_column(w, d, 0, &c);
  if (st == GD_OK && d->dims[0] > 0)
    st = write_rows(w, c, 0, d->dims[0], data);
  return st;
}

gd_status gd_store_put_texts(gd_store_writer *w, const char *name, int64_t n,
                             const char *const *texts)
{
  assert(w != NULL && name != NULL && (texts != NULL || n == 0));
  size_t longest = 1;
  for (int64_t i = 0; i < n; i++)
    if (strlen(texts[i]) > longest)
      longest = strlen(texts[i]);
  char *rows = gd_alloc(n, longest);
  if (rows == NULL)
    return GD_ERR_NOMEM;
  for (int64_t i = 0; i < n; i++)
    memcpy(rows + (size_t)i * longest, texts[i], strlen(texts[i]));
  const gd_dataset d = {.name = name,
                        .dtype = GD_TEXT,
                        .rank = 1,
                        .dims = {n},
                        .text_bytes = (int)longest};
  gd_status st = gd_store_put(w, &d, rows);
  free(rows);
  return st;
}

gd_status gd_store_skip(gd_store_writer *w, const char *item,
                        const char *reason)
{
  assert(w != NULL && item != NULL && reason != NULL);
  char **grown = realloc(w->skipped, (size_t)(2 * (w->n_skipped + 1)) *
                                         sizeof w->skipped[0]);
  if (grown == NULL)
    return gd_fail(GD_ERR_NOMEM, "%s: out of memory", w->path);
  w->skipped = grown;
  char *a = gd_strdup(item), *b = gd_strdup(reason);
  if (a == NULL || b == NULL) {
    free(a);
    free(b);
    return GD_ERR_NOMEM;
  }
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

static gd_status close_columns(gd_store_writer *w)
{
  gd_status st = GD_OK;
  for (int i = 0; i < w->n_columns; i++) {
    column *c = &w->columns[i];
    char hex[GD_DIGEST_HEX];
    gd_digest_hex(gd_hasher_end(c->hasher), hex);
    c->hasher = NULL;
    if (st == GD_OK)
      st = put_text_attribute(c->id, w->path, "xxh128", hex);
    if (H5Dclose(c->id) < 0 && st == GD_OK)
      st = fail_hdf5(GD_ERR_IO, w->path, "cannot write");
    c->id = H5I_INVALID_HID;
  }
  return st;
}

static void free_writer(gd_store_writer *w)
{
  for (int i = 0; i < w->n_columns; i++) {
    if (w->columns[i].id >= 0)
      H5Dclose(w->columns[i].id);
    (void)gd_hasher_end(w->columns[i].hasher);
  }
  for (int64_t i = 0; i < 2 * w->n_skipped; i++)
    free(w->skipped[i]);
  if (w->file >= 0)
    H5Fclose(w->file);
  free(w->skipped);
  free(w->columns);
  free(w);
}

gd_status gd_store_commit(gd_store_writer *w)
{
  assert(w != NULL);
  gd_status st = put_skipped(w);
  if (st == GD_OK)
    st = close_columns(w);
  if (st == GD_OK && H5Fflush(w->file, H5F_SCOPE_LOCAL) < 0)
    st = fail_hdf5(GD_ERR_IO, w->path, "cannot write");
  if (st != GD_OK) {
    gd_store_abandon(w);
    return st;
  }
  if (H5Fclose(w->file) < 0)
    st = fail_hdf5(GD_ERR_IO, w->path, "cannot write");
  w->file = H5I_INVALID_HID;
  if (st == GD_OK)
    st = gd_file_publish(w->path);
  if (st != GD_OK)
    unlink(w->part);
  free_writer(w);
  return st;
}

void gd_store_abandon(gd_store_writer *w)
{
  if (w == NULL)
    return;
  char part[GD_PATH_MAX];
  memcpy(part, w->part, sizeof part);
  free_writer(w);
  if (part[0] != '\0')
    unlink(part);
  H5Eclear2(H5E_DEFAULT);
}

/* ---------------------------------------------------------------- reading */

struct gd_store {
  char path[GD_PATH_MAX];
  char format[64];
  gd_digest digest;
  hid_t file;
  /* The dataset read last stays open: readers go row by row. */
  char open_name[GD_STORE_NAME_MAX];
  gd_dataset open_shape;
  hid_t open_id;
};

static gd_status get_attribute(gd_store *s, hid_t object, const char *name,
                               gd_dtype dtype, void *out, size_t out_bytes)
{
  hid_t attribute = H5Aexists(object, name) > 0
                        ? H5Aopen(object, name, H5P_DEFAULT)
                        : H5I_INVALID_HID;
  if (attribute < 0)
    return gd_fail(GD_ERR_FORMAT, "%s: has no attribute '%s'", s->path, name);
  hid_t found = H5Aget_type(attribute);
  hid_t type = H5I_INVALID_HID;
  const H5T_class_t class = H5Tget_class(found);
  const size_t size = H5Tget_size(found);
  gd_status st = GD_OK;
  if (dtype == GD_TEXT) {
    if (class == H5T_STRING && H5Tis_variable_str(found) == 0 &&
        size < out_bytes)
      type = H5Tcopy(found);
    memset(out, 0, out_bytes);
  } else if ((class == H5T_FLOAT) == (dtype == GD_F64) &&
             (class == H5T_INTEGER || class == H5T_FLOAT)) {
    type = make_type(dtype, 0);
  }
  if (type < 0)
    st = gd_fail(GD_ERR_FORMAT,
                 "%s: attribute '%s' is of another type or too "
                 "long",
                 s->path, name);
  else if (H5Aread(attribute, type, out) < 0)
    st = fail_hdf5(GD_ERR_FORMAT, s->path, "cannot read an attribute");
  if (type >= 0)
    H5Tclose(type);
  if (found >= 0)
    H5Tclose(found);
  H5Aclose(attribute);
  return st;
}

static int hex_digit(char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static gd_status parse_digest(gd_store *s, const char *hex, gd_digest *out)
{
  uint64_t half[2] = {0, 0};
  for (int i = 0; i < 32; i++) {
    const int digit = hex_digit(hex[i]);
    if (digit < 0)
      return gd_fail(GD_ERR_FORMAT, "%s: holds no digest", s->path);
    half[i / 16] = half[i / 16] << 4 | (uint64_t)digit;
  }
  *out = (gd_digest){half[0], half[1]};
  return GD_OK;
}

/* Check the attributes that make an HDF5 file a store of ours. */
static gd_status read_header(gd_store *s, const char *format, int version)
{
  char hex[GD_DIGEST_HEX + 1];
  int64_t found = 0;
  gd_status st = gd_store_get_text(s, "format", s->format, sizeof s->format);
  if (st == GD_OK && strcmp(s->format, format) != 0)
    return gd_fail(GD_ERR_FORMAT, "%s: is a %s file, expected %s", s->path,
                   s->format, format);
  if (st == GD_OK)
    st = gd_store_get_int(s, "version", &found);
  if (st == GD_OK && (found < 1 || found > version))
    return gd_fail(GD_ERR_FORMAT,
                   "%s: format %s version %" PRId64
                   ", this gradus reads up to %d: use a newer one",
                   s->path, format, found, version);
  if (st == GD_OK)
    st = gd_store_get_text(s, "digest", hex, sizeof hex);
  if (st == GD_OK)
    st = parse_digest(s, hex, &s->digest);
  return st;
}

gd_status gd_store_open(const char *path, const char *format, int version,
                        gd_store **out)
{
  assert(path != NULL && out != NULL);
  *out = NULL;
  quiet_hdf5();

  gd_status st = gd_file_stat(path, NULL, NULL);
  if (st != GD_OK)
    return st;
  gd_store *s = gd_alloc(1, sizeof *s);
  if (s == NULL)
    return GD_ERR_NOMEM;
  s->file = s->open_id = H5I_INVALID_HID;
  st = gd_path_join("", path, s->path);
  if (st == GD_OK && access(path, R_OK) != 0)
    st = gd_fail(GD_ERR_IO, "%s: cannot read: %s", path, strerror(errno));
  if (st == GD_OK) {
    hid_t access = make_access();
    s->file = H5Fopen(path, H5F_ACC_RDONLY, access);
    H5Pclose(access);
    if (s->file < 0)
      st = fail_hdf5(GD_ERR_FORMAT, path, "no HDF5 file, or truncated");
  }
  if (st == GD_OK && format != NULL)
    st = read_header(s, format, version);
  else if (st == GD_OK && H5Aexists(s->file, "format") > 0 &&
           gd_store_get_text(s, "format", s->format, sizeof s->format) != GD_OK)
    s->format[0] = '\0'; /* a foreign file may mean something else by it */
  if (st != GD_OK) {
    gd_store_close(s);
    return st;
  }
  *out = s;
  return GD_OK;
}

void gd_store_close(gd_store *s)
{
  if (s == NULL)
    return;
  if (s->open_id >= 0)
    H5Dclose(s->open_id);
  if (s->file >= 0)
    H5Fclose(s->file);
  free(s);
}

const char *gd_store_path(const gd_store *s)
{
  assert(s != NULL);
  return s->path;
}

const char *gd_store_format(const gd_store *s)
{
  assert(s != NULL);
  return s->format;
}

gd_digest gd_store_digest(const gd_store *s)
{
  assert(s != NULL);
  return s->digest;
}

gd_status gd_store_get_int(gd_store *s, const char *name, int64_t *out)
{
  assert(s != NULL && name != NULL && out != NULL);
  return get_attribute(s, s->file, name, GD_I64, out, sizeof *out);
}

gd_status gd_store_get_real(gd_store *s, const char *name, double *out)
{
  assert(s != NULL && name != NULL && out != NULL);
  return get_attribute(s, s->file, name, GD_F64, out, sizeof *out);
}

gd_status gd_store_get_text(gd_store *s, const char *name, char *out,
                            size_t out_bytes)
{
  assert(s != NULL && name != NULL && out != NULL && out_bytes > 0);
  return get_attribute(s, s->file, name, GD_TEXT, out, out_bytes);
}

/* H5Lexists() wants every part of a path to exist. */
static int link_exists(hid_t file, const char *name)
{
  char part[GD_STORE_NAME_MAX];
  for (const char *slash = name;;) {
    slash = strchr(slash, '/');
    if (slash == NULL)
      return H5Lexists(file, name, H5P_DEFAULT) > 0;
    snprintf(part, sizeof part, "%.*s", (int)(slash - name), name);
    if (H5Lexists(file, part, H5P_DEFAULT) <= 0)
      return 0;
    slash++;
  }
}

int gd_store_has(const gd_store *s, const char *name)
{
  assert(s != NULL && name != NULL && strlen(name) < GD_STORE_NAME_MAX);
  if (!link_exists(s->file, name))
    return 0;
  hid_t id = H5Oopen(s->file, name, H5P_DEFAULT);
  const int is_dataset = id >= 0 && H5Iget_type(id) == H5I_DATASET;
  if (id >= 0)
    H5Oclose(id);
  H5Eclear2(H5E_DEFAULT);
  return is_dataset;
}

/* Which of our types a dataset has; 0 if none. */
static int find_dtype(hid_t type, gd_dataset *d)
{
  const H5T_class_t class = H5Tget_class(type);
  const size_t size = H5Tget_size(type);
  if (class == H5T_FLOAT && (size == 4 || size == 8))
    d->dtype = size == 4 ? GD_F32 : GD_F64;
  else if (class == H5T_INTEGER && size == 1)
    d->dtype = GD_U8;
  else if (class == H5T_INTEGER && (size == 4 || size == 8))
    d->dtype = size == 4 ? GD_I32 : GD_I64;
  else if (class == H5T_STRING && H5Tis_variable_str(type) == 0 &&
           size < 1 << 20) {
    d->dtype = GD_TEXT;
    d->text_bytes = (int)size;
  } else
    return 0;
  return 1;
}

/* Open a dataset and keep it open as s->open_*. */
static gd_status open_dataset(gd_store *s, const char *name)
{
  assert(strlen(name) < GD_STORE_NAME_MAX);
  if (s->open_id >= 0 && strcmp(s->open_name, name) == 0)
    return GD_OK;
  if (s->open_id >= 0)
    H5Dclose(s->open_id);
  s->open_id = H5I_INVALID_HID;
  if (!gd_store_has(s, name))
    return gd_fail(GD_ERR_FORMAT, "%s: has no dataset /%s", s->path, name);

  gd_dataset d = {0};
  hsize_t dims[H5S_MAX_RANK];
  hid_t id = H5Dopen2(s->file, name, H5P_DEFAULT);
  if (id < 0)
    return fail_hdf5(GD_ERR_FORMAT, s->path, "cannot open a dataset");
  hid_t type = H5Dget_type(id), space = H5Dget_space(id);
  d.rank = H5Sget_simple_extent_ndims(space);
  int known =
      d.rank >= 1 && d.rank <= GD_STORE_MAX_RANK && find_dtype(type, &d);
  if (known && H5Sget_simple_extent_dims(space, dims, NULL) == d.rank)
    for (int i = 0; i < d.rank; i++)
      d.dims[i] = (int64_t)dims[i];
  H5Tclose(type);
  H5Sclose(space);
  if (!known) {
    H5Dclose(id);
    return gd_fail(GD_ERR_FORMAT,
                   "%s: /%s has a type or rank that no store "
                   "has",
                   s->path, name);
  }
  snprintf(s->open_name, sizeof s->open_name, "%s", name);
  s->open_shape = d;
  s->open_id = id;
  return GD_OK;
}

gd_status gd_store_describe(gd_store *s, const char *name, gd_dataset *d)
{
  assert(s != NULL && name != NULL && d != NULL);
  gd_status st = open_dataset(s, name);
  if (st == GD_OK) {
    *d = s->open_shape;
    d->name = name;
  }
  return st;
}

/* "float32 (N, 3, 3)", for messages. */
static void print_shape(const gd_dataset *d, char *out, size_t out_bytes)
{
  static const char *const names[] = {"float32", "float64", "uint8",
                                      "int32",   "int64",   "text"};
  size_t n = (size_t)snprintf(out, out_bytes, "%s (rows", names[d->dtype]);
  for (int i = 1; i < d->rank && n < out_bytes; i++)
    n += (size_t)snprintf(out + n, out_bytes - n, ", %" PRId64, d->dims[i]);
  if (n < out_bytes)
    snprintf(out + n, out_bytes - n, ")");
}

static gd_status check_shape(const gd_store *s, const gd_dataset *expected)
{
  const gd_dataset *found = &s->open_shape;
  int same = found->dtype == expected->dtype && found->rank == expected->rank;
  for (int i = 1; same && i < found->rank; i++)
    same = found->dims[i] == expected->dims[i];
  if (same)
    return GD_OK;
  char has[128], wants[128];
  print_shape(found, has, sizeof has);
  print_shape(expected, wants, sizeof wants);
  return gd_fail(GD_ERR_FORMAT, "%s: /%s is %s, expected %s", s->path,
                 expected->name, has, wants);
}

/* Compare what was read whole with the digest that was written. */
static gd_status check_digest(gd_store *s, gd_digest found)
{
  char hex[GD_DIGEST_HEX], written[GD_DIGEST_HEX + 1];
  if (H5Aexists(s->open_id, "xxh128") <= 0)
    return GD_OK;
  gd_status st =
      get_attribute(s, s->open_id, "xxh128", GD_TEXT, written, sizeof written);
  gd_digest_hex(found, hex);
  if (st == GD_OK && strcmp(hex, written) != 0)
    st = gd_fail(GD_ERR_FORMAT,
                 "%s: /%s is damaged: it does not hold what was written",
                 s->path, s->open_name);
  return st;
}

static gd_status read_rows(gd_store *s, int64_t first, int64_t n_rows,
                           void *rows)
{
  const gd_dataset *d = &s->open_shape;
  hid_t memory;
  hid_t type = make_type(d->dtype, (size_t)d->text_bytes);
  hid_t window = select_rows(s->open_id, d, first, n_rows, &memory);
  gd_status st = GD_OK;
  if (type < 0 || window < 0 || memory < 0)
    st = fail_hdf5(GD_ERR_IO, s->path, "cannot read");
  else if (H5Dread(s->open_id, type, memory, window, H5P_DEFAULT, rows) < 0) {
    char what[GD_STORE_NAME_MAX + 64];
    snprintf(what, sizeof what, "/%s is damaged or unreadable", s->open_name);
    st = fail_hdf5(GD_ERR_FORMAT, s->path, what);
  }
  if (memory >= 0)
    H5Sclose(memory);
  if (window >= 0)
    H5Sclose(window);
  if (type >= 0)
    H5Tclose(type);
  return st;
}

gd_status gd_store_read(gd_store *s, const gd_dataset *expected, int64_t first,
                        int64_t n_rows, void *rows)
{
  assert(s != NULL && expected != NULL && n_rows >= 0);
  assert(rows != NULL || n_rows == 0);

  gd_status st = open_dataset(s, expected->name);
  if (st == GD_OK)
    st = check_shape(s, expected);
  if (st != GD_OK)
    return st;
  const int64_t all = s->open_shape.dims[0];
  if (first < 0 || first > all || n_rows > all - first)
    return gd_fail(GD_ERR_FORMAT,
                   "%s: /%s has %" PRId64 " rows, %" PRId64 "..+%" PRId64
                   " asked for",
                   s->path, expected->name, all, first, n_rows);
  if (n_rows == 0)
    return GD_OK;
  st = read_rows(s, first, n_rows, rows);
  if (st == GD_OK && n_rows == all)
    st = check_digest(
        s, gd_digest_of(rows,
                        (size_t)n_rows * gd_dataset_row_bytes(&s->open_shape)));
  return st;
}

gd_status gd_store_read_text(gd_store *s, const char *name, int64_t row,
                             char *out, size_t out_bytes)
{
  assert(s != NULL && out != NULL && out_bytes > 0);
  gd_status st = open_dataset(s, name);
  if (st != GD_OK)
    return st;
  const gd_dataset d = s->open_shape;
  if (d.dtype != GD_TEXT || d.rank != 1 || row < 0 || row >= d.dims[0])
    return gd_fail(GD_ERR_FORMAT, "%s: /%s has no text in row %" PRId64,
                   s->path, name, row);
  char *text = gd_alloc(d.text_bytes + 1, 1);
  if (text == NULL)
    return GD_ERR_NOMEM;
  st = read_rows(s, row, 1, text);
  if (st == GD_OK && strlen(text) >= out_bytes)
    st = gd_fail(GD_ERR_FORMAT,
                 "%s: /%s row %" PRId64 ": text of %zu bytes, "
                 "at most %zu expected",
                 s->path, name, row, strlen(text), out_bytes - 1);
  if (st == GD_OK)
    memcpy(out, text, strlen(text) + 1);
  free(text);
  return st;
}

int64_t gd_store_n_skipped(gd_store *s)
{
  gd_dataset d;
  if (!gd_store_has(s, "skipped/item") ||
      gd_store_describe(s, "skipped/item", &d) != GD_OK)
    return 0;
  return d.dims[0];
}

gd_status gd_store_read_skipped(gd_store *s, int64_t i,
                                char item[GD_STORE_NAME_MAX * 8],
                                char reason[1024])
{
  gd_status st =
      gd_store_read_text(s, "skipped/item", i, item, GD_STORE_NAME_MAX * 8);
  if (st == GD_OK)
    st = gd_store_read_text(s, "skipped/reason", i, reason, 1024);
  return st;
}

/* ----------------------------------------------------------------- walking */

typedef struct {
  gd_store *store;
  gd_status (*visit)(void *context, const gd_dataset *d);
  void *context;
  gd_status status;
} walk;

static herr_t visit_link(hid_t group, const char *name, const H5L_info_t *info,
                         void *data)
{
  (void)group;
  (void)info;
  walk *k = data;
  if (strlen(name) >= GD_STORE_NAME_MAX)
    k->status = gd_fail(GD_ERR_FORMAT, "%s: a name is longer than %d bytes",
                        k->store->path, GD_STORE_NAME_MAX - 1);
  else if (gd_store_has(k->store, name)) {
    gd_dataset d;
    k->status = gd_store_describe(k->store, name, &d);
    if (k->status == GD_OK)
      k->status = k->visit(k->context, &d);
  }
  return k->status == GD_OK ? 0 : 1;
}

gd_status gd_store_each(gd_store *s,
                        gd_status (*visit)(void *context, const gd_dataset *d),
                        void *context)
{
  assert(s != NULL && visit != NULL);
  walk k = {.store = s, .visit = visit, .context = context};
  if (H5Lvisit(s->file, H5_INDEX_NAME, H5_ITER_INC, visit_link, &k) < 0)
    return fail_hdf5(GD_ERR_FORMAT, s->path, "is damaged");
  return k.status;
}

static gd_status verify_dataset(void *context, const gd_dataset *d)
{
  gd_store *s = context;
  gd_hasher *h = NULL;
  void *rows = NULL;
  const size_t row_bytes = gd_dataset_row_bytes(d);
  const size_t piece_bytes = 1u << 22;
  const int64_t piece =
      row_bytes > piece_bytes ? 1 : (int64_t)(piece_bytes / row_bytes);
  gd_status st = GD_OK;

  if (H5Aexists(s->open_id, "xxh128") <= 0)
    return gd_fail(GD_ERR_FORMAT, "%s: /%s has no digest", s->path, d->name);
  st = gd_hasher_new(&h);
  if (st == GD_OK && (rows = gd_alloc(piece, row_bytes)) == NULL)
    st = GD_ERR_NOMEM;
  for (int64_t i = 0; st == GD_OK && i < d->dims[0]; i += piece) {
    const int64_t n = d->dims[0] - i < piece ? d->dims[0] - i : piece;
    st = read_rows(s, i, n, rows);
    gd_hasher_bytes(h, rows, (size_t)n * row_bytes);
  }
  const gd_digest found = gd_hasher_end(h);
  free(rows);
  return st == GD_OK ? check_digest(s, found) : st;
}

gd_status gd_store_verify(const char *path)
{
  gd_store *s;
  gd_status st = gd_store_open(path, NULL, 0, &s);
  if (st != GD_OK)
    return st;
  if (s->format[0] == '\0')
    st = gd_fail(GD_ERR_FORMAT, "%s: is HDF5, but no file of gradus", path);
  if (st == GD_OK)
    st = gd_store_each(s, verify_dataset, s);
  gd_store_close(s);
  return st;
}
