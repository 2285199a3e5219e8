/**
 * Checking results: `gradus check PATH...`.
 *
 * A path is a store, another result, a run directory, or a directory above
 * such (a work directory).  Everything is read and compared with its digests;
 * nothing is changed.
 */
#ifndef GRADUS_CHECK_H
#define GRADUS_CHECK_H

#include <stdint.h>

#include "gradus/status.h"

typedef struct {
  int64_t n_files; /**< looked at */
  int64_t n_bad;
  /** Called for every bad file; `reason` begins with its path. */
  void (*bad)(void *context, const char *reason);
  void *context;
} gd_check;

/**
 * Check a file, or all results below a directory; adds to the counts.
 * Errors: GD_ERR_IO (no such path), GD_ERR_USAGE (a file that nothing is known
 *         of, a directory without results), GD_ERR_NOMEM; a bad file is no
 *         error of the call
 */
GD_NODISCARD gd_status gd_check_path(gd_check *check, const char *path);

#endif
