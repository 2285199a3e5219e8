/**
 * Histories: the metrics of a training so far, and their CSV files.
 *
 *   metrics.csv  epoch,step,split,loss,mae,rmse,rate   split: train, dev
 *   steps.csv    epoch,step,loss,mae,rmse,rate         a row per step
 *
 * Rows are kept in checkpoints (gradus/checkpoint.h), and the files are written
 * whole, so that they never tell of steps that a resumed training does again.
 * They hold results only; how long anything took is in the log.
 */
#ifndef GRADUS_HISTORY_H
#define GRADUS_HISTORY_H

#include <stdint.h>

#include "gradus/checkpoint.h"
#include "gradus/publisher.h"
#include "gradus/status.h"

typedef struct {
  gd_metrics_row *rows; /**< (n), in order of steps */
  int64_t n, room;
} gd_history; /**< starts as {0}; ends with gd_history_free() */

/** Make room for so many more rows. Errors: GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_history_reserve(gd_history *h, int64_t n_more);
void gd_history_free(gd_history *h);
/** Add a row; there must be room. */
void gd_history_add(gd_history *h, const gd_metrics_row *row);

/**
 * Sum up the steps of an epoch.
 * @param[in] n_samples  samples of each of the epoch's steps, in order
 * @return its training row: loss, mae, rmse over all samples; rate of the last
 *         step
 */
gd_metrics_row gd_history_epoch(const gd_history *h, int64_t epoch,
                                const int64_t *n_samples, int64_t n_steps);

/** Write both files into a directory, to be published with the publisher's next
 * start. Errors: GD_ERR_IO, GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_history_write(const gd_history *h,
                                        const char *directory,
                                        gd_publisher *publisher);

#endif
