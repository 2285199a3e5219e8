/**
 * Journals: the metrics of a training as they come, for tools that watch it.
 *
 *   metrics.jsonl               a line of JSON per row
 *   events.out.tfevents.gradus  a record per row, which TensorBoard reads
 *
 * Rows are those of the history (gradus/history.h), in its order, and how fast
 * it went.  Times are no results: a run on other ranks has others, and of
 * steps whose times went with a crash it has none (null; left out of events).
 *
 * A row is appended when it is known.  A training that goes on from a
 * checkpoint takes both files up there: what they tell of later steps, or by
 * halves, is cut off, and what they lack is added, so that every row is there
 * once.
 */
#ifndef GRADUS_JOURNAL_H
#define GRADUS_JOURNAL_H

#include <stdint.h>

#include "gradus/checkpoint.h"
#include "gradus/status.h"

/** How a row's step or epoch went; NaN: not known. */
typedef struct {
  double gradient_norm; /**< of the step's gradient, before it is clipped */
  double images_per_s;  /**< of all ranks */
  double exchanging;    /**< share of rank 0's time in calls of MPI, not hidden
                             behind its work: waiting for others, too */
  double waiting;       /**< share of the ranks' time waiting for faces */
} gd_journal_pace;

/** Nothing is known. */
gd_journal_pace gd_journal_unknown(void);

typedef struct gd_journal gd_journal;

/**
 * Take up the files of a directory, or begin them.
 * @param[in] rows  (n) of the history so far
 * Ends with: gd_journal_end()
 * Errors:    GD_ERR_IO, GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_journal_begin(const char *directory,
                                        const gd_metrics_row *rows, int64_t n,
                                        gd_journal **out);
/** Append a row. Errors: GD_ERR_IO (the files end with the row before, and the
 * journal takes no more), GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_journal_add(gd_journal *j, const gd_metrics_row *row,
                                      const gd_journal_pace *pace);
void gd_journal_end(gd_journal *j); /**< NULL is allowed */

#endif
