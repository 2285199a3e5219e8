/**
 * Contact sheets: many small faces in one PNG, to be looked at.
 *
 * Faces stand row by row in order.  One that was interpolated has an amber
 * frame, one that stands in for a missing face a red frame.
 */
#ifndef GRADUS_SHEET_H
#define GRADUS_SHEET_H

#include <stdint.h>

#include "gradus/faces.h"
#include "gradus/range.h"
#include "gradus/status.h"

typedef struct {
  gd_range faces; /**< rows of the set; at least one */
  int64_t most;   /**< draw at most so many, spread evenly; >= 1 */
  int is_blurred; /**< beyond recognition: see gradus/blur.h */
} gd_sheet;

/**
 * Draw a sheet.
 * @param[in] path  PNG, mode 0600
 * Errors: GD_ERR_USAGE (too many faces for a picture), GD_ERR_FORMAT,
 *         GD_ERR_IO, GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_sheet_write(gd_face_set *faces, const gd_sheet *sheet,
                                      const char *path);

#endif
