/**
 * Convolution without padding and with stride 1, of channels-last images with
 * few channels: what the nets of a detector are made of.
 *
 * The idea: in memory, the size * C values that one kernel row sees at a
 * position lie side by side, and those of `size` positions further on follow
 * them.  So a kernel row is `size` matrix products, each of every size-th
 * position, taken where the image lies: nothing is gathered.  The image is one
 * long line of positions; those at the end of a row, where the kernel would
 * leave the image, are computed along and not looked at.
 *
 *   y[i, k] = f(bias[k] + sum_r sum_(s,c) x[i + r pitch + s, c] w[r, (s,c), k])
 *
 * f is PReLU, computed while a tile is in the cache, or the identity.
 */
#ifndef GRADUS_FLAT_CONV_H
#define GRADUS_FLAT_CONV_H

#include <stdint.h>

#include "gradus/gemm.h"

/** Tiles of size * 64, 16, 4, and of one position. */
enum { GD_FLAT_TILES = 4 };

typedef struct {
  int C, K, size; /**< channels in and out; kernel rows and columns */
  float *weights; /**< (size, size * C, K), K filled up to whole vectors where
                       they are few */
  /** K values over and over: whole vectors, and many. */
  float *bias, *slopes;
  int n_repeated;
  gd_gemm kernels[GD_FLAT_TILES];
} gd_flat_conv; /**< starts as {0} */

/**
 * Make the kernels and take the weights.
 * @param[in] weights  (K, C, size, size)
 * @param[in] bias     (K)
 * @param[in] slopes   (K) of PReLU where its input is negative; NULL: identity
 * Ends with: gd_flat_conv_end(), on failure too
 * Errors: as gd_gemm_make()
 */
GD_NODISCARD gd_status gd_flat_conv_begin(gd_flat_conv *f, int C, int K,
                                          int size, const float *weights,
                                          const float *bias,
                                          const float *slopes);
void gd_flat_conv_end(gd_flat_conv *f);

/**
 * Compute a line of positions.
 * @param[in]  x      the first position's pixel, C values each; read up to
 *                    (n - 1) + (size - 1) * pitch + size - 1 pixels behind it
 * @param[in]  pitch  pixels from one row of the image to the next
 * @param[in]  n      positions, >= 1
 * @param[out] y      (n, K)
 */
void gd_flat_conv_run(const gd_flat_conv *f, const float *x, int pitch,
                      int64_t n, float *y);

#endif
