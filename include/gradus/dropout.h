/**
 * Dropout: factors for the inputs of a dense layer.
 *
 * A unit is left out with the probability `share`, and the others are
 * multiplied by 1 / (1 - share), so that nothing changes on average and
 * evaluation needs no factor.  What is left out is a pure function of the
 * stream: gd_random_of(seed, GD_FOR_DROPOUT, epoch, sample).
 *
 * Source: Srivastava et al., "Dropout" (JMLR 2014), with the factor at training
 * time, as PyTorch 1.13 (torch.nn.Dropout).
 */
#ifndef GRADUS_DROPOUT_H
#define GRADUS_DROPOUT_H

#include <stdint.h>

#include "gradus/random.h"

/**
 * Draw the factors of n units.
 * @param[in]     share    0 <= share < 1
 * @param[in,out] r        the sample's stream; moves on by n draws
 * @param[out]    factors  (n) 0 or 1 / (1 - share)
 */
void gd_dropout_draw(double share, gd_random *r, int64_t n, float *factors);

#endif
