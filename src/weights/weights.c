#include "gradus/weights.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/file.h"
#include "gradus/memory.h"
#include "gradus/store.h"
#include "weights/caffe.h"
#include "weights/pytorch.h"
#include "weights/tensor_list.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "values of safetensors files are little-endian");

struct gd_weights {
  char path[GD_PATH_MAX];
  gd_tensor_list list; /* sorted by name */
  FILE *file;          /* safetensors, torch.save() of old */
  gd_store *store;     /* HDF5 */
  gd_pytorch_archive *archive;
  gd_caffe *caffe;
};

enum { HEADER_MAX_BYTES = 64 << 20 };

gd_status gd_tensor_list_add(gd_tensor_list *list, const gd_tensor_place *place)
{
  gd_status st =
      gd_grow(&list->items, list->n + 1, &list->room, sizeof *list->items);
  if (st == GD_OK)
    list->items[list->n++] = *place;
  return st;
}

static gd_status open_safetensors(gd_weights *w, int64_t size_bytes)
{
  unsigned char prefix[8];
  uint64_t length = 0;
  if (fread(prefix, 1, sizeof prefix, w->file) != sizeof prefix)
    return gd_fail(GD_ERR_FORMAT, "%s: shorter than any weights file", w->path);
  for (int i = 7; i >= 0; i--)
    length = length << 8 | prefix[i];
  if (length < 2 || length > HEADER_MAX_BYTES ||
      (int64_t)length > size_bytes - (int64_t)sizeof prefix)
    return gd_fail(
        GD_ERR_FORMAT,
        "%s: neither HDF5, safetensors nor of PyTorch, or truncated / a "
        "header of %" PRIu64 " bytes does not fit the file",
        w->path, length);
  char *header = gd_alloc((int64_t)length + 1, 1);
  if (header == NULL)
    return GD_ERR_NOMEM;
  const int64_t data_first = (int64_t)(sizeof prefix + length);
  gd_status st = GD_OK;
  if (fread(header, 1, length, w->file) != length)
    st = gd_fail(GD_ERR_IO, "%s: cannot read", w->path);
  else
    st = gd_safetensors_parse(w->path, header, length, data_first,
                              size_bytes - data_first, &w->list);
  free(header);
  return st;
}

static gd_status list_dataset(void *context, const gd_dataset *d)
{
  static const char *const types[] = {"F32", "F64", "U8", "I32", "I64", "text"};
  gd_weights *w = context;
  gd_tensor_place t = {.rank = d->rank};
  const size_t length = strlen(d->name);
  if (d->rank > GD_WEIGHTS_MAX_RANK || length >= sizeof t.name)
    return gd_fail(GD_ERR_FORMAT,
                   "%s: /%s has too many dimensions or too long "
                   "a name",
                   w->path, d->name);
  snprintf(t.type, sizeof t.type, "%s", types[d->dtype]);
  memcpy(t.in_store, d->name, length);
  for (size_t i = 0; i < length; i++)
    t.name[i] = d->name[i] == '/' ? '.' : d->name[i];
  for (int i = 0; i < d->rank; i++)
    t.shape[i] = d->dims[i];
  return gd_tensor_list_add(&w->list, &t);
}

static int compare_names(const void *a, const void *b)
{
  return strcmp(((const gd_tensor_place *)a)->name,
                ((const gd_tensor_place *)b)->name);
}

static gd_status sort_list(gd_weights *w)
{
  if (w->list.n == 0)
    return gd_fail(GD_ERR_FORMAT, "%s: holds no tensor", w->path);
  qsort(w->list.items, (size_t)w->list.n, sizeof *w->list.items, compare_names);
  for (int i = 1; i < w->list.n; i++)
    if (compare_names(&w->list.items[i - 1], &w->list.items[i]) == 0)
      return gd_fail(GD_ERR_FORMAT, "%s: has two tensors %s", w->path,
                     w->list.items[i].name);
  return GD_OK;
}

static gd_status open_any(gd_weights *w)
{
  static const char hdf5[8] = "\x89HDF\r\n\x1a\n";
  char first[8] = {0};
  int64_t size_bytes;
  gd_status st = gd_file_stat(w->path, &size_bytes, NULL);
  if (st != GD_OK)
    return st;
  w->file = fopen(w->path, "rb");
  if (w->file == NULL || (fread(first, 1, 8, w->file) < 8 && ferror(w->file)))
    return gd_fail(GD_ERR_IO, "%s: cannot read: %s", w->path, strerror(errno));
  rewind(w->file);
  if (gd_pytorch_is_archive(first)) {
    st = gd_pytorch_open(w->path, &w->list, &w->archive);
  } else if (gd_pytorch_is_legacy(first)) {
    st = gd_pytorch_list_legacy(w->path, w->file, size_bytes, &w->list);
  } else if (gd_path_ends_with(w->path, ".caffemodel")) {
    st = gd_caffe_open(w->path, &w->list, &w->caffe);
  } else if (memcmp(first, hdf5, sizeof hdf5) != 0) {
    st = open_safetensors(w, size_bytes);
  } else {
    st = gd_store_open(w->path, NULL, 0, &w->store);
    if (st == GD_OK)
      st = gd_store_each(w->store, list_dataset, w);
  }
  return st;
}

static gd_status open_bytes(gd_weights *w, const void *bytes, size_t size_bytes)
{
  gd_status st =
      gd_store_open_bytes(w->path, bytes, size_bytes, NULL, 0, &w->store);
  return st == GD_OK ? gd_store_each(w->store, list_dataset, w) : st;
}

