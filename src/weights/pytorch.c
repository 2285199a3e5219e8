#include "weights/pytorch.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "gradus/file.h"
#include "gradus/memory.h"
#include "weights/pickle.h"

enum { PICKLE_MAX_BYTES = 64 << 20, LEGACY_PICKLES = 5 };

int gd_pytorch_is_archive(const char first[8])
{
  return memcmp(first, "PK\3\4", 4) == 0;
}

int gd_pytorch_is_legacy(const char first[8])
{
  /* protocol 2, then a number of ten bytes: the magic one */
  return memcmp(first, "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46", 8) == 0;
}

static gd_status check_type(const char *path, const gd_pickle *p)
{
  if (p->n_tensors == 0)
    return gd_fail(GD_ERR_FORMAT, "%s: holds no dictionary of tensors", path);
  return GD_OK;
}

/* -------------------------------------------------------------------- archive
 */

struct gd_pytorch_archive {
  char path[GD_PATH_MAX];
  zip_t *zip;
  char folder[GD_WEIGHTS_NAME_MAX]; /* "archive/" */
};

void gd_pytorch_close(gd_pytorch_archive *a)
{
  if (a == NULL)
    return;
  if (a->zip != NULL)
    zip_discard(a->zip);
  free(a);
}

/* Find NAME/data.pkl; its folder holds everything else. */
static gd_status find_pickle(gd_pytorch_archive *a, zip_stat_t *found)
{
  static const char ending[] = "data.pkl";
  const zip_int64_t n = zip_get_num_entries(a->zip, 0);
  for (zip_int64_t i = 0; i < n; i++) {
    const char *name = zip_get_name(a->zip, (zip_uint64_t)i, 0);
    const size_t length = name == NULL ? 0 : strlen(name);
    if (length < sizeof ending - 1 || length >= sizeof a->folder ||
        strcmp(name + length - (sizeof ending - 1), ending) != 0)
      continue;
    memcpy(a->folder, name, length - (sizeof ending - 1));
    if (zip_stat_index(a->zip, (zip_uint64_t)i, 0, found) == 0 &&
        (found->valid & ZIP_STAT_SIZE) != 0)
      return GD_OK;
  }
  return gd_fail(GD_ERR_FORMAT, "%s: is a zip archive, but not one of PyTorch",
                 a->path);
}

/* Read n bytes of an entry from byte `first` on. */
static gd_status read_entry(gd_pytorch_archive *a, zip_uint64_t index,
                            int64_t first, void *out, int64_t n)
{
  zip_file_t *entry = zip_fopen_index(a->zip, index, 0);
  char skipped[4096];
  gd_status st = GD_OK;
  if (entry == NULL)
    return gd_fail(GD_ERR_IO, "%s: %s", a->path, zip_strerror(a->zip));
  while (st == GD_OK && first > 0) {
    const int64_t most =
        first < (int64_t)sizeof skipped ? first : (int64_t)sizeof skipped;
    const zip_int64_t got = zip_fread(entry, skipped, (zip_uint64_t)most);
    if (got <= 0)
      st = gd_fail(GD_ERR_IO, "%s: an entry ends early or is damaged", a->path);
    first -= got;
  }
  if (st == GD_OK && zip_fread(entry, out, (zip_uint64_t)n) != n)
    st = gd_fail(GD_ERR_IO, "%s: an entry ends early or is damaged", a->path);
  zip_fclose(entry);
  return st;
}

/* Name the entry that a tensor lies in, and check that it is large enough. */
static gd_status place_in_archive(gd_pytorch_archive *a,
                                  const gd_pickled_tensor *from,
                                  gd_tensor_place *t)
{
  zip_stat_t info;
  *t = from->place;
  if (snprintf(t->in_store, sizeof t->in_store, "%sdata/%s", a->folder,
               from->storage) >= (int)sizeof t->in_store ||
      zip_stat(a->zip, t->in_store, 0, &info) != 0 ||
      (info.valid & ZIP_STAT_SIZE) == 0)
    return gd_fail(GD_ERR_FORMAT, "%s: tensor %s: its values are not there",
                   a->path, t->name);
  if (info.size > INT64_MAX || (int64_t)info.size < t->end_byte)
    return gd_fail(GD_ERR_FORMAT,
                   "%s: tensor %s needs %" PRId64 " bytes of an entry of "
                   "%" PRIu64,
                   a->path, t->name, t->end_byte, (uint64_t)info.size);
  return GD_OK;
}

