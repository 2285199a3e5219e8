/**
 * The report: what a job found, as one HTML page (gradus/page.h).
 *
 *   Results       errors of every model and of the constant predictor
 *   Predictions   predicted against true level, one chart per model
 *   Severity      error by band of severity
 *   Training      loss and development error by epoch
 *   Corpus        videos, persons and labels by partition; persons in more
 *                 than one partition; what was left out, and why
 *   Job           the manifest with all defaults, and the versions
 *
 * It draws conclusions only from what it is given: no clock, no host.
 */
#ifndef GRADUS_REPORT_H
#define GRADUS_REPORT_H

#include "gradus/comparison.h"
#include "gradus/curves.h"
#include "gradus/skips.h"
#include "gradus/status.h"
#include "gradus/text.h"

/** All is borrowed for the call. */
typedef struct {
  const char *title;
  const gd_comparison *comparison;
  /** One per model of the comparison, in its order; empty ones are allowed. */
  const gd_curves *curves;
  const gd_skips *skips;
  const char *manifest;          /**< effective, as YAML */
  int n_facts;                   /**< versions and the like */
  const char *const (*facts)[2]; /**< (n_facts) name, value */
} gd_report;

/** Compose the page. Errors: GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_report_html(const gd_report *r, gd_text *out);

#endif