/* Open a file, or what is in memory where `bytes` is not NULL. */
static gd_status open_either(const char *path, const void *bytes,
                             size_t size_bytes, gd_weights **out)
{
  *out = NULL;
  gd_weights *w = gd_alloc(1, sizeof *w);
  if (w == NULL)
    return GD_ERR_NOMEM;
  gd_status st = gd_path_join("", path, w->path);
  if (st == GD_OK)
    st = bytes == NULL ? open_any(w) : open_bytes(w, bytes, size_bytes);
  if (st == GD_OK)
    st = sort_list(w);
  if (st == GD_OK)
    *out = w;
  else
    gd_weights_close(w);
  return st;
}

gd_status gd_weights_open(const char *path, gd_weights **out)
{
  assert(path != NULL && out != NULL);
  return open_either(path, NULL, 0, out);
}

gd_status gd_weights_open_bytes(const char *name, const void *bytes,
                                size_t size_bytes, gd_weights **out)
{
  assert(name != NULL && bytes != NULL && out != NULL);
  return open_either(name, bytes, size_bytes, out);
}

void gd_weights_close(gd_weights *w)
{
  if (w == NULL)
    return;
  gd_store_close(w->store);
  gd_pytorch_close(w->archive);
  gd_caffe_close(w->caffe);
  if (w->file != NULL)
    fclose(w->file);
  free(w->list.items);
  free(w);
}

int gd_weights_n(const gd_weights *w)
{
  assert(w != NULL);
  return w->list.n;
}

gd_weights_entry gd_weights_at(const gd_weights *w, int i)
{
  assert(w != NULL && i >= 0 && i < w->list.n);
  const gd_tensor_place *t = &w->list.items[i];
  gd_weights_entry entry = {.name = t->name, .type = t->type, .rank = t->rank};
  memcpy(entry.shape, t->shape, sizeof entry.shape);
  return entry;
}

/* "(16, 3, 3, 3)" */
static const char *print_shape(int rank, const int64_t *shape, char out[128])
{
  size_t n = (size_t)snprintf(out, 128, "(");
  for (int i = 0; i < rank && n < 128; i++)
    n += (size_t)snprintf(out + n, 128 - n, "%s%" PRId64, i > 0 ? ", " : "",
                          shape[i]);
  if (n < 127)
    snprintf(out + n, 128 - n, ")");
  return out;
}

static gd_status read_file(const gd_weights *w, const gd_tensor_place *t,
                           float *values)
{
  const size_t size_bytes = (size_t)(t->end_byte - t->first_byte);
  if (fseeko(w->file, (off_t)t->first_byte, SEEK_SET) != 0 ||
      fread(values, 1, size_bytes, w->file) != size_bytes)
    return gd_fail(GD_ERR_IO, "%s: cannot read tensor %s", w->path, t->name);
  return GD_OK;
}

static gd_status read_store(const gd_weights *w, const gd_tensor_place *t,
                            float *values)
{
  gd_dataset d = {.name = t->in_store, .dtype = GD_F32, .rank = t->rank};
  memcpy(d.dims, t->shape, sizeof t->shape);
  return gd_store_read(w->store, &d, 0, t->shape[0], values);
}

static gd_status read_values(gd_weights *w, const gd_tensor_place *t,
                             float *values)
{
  if (w->store != NULL)
    return read_store(w, t, values);
  if (w->archive != NULL)
    return gd_pytorch_read(w->archive, t, values);
  if (w->caffe == NULL)
    return read_file(w, t, values);
  gd_caffe_read(w->caffe, t, values);
  return GD_OK;
}

/* Read values that lie in another order of their axes. */
static gd_status read_permuted(gd_weights *w, const gd_tensor_place *t,
                               int64_t count, float *values)
{
  float *stored = gd_alloc(count, sizeof *stored);
  if (stored == NULL)
    return GD_ERR_NOMEM;
  gd_status st = read_values(w, t, stored);
  for (int64_t i = 0; st == GD_OK && i < count; i++) {
    int64_t at = 0, rest = i;
    for (int d = t->rank - 1; d >= 0; d--) {
      at += rest % t->shape[d] * t->stride[d];
      rest /= t->shape[d];
    }
    values[i] = stored[at];
  }
  free(stored);
  return st;
}

gd_status gd_weights_read(gd_weights *w, const char *name, int rank,
                          const int64_t *shape, float *values)
{
  assert(w != NULL && name != NULL && shape != NULL && values != NULL);
  assert(rank >= 1 && rank <= GD_WEIGHTS_MAX_RANK);

  gd_tensor_place key = {0};
  snprintf(key.name, sizeof key.name, "%s", name);
  const gd_tensor_place *t = bsearch(&key, w->list.items, (size_t)w->list.n,
                                     sizeof key, compare_names);
  if (t == NULL)
    return gd_fail(GD_ERR_FORMAT, "%s: has no tensor %s", w->path, name);
  int64_t count = 1;
  int same = t->rank == rank && strcmp(t->type, "F32") == 0;
  for (int i = 0; i < rank; i++) {
    same = same && t->shape[i] == shape[i];
    count *= shape[i];
  }
  if (!same) {
    char found[128], expected[128];
    return gd_fail(GD_ERR_FORMAT, "%s: tensor %s is %s %s, expected F32 %s",
                   w->path, name, t->type,
                   print_shape(t->rank, t->shape, found),
                   print_shape(rank, shape, expected));
  }
  gd_status st = t->is_permuted ? read_permuted(w, t, count, values)
                                : read_values(w, t, values);
  for (int64_t i = 0; st == GD_OK && i < count; i++)
    if (!isfinite(values[i]))
      st =
          gd_fail(GD_ERR_FORMAT, "%s: tensor %s has a value that is not finite",
                  w->path, name);
  return st;
}
