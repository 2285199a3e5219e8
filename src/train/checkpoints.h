/* The checkpoints of a directory: checkpoint-<steps done>.h5, of which the last
 * few are kept, and the one at the end of the selected epoch.  For one process:
 * rank 0. */
#ifndef GRADUS_TRAIN_CHECKPOINTS_H
#define GRADUS_TRAIN_CHECKPOINTS_H

#include "gradus/checkpoint.h"
#include "gradus/file.h"
#include "gradus/publisher.h"

typedef struct {
  const char *directory;
  gd_digest digest;      /* of the stage instance */
  const char *optimizer; /* its name */
  int64_t steps_per_epoch;
  int64_t keep; /* so many of the last, >= 1 */
} gd_checkpoints;

/* Write the name of the checkpoint after `step` steps. Errors: GD_ERR_USAGE */
GD_NODISCARD gd_status gd_checkpoints_path(const gd_checkpoints *c,
                                           int64_t step,
                                           char path[GD_PATH_MAX]);
/* Return the steps done at the end of the selected epoch; -1: there is none. */
int64_t gd_checkpoints_best(const gd_checkpoints *c,
                            const gd_training_state *where);
/* Find the newest to go on from: whole, and with that of the epoch which it
 * says was selected.  Those that are not are named in the log, and removed if
 * they are damaged.
 * step: -1 if there is none
 * Errors: GD_ERR_IO (the directory cannot be read) */
GD_NODISCARD gd_status gd_checkpoints_find(const gd_checkpoints *c,
                                           int64_t *step);
/* Have those dropped that are not kept any more when that after `step` steps is
 * published, whose selected epoch ended after `best`. */
GD_NODISCARD gd_status gd_checkpoints_thin(const gd_checkpoints *c,
                                           int64_t step, int64_t best,
                                           gd_publisher *publisher);
/* Remove all but two. Errors: GD_ERR_IO */
GD_NODISCARD gd_status gd_checkpoints_leave(const gd_checkpoints *c,
                                            int64_t step, int64_t best);

#endif
