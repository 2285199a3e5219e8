/**
 * Submitting a job to Slurm: a Slurm job for each stage instance that is not
 * done, an array for the members of a sweep, each after those it takes from.
 *
 *   corpus ─▶ frames ─▶ faces ─▶ model[0-8] ─▶ scores[0-8] ─▶ report
 *                                    │ aftercorr: 3 after 3, whatever
 *                                    └ becomes of the others
 *
 * Members whose inputs are the tasks of one array with the same numbers make
 * one array, task after task (aftercorr); otherwise members that wait for the
 * same jobs make one (afterok).  What has failed takes what waits for it out of
 * the queue.
 *
 * It can be repeated at any time: what is done, queued or running is left
 * alone, what is missing or has failed is added, and what still waits for
 * something that has failed is submitted anew behind its successor.
 */
#ifndef GRADUS_SUBMIT_H
#define GRADUS_SUBMIT_H

#include "gradus/job.h"
#include "gradus/site.h"
#include "gradus/text.h"

/**
 * Submit a job from the current directory.
 * @param[in] program  gradus as the nodes find it
 * @param[in] dry_run  compose the scripts, change nothing, ask Slurm only for
 *                     jobs of an earlier submission
 * @param[in] out      what was submitted, a line for each Slurm job; the
 *                     scripts with `dry_run`
 * Errors: GD_ERR_IO (Slurm's own words; another submission is under way),
 *         GD_ERR_USAGE (also when a stage skipped too much: what does not take
 *         from it has been submitted), GD_ERR_FORMAT, GD_ERR_NOMEM.
 *         What had been submitted before the failure is noted; the next
 *         submission adds the rest.
 */
GD_NODISCARD gd_status gd_submit_job(const gd_job *job, const gd_site *site,
                                     const char *program, int dry_run,
                                     gd_text *out);

#endif
