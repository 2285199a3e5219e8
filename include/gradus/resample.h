/**
 * Resampling: area averages for the detector's pyramid, and similarity warps
 * for aligned faces.
 */
#ifndef GRADUS_RESAMPLE_H
#define GRADUS_RESAMPLE_H

#include <stdint.h>

#include "gradus/image.h"
#include "gradus/similarity.h"

/** Pixels x0 <= x < x1, y0 <= y < y1 of an image. */
typedef struct {
  int x0, y0, x1, y1;
} gd_window;

/**
 * Resize a window of an image by averaging areas: output i of n averages the
 * inputs floor(i m / n) .. ceil((i + 1) m / n) - 1 of m with equal weights, in
 * both directions, when enlarging too; nothing is rounded to integers.
 * @param[in]  window  at least one pixel, inside the image
 * @param[in]  scratch  gd_area_scratch(x1 - x0, width_px) numbers
 * @param[out] out     (height_px, width_px, 3) float: (average - offset) *
 *                     factor
 * Source: adaptive average pooling (PyTorch 1.13, adaptive_avg_pool2d), bit for
 *         bit above 1 x 1: the sum of bytes is exact, then divided by rows, by
 *         columns.
 */
void gd_area_resize(const gd_image *image, gd_window window, int width_px,
                    int height_px, float offset, float factor,
                    uint32_t *scratch, float *out);

/** Return how many numbers gd_area_resize() works with. */
int64_t gd_area_scratch(int columns, int width_px);

/**
 * Draw the square that a similarity maps to [0, size) x [0, size).
 *
 * Bilinear samples; where the transform shrinks, each output pixel is the mean
 * of as many samples in each direction as it spans input pixels, so that
 * nothing aliases.  Outside the image its nearest border pixel goes on.
 * @param[in]  to_output  image pixels to output pixels; scale > 0
 * @param[out] out        (size_px, size_px, 3) uint8
 */
void gd_image_warp(const gd_image *image, const gd_similarity *to_output,
                   int size_px, uint8_t *out);

#endif
