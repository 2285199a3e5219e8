/** The pixels of one frame shard, however they are stored, as RGB. */
#ifndef GRADUS_SHARD_FRAME_PIXELS_H
#define GRADUS_SHARD_FRAME_PIXELS_H

#include "gradus/frames.h"
#include "gradus/store.h"

typedef struct gd_frame_pixels gd_frame_pixels;

/**
 * Read the attributes of an open shard.
 * Errors: GD_ERR_FORMAT
 */
GD_NODISCARD gd_status gd_frame_format_read(gd_store *s, gd_frame_format *out);
/**
 * Open a shard's pixels.
 * @param[in] path  kept until close
 * Ends with: gd_frame_pixels_close()
 * Errors:    GD_ERR_IO, GD_ERR_FORMAT, GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_frame_pixels_open(const char *path,
                                            gd_frame_pixels **out);
/**
 * Read one row.
 * @param[out] rgb  (H, W, 3) uint8
 * Errors: GD_ERR_FORMAT, GD_ERR_IO, GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_frame_pixels_read(gd_frame_pixels *p, int64_t row,
                                            uint8_t *rgb);
void gd_frame_pixels_close(gd_frame_pixels *p); /**< NULL is allowed */

#endif
