/**
 * Losses over levels 0..K-1: from the network's outputs to loss, gradient,
 * level and distribution.
 *
 * A loss is a head, which says how outputs z become a level E and a
 * distribution p, and a formula.  M is the GLOBAL batch, so that microbatches'
 * parts add up: L = 1/M sum_i l_i.
 *
 *   head       outputs  distribution
 *   softmax    K        p = softmax(z);  E = sum_j j p_j
 *   level      1        none;  E = z
 *   rank       K-1      P(y > k) = sigmoid(z_k), and all z_k = w.h + b_k with
 *                       one w;  p_k = P(y > k-1) - P(y > k), or 0 where that
 *                       would be negative;  E = sum_j j p_j
 *   condition  K-1      P(y > k | y > k-1) = sigmoid(z_k);  P(y > k) is the
 *                       product up to k;  p and E as above
 *
 *   loss           head       one sample's l
 *   expectation    softmax    (E - y)^2 / 2                     de Melo 2019
 *   softmax        softmax    -log p_y                          de Melo 2019
 *   mean-variance  softmax    -log p_y + a (E - y)^2 / 2
 *                             + b sum_j p_j (j - E)^2           Pan 2018
 *   dldl           softmax    KL(q | p), q a Gaussian at y over
 *                             the levels                        Gao 2017
 *   dldl-v2        softmax    KL(q | p) + |E - y|               Gao 2018
 *   sord           softmax    -sum_k q_k log p_k,
 *                             q = softmax_k(-|k - y|)           Diaz 2019
 *   emd2           softmax    sum_k (CDF_p(k) - CDF_y(k))^2     Hou 2016
 *   coral          rank       -sum_k log P of [y > k]           Cao 2020
 *   corn           condition  -sum_{k <= y} log P of [y > k]    Shi 2021
 *   euclidean      level      (z - y)^2 / 2                     de Melo 2019
 *   huber          level      r^2 / 2 to |r| = d, then
 *                             d (|r| - d / 2), r = z - y        Huber 1964
 *   l1             level      |z - y|
 *   balanced       level      c_y (z - y)^2 / 2, c_y the inverse of the label's
 *                             frequency in training, 1 on average
 *
 * Everything is computed in double and safe for any finite outputs.  A new loss
 * is a row in the list below, a file with its formula (src/train/loss_row.h
 * says what it holds) and a word in the manifest's table.
 *
 * Source: de Melo, Granger, Hadid, "Depression Detection Based on Deep
 * Distribution Learning" (ICIP 2019), equations 1 to 4; Pan et al.,
 * "Mean-Variance Loss for Deep Age Estimation from a Face" (CVPR 2018); Gao et
 * al., "Deep Label Distribution Learning with Label Ambiguity" (IEEE TIP
 * 2017); Gao et al., "Age Estimation Using Expectation of Label Distribution
 * Learning" (IJCAI 2018), lambda 1; Diaz and Marathe, "Soft Labels for Ordinal
 * Regression" (CVPR 2019), absolute distance; Hou, Yu, Samaras, "Squared Earth
 * Mover's Distance-based Loss" (2016), not divided by K; Cao, Mirjalili,
 * Raschka, "Rank Consistent Ordinal Regression" (Pattern Recognition Letters
 * 2020), all levels weighted 1; Shi, Cao, Raschka, "Deep Neural Networks for
 * Rank-Consistent Ordinal Regression Based on Conditional Probabilities"
 * (2021), divided by M and not by the number of terms, which no microbatch
 * knows; Yang et al., "Delving into Deep Imbalanced Regression" (ICML 2021),
 * inverse frequencies, for `balanced`.
 */
#ifndef GRADUS_LOSS_H
#define GRADUS_LOSS_H

#include <stdint.h>

#include "gradus/status.h"

/** Each loss: its letters, and those of its row. */
#define GD_LOSS_LIST(X)                                                        \
  X(EXPECTATION, expectation)                                                  \
  X(SOFTMAX, softmax)                                                          \
  X(EUCLIDEAN, euclidean)                                                      \
  X(MEAN_VARIANCE, mean_variance)                                              \
  X(DLDL, dldl)                                                                \
  X(DLDL_V2, dldl_v2)                                                          \
  X(SORD, sord)                                                                \
  X(EMD2, emd2)                                                                \
  X(CORAL, coral)                                                              \
  X(CORN, corn)                                                                \
  X(HUBER, huber)                                                              \
  X(L1, l1)                                                                    \
  X(BALANCED, balanced)

