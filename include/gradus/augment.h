/**
 * Augmentation and normalisation: from stored pixels to the network's input.
 *
 * What happens to a sample is a pure function of (seed, epoch, sample): it does
 * not matter who reads it, when, or how often.
 */
#ifndef GRADUS_AUGMENT_H
#define GRADUS_AUGMENT_H

#include <stdint.h>

#include "gradus/resnet.h"

/** What may be done to training samples. */
typedef struct {
  int flip; /**< mirror left and right with probability 1/2 */
} gd_augment;

/** What is done to one sample in one epoch; {0} is nothing. */
typedef struct {
  int flip;
} gd_augment_draw;

gd_augment_draw gd_augment_of(const gd_augment *a, uint64_t seed, int64_t epoch,
                              int64_t sample);

/**
 * Turn a face into input.
 * @param[in]  input  what the network takes for a pixel's values
 * @param[in]  rgb    (size, size, 3) uint8
 * @param[out] x      (size, size, 3) float
 */
void gd_augment_apply(const gd_augment_draw *draw,
                      const gd_normalisation *input, int size_px,
                      const uint8_t *rgb, float *x);

#endif
