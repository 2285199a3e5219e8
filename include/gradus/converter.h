/**
 * Pictures as decoded, to RGB as displayed, all of one size.
 *
 *   planes -> RGB by matrix and range -> square pixels -> turned -> fitted
 *
 * A picture whose displayed size is not that of the result is fitted into it:
 * scaled, its shape kept, in the middle, the rest black.  So a stream that
 * changes its size loses nothing, faces keep their proportions, and all frames
 * of a video have the size of its first.
 */
#ifndef GRADUS_CONVERTER_H
#define GRADUS_CONVERTER_H

#include "gradus/picture.h"
#include "gradus/status.h"

typedef struct gd_converter gd_converter;

/**
 * @param[in] width_px, height_px  of the result
 * Ends with: gd_converter_close()
 * Errors:    GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_converter_open(int width_px, int height_px,
                                         gd_converter **out);
/**
 * Convert a picture.
 * @param[out] rgb  (height_px, width_px, 3) uint8, as displayed
 * Errors: GD_ERR_DECODE (a pixel format that cannot be converted), GD_ERR_NOMEM
 * Source: libswscale's default (bicubic) conversion with the matrix and range
 *         of the layout, BT.601 and limited where untagged: bit for bit what
 *         `ffmpeg -pix_fmt rgb24` gives, for pixels that are not square with
 *         `-vf scale=W:H`.  ICtCp and constant-luminance matrices, which
 *         libswscale does not know, are taken for BT.601, as there.
 */
GD_NODISCARD gd_status gd_converter_run(gd_converter *c,
                                        const gd_picture *picture,
                                        uint8_t *rgb);
/** Can pictures of this pixel format be converted? */
int gd_converter_knows(const char *pixel_format);
void gd_converter_close(gd_converter *c); /**< NULL is allowed */

#endif
