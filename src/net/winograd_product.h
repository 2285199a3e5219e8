/**
 * Forward and backward data by Winograd's minimal filtering (net/winograd.h),
 * as net/product.h does it directly: a piece's patches are brought and
 * transformed, each of their points is multiplied with a block of columns, and
 * the products are transformed back and finished.  A block's products stay in
 * the cache; the points of many channels, and their weights, come from a larger
 * one.
 *
 * The transformed weights are packed as (block of columns, point, channel,
 * GD_BLOCK).
 */
#ifndef GRADUS_NET_WINOGRAD_PRODUCT_H
#define GRADUS_NET_WINOGRAD_PRODUCT_H

#include "gradus/gemm.h"
#include "net/slab.h"
#include "net/workspace.h"

typedef struct {
  gd_precision precision; /**< of source and results */
  int C, columns;
  gd_gemm kernels[GD_N_TILES];
} gd_winograd_product;

/** Say whether a convolution can be computed this way. */
int gd_winograd_fits(gd_conv_shape shape);

/** Make the kernels. Errors: as gd_gemm_make() */
GD_NODISCARD gd_status gd_winograd_init(gd_winograd_product *p,
                                        gd_precision precision, int C,
                                        int columns);
/** Return how many floats the packed weights are. */
int64_t gd_winograd_packed(const gd_winograd_product *p);
/**
 * Transform and pack weights, rounded to the precision first.
 * @param[in] weights  (K, C, 3, 3) of the convolution
 * @param[in] turned   for the gradient by the input: columns are its C
 */
void gd_winograd_pack(const gd_winograd_product *p, const float *weights,
                      int turned, float *packed);
/** Return the pieces that the grid of squares is cut into. */
int gd_winograd_n_pieces(const gd_patches *patches);
/**
 * Compute sink(patches(source) * weights).
 * @param[in] patches  gd_winograd_patches()
 */
void gd_winograd_run(const gd_winograd_product *p, const gd_workspace *ws,
                     const gd_patches *patches, const gd_conv_source *source,
                     const float *packed, const gd_conv_sink *sink);

#endif
