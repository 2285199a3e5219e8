/**
 * Optimisers: one pure step over any chunk of the weight block.
 *
 * An element's step depends on its weight, gradient, state, the step number
 * and, for lars and lamb, a ratio that its tensor has; so a chunk may be cut
 * anywhere, and any rank may own it.  The state is gd_optimizer_n_states()
 * arrays as long as the chunk, zero at first.  c1 = 1 - b1^t, c2 = 1 - b2^t.
 *
 *   adam      g += decay w;  m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2;
 *             w -= rate (m / c1) / (sqrt(v / c2) + epsilon)
 *   adamw     w -= rate decay w;  then as adam without decay
 *   sgd       g += decay w;  u = momentum u + g;  w -= rate u
 *   nesterov  likewise;                           w -= rate (g + momentum u)
 *   lars      u = momentum u + rate ratio (g + decay w);  w -= u,
 *             ratio = trust |w| / (|g| + decay |w|) over the tensor
 *   lamb      m and v as adamw;  d = (m / c1) / (sqrt(v / c2) + epsilon)
 *             + decay w;  w -= rate ratio d,  ratio = |w| / |d|
 *
 * A tensor whose weights or gradients are all 0 has the ratio 1.
 *
 * Source: Kingma and Ba, "Adam" (ICLR 2015), algorithm 1; Loshchilov and
 * Hutter, "Decoupled Weight Decay Regularization" (ICLR 2019), algorithm 2;
 * Sutskever et al. (ICML 2013), section 2; these in PyTorch 1.13's form
 * (torch.optim.Adam, AdamW, SGD without dampening).  You, Gitman, Ginsburg,
 * "Large Batch Training of Convolutional Networks" (2017), algorithm 1; You et
 * al., "Large Batch Optimization for Deep Learning" (ICLR 2020), algorithm 2
 * with the identity for phi.
 */
#ifndef GRADUS_OPTIMIZER_H
#define GRADUS_OPTIMIZER_H

#include <stdint.h>

#include "gradus/status.h"

typedef enum {
  GD_OPTIMIZER_ADAM,
  GD_OPTIMIZER_SGD,
  GD_OPTIMIZER_ADAMW,
  GD_OPTIMIZER_NESTEROV,
  GD_OPTIMIZER_LARS,
  GD_OPTIMIZER_LAMB,
  GD_N_OPTIMIZERS
} gd_optimizer_kind;

typedef struct {
  gd_optimizer_kind kind;
  double rate;
  double weight_decay;          /**< see above how each uses it */
  double beta1, beta2, epsilon; /**< adam, adamw, lamb */
  double momentum;              /**< sgd, nesterov, lars */
  double trust;                 /**< lars */
} gd_optimizer;

enum { GD_OPTIMIZER_MOST_STATES = 2 };

/** Return the defaults: rate 1e-4 for adam and adamw, 1e-2 for sgd and
 * nesterov, 1 for lars, 1e-3 for lamb; no decay; 0.9, 0.999, 1e-8; momentum
 * 0.9; trust 1e-3. */
gd_optimizer gd_optimizer_default(gd_optimizer_kind kind);
/** Return the name in manifests and model files; static. */
const char *gd_optimizer_name(gd_optimizer_kind kind);
/** Find a kind by name. Errors: GD_ERR_USAGE (names those there are) */
GD_NODISCARD gd_status gd_optimizer_kind_of(const char *name,
                                            gd_optimizer_kind *out);
/** Return the number of state arrays: 2 for adam and its kin, 1 for sgd's. */
int gd_optimizer_n_states(gd_optimizer_kind kind);
/** Return the name of state array i: `m`, `v`, `momentum`; static. */
const char *gd_optimizer_state_name(gd_optimizer_kind kind, int i);

/** What a tensor's ratio compares the norm of its weights with. */
typedef enum {
  GD_RATIO_NONE,     /**< there is no ratio */
  GD_RATIO_GRADIENT, /**< lars: the norm of the gradient */
  GD_RATIO_DIRECTION /**< lamb: the norm of what gd_optimizer_direct() makes */
} gd_optimizer_ratio_kind;
gd_optimizer_ratio_kind gd_optimizer_compares(gd_optimizer_kind kind);
/**
 * Return a tensor's ratio.
 * @param[in] weights  norm of its weights before the step
 * @param[in] other    norm of its gradient, or of its direction
 */
double gd_optimizer_ratio(const gd_optimizer *o, double weights, double other);

/**
 * For lamb: take the gradient into the states, and put the direction in its
 * place.
 * @param[in]     weights   (count)
 * @param[in,out] gradient  (count)
 */
void gd_optimizer_direct(const gd_optimizer *o, int64_t step, int64_t count,
                         const float *weights, float *gradient,
                         float *const *states);

/**
 * Do step number `step` on `count` weights.
 * @param[in]     step      1 for the first step
 * @param[in]     ratio     of the tensor; 1 without
 * @param[in,out] weights   (count)
 * @param[in]     gradient  (count); for lamb the direction
 * @param[in,out] states    gd_optimizer_n_states() arrays (count)
 */
void gd_optimizer_step(const gd_optimizer *o, int64_t step, double ratio,
                       int64_t count, float *weights, const float *gradient,
                       float *const *states);

/**
 * Return the share that an average of weights keeps of itself after step
 * `step`: min(decay, (1 + step) / (10 + step)), so that it soon forgets where
 * training began.
 * Source: TensorFlow 2, tf.train.ExponentialMovingAverage with num_updates.
 */
double gd_average_keeps(double decay, int64_t step);

#endif
