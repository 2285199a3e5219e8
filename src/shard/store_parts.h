/* What a store consists of, for the files that read, write and verify one. */
#ifndef GRADUS_SHARD_STORE_PARTS_H
#define GRADUS_SHARD_STORE_PARTS_H

#include "gradus/file.h"
#include "gradus/store.h"
#include "h5.h"

/* Digests of the blocks of reserved datasets, in the order in which these were
 * reserved: a gd_digest each. */
static const gd_dataset GD_STORE_BLOCKS = {
    .name = "blocks", .dtype = GD_I64, .rank = 2, .dims = {0, 2}};

struct gd_store {
  char path[GD_PATH_MAX];
  char format[64];
  gd_digest digest;
  hid_t file;
  int64_t size_bytes; /* of the file; 0: it is in memory */
  /* The dataset read last stays open: readers go row by row. */
  char open_name[GD_STORE_NAME_MAX];
  gd_dataset open_shape;
  hid_t open_id;
  int is_strange; /* the last to be opened: of a type or shape not ours */
};

/* Read an attribute of the root or a dataset. Errors: GD_ERR_FORMAT */
GD_NODISCARD gd_status gd_store_attribute(gd_store *s, hid_t object,
                                          const char *name, gd_dtype dtype,
                                          void *out, size_t out_bytes);
/* Read rows of the dataset that is open. Errors: GD_ERR_FORMAT, GD_ERR_IO */
GD_NODISCARD gd_status gd_store_read_rows(gd_store *s, int64_t first,
                                          int64_t n_rows, void *rows);
/* Compare the digest of all rows with the one that was written, if any.
 * Errors: GD_ERR_FORMAT */
GD_NODISCARD gd_status gd_store_check_digest(gd_store *s, gd_digest found);

#endif
