/**
 * Losses over levels 0..K-1: from logits to loss, gradient, and level.
 *
 *   expectation  E = sum_j j p_j, p = softmax(z);  L = 1/(2M) sum_i (E_i-y_i)^2
 *   softmax      cross-entropy, the level as a class; L = -1/M sum_i log p_iy
 *   euclidean    one output z;                     L = 1/(2M) sum_i (z_i-y_i)^2
 *
 * M is the GLOBAL batch, so that microbatches' parts add up.  Everything is
 * computed in double and safe for any finite logits.
 *
 * Source: de Melo, Granger, Hadid, "Depression Detection Based on Deep
 * Distribution Learning" (ICIP 2019), equations 1 to 4.
 */
#ifndef GRADUS_LOSS_H
#define GRADUS_LOSS_H

#include <stdint.h>

#include "gradus/status.h"

typedef enum {
  GD_LOSS_EXPECTATION,
  GD_LOSS_SOFTMAX,
  GD_LOSS_EUCLIDEAN,
  GD_N_LOSSES
} gd_loss;

/** Return the loss's name in manifests and tables; static. */
const char *gd_loss_name(gd_loss loss);
/** Find a loss by name. Errors: GD_ERR_USAGE (names those there are) */
GD_NODISCARD gd_status gd_loss_of(const char *name, gd_loss *out);
/** Return how many outputs the network needs: `levels`, or 1 for euclidean. */
int gd_loss_outputs(gd_loss loss, int levels);

/**
 * Compute one microbatch's part of the loss, and the gradient.
 * @param[in]  K         outputs, as from gd_loss_outputs()
 * @param[in]  logits    (n, K)
 * @param[in]  labels    (n) levels; softmax takes whole ones, 0..K-1
 * @param[in]  batch     M >= n, samples of the global batch
 * @param[out] dlogits   (n, K) gradient of the mean over M; NULL: not wanted
 * @param[out] expected  (n) E, for euclidean z; NULL: not wanted
 * @param[out] part      sum of this microbatch's sample losses / M
 * Errors: GD_ERR_USAGE (label out of range, which), GD_ERR_NUMERIC (a logit or
 *         label is not finite, which sample)
 */
GD_NODISCARD gd_status gd_loss_forward_backward(gd_loss loss, int K,
                                                const float *logits,
                                                const float *labels, int n,
                                                int64_t batch, float *dlogits,
                                                float *expected, double *part);

/**
 * Turn logits into what is reported of a sample.
 * @param[out] p         (n, K) distribution over levels; (n, 1) of ones for
 *                       euclidean, which has none; NULL: not wanted
 * @param[out] expected  (n) E
 * @param[out] sigma     (n) standard deviation of p; 0 for euclidean; NULL: not
 *                       wanted
 * Errors: GD_ERR_NUMERIC (a logit is not finite, which sample)
 */
GD_NODISCARD gd_status gd_loss_predict(gd_loss loss, int K, const float *logits,
                                       int n, float *p, float *expected,
                                       float *sigma);

#endif
