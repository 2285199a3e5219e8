/**
 * A comparison: the errors of several models on the same videos, one row each,
 * and of the constant predictor that every one of them has to beat.
 *
 * The constant predictor says the mean label of the training partition for
 * every video: what can be had without looking at a face.
 *
 *   label         n    MAE   RMSE    CCC   bias
 *   expectation  40   6.12   8.01   0.71  -0.30
 *   softmax      40   7.20   9.44   0.65   0.12
 *   constant     40  12.90  15.02   0.00   1.10
 *
 * Errors are given by every protocol that differs (gradus/protocol.h) and, per
 * video, by band of severity.  What is written has no times or hosts in it:
 * equal scores give equal bytes.
 */
#ifndef GRADUS_COMPARISON_H
#define GRADUS_COMPARISON_H

#include <stdint.h>

#include "gradus/metrics.h"
#include "gradus/protocol.h"
#include "gradus/scores.h"
#include "gradus/severity.h"
#include "gradus/status.h"
#include "gradus/text.h"

typedef struct {
  char *label;             /**< "expectation", "constant" */
  const gd_scores *scores; /**< videos and, unless constant, predictions */
  int is_constant;
  int64_t n;         /**< scored videos */
  double *truth;     /**< (n) label, levels */
  double *predicted; /**< (n) levels */
  gd_metrics metrics[GD_N_PROTOCOLS];
  gd_metrics band[GD_MAX_BANDS]; /**< per video */
} gd_comparison_row;

typedef struct {
  int n_rows; /**< the models in the order given, then constant predictors */
  gd_comparison_row *rows;
  int n_bands;
  gd_band bands[GD_MAX_BANDS];
  int has_sessions; /**< 0: every video is its own session */
} gd_comparison;

/**
 * Compare models.
 * @param[in]  n       models, >= 1
 * @param[in]  labels  (n) their rows' names; copied
 * @param[in]  scores  (n) kept until gd_comparison_free()
 * @param[out] out     NULL on failure
 * Ends with: gd_comparison_free()
 * Errors: GD_ERR_USAGE (scales of different length), GD_ERR_NOMEM
 *
 * Models that were trained or tested on different videos have different
 * constant predictors; each of these is a row once.  Without a training
 * partition there is none.
 */
GD_NODISCARD gd_status gd_comparison_new(int n, const char *const *labels,
                                         const gd_scores *const *scores,
                                         gd_comparison **out);
void gd_comparison_free(gd_comparison *c); /**< NULL is allowed */

/** Compose results.csv: a line per row and protocol, six decimals, an empty
 * field where a quantity is not defined. */
void gd_comparison_csv(const gd_comparison *c, gd_text *out);

/** Compose the table for a terminal: aligned columns, two decimals. */
void gd_comparison_table(const gd_comparison *c, gd_text *out);

#endif
