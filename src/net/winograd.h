/**
 * Winograd's minimal filtering F(2 x 2, 3 x 3) of the 3 x 3 convolution with
 * stride 1 and padding 1: 16 products for the 36 of its definition.
 *
 * A square of 2 x 2 outputs sees a patch of 4 x 4 pixels d.  With the kernel g,
 *
 *     y = A' [ (G g G') * (B' d B) ] A     * element by element, ' transposed
 *
 *     B' = 1  0 -1  0     G = 1    0    0     A' = 1  1  1  0
 *          0  1  1  0         1/2  1/2  1/2        0  1 -1 -1
 *          0 -1  1  0         1/2 -1/2  1/2
 *          0  1  0 -1         0    0    1
 *
 * so that each of the 16 points of a transformed patch is a matrix product of
 * its own, over channels: (squares, C) times (C, K).  The gradient by the
 * input is the same of dy with the kernel turned round; that by the weights is
 * G' [ sum over squares of (B' d B) * (A dy A') ] G.
 *
 * The transforms are here, the products in net/winograd_product.h and
 * net/outer.h.  All factors are 1 and 1/2.  Of normally distributed numbers
 * the relative error is 2.3e-7 to 3.7e-7, where the direct way has 1.8e-7 to
 * 2.6e-7 (64 to 512 channels).
 *
 * To net/slab.h the squares are the positions of a grid whose patches are of
 * 4 x 4 taps, 2 pixels apart.  A row of points is four of them: it needs all
 * of a patch's columns, but only two of its rows.
 *
 * Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks",
 * arXiv:1509.09308 (2015), section 4.1.
 */
#ifndef GRADUS_NET_WINOGRAD_H
#define GRADUS_NET_WINOGRAD_H

#include "gradus/range.h"
#include "net/slab.h"

enum {
  GD_POINTS = 16,       /**< of a patch, 4 x 4 */
  GD_WINOGRAD_TAPS = 9, /**< of a kernel, 3 x 3 */
  GD_SQUARES = 56,      /**< of a piece, at most */
};

/** Return the patches of images of C channels. */
gd_patches gd_winograd_patches(gd_conv_input in, int C, gd_precision precision);
/** Return the squares of the outputs' gradient, as the same grid sees them. */
gd_patches gd_winograd_squares(const gd_patches *patches, int K);
/** Cut the grid of squares, for all passes: a piece is one matrix, whatever its
 * rows. */
gd_cut gd_winograd_cut(const gd_patches *patches);

/** Return the floats from one point to the next, of n positions: no power of
 * two, or the points would meet in the cache. */
static inline int64_t gd_point_floats(int n)
{
  return (int64_t)(n | 1) * GD_BLOCK;
}

/**
 * Transform the patches of a piece, B' d B, in a block of channels.
 * @param[in]  slab    as gd_slab_fill() left it
 * @param[in]  rows    of points, of the four
 * @param[in]  n       positions; those behind the piece's become zero
 * @param[out] points  (point, position, GD_BLOCK), gd_point_floats(n) apart
 */
void gd_winograd_patch(const gd_slab *s, const gd_patches *p,
                       const gd_piece *piece, const float *slab, gd_range rows,
                       int n, float *points);
/** The same of the squares of a gradient, A dy A'. */
void gd_winograd_square(const gd_slab *s, const gd_patches *p,
                        const gd_piece *piece, const float *slab, gd_range rows,
                        int n, float *points);
/**
 * Transform products back, A' m A, in a block of columns.
 * @param[in]  products  as `points`
 * @param[out] outputs   (row, column, sample, GD_BLOCK), two rows and columns
 *                       for each of the piece's
 */
void gd_winograd_outputs(const gd_piece *piece, const float *products, int n,
                         float *outputs);

/**
 * Transform GD_BLOCK kernels, G g G'.
 * @param[out] points  (GD_POINTS, GD_BLOCK), `next` floats apart
 */
void gd_winograd_kernels(const float g[GD_WINOGRAD_TAPS][GD_BLOCK],
                         int64_t next, float *points);
/**
 * Transform the sums of GD_BLOCK kernels' gradients, G' u G.
 * @param[in]  sums  (GD_POINTS, GD_BLOCK), `next` floats apart
 * @param[out] dg    (GD_BLOCK, 3, 3)
 */
void gd_winograd_dkernels(const float *sums, int64_t next, float *dg);

#endif
