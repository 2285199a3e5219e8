#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"
#include "store_parts.h"

enum { PIECE_BYTES = 1 << 22 };

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
    k->store->is_strange = 0;
    k->status = gd_store_describe(k->store, name, &d);
    /* Others keep what no store has, a Keras optimiser's scalars. */
    if (k->store->is_strange && k->store->format[0] == '\0')
      k->status = GD_OK;
    else if (k->status == GD_OK)
      k->status = k->visit(k->context, &d);
  }
  return k->status == GD_OK ? 0 : 1;
}

gd_status gd_store_each(gd_store *s,
                        gd_status (*visit)(void *context, const gd_dataset *d),
                        void *context)
{
  GD_H5_ALONE;
  assert(s != NULL && visit != NULL);
  walk k = {.store = s, .visit = visit, .context = context};
  if (H5Lvisit(s->file, H5_INDEX_NAME, H5_ITER_INC, visit_link, &k) < 0)
    return gd_h5_fail(GD_ERR_FORMAT, s->path, "is damaged");
  return k.status;
}

/* Compare every block with its digest. */
static gd_status verify_blocks(gd_store *s, const gd_dataset *d)
{
  const int64_t row_bytes = (int64_t)gd_dataset_row_bytes(d);
  const int64_t n_bytes = d->dims[0] * row_bytes;
  const int64_t n_blocks = gd_store_n_blocks(n_bytes);
  gd_dataset again;
  int64_t first = 0;
  gd_digest *digests = gd_alloc(n_blocks, sizeof *digests);
  /* Pieces are whole blocks, or everything. */
  const int in_pieces = d->rank == 1 && GD_STORE_BLOCK_BYTES % row_bytes == 0;
  const int64_t piece = in_pieces ? PIECE_BYTES / row_bytes : d->dims[0];
  char *rows = gd_alloc(piece, (size_t)row_bytes);
  gd_status st = digests == NULL || rows == NULL ? GD_ERR_NOMEM : GD_OK;
  if (st == GD_OK)
    st = gd_store_attribute(s, s->open_id, "first_block", GD_I64, &first,
                            sizeof first);
  if (st == GD_OK)
    st = gd_store_read(s, &GD_STORE_BLOCKS, first, n_blocks, digests);
  if (st == GD_OK)
    st = gd_store_describe(s, d->name, &again);
  for (int64_t i = 0, block = 0; st == GD_OK && i < d->dims[0]; i += piece) {
    const int64_t n = d->dims[0] - i < piece ? d->dims[0] - i : piece;
    st = gd_store_read_rows(s, i, n, rows);
    for (int64_t at = 0; st == GD_OK && at < n * row_bytes; block++) {
      const int64_t left = n * row_bytes - at;
      const int64_t bytes =
          left < GD_STORE_BLOCK_BYTES ? left : GD_STORE_BLOCK_BYTES;
      const gd_digest found = gd_digest_of(rows + at, (size_t)bytes);
      at += bytes;
      if (!gd_digest_equal(found, digests[block]))
        st = gd_fail(GD_ERR_FORMAT,
                     "%s: /%s is damaged: it does not hold what was written",
                     s->path, d->name);
    }
  }
  free(rows);
  free(digests);
  return st;
}

static gd_status verify_whole(gd_store *s, const gd_dataset *d)
{
  gd_hasher *h = NULL;
  void *rows = NULL;
  const size_t row_bytes = gd_dataset_row_bytes(d);
  const int64_t piece =
      row_bytes > PIECE_BYTES ? 1 : (int64_t)(PIECE_BYTES / row_bytes);
  gd_status st = gd_hasher_new(&h);
  if (st == GD_OK && (rows = gd_alloc(piece, row_bytes)) == NULL)
    st = GD_ERR_NOMEM;
  for (int64_t i = 0; st == GD_OK && i < d->dims[0]; i += piece) {
    const int64_t n = d->dims[0] - i < piece ? d->dims[0] - i : piece;
    st = gd_store_read_rows(s, i, n, rows);
    gd_hasher_bytes(h, rows, (size_t)n * row_bytes);
  }
  const gd_digest found = gd_hasher_end(h);
  free(rows);
  return st == GD_OK ? gd_store_check_digest(s, found) : st;
}

static gd_status verify_dataset(void *context, const gd_dataset *d)
{
  gd_store *s = context;
  if (strcmp(d->name, GD_STORE_BLOCKS.name) == 0)
    return GD_OK; /* whoever has blocks is compared with it */
  if (H5Aexists(s->open_id, "first_block") > 0)
    return verify_blocks(s, d);
  if (H5Aexists(s->open_id, "xxh128") > 0)
    return verify_whole(s, d);
  return gd_fail(GD_ERR_FORMAT, "%s: /%s has no digest", s->path, d->name);
}

static gd_status verify(const char *path)
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

/* HDF5 cannot tell a disk that fails for a moment from a damaged file: when all
 * bytes could be read, it is asked again. */
gd_status gd_store_verify(const char *path)
{
  GD_H5_ALONE;
  gd_digest bytes;
  gd_status st = verify(path);
  if (st != GD_ERR_FORMAT)
    return st;
  st = gd_digest_of_file(path, &bytes);
  return st == GD_OK ? verify(path) : st;
}
