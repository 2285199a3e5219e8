/* Updates: what a step does to this rank's parts of the weights, beside the
 * reduction that brings it the gradient piece by piece.
 *
 *   plain       each piece steps the optimiser as it comes
 *   with norms  (clip, lars, lamb) each piece is kept, its segments' squares
 *               are summed, ranks exchange the sums, and then the step is done
 *
 * The gradient's norm is over the weights that may change.  Clipping multiplies
 * the gradient by clip / (norm + 1e-6) where that is below 1.
 * Source: PyTorch 1.13, torch.nn.utils.clip_grad_norm_.
 *
 * State arrays are the optimiser's, and `average`, the moving average of the
 * weights, if there is one. */
#ifndef GRADUS_TRAIN_UPDATE_H
#define GRADUS_TRAIN_UPDATE_H

#include <mpi.h>

#include "gradus/buckets.h"
#include "gradus/optimizer.h"
#include "gradus/tensor.h"

typedef struct {
  gd_optimizer optimizer; /* its rate is given for each step */
  double clip;            /* largest norm of the gradient; 0: any */
  double average;         /* decay of the average; 0: there is none */
  const char *freeze;     /* see gd_resnet_freeze() */
} gd_update_config;

typedef struct gd_update gd_update;

/* rank:    in comm
 * buckets: of a block that begins with the weights; it updates what the rank
 *          owns of these; kept until gd_update_free()
 * block: of the weights; kept until gd_update_free()
 * Ends with: gd_update_free()
 * Errors:    GD_ERR_USAGE (freeze), GD_ERR_NOMEM: agree afterwards */
GD_NODISCARD gd_status gd_update_new(MPI_Comm comm, int rank,
                                     const gd_update_config *c,
                                     const gd_tensor_table *table,
                                     const gd_buckets *buckets, float *block,
                                     gd_update **out);
void gd_update_free(gd_update *u); /* NULL is allowed */

int gd_update_n_states(const gd_update *u);
const char *gd_update_state_name(const gd_update *u, int i);
/* Return state array i, as gd_buckets_place() lays it out: to fill, or to save.
 */
float *gd_update_state(gd_update *u, int i);
/* Return the average's array, or NULL. */
float *gd_update_average(gd_update *u);

/* Begin a step, numbered from 1. */
void gd_update_begin(gd_update *u, int64_t step, double rate);
/* Take a piece of the gradient's total, within a part of this rank; from
 * several threads at once. */
void gd_update_take(gd_update *u, int64_t first, int64_t count,
                    const float *gradient);
/* Say whether gd_update_settle() has to end the step. */
int gd_update_has_norms(const gd_update *u);
/* End a step with norms.  Collective. */
void gd_update_settle(gd_update *u);
/* Return this rank's part of the squared norm of the step's gradient, before
 * it is clipped: the ranks' sum is the whole, up to rounding. */
double gd_update_square(const gd_update *u);

#endif
