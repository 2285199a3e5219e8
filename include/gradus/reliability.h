/**
 * Reliability: whether a predicted level means what it says.
 *
 * Videos are sorted by their predicted level and cut into bins of about equal
 * count; a model is reliable where the mean label of a bin is its mean
 * prediction.  Intervals of the mean label resample persons.  The line through
 * all videos, label = intercept + slope * predicted (least squares), tells the
 * same in two numbers: a slope below 1 means that the predictions are spread
 * too widely, one above 1 that they keep too near to their mean.
 *
 * Source: for bins, Niculescu-Mizil and Caruana, "Predicting good probabilities
 * with supervised learning", ICML 2005, with means of levels in place of
 * shares; for the line, Cox, "Two further applications of a model for binary
 * regression", Biometrika 45 (1958), likewise.
 */
#ifndef GRADUS_RELIABILITY_H
#define GRADUS_RELIABILITY_H

#include <stdint.h>

#include "gradus/bootstrap.h"
#include "gradus/corpus.h"
#include "gradus/status.h"

enum { GD_RELIABILITY_BINS = 10, GD_RELIABILITY_LEAST = 8 };

typedef struct {
  int64_t n;                  /**< videos */
  double predicted;           /**< mean, levels */
  double label;               /**< mean, levels */
  gd_interval label_interval; /**< NaN with fewer than two persons */
} gd_reliability_bin;

typedef struct {
  int n_bins; /**< 0 for no videos */
  gd_reliability_bin bins[GD_RELIABILITY_BINS];
  /** Mean over videos of the distance between the means of their bin, levels;
   * NaN for no videos. */
  double distance;
  double slope, intercept; /**< NaN if all predictions are equal */
} gd_reliability;

/**
 * Compute the reliability of n predictions.
 * @param[in] truth, predicted  (n) levels
 * @param[in] videos            (n) whose persons count; borrowed
 *
 * There are as many bins as leave each GD_RELIABILITY_LEAST videos, one to
 * GD_RELIABILITY_BINS; equal predictions are never parted, so there may be
 * fewer.
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_reliability_of(const gd_bootstrap *b, int64_t n,
                                         const double *truth,
                                         const double *predicted,
                                         const gd_video *const *videos,
                                         gd_reliability *out);

#endif
