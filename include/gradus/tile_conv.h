/**
 * 3 x 3 convolution without padding and with stride 1 in less than half of its
 * multiplications, for channels-last images.
 *
 * The idea: a tile of 2 x 2 outputs sees 4 x 4 inputs.  With both and the
 * kernel moved to another basis (in each direction, polynomials evaluated at 0,
 * 1, -1 and infinity), the convolution is 16 products of values instead of 36,
 * and the change of basis only adds.  Over many tiles each of the 16 is a
 * matrix product:
 *
 *   image --add--> U (16, tiles, C)
 *         --16 products--> M (16, tiles, K)
 *         --add--> y
 *
 * Tiles are taken so many at a time that U and M stay in the cache.  This is
 * the detector's, forward alone and for any C; the networks' layers, with their
 * gradients and all that is fused with them, are gradus/conv.h's.
 *
 * Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks",
 * CVPR 2016, F(2 x 2, 3 x 3).  It rounds a little more than a plain sum does:
 * about 1e-6 of the largest value.
 */
#ifndef GRADUS_TILE_CONV_H
#define GRADUS_TILE_CONV_H

#include <stdint.h>

#include "gradus/gemm.h"

enum {
  GD_TILE_KERNELS = 5, /**< products of 28, 16, 8, 4 and 1 tiles */
  GD_TILE_VECTOR = 16, /**< floats; K is a multiple */
};

typedef struct {
  int C, K;
  float *weights;       /**< (16, C, K), in the other basis */
  float *bias, *slopes; /**< (K) */
  gd_gemm kernels[GD_TILE_KERNELS];
} gd_tile_conv; /**< starts as {0} */

/**
 * Make the kernels and take the weights.
 * @param[in] K        a multiple of GD_TILE_VECTOR
 * @param[in] weights  (K, C, 3, 3)
 * @param[in] bias     (K)
 * @param[in] slopes   (K) of PReLU where its input is negative; NULL: identity
 * Ends with: gd_tile_conv_end(), on failure too
 * Errors: as gd_gemm_make()
 */
GD_NODISCARD gd_status gd_tile_conv_begin(gd_tile_conv *f, int C, int K,
                                          const float *weights,
                                          const float *bias,
                                          const float *slopes);
void gd_tile_conv_end(gd_tile_conv *f);

/** Return how many numbers gd_tile_conv_run() works with, by all threads. */
int64_t gd_tile_conv_scratch(const gd_tile_conv *f);

/**
 * Compute the rows that an image gives.
 * @param[in]  x        (H, W, C), H and W >= 3; a pixel and GD_TILE_VECTOR
 *                      floats behind it are read and not looked at
 * @param[in]  pitch    pixels from one row to the next, in x and in y
 * @param[in]  scratch  gd_tile_conv_scratch() numbers
 * @param[out] y        (H - 2, W - 2, K); the pixel behind a row is overwritten
 */
void gd_tile_conv_run(const gd_tile_conv *f, int H, int W, int pitch,
                      const float *x, float *scratch, float *y);

#endif
