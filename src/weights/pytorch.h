/**
 * Files that torch.save() writes: a pickle that names tensors, and beside it
 * their storages.
 *
 *   since 1.6   a zip archive: NAME/data.pkl, NAME/data/0, NAME/data/1, ...
 *   before      pickles one behind the other (magic number, protocol, system,
 *               the object, keys of storages), then each storage: int64 items,
 *               values
 */
#ifndef GRADUS_PYTORCH_H
#define GRADUS_PYTORCH_H

#include <stdio.h>

#include "weights/tensor_list.h"

/** Say by its first eight bytes whether a file is a zip archive. */
int gd_pytorch_is_archive(const char first[8]);
/** Say the same of the form before 1.6. */
int gd_pytorch_is_legacy(const char first[8]);

/**
 * List the tensors of the older form; their bytes are places in the file.
 * @param[in]  file  at its beginning
 * @param[out] list  appended to
 * Errors: GD_ERR_FORMAT, GD_ERR_IO, GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_pytorch_list_legacy(const char *path, FILE *file,
                                              int64_t size_bytes,
                                              gd_tensor_list *list);

typedef struct gd_pytorch_archive gd_pytorch_archive;

/**
 * Open an archive and list its tensors; `in_store` is the entry of a tensor,
 * its bytes are places in that entry.
 * Ends with: gd_pytorch_close()
 * Errors: GD_ERR_FORMAT, GD_ERR_IO, GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_pytorch_open(const char *path, gd_tensor_list *list,
                                       gd_pytorch_archive **out);
/** Read a listed tensor's bytes. Errors: GD_ERR_IO */
GD_NODISCARD gd_status gd_pytorch_read(gd_pytorch_archive *a,
                                       const gd_tensor_place *t, void *values);
void gd_pytorch_close(gd_pytorch_archive *a); /**< NULL is allowed */

#endif
