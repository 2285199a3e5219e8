#include "gradus/store.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gradus/alive.h"
#include "gradus/file.h"
#include "gradus/memory.h"
#include "h5.h"
#include "store_parts.h"

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

void gd_store_begin(void)
{
  GD_H5_ALONE;
  gd_h5_begin();
}

size_t gd_dataset_row_bytes(const gd_dataset *d)
{
  assert(d != NULL && d->rank >= 1 && d->rank <= GD_STORE_MAX_RANK);
  size_t bytes = item_bytes(d);
  for (int i = 1; i < d->rank; i++)
    bytes *= (size_t)d->dims[i];
  return bytes;
}

/* Is there one value, as in every attribute of ours? */
static int is_single(hid_t attribute)
{
  const hid_t space = H5Aget_space(attribute);
  const int single = space >= 0 && H5Sget_simple_extent_npoints(space) == 1;
  if (space >= 0)
    H5Sclose(space);
  return single;
}

gd_status gd_store_attribute(gd_store *s, hid_t object, const char *name,
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
  const int single = is_single(attribute);
  gd_status st = GD_OK;
  if (dtype == GD_TEXT) {
    if (single && class == H5T_STRING && H5Tis_variable_str(found) == 0 &&
        size < out_bytes)
      type = H5Tcopy(found);
    memset(out, 0, out_bytes);
  } else if (single && (class == H5T_FLOAT) == (dtype == GD_F64) &&
             (class == H5T_INTEGER || class == H5T_FLOAT)) {
    type = gd_h5_type(dtype, 0);
  }
  if (type < 0)
    st = gd_fail(GD_ERR_FORMAT,
                 "%s: attribute '%s' is of another type or too "
                 "long",
                 s->path, name);
  else if (H5Aread(attribute, type, out) < 0)
    st = gd_h5_fail(GD_ERR_FORMAT, s->path, "cannot read an attribute");
  if (type >= 0)
    H5Tclose(type);
  if (found >= 0)
    H5Tclose(found);
  H5Aclose(attribute);
  return st;
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
  if (st == GD_OK && !gd_digest_of_hex(hex, &s->digest))
    st = gd_fail(GD_ERR_FORMAT, "%s: holds no digest", s->path);
  return st;
}

