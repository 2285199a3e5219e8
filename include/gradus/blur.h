/**
 * Blurring: faces that nobody is meant to recognise.
 *
 * Pictures that leave the work directory show where a face is, not whose.
 */
#ifndef GRADUS_BLUR_H
#define GRADUS_BLUR_H

#include "gradus/image.h"

/**
 * Blur a rectangle of an image beyond recognition: what is left of it has about
 * the detail of five pixels across.
 * @param[in,out] image  at least one pixel
 * @param[in]     box    x0 y0 x1 y1, px; may reach out of the image
 * Errors: GD_ERR_NOMEM
 * Source: three box filters in a row, close to a Gaussian: Wells, "Efficient
 *         Synthesis of Gaussian Filters by Cascaded Uniform Filters", 1986
 */
GD_NODISCARD gd_status gd_image_blur(gd_image *image, const float box[4]);

#endif
