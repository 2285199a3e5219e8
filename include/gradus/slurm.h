/**
 * Slurm, through its commands: what is queued, submit, cancel.
 *
 * Only sbatch, squeue and scancel are used, with formats that no version of
 * Slurm has changed; no accounting database is needed.  A controller that does
 * not answer is given up after a while.
 */
#ifndef GRADUS_SLURM_H
#define GRADUS_SLURM_H

#include "gradus/status.h"
#include "gradus/text.h"

typedef struct {
  char *id;    /**< "12", "12_3" */
  char *state; /**< "PENDING", "RUNNING", "COMPLETING", ... */
  char *name;
  char *left;   /**< time to its limit */
  char *nodes;  /**< "" while it waits */
  char *reason; /**< why it waits */
  int task;     /**< -1: not of an array */
} gd_slurm_job;

typedef struct {
  int n;
  gd_slurm_job *jobs; /**< in order of name, task and id */
  char *text;         /**< holds all of the above */
} gd_slurm_queue;     /**< ends with gd_slurm_queue_free() */

/**
 * Ask which jobs of this user wait or run; each task of an array is a job.
 * @param[out] out  empty on failure
 * Errors: GD_ERR_IO (no Slurm here, no answer, or what squeue says),
 *         GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_slurm_ask(gd_slurm_queue *out);
void gd_slurm_queue_free(gd_slurm_queue *q);

/**
 * Submit a batch script.
 * @param[in]  dependency  "afterok:12,aftercorr:13", "" for none
 * @param[out] id          its number, added
 * Errors: GD_ERR_IO (sbatch's own words), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_slurm_submit(const char *script,
                                       const char *dependency, gd_text *id);
/** Cancel a job, or one task of an array. Errors: GD_ERR_IO */
GD_NODISCARD gd_status gd_slurm_cancel(const char *id);

#endif
