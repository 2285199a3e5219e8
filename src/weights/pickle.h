/**
 * Pickles as PyTorch writes them, read without running anything.
 *
 * A pickle is a program for a small stack machine, and Python's own reader lets
 * it import and call whatever it names.  This one knows the opcodes that a
 * dictionary of tensors takes, and of all names only those of tensors, their
 * storages and ordered dictionaries: any other opcode or name is refused.
 *
 *   {"conv1.weight": tensor, "inner": {"bias": tensor}, "epoch": 3}
 *     -->  conv1.weight, inner.bias
 */
#ifndef GRADUS_PICKLE_H
#define GRADUS_PICKLE_H

#include <stddef.h>
#include <stdint.h>

#include "weights/tensor_list.h"

/** A tensor's place in the storage that it is a view of. */
typedef struct {
  gd_tensor_place place; /**< name, type, rank, shape; bytes: in the storage */
  const char *storage;   /**< the storage's key */
  int64_t storage_items;
} gd_pickled_tensor;

/** All texts are borrowed from the pickle. */
typedef struct {
  gd_pickled_tensor *tensors;
  int n_tensors;
  const char **texts; /**< of a pickle that is a list of texts */
  int n_texts;
  size_t size_bytes; /**< of the pickle itself */
} gd_pickle;

/**
 * Read one pickle.
 * @param[in]  path        for reasons
 * @param[in]  data        (n_bytes); may go on behind the pickle's end
 * @param[out] out         ends with gd_pickle_free(); NULL on failure
 * Errors: GD_ERR_FORMAT (which opcode, name or tensor is refused, and where),
 *         GD_ERR_NOMEM
 * Source: Python 3 Lib/pickletools.py (meaning of the opcodes), protocols 2 to
 *         4; PyTorch docs, "Serialization semantics"
 */
GD_NODISCARD gd_status gd_pickle_read(const char *path, const uint8_t *data,
                                      size_t n_bytes, gd_pickle **out);
void gd_pickle_free(gd_pickle *p); /**< NULL is allowed */

#endif
