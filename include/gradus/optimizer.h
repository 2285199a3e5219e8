/**
 * Optimisers: one pure step over any chunk of the weight block.
 *
 * An element's step depends on its weight, gradient, state and the step number
 * alone, so a chunk may be cut anywhere, and any rank may own it.  The state is
 * gd_optimizer_n_states() arrays as long as the chunk, zero at first.
 *
 *   adam  state m, v:  g += decay w;  m = b1 m + (1-b1) g;
 *         v = b2 v + (1-b2) g^2;
 *         w -= rate / (1-b1^t) * m / (sqrt(v) / sqrt(1-b2^t) + epsilon)
 *   sgd   state u:     g += decay w;  u = momentum u + g;
 *         w -= rate u
 *
 * Source: Kingma and Ba, "Adam" (ICLR 2015), algorithm 1; both in
 * PyTorch 1.13's form (torch.optim.Adam, torch.optim.SGD without dampening).
 */
#ifndef GRADUS_OPTIMIZER_H
#define GRADUS_OPTIMIZER_H

#include <stdint.h>

#include "gradus/status.h"

typedef enum { GD_OPTIMIZER_ADAM, GD_OPTIMIZER_SGD } gd_optimizer_kind;

typedef struct {
  gd_optimizer_kind kind;
  double rate;
  double weight_decay;          /**< L2, added to the gradient */
  double beta1, beta2, epsilon; /**< adam */
  double momentum;              /**< sgd */
} gd_optimizer;

enum { GD_OPTIMIZER_MOST_STATES = 2 };

/** Return the defaults: adam 1e-4, 0.9, 0.999, 1e-8; sgd 1e-2, momentum 0.9. */
gd_optimizer gd_optimizer_default(gd_optimizer_kind kind);
/** Return the name in manifests and model files; static. */
const char *gd_optimizer_name(gd_optimizer_kind kind);
/** Find a kind by name. Errors: GD_ERR_USAGE (names those there are) */
GD_NODISCARD gd_status gd_optimizer_kind_of(const char *name,
                                            gd_optimizer_kind *out);
/** Return the number of state arrays: 2 for adam, 1 for sgd. */
int gd_optimizer_n_states(gd_optimizer_kind kind);
/** Return the name of state array i: `m`, `v`, `momentum`; static. */
const char *gd_optimizer_state_name(gd_optimizer_kind kind, int i);

/**
 * Do step number `step` on `count` weights.
 * @param[in]     step      1 for the first step
 * @param[in,out] weights   (count)
 * @param[in]     gradient  (count)
 * @param[in,out] states    gd_optimizer_n_states() arrays (count)
 */
void gd_optimizer_step(const gd_optimizer *o, int64_t step, int64_t count,
                       float *weights, const float *gradient,
                       float *const *states);

#endif
