/**
 * The report: what a job found, as one HTML page (gradus/page.h).
 *
 *   Results       errors of every model and of the constant predictors, with
 *                 intervals; methods over seeds, in pairs, by fold, and beside
 *                 published results
 *   Predictions   predicted against true level, one chart per model
 *   Calibration   predicted levels against mean labels; mean distribution by
 *                 band; the distribution over one video's time
 *   Intervals     coverage and width of prediction intervals; spread of the
 *                 distribution within and between frames
 *   Severity      error by band of severity, and which band is taken for which
 *   Attention     maps of chosen faces and the mean map, if there are any:
 *                 gradus/attention_set.h
 *   Training      loss and development error by epoch
 *   Corpus        videos, persons and labels by partition; persons in more
 *                 than one partition; what was odd, what was left out, and why
 *   Job           the manifest with all defaults, and the versions
 *
 * Every table of the page can be had as CSV and as LaTeX, every figure as SVG
 * and as PNG; behind every figure there is a table.  It draws conclusions
 * only from what it is given: no clock, no host.
 */
#ifndef GRADUS_REPORT_H
#define GRADUS_REPORT_H

#include "gradus/attention_set.h"
#include "gradus/comparison.h"
#include "gradus/curves.h"
#include "gradus/skips.h"
#include "gradus/status.h"
#include "gradus/text.h"

/** One of the jobs that a report is on.  All is borrowed. */
typedef struct {
  const char *name;        /**< "" for a single one */
  const char *layout;      /**< of the corpus: "table", "avec2013", ... */
  int is_drawn;            /**< a synth stage made the corpus */
  const gd_scores *scores; /**< of its first member: the table of its corpus */
  int64_t n_remarks;       /**< on the corpus: see gd_corpus */
  const char *const *remarks;
  const gd_skips *skips;
  const char *manifest; /**< effective, as YAML */
} gd_report_job;

/** All is borrowed for the call. */
typedef struct {
  const char *title;
  const gd_comparison *comparison;
  /** One per part of the comparison, in its order; empty ones are allowed. */
  const gd_curves *curves;
  /** Likewise; NULL where there are no maps, and NULL where none has any. */
  gd_attention_set *const *attention;
  int n_jobs; /**< >= 1 */
  const gd_report_job *jobs;
  int n_facts;                   /**< versions and the like */
  const char *const (*facts)[2]; /**< (n_facts) name, value */
} gd_report;

/** A file that goes beside the page: a table or a figure of it. */
typedef struct {
  char *path; /**< "tables/errors-per-video.csv": unique, relative, ASCII */
  gd_text content;
} gd_report_file;

/** A list; starts as {0}. */
typedef struct {
  int64_t n, room;
  gd_report_file *files;
} gd_report_files;

/**
 * Compose the page.
 * @param[out] files  what goes beside it is appended: tables/NAME.csv and .tex,
 *                    figures/NAME.svg and .png; NULL: not wanted
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_report_html(const gd_report *r, gd_text *out,
                                      gd_report_files *files);
void gd_report_files_free(gd_report_files *f); /**< leaves it empty */

#endif
