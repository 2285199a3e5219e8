/**
 * The audit of a corpus: who is in which partition, with which labels.
 *
 * It answers what a reader of a result has to ask first: how many videos and
 * persons, how the labels are spread, and whether a person of the test
 * partition has also been trained or selected on, or one of the development
 * partition trained on.  Persons are told apart by the text of `subject`.
 */
#ifndef GRADUS_AUDIT_H
#define GRADUS_AUDIT_H

#include <stdint.h>

#include "gradus/corpus.h"
#include "gradus/status.h"

enum { GD_AUDIT_BINS = 16 };

typedef struct {
  int64_t n_videos, n_persons;
  double least, mean, median, most; /**< label, levels; NaN without videos */
  /** Videos by label: bin b holds labels from b to b + 1 times bin_levels. */
  int64_t histogram[GD_AUDIT_BINS];
} gd_audit_part;

typedef struct {
  gd_audit_part part[GD_N_PARTITIONS];
  int64_t n_persons;     /**< in the whole corpus */
  int64_t n_overlap;     /**< persons of test who are also in train or dev */
  int64_t n_dev_overlap; /**< persons of dev who are also in train */
  int bin_levels;        /**< width of a bin of the histograms */
  int n_bins;            /**< how many of the bins the scale needs */
} gd_audit;

/**
 * Audit a list of videos.
 * @param[in]  videos    (n) borrowed for the call
 * @param[in]  n_levels  K >= 1: the scale of the histograms
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_audit_of(int64_t n, const gd_video *videos,
                                   int n_levels, gd_audit *out);

/**
 * Compose what a terminal shows of a corpus: videos, persons and labels by
 * partition, the histogram of labels, persons of test who are not new, and the
 * corpus's remarks.
 *
 *     corpus   avec2014: 300 videos of 84 persons
 *              train: 100 videos, 42 persons, labels 0 to 45, mean 15.0, ...
 *              ...
 *
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_audit_compose(const char *layout, const gd_corpus *c,
                                        int n_levels, gd_text *out);

#endif
