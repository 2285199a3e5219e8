/**
 * Images: RGB pixels in memory, read from PNG and JPEG, written as PNG.
 *
 * Pixels are (height, width, 3) uint8, row-major without gaps.  Reading gives
 * the pixels as they are stored: grey and palette images become RGB, alpha is
 * dropped, 16 bits become 8, no colour management, no rotation by EXIF.
 */
#ifndef GRADUS_IMAGE_H
#define GRADUS_IMAGE_H

#include <stdint.h>

#include "gradus/status.h"

/** An image; a caller with pixels of its own fills one in to lend them. */
typedef struct {
  int width_px, height_px;
  uint8_t *rgb; /**< (height_px, width_px, 3) */
} gd_image;

enum {
  GD_IMAGE_MAX_SIDE_PX = 65500, /**< a longer side is refused */
  GD_IMAGE_MAX_MEGAPIXELS = 256 /**< 768 MB of RGB; more is refused */
};

/**
 * Allocate a black image.
 * @param[out] out  ends with gd_image_free(); empty on failure
 * Errors: GD_ERR_NOMEM, GD_ERR_USAGE (size < 1 or above the limits)
 */
GD_NODISCARD gd_status gd_image_new(int width_px, int height_px, gd_image *out);

/**
 * Read a PNG or JPEG file; which of them, its first bytes say.
 * @param[out] out  ends with gd_image_free(); empty on failure
 * Errors: GD_ERR_IO (missing, unreadable), GD_ERR_FORMAT (neither PNG nor JPEG,
 *         damaged, truncated, CMYK, larger than the limits), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_image_read(const char *path, gd_image *out);

/**
 * Write a PNG under its temporary name, then give it its final name; mode 0600,
 * as faces are private.  Equal pixels give equal bytes.
 * Errors: GD_ERR_IO (cannot create, disk full), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_image_write_png(const char *path,
                                          const gd_image *image);

/** Free the pixels and empty the image; an empty one is allowed. */
void gd_image_free(gd_image *image);

#endif