static gd_status check_order(gd_pytorch_archive *a)
{
  char name[GD_WEIGHTS_NAME_MAX + 16], order[8] = "";
  zip_stat_t info;
  snprintf(name, sizeof name, "%sbyteorder", a->folder);
  if (zip_stat(a->zip, name, 0, &info) != 0 || info.size >= sizeof order)
    return GD_OK; /* files before PyTorch 2.1 are little-endian */
  gd_status st = read_entry(a, info.index, 0, order, (int64_t)info.size);
  if (st == GD_OK && strcmp(order, "little") != 0)
    st = gd_fail(GD_ERR_FORMAT, "%s: its values are %s-endian", a->path, order);
  return st;
}

static gd_status list_archive(gd_pytorch_archive *a, gd_tensor_list *list)
{
  zip_stat_t info;
  gd_pickle *p = NULL;
  gd_status st = find_pickle(a, &info);
  if (st == GD_OK)
    st = check_order(a);
  if (st == GD_OK && info.size > PICKLE_MAX_BYTES)
    st = gd_fail(GD_ERR_FORMAT, "%s: a pickle of %" PRIu64 " bytes", a->path,
                 (uint64_t)info.size);
  if (st != GD_OK)
    return st;
  uint8_t *data = gd_alloc((int64_t)info.size + 1, 1);
  if (data == NULL)
    return GD_ERR_NOMEM;
  st = read_entry(a, info.index, 0, data, (int64_t)info.size);
  if (st == GD_OK)
    st = gd_pickle_read(a->path, data, (size_t)info.size, &p);
  if (st == GD_OK)
    st = check_type(a->path, p);
  for (int i = 0; st == GD_OK && i < p->n_tensors; i++) {
    gd_tensor_place t;
    st = place_in_archive(a, &p->tensors[i], &t);
    if (st == GD_OK)
      st = gd_tensor_list_add(list, &t);
  }
  gd_pickle_free(p);
  free(data);
  return st;
}

gd_status gd_pytorch_open(const char *path, gd_tensor_list *list,
                          gd_pytorch_archive **out)
{
  assert(path != NULL && list != NULL && out != NULL);

  *out = NULL;
  gd_pytorch_archive *a = gd_alloc(1, sizeof *a);
  if (a == NULL)
    return GD_ERR_NOMEM;
  int code = 0;
  gd_status st = gd_path_join("", path, a->path);
  if (st == GD_OK) {
    a->zip = zip_open(path, ZIP_RDONLY, &code);
    if (a->zip == NULL)
      st = gd_fail(GD_ERR_FORMAT,
                   "%s: a zip archive that cannot be read (code %d): truncated "
                   "or damaged",
                   path, code);
  }
  if (st == GD_OK)
    st = list_archive(a, list);
  if (st != GD_OK) {
    gd_pytorch_close(a);
    return st;
  }
  *out = a;
  return GD_OK;
}

gd_status gd_pytorch_read(gd_pytorch_archive *a, const gd_tensor_place *t,
                          void *values)
{
  assert(a != NULL && t != NULL && values != NULL);

  const zip_int64_t index = zip_name_locate(a->zip, t->in_store, 0);
  if (index < 0)
    return gd_fail(GD_ERR_IO, "%s: tensor %s: its values are not there",
                   a->path, t->name);
  return read_entry(a, (zip_uint64_t)index, t->first_byte, values,
                    t->end_byte - t->first_byte);
}

/* --------------------------------------------------------------------- legacy
 */

/* Where a storage of the older form lies. */
typedef struct {
  const char *key;
  int64_t first_byte, n_items;
} storage;

static int by_key(const void *a, const void *b)
{
  return strcmp(((const storage *)a)->key, ((const storage *)b)->key);
}

static int64_t item_bytes_of(const gd_tensor_place *t)
{
  int64_t count = 1;
  for (int i = 0; i < t->rank; i++)
    count *= t->shape[i];
  return count > 0 ? (t->end_byte - t->first_byte) / count : 1;
}

