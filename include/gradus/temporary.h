/**
 * A temporary folder: private, and gone with its process.
 *
 * What is in it may be of patients.  A process that is killed cannot remove it;
 * the next one of the same user on the same host does.  A lock, which the
 * kernel takes back from whoever ends, tells a folder that is left from one in
 * use.
 */
#ifndef GRADUS_TEMPORARY_H
#define GRADUS_TEMPORARY_H

#include "gradus/status.h"

typedef struct gd_temporary gd_temporary;

/**
 * Make a folder in $TMPDIR or /tmp, and remove those that were left there.
 * @param[out] out  NULL on failure
 * Ends with: gd_temporary_remove()
 * Errors: GD_ERR_IO, GD_ERR_NOMEM, GD_ERR_USAGE (path too long)
 */
GD_NODISCARD gd_status gd_temporary_new(gd_temporary **out);
const char *gd_temporary_path(const gd_temporary *t);
/**
 * Remove the folder with all that is in it; `t` ends in any case.
 * Errors: GD_ERR_IO (what cannot be removed; the rest may be gone)
 */
GD_NODISCARD gd_status gd_temporary_remove(gd_temporary *t);

#endif
