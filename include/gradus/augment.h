/**
 * Augmentation and normalisation: from stored pixels to the network's input.
 *
 * What happens to a sample is a pure function of (seed, epoch, sample): it does
 * not matter who reads it, when, or how often.  In this order:
 *
 *   warp        rotate and scale about the centre, then shift: one similarity,
 *               one pass of gd_image_warp(); borders go on outside
 *   brightness  v (1 + b), then kept within 0..255
 *   contrast    m + (1 + c) (v - m), m the image's mean grey, then kept within
 *   grey        v = 0.299 R + 0.587 G + 0.114 B
 *   erasing     a rectangle becomes mid-grey, 127
 *   flip        mirror left and right
 *   normalise   as the network's input is (gradus/profile.h)
 *
 * Source: brightness, contrast and grey as torchvision 0.14 (ColorJitter,
 * RandomGrayscale); Zhong et al., "Random Erasing Data Augmentation" (AAAI
 * 2020), with torchvision's ranges: 0.02 to 0.33 of the area, sides as 0.3 to
 * 3.3.
 */
#ifndef GRADUS_AUGMENT_H
#define GRADUS_AUGMENT_H

#include <stdint.h>

#include "gradus/resnet.h"

/** What may be done to training samples; {0} is nothing. */
typedef struct {
  int flip;           /**< mirror with probability 1/2 */
  double rotate;      /**< most, degrees, either way */
  double scale;       /**< most, as a share: 0.1 is 0.9 to 1.1 times as large */
  double shift;       /**< most, as a share of the side, in x and y */
  double brightness;  /**< most, as a share, b */
  double contrast;    /**< most, as a share, c */
  double grey, erase; /**< probabilities */
} gd_augment;

/** What is done to one sample in one epoch; {0} is nothing. */
typedef struct {
  int flip;
  double rotate, scale, shift_x, shift_y, brightness, contrast;
  int grey;
  double erase;                         /**< share of the area; 0: none */
  double erase_shape, erase_x, erase_y; /**< height / width; 0..1 of the room */
} gd_augment_draw;

gd_augment_draw gd_augment_of(const gd_augment *a, uint64_t seed, int64_t epoch,
                              int64_t sample);

/**
 * Change a face's pixels: all but flip and normalisation.
 * @param[in,out] rgb      (size, size, 3) uint8
 * @param[in]     scratch  as large
 */
void gd_augment_change(const gd_augment_draw *draw, int size_px, uint8_t *rgb,
                       uint8_t *scratch);

/**
 * Turn a face into input: flip, and normalisation.
 * @param[in]  input  what the network takes for a pixel's values
 * @param[in]  rgb    (size, size, 3) uint8
 * @param[out] x      (size, size, 3) float
 */
void gd_augment_apply(const gd_augment_draw *draw,
                      const gd_normalisation *input, int size_px,
                      const uint8_t *rgb, float *x);

#endif
