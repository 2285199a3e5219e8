/**
 * Averages: what a video's score is, given the scores of its frames.
 *
 *   mean      sum over n, added in order
 *   median    the middle value, or the mean of the two middle ones
 *   trimmed   the mean without the lowest and the highest tenth (of n values,
 *             the whole part of n / 10 at either end)
 *
 * The paper's is the mean; the other two forgive a few frames whose face is
 * somebody else's.
 */
#ifndef GRADUS_AVERAGE_H
#define GRADUS_AVERAGE_H

#include <stdint.h>

#include "gradus/status.h"

typedef enum {
  GD_AVERAGE_MEAN,
  GD_AVERAGE_MEDIAN,
  GD_AVERAGE_TRIMMED,
  GD_N_AVERAGES
} gd_average;

/** Return "mean", "median" or "trimmed". */
const char *gd_average_name(gd_average kind);
/** Find an average by its exact name. Errors: GD_ERR_USAGE */
GD_NODISCARD gd_status gd_average_of(const char *name, gd_average *out);

/**
 * Average n numbers.
 * @param[in] x  (n), n >= 1; borrowed
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_average_take(gd_average kind, int64_t n,
                                       const double *x, double *out);

/** Compare two doubles, for qsort(): ascending. */
int gd_average_order(const void *a, const void *b);

#endif
