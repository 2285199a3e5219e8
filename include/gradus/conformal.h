/**
 * Split-conformal prediction intervals: predicted level plus and minus one
 * half-width, which is read off videos that the model was not fitted to.
 *
 *   s_i = |y_i - predicted_i| over n calibration videos, sorted
 *   half-width = s_k,  k = ceil((n + 1) level);  no bound when k > n
 *
 * A new video that is exchangeable with the calibration videos is inside with a
 * probability of at least `level`, whatever the model.  That is a promise about
 * videos on average, not about one person's; and videos of one person, or a
 * model that was chosen on the same videos, are not quite exchangeable, so the
 * coverage that was found on test stands next to what was asked for.
 *
 * Source: Lei, G'Sell, Rinaldo, Tibshirani, Wasserman, "Distribution-free
 * predictive inference for regression", JASA 113 (2018), algorithm 2.
 */
#ifndef GRADUS_CONFORMAL_H
#define GRADUS_CONFORMAL_H

#include <stdint.h>

#include "gradus/status.h"

/**
 * Compute the half-width.
 * @param[in]  n       calibration videos, may be 0
 * @param[in]  level   0 < level < 1
 * @param[out] out     levels; INFINITY: too few videos for this level
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_conformal_half_width(int64_t n, const double *truth,
                                               const double *predicted,
                                               double level, double *out);

#endif
