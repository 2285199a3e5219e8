/**
 * Pictures as a decoder gives them, to RGB as a display shows them.  The only
 * file of the reading side that knows libswscale.
 */
#ifndef GRADUS_VIDEO_CONVERT_H
#define GRADUS_VIDEO_CONVERT_H

#include <stddef.h>
#include <stdint.h>

#include "gradus/status.h"

struct AVFrame;
typedef struct gd_converter gd_converter;

/**
 * @param[in] path     for reasons; kept
 * @param[in] width_px, height_px  of the result before it is turned: pictures
 *                     of another size are scaled to it
 * @param[in] display  see gd_stream; kept until close
 * Ends with: gd_converter_close()
 * Errors:    GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_converter_open(const char *path, int width_px,
                                         int height_px, const int display[4],
                                         gd_converter **out);
typedef enum {
  GD_FIT_SAME,
  GD_FIT_SCALED, /**< another size of the same shape, to a pixel */
  GD_FIT_OTHER
} gd_fit;
/** Compare a picture's size, which is told, with that of the result. */
gd_fit gd_converter_fit(const gd_converter *c, const struct AVFrame *picture,
                        int *width_px, int *height_px);
/**
 * Convert a picture.
 * @param[out] rgb  (H, W, 3) uint8, turned as displayed
 * Errors: GD_ERR_DECODE (a pixel format that cannot be converted), GD_ERR_NOMEM
 * Source: libswscale's default (bicubic) conversion with the matrix and range
 *         of the picture's tags, as ffmpeg's `-pix_fmt rgb24`
 */
GD_NODISCARD gd_status gd_converter_run(gd_converter *c,
                                        const struct AVFrame *picture,
                                        uint8_t *rgb);
/**
 * Copy a picture's planes as decoded, without padding.
 * @return their size in bytes; nothing is copied when `room_bytes` is less
 */
size_t gd_picture_planes(const struct AVFrame *picture, uint8_t *out,
                         size_t room_bytes);
void gd_converter_close(gd_converter *c); /**< NULL is allowed */

#endif
