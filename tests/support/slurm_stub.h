/** A Slurm made of shell scripts, for tests that need none. */
#ifndef GRADUS_SLURM_STUB_H
#define GRADUS_SLURM_STUB_H

/**
 * Put commands of the names of Slurm's before all others in PATH, and forget
 * what an earlier test left.
 *
 *   sbatch    gives numbers 1, 2, ...; queues the job, each task of an array,
 *             as PENDING; notes "<number> <name> <dependency>" in `submitted`
 *   squeue    prints `queue`
 *   scancel   notes its operand in `cancelled`, and takes it out of the queue
 *   scontrol  notes its words in `requeued`
 *   srun      notes its words, a line each, in `started`; then runs `work`
 *
 * All these files are in gd_test_path("slurm").
 */
void gd_slurm_stub(void);
/** Return `<gd_test_path("slurm")>/<name>`; borrowed like gd_test_path(). */
const char *gd_slurm_stub_path(const char *name);
/** Make a command, or replace it. */
void gd_slurm_stub_put(const char *name, const char *script);
/** Return what a file of the above holds, "" if there is none; ends with
 * free(). */
char *gd_slurm_stub_read(const char *name);

#endif
