/**
 * Metrics: how far predictions lie from the truth, over videos or sessions.
 *
 *   e_i = predicted_i - truth_i
 *   MAE  = mean |e_i|            RMSE = sqrt(mean e_i^2)       bias = mean e_i
 *   Pearson r = cov(t, p) / (sd(t) sd(p))
 *   CCC  = 2 cov(t, p) / (var(t) + var(p) + (mean t - mean p)^2)
 *
 * with population moments (divided by n).  A quantity that is not defined is
 * NaN, never a number that looks like a result: all of them for n = 0; r when
 * either side does not vary; CCC when neither side varies and both are equal.
 *
 * Source: Lin, "A concordance correlation coefficient to evaluate
 * reproducibility", Biometrics 45 (1989), equation 2 and section 3; the AVEC
 * challenges' MAE and RMSE are over all items at once, never a mean of
 * batches.
 */
#ifndef GRADUS_METRICS_H
#define GRADUS_METRICS_H

#include <stdint.h>

#include "gradus/status.h"

typedef struct {
  int64_t n;           /**< pairs that were compared */
  double mae;          /**< levels */
  double rmse;         /**< levels */
  double bias;         /**< levels; above 0: predicted too high */
  double pearson, ccc; /**< -1 .. 1 */
} gd_metrics;

/**
 * Compare n predictions with the truth.
 * @param[in] truth      (n) levels
 * @param[in] predicted  (n) levels
 */
gd_metrics gd_metrics_of(int64_t n, const double *truth,
                         const double *predicted);

/**
 * Compare those pairs whose truth is in low <= truth < high: the error of one
 * band of severity.
 */
gd_metrics gd_metrics_between(int64_t n, const double *truth,
                              const double *predicted, double low, double high);

/**
 * Spearman's rank correlation: Pearson's r of the ranks, equal values sharing
 * the mean of theirs.  NaN where that is.
 * Source: Spearman, "The proof and measurement of association between two
 * things", Am. J. Psychol. 15 (1904).
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_metrics_spearman(int64_t n, const double *truth,
                                           const double *predicted,
                                           double *out);

#endif
