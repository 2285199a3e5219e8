/** The two file formats that gradus/image.h reads, behind their libraries. */
#ifndef GRADUS_CODECS_H
#define GRADUS_CODECS_H

#include <stddef.h>

#include "gradus/image.h"
#include "gradus/text.h"

/**
 * Decode a whole file in memory.
 * @param[in]  path  for the reason of a failure
 * @param[out] out   ends with gd_image_free(); empty on failure
 * Errors: GD_ERR_FORMAT, GD_ERR_NOMEM, GD_ERR_USAGE
 */
GD_NODISCARD gd_status gd_png_decode(const char *path, const void *data,
                                     size_t size_bytes, gd_image *out);
GD_NODISCARD gd_status gd_jpeg_decode(const char *path, const void *data,
                                      size_t size_bytes, gd_image *out);
/** Compose a PNG file in memory. Errors: GD_ERR_NOMEM, GD_ERR_IO */
GD_NODISCARD gd_status gd_png_encode(const char *path, const gd_image *image,
                                     gd_text *out);

#endif
