/**
 * The weight gradient: patches transposed, times the output's gradient,
 *
 *     dw[k][tap][c] = sum over positions of dy[position][k] patch[tap][c].
 *
 * A task is a group of outputs k by a group of channels c, over the pieces of
 * the grid in order: their slabs are brought into the cache together and the
 * sums of a group of taps (of all, if they are at most 20) stay there.  Where
 * such tasks are few, the pieces are shared out among several, whose sums are
 * added in order in the end.  The cut follows from the shapes alone, so a sum
 * does not depend on the number of threads.
 *
 * By Winograd's filtering (net/winograd.h) the points of patches and gradient
 * stand for the taps, the squares of the grid for its positions, and the sums
 * become taps in the end.
 */
#ifndef GRADUS_NET_OUTER_H
#define GRADUS_NET_OUTER_H

#include "gradus/gemm.h"
#include "net/slab.h"
#include "net/workspace.h"

enum { GD_N_DEPTHS = 4 }; /* kinds of products, by their positions */

typedef struct {
  gd_precision tiles; /**< of what is multiplied */
  int R, S, C, K;
  int winograd; /**< taps are points */
  gd_channels channels;
  int group_k, group_c, group_taps; /**< of a task; k and c in blocks */
  /** [depth][outputs: GD_BLOCK, rest][channels: GD_BLOCK, rest][add to C] */
  gd_gemm kernels[GD_N_DEPTHS][2][2][2];
} gd_outer;

/** Make the kernels for a convolution. Errors: as gd_gemm_make() */
GD_NODISCARD gd_status gd_outer_init(gd_outer *o, gd_precision precision,
                                     gd_conv_shape shape);

/**
 * @param[in]  patches   of the convolution, or gd_winograd_patches()
 * @param[in]  dy        (positions, K), of the source's precision
 * @param[out] dweights  (K, C, R, S), overwritten
 */
void gd_outer_run(const gd_outer *o, const gd_workspace *ws,
                  const gd_patches *patches, const gd_conv_source *source,
                  const void *dy, float *dweights);

#endif
