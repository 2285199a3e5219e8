/**
 * Running a job: every stage that is not done yet, in order, on all ranks.
 *
 * A stage instance works in its run directory, `<work>/<name>-<8 hex>/`:
 *
 *   stage.yaml    parameters, input digests, version, host, ranks, threads
 *   units         number of result files planned (stages made of units)
 *   ...           results, named after the work
 *   report.yaml   counts, skipped items with reasons, seconds, rate
 *   log.txt       appended
 *   lock          while a run works here
 *   done          last: see gradus/done.h
 *
 * A run that was killed, stopped or failed is repeated by the same command; it
 * makes what is missing.  A result that is missing or damaged is made anew.
 */
#ifndef GRADUS_RUN_H
#define GRADUS_RUN_H

#include <mpi.h>

#include "gradus/job.h"
#include "gradus/stage.h"

/** Exit codes of the program. */
enum {
  GD_EXIT_DONE = 0,
  GD_EXIT_FAILED = 1,  /**< a retry may help */
  GD_EXIT_USAGE = 2,   /**< a retry will not help */
  GD_EXIT_SKIPPED = 3, /**< done, but more skipped than max_skipped */
  GD_EXIT_STOPPED = 75 /**< on request: run the same command again */
};

/** Return the exit code for a status that is every rank's. */
int gd_exit_code(gd_status st);

typedef struct {
  const gd_stage *const *stages; /**< what can be run; ends with NULL */
  const char *stage; /**< only instances of this name, or folder; NULL: all */
  int dry_run;       /**< only say what would be done */
} gd_run_options;

/**
 * Run a job.  What happens is said in the log; a failure, once, by rank 0.
 * @param[in]  job        the same on all ranks
 * @param[out] exit_code  for the program, the same on all ranks
 * Collective: yes
 * Errors:     GD_ERR_USAGE (no such stage; an input is not done),
 * GD_ERR_STOPPED, GD_ERR_PEER, and those of the stages
 */
GD_NODISCARD gd_status gd_run_job(MPI_Comm comm, const gd_job *job,
                                  const gd_run_options *options,
                                  int *exit_code);

#endif
