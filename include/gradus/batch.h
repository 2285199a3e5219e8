/**
 * Batch scripts: what `sbatch` is given, one for each Slurm job.
 *
 * A script runs one instance of a stage, or as a job array several of the same
 * stage, one per task:
 *
 *   #SBATCH lines     resources, array, log, notice before the time limit
 *   variables         names, folders, the site's words; every value is quoted
 *   batch_body.sh     the same in all scripts: loads modules, starts the
 *                     ranks, passes signals on, and goes on after a stop
 *
 * Whatever a manifest or a site file says stays one word of the shell, and one
 * word of sbatch's own reader.  Dependencies are not in the script: they name
 * jobs, which have no number before they are submitted.
 */
#ifndef GRADUS_BATCH_H
#define GRADUS_BATCH_H

#include "gradus/job.h"
#include "gradus/site.h"
#include "gradus/text.h"

typedef struct {
  const gd_site *site;
  const char *name;      /**< of the Slurm job, and of script and log */
  const char *program;   /**< gradus, where it lies on the nodes */
  const char *directory; /**< where the job runs; absolute */
  const char *work;      /**< work directory; absolute */
  const char *notes;     /**< folder of scripts and logs; absolute */
  const char *manifest;  /**< absolute */
  int n_members;
  const gd_instance *const *members; /**< of one stage */
  const int *tasks; /**< number of each in the array, rising; NULL: no array */
} gd_batch;

/**
 * Compose a script.
 * Errors: GD_ERR_USAGE (a path that Slurm cannot take: with a line break or a
 *         backslash),
 *         GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_batch_compose(const gd_batch *b, gd_text *out);

#endif
