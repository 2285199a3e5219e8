/**
 * Curves: how loss and error went during training, from metrics.csv.
 *
 * The file has a header row and the columns `epoch`, `step`, `split` (train or
 * dev), `loss`, `mae` and `rmse`, in any order, other columns ignored; a field
 * may be empty.  There is a row per epoch and split, in order.
 */
#ifndef GRADUS_CURVES_H
#define GRADUS_CURVES_H

#include <stdint.h>

#include "gradus/status.h"

/** The rows of one split; a value that is not there is NaN. */
typedef struct {
  int64_t n;
  double *epoch, *step; /**< (n) */
  double *loss;         /**< (n) */
  double *mae, *rmse;   /**< (n) levels */
} gd_curve;

typedef struct {
  gd_curve train, dev;
} gd_curves;

/**
 * Read the metrics of one training run.
 * @param[out] out  ends with gd_curves_free(); empty on failure
 * Errors: GD_ERR_IO (missing), GD_ERR_FORMAT (column missing, or a field that
 *         is no number: its line), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_curves_read(const char *path, gd_curves *out);
void gd_curves_free(gd_curves *c); /**< leaves it empty */

#endif