/* Return how large an item of the storage with this key is; 0: not used. */
static int64_t storage_item_bytes(const gd_pickle *p, const char *key)
{
  for (int i = 0; i < p->n_tensors; i++)
    if (strcmp(p->tensors[i].storage, key) == 0)
      return item_bytes_of(&p->tensors[i].place);
  return 0;
}

static gd_status find_storages(const char *path, FILE *file, int64_t at,
                               int64_t size_bytes, const gd_pickle *object,
                               const gd_pickle *keys, storage *out)
{
  for (int i = 0; i < keys->n_texts; i++) {
    unsigned char count[8];
    int64_t n = 0, bytes;
    if (fseeko(file, (off_t)at, SEEK_SET) != 0 ||
        fread(count, 1, sizeof count, file) != sizeof count)
      return gd_fail(GD_ERR_FORMAT, "%s: ends before storage %s", path,
                     keys->texts[i]);
    for (int b = 7; b >= 0; b--)
      n = (int64_t)((uint64_t)n << 8 | count[b]);
    const int64_t item_bytes = storage_item_bytes(object, keys->texts[i]);
    if (item_bytes == 0 || n < 0 ||
        __builtin_mul_overflow(n, item_bytes, &bytes) ||
        bytes > size_bytes - at - 8)
      return gd_fail(GD_ERR_FORMAT,
                     "%s: storage %s does not fit the file: truncated or "
                     "damaged",
                     path, keys->texts[i]);
    out[i] = (storage){keys->texts[i], at + 8, n};
    at += 8 + bytes;
  }
  qsort(out, (size_t)keys->n_texts, sizeof *out, by_key);
  return GD_OK;
}

static gd_status list_placed(const char *path, const gd_pickle *object,
                             const storage *storages, int n,
                             gd_tensor_list *list)
{
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < object->n_tensors; i++) {
    const gd_pickled_tensor *p = &object->tensors[i];
    const storage key = {.key = p->storage};
    const storage *s = bsearch(&key, storages, (size_t)n, sizeof key, by_key);
    if (s == NULL || s->n_items < p->storage_items)
      return gd_fail(GD_ERR_FORMAT, "%s: tensor %s: its values are not there",
                     path, p->place.name);
    gd_tensor_place t = p->place;
    t.first_byte += s->first_byte;
    t.end_byte += s->first_byte;
    st = gd_tensor_list_add(list, &t);
  }
  return st;
}

static gd_status list_legacy(const char *path, FILE *file, int64_t size_bytes,
                             const uint8_t *data, size_t n_bytes,
                             gd_tensor_list *list)
{
  gd_pickle *pickles[LEGACY_PICKLES] = {NULL};
  storage *storages = NULL;
  size_t at = 0;
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < LEGACY_PICKLES; i++) {
    st = gd_pickle_read(path, data + at, n_bytes - at, &pickles[i]);
    if (st == GD_OK)
      at += pickles[i]->size_bytes;
  }
  const gd_pickle *object = pickles[3], *keys = pickles[4];
  if (st == GD_OK)
    st = check_type(path, object);
  if (st == GD_OK &&
      (storages = gd_alloc(keys->n_texts, sizeof *storages)) == NULL)
    st = GD_ERR_NOMEM;
  if (st == GD_OK)
    st = find_storages(path, file, (int64_t)at, size_bytes, object, keys,
                       storages);
  if (st == GD_OK)
    st = list_placed(path, object, storages, keys->n_texts, list);
  free(storages);
  for (int i = 0; i < LEGACY_PICKLES; i++)
    gd_pickle_free(pickles[i]);
  return st;
}

gd_status gd_pytorch_list_legacy(const char *path, FILE *file,
                                 int64_t size_bytes, gd_tensor_list *list)
{
  assert(path != NULL && file != NULL && list != NULL);

  /* The pickles come first; how long they are is known when they are read. */
  const int64_t n_bytes =
      size_bytes < PICKLE_MAX_BYTES ? size_bytes : PICKLE_MAX_BYTES;
  uint8_t *data = gd_alloc(n_bytes, 1);
  if (data == NULL)
    return GD_ERR_NOMEM;
  gd_status st = GD_OK;
  if (fread(data, 1, (size_t)n_bytes, file) != (size_t)n_bytes)
    st = gd_fail(GD_ERR_IO, "%s: cannot read", path);
  else
    st = list_legacy(path, file, size_bytes, data, (size_t)n_bytes, list);
  free(data);
  return st;
}
