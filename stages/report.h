/** What the command line does with reports outside a run. */
#ifndef GRADUS_STAGES_REPORT_H
#define GRADUS_STAGES_REPORT_H

#include "gradus/job.h"
#include "gradus/status.h"
#include "gradus/text.h"

/**
 * Compose again what a job's report stages make, from results that are there.
 * Errors: GD_ERR_IO (a run works there), GD_ERR_FORMAT (which result is missing
 *         or damaged), GD_ERR_USAGE (the job has no report)
 */
GD_NODISCARD gd_status gd_report_rebuild(const gd_job *job);

/**
 * Compose one report of several jobs, from results that are there: the rows of
 * each begin with its name, or, where two have the same, with its word.
 * @param[in] words      (n) what the user called the jobs by
 * @param[in] directory  made if it is not there; an earlier report in it is
 *                       replaced
 * Errors: those of gd_report_rebuild(), GD_ERR_USAGE (scales that differ)
 */
GD_NODISCARD gd_status gd_report_compare(int n, const gd_job *const *jobs,
                                         const char *const *words,
                                         const char *directory);

/** Compose what gd_report_compare() made, as gd_report_show() does. */
GD_NODISCARD gd_status gd_report_show_at(const char *directory, gd_text *out);

/**
 * Compose what a finished run shows: the table and the place of each report.
 * Reports that are not there yet are left out.
 */
GD_NODISCARD gd_status gd_report_show(const gd_job *job, gd_text *out);

#endif
