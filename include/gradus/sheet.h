/** Contact sheets: many small faces in one PNG, to be looked at. */
#ifndef GRADUS_SHEET_H
#define GRADUS_SHEET_H

#include <stdint.h>

#include "gradus/faces.h"
#include "gradus/status.h"

/**
 * Draw a sample of a set's faces, spread evenly over it, row by row.
 * @param[in] path  PNG, mode 0600
 * @param[in] most  at most so many faces, >= 1
 * Errors: GD_ERR_USAGE (the set has no face), GD_ERR_FORMAT, GD_ERR_IO,
 *         GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_sheet_write(gd_face_set *faces, int64_t most,
                                      const char *path);

#endif
