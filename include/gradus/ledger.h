/**
 * The ledger: which Slurm job works for which stage instance.
 *
 * It lies in `<work>/slurm/`, with the scripts and logs of the jobs:
 *
 *   jobs.txt      member <group> <task> <folder of the instance>
 *                 job <group> <number>
 *   <group>.sbatch, <group>.out, <group>-<task>.out
 *   <job>-<8 hex>.yaml      manifest as it was submitted
 *   <folder>.failures       runs that ended without `done`: time, job, host,
 *                           exit code, point, first error
 *
 * A group is one script, and the name of its Slurm jobs.  Its members are noted
 * before it is submitted, its job's number after that: should `gradus submit`
 * be killed in between, the next one knows the job in the queue by its name.
 * Lines are only ever added; of an instance, the last line counts.
 */
#ifndef GRADUS_LEDGER_H
#define GRADUS_LEDGER_H

#include <stdint.h>

#include "gradus/file.h"
#include "gradus/job.h"
#include "gradus/slurm.h"

typedef struct gd_ledger gd_ledger;

typedef enum {
  GD_ERRAND_NONE,    /**< never submitted, or Slurm does not answer */
  GD_ERRAND_QUEUED,  /**< waits in the queue */
  GD_ERRAND_RUNNING, /**< a job works for it */
  GD_ERRAND_ENDED    /**< was submitted; no job is left */
} gd_errand_phase;

typedef struct {
  gd_errand_phase phase;
  const gd_slurm_job *job;  /**< the one that works, or waits first; or NULL */
  const gd_slurm_job *jobs; /**< all of them: of a chain, several */
  int n_jobs;
} gd_errand;

/** Write the folder of a job's ledger, `<work>/slurm`, into out. */
GD_NODISCARD gd_status gd_ledger_folder(const gd_job *job,
                                        char out[GD_PATH_MAX]);
/**
 * Read a ledger; if anything has been submitted, ask Slurm what became of it.
 * Slurm's silence is no failure: see gd_ledger_silence().
 * @param[out] out  empty if there is no ledger; ends with gd_ledger_free()
 * Errors: GD_ERR_IO, GD_ERR_FORMAT (not a ledger), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_ledger_open(const char *folder, gd_ledger **out);
void gd_ledger_free(gd_ledger *l); /**< NULL is allowed */

/** Return why Slurm was not heard, "" if it was or was not asked; borrowed. */
const char *gd_ledger_silence(const gd_ledger *l);
/** Return how many lines it has: they tell two submissions apart. */
int64_t gd_ledger_n_lines(const gd_ledger *l);
/** Say what became of an instance; texts are borrowed from the ledger. */
gd_errand gd_ledger_find(const gd_ledger *l, const gd_instance *s);
/**
 * Append lines to the ledger of a folder, and see that they are on the disk.
 * Errors: GD_ERR_IO
 */
GD_NODISCARD gd_status gd_ledger_append(const char *folder,
                                        const gd_text *lines);
/** Write the path of `<folder>/<instance's folder>.failures` into out. */
GD_NODISCARD gd_status gd_ledger_failures(const char *folder,
                                          const gd_instance *s,
                                          char out[GD_PATH_MAX]);

#endif
