/** What a report is made from: the scores and models of one job or several. */
#ifndef GRADUS_STAGES_REPORT_GATHER_H
#define GRADUS_STAGES_REPORT_GATHER_H

#include "gradus/attention_set.h"
#include "gradus/comparison.h"
#include "gradus/corpus.h"
#include "gradus/curves.h"
#include "gradus/job.h"
#include "gradus/report.h"
#include "gradus/scores.h"
#include "gradus/skips.h"

/** One job among those that are compared. */
typedef struct {
  const gd_job *job;
  const char *name; /**< of its rows; "" where there is no other job */
  int n;
  const gd_instance **scores; /**< (n) its evaluate instances */
  gd_skips skips;
  gd_corpus_source source;
  gd_corpus *corpus; /**< read again here; NULL: the job's own, or gone */
} gd_report_source;

/** One model: what its stages left. */
typedef struct {
  const gd_report_source *source;
  const gd_instance *scores_of; /**< the evaluate instance */
  gd_text method, seed, fold;
  gd_text origin; /**< "epoch 12, step 340, development MAE 6.12" */
  double dev_mae; /**< < 0: not known */
} gd_report_member;

/** Starts as {0}; ends with gd_report_gathering_free(). */
typedef struct {
  int n_sources;
  gd_report_source *sources;
  int n;
  gd_report_member *members;
  gd_scores **scores; /**< (n) with their frames, where models are few */
  gd_curves *curves;  /**< (n) */
  gd_attention_set **attention; /**< (n) NULL: no maps */
  gd_comparison *comparison;
} gd_report_gathering;

/**
 * Make room for the sources and name them: by the jobs' names where these
 * differ, else by the words they were given by.
 * @param[in] words  (n) borrowed; NULL for a single job
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_report_sources(gd_report_gathering *g, int n,
                                         const gd_job *const *jobs,
                                         const char *const *words);
/** Take the inputs of a report instance as the scores of `s`. */
GD_NODISCARD gd_status gd_report_take(gd_report_source *s,
                                      const gd_instance *report);
/**
 * Read what the sources' stages left, and compare it.
 * Errors: GD_ERR_IO, GD_ERR_FORMAT (which result is missing or damaged),
 *         GD_ERR_USAGE (what cannot be compared), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_report_gather(gd_report_gathering *g,
                                        const gd_bootstrap *b);
void gd_report_gathering_free(gd_report_gathering *g);

/** Return the source's corpus with its remarks, or NULL: it is gone. */
const gd_corpus *gd_report_corpus_of(const gd_report_source *s);

#endif
