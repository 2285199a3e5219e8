/**
 * Patches times packed weights: the loop behind forward and backward data.
 *
 * A long sum is cut: every 192 terms one begins at zero and is then added to
 * the result.  That brings the rounding error of the whole network down to that
 * of pairwise-like sums (measured: from 2.8 to 1.1 times PyTorch's) for 2 % of
 * the time.
 *
 * The weights are a matrix (depth, columns), its rows in the order of the
 * patches' chunks: chunk, tap, channel.  Packed, GD_BLOCK columns lie together:
 * (block, depth, GD_BLOCK), the last block filled up with zeros.
 */
#ifndef GRADUS_NET_PRODUCT_H
#define GRADUS_NET_PRODUCT_H

#include "gradus/gemm.h"
#include "net/patches.h"
#include "net/workspace.h"

/** Rows of a tile: a panel is cut into the largest that fit. */
enum { GD_N_TILES = 5, GD_LEAST_TILE = 8 }; /* 128, 64, 32, 16, 8 */

typedef struct {
  int n_taps, C;      /**< of the patches */
  int chunk, n_depth; /**< channels of a chunk; n_taps * C */
  int columns, n_blocks;
  /** [source: panel, itself][rows][columns: GD_BLOCK, last block]
   *  [depth: GD_BLOCK, rest of a chunk, rest of the last chunk]
   *  [to: the result, a part to be added to it] */
  gd_gemm kernels[2][GD_N_TILES][2][3][2];
} gd_product;

/** Where the result of grid position (n, i, j) goes: pixel (n, row + i * step,
 * column + j * step) of images of H x W pixels. */
typedef struct {
  float *pixels; /**< (N, H, W, columns) */
  int H, W;
  int row, column, step;
} gd_target;

/**
 * Make the kernels.
 * @param[in] may_be_source  the patches may be the source itself
 * Errors: as gd_gemm_make()
 */
GD_NODISCARD gd_status gd_product_init(gd_product *p, int n_taps, int C,
                                       int columns, int may_be_source);
/** Return the floats of the packed weights. */
int64_t gd_product_packed(const gd_product *p);
/** Return where weight (tap, channel, column) is packed. */
int64_t gd_product_at(const gd_product *p, int tap, int c, int column);

/**
 * Compute target = patches(source) * weights + bias.
 * @param[in] packed  gd_product_packed() floats
 * @param[in] bias    (columns), or NULL
 */
void gd_product_run(const gd_product *p, const gd_workspace *ws,
                    const gd_patches *patches, const float *source,
                    const float *packed, const float *bias, gd_target target);

#endif
