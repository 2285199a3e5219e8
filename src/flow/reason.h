/**
 * Why an instance would run: what differs from the nearest result of its name
 * that is in the work directory.
 */
#ifndef GRADUS_FLOW_REASON_H
#define GRADUS_FLOW_REASON_H

#include "gradus/job.h"
#include "gradus/status.h"
#include "gradus/text.h"

/** Descriptions of the results in a work directory that are not the job's. */
typedef struct gd_reasons gd_reasons;

/**
 * Look through the job's work directory; one that is not there is empty.
 * Ends with: gd_reasons_free(). Errors: GD_ERR_IO, GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_reasons_open(const gd_job *job, gd_reasons **out);
void gd_reasons_free(gd_reasons *r); /**< NULL is allowed */
/**
 * Add "every changed from 10 to 5" or "never run" to a text.
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_reasons_of(const gd_reasons *r, const gd_instance *s,
                                     gd_text *out);

#endif
