/**
 * Pooling of channels-last images: maxima of windows, and the mean of all
 * pixels.
 *
 * Results depend on one sample alone, and not on the number of threads.  Images
 * are of the precision `p`; means and their gradient are floats.
 *
 * Source: the definitions; which element of a tie gets the gradient (the first
 * in row-major order) as PyTorch.
 */
#ifndef GRADUS_POOL_H
#define GRADUS_POOL_H

#include <stdint.h>

#include "gradus/conv.h"
#include "gradus/status.h"

typedef struct {
  int size;   /**< rows and columns of a window, 1..15 */
  int stride; /**< >= 1 */
  int pad;    /**< on each side, never the maximum; 2 * pad <= size */
  int ceil;   /**< also a last window that reaches out, if it begins inside */
} gd_pool_shape;

/** Return the output rows (columns) of `size` input rows (columns). */
int gd_pool_out(int size, gd_pool_shape shape);

/**
 * @param[in]  x       (N, H, W, C)
 * @param[in]  scale   the maxima are those of relu() of x scaled; NULL: of x;
 *                     chosen before they are rounded
 * @param[out] y       (N, P, Q, C), P = gd_pool_out(H, shape), Q likewise
 * @param[out] winner  (N, P, Q, C): the maximum's place in its window, row *
 *                     size + column; NULL: not wanted
 */
void gd_max_pool_forward(gd_precision p, gd_pool_shape shape, gd_conv_input in,
                         int C, const void *x, const gd_scale *scale, void *y,
                         uint8_t *winner);
/**
 * @param[in]  dy  (N, P, Q, C)
 * @param[out] dx  (N, H, W, C), overwritten
 */
void gd_max_pool_backward(gd_precision p, gd_pool_shape shape, gd_conv_input in,
                          int C, const void *dy, const uint8_t *winner,
                          void *dx);

/**
 * Average over all pixels.
 * @param[in]  x  (N, H, W, C)
 * @param[out] y  (N, C)
 */
void gd_mean_pool_forward(gd_precision p, gd_conv_input in, int C,
                          const void *x, float *y);
/**
 * @param[in]  dy  (N, C)
 * @param[out] dx  (N, H, W, C), overwritten
 */
void gd_mean_pool_backward(gd_precision p, gd_conv_input in, int C,
                           const float *dy, void *dx);

#endif
