/**
 * Patches times packed weights: the loop behind forward and backward data, and
 * what is done to the results while they are in the cache.
 *
 * A piece of the grid is multiplied with one block of GD_BLOCK columns at a
 * time, all its tiles with a part of the sum before the next part.  A long sum
 * is cut: every 192 terms (of bf16 384, as many bytes) one begins at zero and
 * is then added to the result.  That brings the rounding error of the whole
 * network down to that of pairwise-like sums (measured: from 2.8 to 1.1 times
 * PyTorch's) for 2 % of the time.
 *
 * The weights are packed as (block of columns, block of channels, tap, channel,
 * GD_BLOCK), the last block of columns filled up with zeros; in the precision
 * of the source.  For kernels of bf16 two channels are interleaved, (pair of
 * channels, GD_BLOCK, 2), an odd number of them filled up with zeros; for those
 * of floats the part of a sum that comes next is widened in the cache.  Where
 * there are fewer columns than a block's, products are only as wide as they
 * need, by whole vectors; what lies behind them in the results is not defined.
 */
#ifndef GRADUS_NET_PRODUCT_H
#define GRADUS_NET_PRODUCT_H

#include "gradus/gemm.h"
#include "net/slab.h"
#include "net/workspace.h"

typedef struct {
  gd_precision precision; /**< of the source and of the packed weights */
  gd_precision tiles;     /**< of what is multiplied */
  int R, S, C;            /**< of the patches */
  gd_channels channels;
  int rest_depth; /**< terms of a tap in the rest, with those filled up */
  int64_t depth;  /**< of all taps and blocks */
  int columns, n_blocks;
  /** [in: slab, source][tile][terms: whole block, rest][add: of bf16] */
  gd_gemm kernels[2][GD_N_TILES][2][2];
} gd_product;

/** Where the result of grid position (n, i, j) goes: pixel (n, row + i * step,
 * column + j * step) of images of H x W pixels. */
typedef struct {
  int H, W;
  int row, column, step;
} gd_target;

/**
 * Make the kernels.
 * @param[in] may_be_source  the patches may be the source itself
 * Errors: as gd_gemm_make()
 */
GD_NODISCARD gd_status gd_product_init(gd_product *p, gd_precision precision,
                                       int R, int S, int C, int columns,
                                       int may_be_source);
/** Return how many numbers the packed weights are. */
int64_t gd_product_packed(const gd_product *p);
/**
 * Pack the weights of tap (a, b) and of channel c, or of two from an even c on,
 * for some columns of one block.
 * @param[in] column   the first, a multiple of 16
 * @param[in] weights  of each channel, n columns, and zeros up to a multiple of
 *                     16
 */
void gd_product_pack(const gd_product *p, int a, int b, int c, int n_channels,
                     int column, int n, const float (*weights)[GD_BLOCK],
                     void *packed);
/** Add a part of some rows' sums to c; both are GD_BLOCK wide. */
void gd_product_add(const float *part, int rows, int width, float *c);
/** Return the pieces that the grid is cut into. */
int gd_product_n_pieces(const gd_patches *patches);

/**
 * Compute sink(patches(source) * weights).
 * @param[in] patches  0 x 0 taps: the product is zero
 * @param[in] packed   gd_product_packed() numbers
 */
void gd_product_run(const gd_product *p, const gd_workspace *ws,
                    const gd_patches *patches, const gd_conv_source *source,
                    const void *packed, const gd_conv_sink *sink,
                    gd_target target);

#endif
