/**
 * Folders: which files lie below a directory.
 *
 * Names are relative to it and in order of their bytes, so that what is made of
 * them does not depend on the file system's own order.
 */
#ifndef GRADUS_FOLDER_H
#define GRADUS_FOLDER_H

#include <stdint.h>

#include "gradus/file.h"
#include "gradus/status.h"

typedef struct {
  int64_t n_files;
  char **names; /**< "a.h5", "sub/b.h5"; regular files only */
} gd_folder;

/**
 * Read a directory and those below it, links followed.
 * @param[out] out  ends with gd_folder_free(); NULL on failure
 * Errors: GD_ERR_IO (missing, unreadable, deeper than 32 levels), GD_ERR_NOMEM,
 *         GD_ERR_USAGE (a path longer than GD_PATH_MAX)
 */
GD_NODISCARD gd_status gd_folder_read(const char *directory, gd_folder **out);
void gd_folder_free(gd_folder *f); /**< NULL is allowed */

/**
 * Remove a directory with all that is in it; links are removed, not followed.
 * Errors: GD_ERR_IO (what cannot be removed; the rest may be gone)
 */
GD_NODISCARD gd_status gd_directory_remove(const char *path);

#endif
