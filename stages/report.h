/** What the command line does with reports outside a run. */
#ifndef GRADUS_STAGES_REPORT_H
#define GRADUS_STAGES_REPORT_H

#include "gradus/job.h"
#include "gradus/status.h"
#include "gradus/text.h"

/**
 * Compose again what a job's report stages make, from results that are there.
 * Errors: GD_ERR_IO, GD_ERR_FORMAT (which result is missing or damaged),
 *         GD_ERR_USAGE (the job has no report)
 */
GD_NODISCARD gd_status gd_report_rebuild(const gd_job *job);

/**
 * Compose what a finished run shows: the table and the place of each report.
 * Reports that are not there yet are left out.
 */
GD_NODISCARD gd_status gd_report_show(const gd_job *job, gd_text *out);

#endif