#define GD_LOSS_LETTERS(letters, row) GD_LOSS_##letters,
typedef enum { GD_LOSS_LIST(GD_LOSS_LETTERS) GD_N_LOSSES } gd_loss;

enum { GD_LOSS_MOST_LEVELS = 4096 };

/** What some losses take beside the label. */
typedef struct {
  double sigma;          /**< dldl, dldl-v2: of the Gaussian; levels, > 0 */
  double mean;           /**< mean-variance: a, 0.2 in the paper */
  double variance;       /**< mean-variance: b, 0.05 in the paper */
  double delta;          /**< huber: d; levels, > 0 */
  const double *weights; /**< balanced: (K) c of each level, from
                              gd_loss_balance(); borrowed */
} gd_loss_options;

/** Return the defaults: sigma 2, mean 0.2, variance 0.05, delta 1, no weights.
 */
gd_loss_options gd_loss_options_default(void);

/** Return the loss's name in manifests and tables; static. */
const char *gd_loss_name(gd_loss loss);
/** Find a loss by name. Errors: GD_ERR_USAGE (names those there are) */
GD_NODISCARD gd_status gd_loss_of(const char *name, gd_loss *out);
/** Return how many outputs the network needs for K levels. */
int gd_loss_outputs(gd_loss loss, int K);
/** Say whether all outputs share one row of weights, and differ in their bias
 * alone. */
int gd_loss_shares_weights(gd_loss loss);
/** Say whether it predicts a distribution over levels. */
int gd_loss_has_distribution(gd_loss loss);
/** Say whether labels must be whole numbers. */
int gd_loss_needs_whole(gd_loss loss);

/**
 * Give the biases that a new network's last layer begins with, where the head
 * says: those of the rank and condition heads make all levels equally likely
 * where the weights give 0.  Zeros would put all mass at the two ends, or at
 * level 1, and a rate of 1e-4 would take ten thousands of steps from there.
 * @param[in,out] biases  (outputs); left alone by the other heads
 */
void gd_loss_first_biases(gd_loss loss, int K, float *biases);

/**
 * Compute the weights of `balanced`: c_k = n / (L n_k) for a level with n_k of
 * the n labels, L the number of levels that occur, so that the mean over the
 * labels is 1; 0 for a level that does not occur.
 * @param[in]  labels   (n) 0 .. K-1; one that is not whole counts for the
 *                      nearest level
 * @param[out] weights  (K)
 */
void gd_loss_balance(const float *labels, int64_t n, int K, double *weights);

/**
 * Compute one microbatch's part of the loss, and the gradient.
 * @param[in]  K         levels, 1 .. GD_LOSS_MOST_LEVELS
 * @param[in]  logits    (n, gd_loss_outputs())
 * @param[in]  labels    (n) levels
 * @param[in]  batch     M >= n, samples of the global batch
 * @param[out] dlogits   as logits: gradient of the mean over M; NULL: not
 * wanted
 * @param[out] expected  (n) E; NULL: not wanted
 * @param[out] part      sum of this microbatch's sample losses / M
 * Errors: GD_ERR_USAGE (label out of range, which), GD_ERR_NUMERIC (an output
 *         or label is not finite, which sample)
 */
GD_NODISCARD gd_status gd_loss_forward_backward(gd_loss loss,
                                                const gd_loss_options *options,
                                                int K, const float *logits,
                                                const float *labels, int n,
                                                int64_t batch, float *dlogits,
                                                float *expected, double *part);

/**
 * Turn outputs into what is reported of a sample.
 * @param[out] p         (n, K) distribution over levels; NULL: not wanted, as
 *                       it must be if the loss has none
 * @param[out] expected  (n) E
 * @param[out] sigma     (n) standard deviation of p, 0 without one; NULL: not
 *                       wanted
 * Errors: GD_ERR_NUMERIC (an output is not finite, which sample)
 */
GD_NODISCARD gd_status gd_loss_predict(gd_loss loss, int K, const float *logits,
                                       int n, float *p, float *expected,
                                       float *sigma);

/**
 * Compute how the level of one sample follows its outputs.  Where a head's P(y
 * > k) would rise and is held, only the output that holds it counts.
 * @param[in]  logits  (outputs)
 * @param[out] slope   (outputs) dE/dz
 * Errors: GD_ERR_NUMERIC (an output is not finite)
 * Source: the derivatives of the heads above
 */
GD_NODISCARD gd_status gd_loss_slope(gd_loss loss, int K, const float *logits,
                                     double *slope);

#endif
