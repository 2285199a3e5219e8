/**
 * JPEG in memory: frames that are kept with loss.
 *
 * Colour is not subsampled (4:4:4): faces are small in the picture, and lips
 * and eyes are edges of colour.
 */
#ifndef GRADUS_JPEG_H
#define GRADUS_JPEG_H

#include <stddef.h>
#include <stdint.h>

#include "gradus/image.h"
#include "gradus/status.h"

typedef struct gd_jpeg gd_jpeg; /**< keeps its buffers from call to call */

/** Ends with: gd_jpeg_free(). Errors: GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_jpeg_new(gd_jpeg **out);
/**
 * Encode an image.
 * @param[in]  quality  1 .. 100, of libjpeg's scale
 * @param[out] bytes    borrowed until the next call
 * Errors: GD_ERR_USAGE (larger than JPEG can hold), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_jpeg_encode(gd_jpeg *j, const gd_image *image,
                                      int quality, const uint8_t **bytes,
                                      size_t *size_bytes);
/**
 * Decode into an image whose size is known.
 * @param[in]  name   for reasons
 * @param[out] image  its pixels are written
 * Errors: GD_ERR_FORMAT (damaged, of another size), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_jpeg_decode_into(const char *name, const void *bytes,
                                           size_t size_bytes,
                                           const gd_image *image);
void gd_jpeg_free(gd_jpeg *j); /**< NULL is allowed */

#endif
