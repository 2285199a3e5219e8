/**
 * The weight gradient: patches transposed, times the output's gradient,
 *
 *     dw[k][tap][c] = sum over positions of dy[position][k] patch[tap][c].
 *
 * Tasks share out the channels (by the patches' chunks) and the outputs k; each
 * runs over all positions in order, so a sum does not depend on the cut.
 */
#ifndef GRADUS_NET_OUTER_H
#define GRADUS_NET_OUTER_H

#include "gradus/gemm.h"
#include "net/patches.h"
#include "net/workspace.h"

enum {
  GD_OUTER_ROWS = 32,  /**< outputs k of a tile */
  GD_OUTER_DEPTH = 16, /**< positions of a piece */
};

typedef struct {
  int n_taps, C, K, chunk;
  int is_weights; /**< sums have the layout of the weights: one tap */
  /** [patches: panel, source][rows: whole, rest]
   *  [columns: GD_BLOCK, rest of a chunk, rest of the last chunk][accumulate]
   */
  gd_gemm kernels[2][2][3][2];
} gd_outer;

/** Make the kernels. Errors: as gd_gemm_make() */
GD_NODISCARD gd_status gd_outer_init(gd_outer *o, int n_taps, int C, int K);

/**
 * @param[in]  source    the patches' source
 * @param[in]  dy        (positions, K)
 * @param[out] dweights  (K, C, n_taps), overwritten
 */
void gd_outer_run(const gd_outer *o, const gd_workspace *ws,
                  const gd_patches *patches, const float *source,
                  const float *dy, float *dweights);

#endif
