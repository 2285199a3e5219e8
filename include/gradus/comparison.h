/**
 * A comparison: the errors of several models on the same videos, one row each,
 * and of the constant predictors that every one of them has to beat.
 *
 * Members come in with what tells them apart.  Those that differ in their fold
 * alone are pooled: together they are one **run**, which has predicted every
 * video once, and makes one row.  Runs that differ in their seed alone are one
 * **method**, with a mean and a spread over its seeds.
 *
 *   members   softmax seed 1 fold 1, 2, 3      softmax seed 2 fold 1, 2, 3
 *   rows      softmax, seed 1                  softmax, seed 2
 *   methods   softmax: MAE 7.2 +- 0.3 over 2 seeds
 *
 * A constant predictor says one number for every video: the mean or the median
 * label of the training partition, what can be had without looking at a face.
 * (The mean is the best constant for the RMSE, the median for the MAE.)
 *
 * Which model to use is a question for the development partition: where all
 * models have an error on the same development videos, the row and the method
 * with the least of it are the **chosen** ones, and test had no part in that.
 * Methods are compared with the chosen one.  A difference is **clear** when its
 * interval over persons leaves 0 out, and, where methods have several seeds,
 * Welch's interval over seeds does so too; else it is within noise.
 *
 * Errors are given in slices: per video and per session (gradus/protocol.h) and
 * for each task; per video also by band of severity.  Intervals resample
 * persons (gradus/bootstrap.h), and methods are compared in pairs over the same
 * videos.  What is written has no times or hosts in it: equal scores give equal
 * bytes.
 */
#ifndef GRADUS_COMPARISON_H
#define GRADUS_COMPARISON_H

#include <stdint.h>

#include "gradus/bootstrap.h"
#include "gradus/metrics.h"
#include "gradus/protocol.h"
#include "gradus/scores.h"
#include "gradus/severity.h"
#include "gradus/status.h"
#include "gradus/text.h"

/** What goes in: the scores of one model.  The texts are copied. */
typedef struct {
  const char *method;      /**< "expectation" */
  const char *seed;        /**< "2"; "" where no seed is swept */
  const char *fold;        /**< likewise */
  const gd_scores *scores; /**< kept until gd_comparison_free() */
  double dev_mae; /**< of the model on its development videos, levels; 0 or
                   * less: not known */
} gd_comparison_member;

/** Which items the errors are over. */
typedef struct {
  gd_protocol protocol;
  char *task; /**< "": of all tasks */
} gd_slice;

typedef struct {
  int64_t n_persons;
  gd_metrics metrics;
  double spearman;
  gd_metrics_interval interval;
} gd_measured;

typedef enum { GD_ROW_MODEL, GD_ROW_MEAN, GD_ROW_MEDIAN } gd_row_kind;

typedef struct {
  char *label; /**< "expectation, seed 2", "constant", "median" */
  gd_row_kind kind;
  int method;       /**< index of its method */
  int constants[2]; /**< of a model: the mean and the median row of its own
                     * videos; -1: none */
  const gd_scores *scores;  /**< of its first member: the corpus, the loss */
  int64_t n;                /**< scored videos, in order of their ids */
  const gd_video **videos;  /**< (n) */
  double *truth;            /**< (n) label, levels */
  double *predicted;        /**< (n) levels */
  double *low, *high;       /**< (n) levels; NaN without intervals */
  double *within, *between; /**< (n) levels; NaN in constant rows */
  gd_measured *slices;      /**< (n_slices); the first is all videos */
  gd_metrics band[GD_MAX_BANDS]; /**< per video */
  gd_confusion confusion;        /**< per video */
  double dev_mae;                /**< mean over its members; NaN: not known */
  double interval;               /**< level of its intervals; 0: it has none */
  double coverage, width;        /**< of them, over its videos */
} gd_comparison_row;

/** One member among the rows: its fold's own errors. */
typedef struct {
  char *label; /**< "expectation, seed 2, fold 1" */
  int row;
  const gd_scores *scores;
  gd_metrics metrics; /**< per video */
  double dev_mae;     /**< NaN: not known */
} gd_comparison_part;

typedef struct {
  double mean, deviation; /**< over seeds, divisor n - 1; NaN for one */
} gd_spread;

typedef struct {
  char *label;
  gd_row_kind kind;
  int n_runs;
  gd_spread dev_mae; /**< over seeds */
  struct {
    gd_spread mae, rmse, ccc;
  } * slices; /**< (n_slices) */
} gd_comparison_method;

typedef enum {
  GD_VERDICT_UNKNOWN, /**< no interval: too few persons, or none wanted */
  GD_VERDICT_CLEAR,
  GD_VERDICT_PERSONS, /**< other persons could turn the order */
  GD_VERDICT_SEEDS,   /**< other persons could not, other seeds could */
} gd_verdict;

/** Two methods that have predicted the same videos. */
typedef struct {
  int first, second; /**< indices of methods */
  gd_difference difference;
  /**
   * Of the difference of MAE over seeds, by Welch's t with the bootstrap's
   * level; a constant predictor has none to spread.  NaN where a model has one
   * seed.  Source: Welch, "The generalization of Student's problem when several
   * different population variances are involved", Biometrika 34 (1947).
   */
  gd_interval seeds_interval;
  gd_verdict verdict; /**< on the MAE */
} gd_comparison_pair;

typedef struct {
  gd_bootstrap bootstrap;
  int n_rows, n_models; /**< the models in the order given, then constants */
  gd_comparison_row *rows;
  int n_parts; /**< the members, as given */
  gd_comparison_part *parts;
  int n_methods; /**< of the models, then of the constants */
  gd_comparison_method *methods;
  int n_pairs;
  gd_comparison_pair *pairs;
  int n_slices; /**< all videos; sessions, if there are any; each task */
  gd_slice *slices;
  int n_bands;
  gd_band bands[GD_MAX_BANDS];
  int chosen_row, chosen_method; /**< -1: there is no choice by development */
  int has_sessions;              /**< several tasks: both protocols are named */
  int has_seeds;                 /**< a method has several runs */
  int has_folds;                 /**< a run has several members */
} gd_comparison;

/**
 * Compare models.
 * @param[in]  n        members, >= 1
 * @param[in]  b        copied
 * @param[out] out      NULL on failure
 * Ends with: gd_comparison_free()
 * Errors: GD_ERR_USAGE (scales of different length), GD_ERR_NOMEM
 *
 * Models that were trained or tested on different videos have different
 * constant predictors; each of these is a row once.  Without a training
 * partition there is none.  Up to eight methods are all paired; of more, each
 * with the chosen one, or without a choice with that of the least MAE.
 */
GD_NODISCARD gd_status gd_comparison_new(int n,
                                         const gd_comparison_member *members,
                                         const gd_bootstrap *b,
                                         gd_comparison **out);
void gd_comparison_free(gd_comparison *c); /**< NULL is allowed */

/** Compose results.csv: a line per row and slice, six decimals, an empty field
 * where a quantity is not defined. */
void gd_comparison_csv(const gd_comparison *c, gd_text *out);

/**
 * Say in sentences which methods differ and which are within noise: a paragraph
 * per line, '\n' at each end, nothing of fewer than two methods.  All of it
 * follows from `c`.
 */
void gd_comparison_findings(const gd_comparison *c, gd_text *out);

/** Compose the tables for a terminal: aligned columns, two decimals. */
void gd_comparison_table(const gd_comparison *c, gd_text *out);

#endif
