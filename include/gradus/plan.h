/**
 * Where a job stands: what is done, what would run and why.
 *
 * Files tell it, nothing is changed, and nothing needs to run: a job on a
 * cluster can be looked at from anywhere that sees its work directory.  What
 * waits in Slurm's queue, Slurm tells.
 */
#ifndef GRADUS_PLAN_H
#define GRADUS_PLAN_H

#include "gradus/job.h"
#include "gradus/status.h"
#include "gradus/text.h"

/**
 * Say whether an instance is done: a run would leave it alone, because all its
 * results are as they were left, by their size and time.
 */
int gd_plan_is_done(const gd_instance *self);

/**
 * Compose the page of `gradus plan`: a line for each instance,
 *
 *     done      faces                           150 files
 *     partial   model[loss=softmax]             37 of 150 files
 *     run       scores                          batch changed from 8 to 16
 *
 * and their sums.  A stage of which a result is gone or has changed since it
 * was done is partial.
 * Errors: GD_ERR_IO (a directory that is there cannot be read), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_plan_compose(const gd_job *job, gd_text *out);

/**
 * Compose the page of `gradus status`: a line for each instance with its state
 * (done, running, queued, failed, stopped, not run), files, items skipped,
 * seconds; while it is not done, its Slurm job, how earlier runs ended, and the
 * last line of its log.  Slurm is asked only about what was submitted; where it
 * does not answer, the page says so, and files speak alone.
 * @param[out] n_active  instances that are running or queued
 * Errors: as gd_plan_compose()
 */
GD_NODISCARD gd_status gd_plan_compose_status(const gd_job *job, int *n_active,
                                              gd_text *out);

#endif
