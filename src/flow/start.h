/**
 * What all ranks of a job check and settle before its first stage: that they
 * follow one environment, see the same files, and have cores to compute with.
 */
#ifndef GRADUS_FLOW_START_H
#define GRADUS_FLOW_START_H

#include <mpi.h>

#include "gradus/job.h"
#include "gradus/status.h"

/**
 * Start a job: rank 0's GRADUS_* variables become those of all ranks, the
 * watchdog begins, rank 0 keeps the manifest with the results, and hosts that
 * do not share files are an error.  What is only slow is warned of.
 * @param[in] dry_run  nothing is written, no other host is asked
 * Collective: yes
 * Errors: GD_ERR_USAGE (a variable that makes no sense), GD_ERR_IO (the work
 *         directory cannot be written, or is not shared), GD_ERR_PEER; agreed
 * Ends with: gd_watchdog_end(), also after an error
 */
GD_NODISCARD gd_status gd_start(MPI_Comm comm, const gd_job *job, int dry_run);

#endif
