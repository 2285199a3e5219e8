/**
 * Folds: a corpus dealt by person for cross-validation.
 *
 *   persons by mean level     3 5 6 | 9 11 14 | 20 31 40 | 52
 *   dealt to folds            2 1 3 | 3  2  1 |  1  3  2 |  2
 *
 * Persons are ordered by the mean level of their videos, and every run of as
 * many persons as there are folds is dealt to all folds, in a random order: so
 * folds have as many persons as one another (or one more) and the same spread
 * of levels.  As many folds as persons leave one person out at a time.
 *
 * A corpus that names the fold of each video is dealt as it says.
 *
 * In round f, fold f is for testing, the following fifth of the folds (at least
 * one) for development, the rest for training; partitions of the corpus itself
 * do not count.  A pure function of the persons, their levels and the seed.
 */
#ifndef GRADUS_FOLDS_H
#define GRADUS_FOLDS_H

#include <stdint.h>

#include "gradus/corpus.h"
#include "gradus/status.h"

enum { GD_LEAST_FOLDS = 3 };

/**
 * Deal videos to folds.
 * @param[in]  videos   (n) borrowed
 * @param[in]  n_folds  GD_LEAST_FOLDS or more
 * @param[out] fold     (n) 0 .. n_folds-1
 * Errors: GD_ERR_USAGE (more folds than persons; a video names one that is not
 *         there, or none beside others that do), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_folds_deal(int64_t n, const gd_video *videos,
                                     int n_folds, uint64_t seed, int *fold);

/** Return what the videos of `fold` are for in round `tested`, both from 0. */
gd_partition gd_folds_partition(int fold, int n_folds, int tested);

#endif