/* Open what `access` leads to: a file, or an image of one. */
static gd_status open_store(const char *path, hid_t access, const char *format,
                            int version, gd_store **out)
{
  gd_store *s = gd_alloc(1, sizeof *s);
  if (s == NULL)
    return GD_ERR_NOMEM;
  s->open_id = H5I_INVALID_HID;
  s->file = H5Fopen(path, H5F_ACC_RDONLY, access);
  gd_status st = gd_path_join("", path, s->path);
  if (st == GD_OK && s->file < 0)
    st = gd_h5_fail(GD_ERR_FORMAT, path, "no HDF5 file, or truncated");
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

gd_status gd_store_open(const char *path, const char *format, int version,
                        gd_store **out)
{
  gd_alive();
  GD_H5_ALONE;
  assert(path != NULL && out != NULL);
  *out = NULL;
  gd_h5_begin();

  int64_t size_bytes;
  gd_status st = gd_file_stat(path, &size_bytes, NULL);
  if (st != GD_OK)
    return st;
  if (access(path, R_OK) != 0)
    return gd_fail(GD_ERR_IO, "%s: cannot read: %s", path, strerror(errno));
  hid_t list = gd_h5_access();
  st = open_store(path, list, format, version, out);
  H5Pclose(list);
  if (st == GD_OK)
    (*out)->size_bytes = size_bytes;
  return st;
}

gd_status gd_store_open_bytes(const char *name, const void *bytes,
                              size_t size_bytes, const char *format,
                              int version, gd_store **out)
{
  GD_H5_ALONE;
  enum { GROWS_BYTES = 1 << 16 }; /* it never does */
  assert(name != NULL && bytes != NULL && out != NULL);
  *out = NULL;
  gd_h5_begin();

  gd_status st = GD_OK;
  hid_t list = gd_h5_access();
  if (H5Pset_fapl_core(list, GROWS_BYTES, 0) < 0 ||
      H5Pset_file_image(list, (void *)bytes, size_bytes) < 0)
    st = gd_h5_fail(GD_ERR_NOMEM, name, "cannot take a file from memory");
  if (st == GD_OK)
    st = open_store(name, list, format, version, out);
  H5Pclose(list);
  return st;
}

void gd_store_close(gd_store *s)
{
  GD_H5_ALONE;
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

gd_digest gd_store_digest(const gd_store *s)
{
  assert(s != NULL);
  return s->digest;
}

gd_status gd_store_get_int(gd_store *s, const char *name, int64_t *out)
{
  GD_H5_ALONE;
  assert(s != NULL && name != NULL && out != NULL);
  return gd_store_attribute(s, s->file, name, GD_I64, out, sizeof *out);
}

gd_status gd_store_get_real(gd_store *s, const char *name, double *out)
{
  GD_H5_ALONE;
  assert(s != NULL && name != NULL && out != NULL);
  return gd_store_attribute(s, s->file, name, GD_F64, out, sizeof *out);
}

gd_status gd_store_get_text(gd_store *s, const char *name, char *out,
                            size_t out_bytes)
{
  GD_H5_ALONE;
  assert(s != NULL && name != NULL && out != NULL && out_bytes > 0);
  return gd_store_attribute(s, s->file, name, GD_TEXT, out, out_bytes);
}

int gd_store_has_attribute(const gd_store *s, const char *name)
{
  GD_H5_ALONE;
  assert(s != NULL && name != NULL);
  return H5Aexists(s->file, name) > 0;
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
  GD_H5_ALONE;
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

/* Values that lie in other files, which a foreign file can name. */
static int lies_elsewhere(hid_t dataset)
{
  hid_t create = H5Dget_create_plist(dataset);
  const int elsewhere = create < 0 || H5Pget_external_count(create) > 0 ||
                        H5Pget_layout(create) == H5D_VIRTUAL;
  if (create >= 0)
    H5Pclose(create);
  return elsewhere;
}

/* Is each row a chunk of its own?  Whoever reads it wants all of it, once. */
static int is_by_row(hid_t dataset)
{
  hsize_t chunk[H5S_MAX_RANK] = {0};
  hid_t create = H5Dget_create_plist(dataset);
  const int by_row = create >= 0 && H5Pget_layout(create) == H5D_CHUNKED &&
                     H5Pget_chunk(create, H5S_MAX_RANK, chunk) > 1 &&
                     chunk[0] == 1;
  if (create >= 0)
    H5Pclose(create);
  return by_row;
}

/* Open a dataset.  Of one whose rows are chunks HDF5 keeps none: it would keep
 * 1 MiB of each file that is open. */
static hid_t open_by_name(hid_t file, const char *name)
{
  hid_t id = H5Dopen2(file, name, H5P_DEFAULT);
  if (id < 0 || !is_by_row(id))
    return id;
  H5Dclose(id);
  hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
  H5Pset_chunk_cache(access, 0, 0, 0);
  id = H5Dopen2(file, name, access);
  H5Pclose(access);
  return id;
}

/* Rows have bytes, and all bytes a number. */
static int take_dims(const hsize_t *dims, gd_dataset *d)
{
  uint64_t bytes = item_bytes(d);
  if (bytes == 0)
    return 0;
  for (int i = 0; i < d->rank; i++) {
    if ((i > 0 && dims[i] == 0) || dims[i] > INT64_MAX / bytes)
      return 0;
    d->dims[i] = (int64_t)dims[i];
    bytes *= dims[i] > 0 ? dims[i] : 1;
  }
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
  hid_t id = open_by_name(s->file, name);
  if (id < 0)
    return gd_h5_fail(GD_ERR_FORMAT, s->path, "cannot open a dataset");
  if (lies_elsewhere(id)) {
    H5Dclose(id);
    return gd_fail(GD_ERR_FORMAT, "%s: the values of /%s lie in another file",
                   s->path, name);
  }
  hid_t type = H5Dget_type(id), space = H5Dget_space(id);
  d.rank = H5Sget_simple_extent_ndims(space);
  int known =
      d.rank >= 1 && d.rank <= GD_STORE_MAX_RANK && find_dtype(type, &d);
  known = known && H5Sget_simple_extent_dims(space, dims, NULL) == d.rank &&
          take_dims(dims, &d);
  H5Tclose(type);
  H5Sclose(space);
  s->is_strange = !known;
  if (!known) {
    H5Dclose(id);
    return gd_fail(GD_ERR_FORMAT,
                   "%s: /%s has a type or shape that no store "
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
  GD_H5_ALONE;
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
gd_status gd_store_check_digest(gd_store *s, gd_digest found)
{
  char hex[GD_DIGEST_HEX], written[GD_DIGEST_HEX + 1];
  if (H5Aexists(s->open_id, "xxh128") <= 0)
    return GD_OK;
  gd_status st = gd_store_attribute(s, s->open_id, "xxh128", GD_TEXT, written,
                                    sizeof written);
  gd_digest_hex(found, hex);
  if (st == GD_OK && strcmp(hex, written) != 0)
    st = gd_fail(GD_ERR_FORMAT,
                 "%s: /%s is damaged: it does not hold what was written",
                 s->path, s->open_name);
  return st;
}

gd_status gd_store_read_rows(gd_store *s, int64_t first, int64_t n_rows,
                             void *rows)
{
  const gd_dataset *d = &s->open_shape;
  hid_t memory;
  hid_t type = gd_h5_type(d->dtype, (size_t)d->text_bytes);
  hid_t window = gd_h5_select(s->open_id, d, first, n_rows, &memory);
  gd_status st = GD_OK;
  if (type < 0 || window < 0 || memory < 0)
    st = gd_h5_fail(GD_ERR_IO, s->path, "cannot read");
  else if (H5Dread(s->open_id, type, memory, window, H5P_DEFAULT, rows) < 0) {
    char what[GD_STORE_NAME_MAX + 64];
    snprintf(what, sizeof what, "/%s is damaged or unreadable", s->open_name);
    st = gd_h5_fail(GD_ERR_FORMAT, s->path, what);
  }
  if (st == GD_OK && s->size_bytes > 0 && gd_h5_is_cut(s->file, s->size_bytes))
    st = gd_fail(GD_ERR_FORMAT, "%s: has become shorter while it was open",
                 s->path);
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
  GD_H5_ALONE;
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
  st = gd_store_read_rows(s, first, n_rows, rows);
  if (st == GD_OK && n_rows == all)
    st = gd_store_check_digest(
        s, gd_digest_of(rows,
                        (size_t)n_rows * gd_dataset_row_bytes(&s->open_shape)));
  return st;
}

gd_status gd_store_read_text(gd_store *s, const char *name, int64_t row,
                             char *out, size_t out_bytes)
{
  GD_H5_ALONE;
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
  st = gd_store_read_rows(s, row, 1, text);
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
  GD_H5_ALONE;
  gd_dataset d;
  if (!gd_store_has(s, "skipped/item") ||
      gd_store_describe(s, "skipped/item", &d) != GD_OK)
    return 0;
  return d.dims[0];
}

gd_status gd_store_read_skipped(gd_store *s, int64_t i,
                                char item[GD_STORE_NAME_MAX * 8],
                                char reason[GD_STORE_REASON_MAX])
{
  GD_H5_ALONE;
  gd_status st =
      gd_store_read_text(s, "skipped/item", i, item, GD_STORE_NAME_MAX * 8);
  if (st == GD_OK)
    st =
        gd_store_read_text(s, "skipped/reason", i, reason, GD_STORE_REASON_MAX);
  return st;
}

gd_status gd_store_each_skipped(gd_store *s,
                                gd_status (*visit)(void *context,
                                                   const char *item,
                                                   const char *reason),
                                void *context)
{
  assert(s != NULL && visit != NULL);
  const int64_t n = gd_store_n_skipped(s);
  gd_status st = GD_OK;
  for (int64_t i = 0; st == GD_OK && i < n; i++) {
    char item[GD_STORE_NAME_MAX * 8], reason[GD_STORE_REASON_MAX];
    st = gd_store_read_skipped(s, i, item, reason);
    if (st == GD_OK)
      st = visit(context, item, reason);
  }
  return st;
}
