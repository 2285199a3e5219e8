/**
 * Attention pictures: a map over the face that it belongs to.
 *
 * The face is grey, what raises its level orange, what lowers it blue, by the
 * square of a value's part of the map's largest in either direction.  Between
 * the centres of cells values are interpolated.  The mean map has no face, and
 * a blurred face shows little: marks tell where the template of the faces has
 * eyes, nose and mouth, if they were aligned to one.
 */
#ifndef GRADUS_ATTENTION_PICTURE_H
#define GRADUS_ATTENTION_PICTURE_H

#include <stdint.h>

#include "gradus/attention_set.h"
#include "gradus/status.h"
#include "gradus/text.h"

enum { GD_ATTENTION_MEAN = -1 };

/**
 * Lay a map over a grey copy of a face.
 * @param[in]     map  (rows, columns) levels
 * @param[in,out] rgb  (size_px, size_px, 3) uint8
 */
void gd_attention_overlay(const float *map, int rows, int columns, int size_px,
                          uint8_t *rgb);

/**
 * Draw one picture of a set, as a PNG's bytes.
 * @param[in] which        0 .. n - 1, or GD_ATTENTION_MEAN
 * @param[in] is_captioned write "label 23 / predicted 21.4" and the reason
 *                         below; else the square alone
 * @param[in,out] png      appended
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_attention_picture(const gd_attention_set *s,
                                            int which, int is_captioned,
                                            gd_text *png);

#endif
