/**
 * The job behind `gradus predict`: extract, align and predict, with what the
 * model records of how its frames and faces were made.
 */
#ifndef GRADUS_STAGES_PREDICT_JOB_H
#define GRADUS_STAGES_PREDICT_JOB_H

#include "gradus/job.h"
#include "gradus/status.h"

/** All texts are borrowed for the call. */
typedef struct {
  int n_videos;
  const char *const *videos; /**< paths, as they are to be called */
  const char *model;
  const char *detector;    /**< file or word; NULL: as the model says */
  const char *calibration; /**< file; NULL: none */
  const char *work;        /**< folder for the job and its results: exists */
  int is_film;             /**< make the attention films */
  int is_sharp;            /**< do not blur the faces of sheet and films */
} gd_predict_request;

/**
 * Compose the job and load it.  Its stages are called after their kinds.
 * Errors: GD_ERR_USAGE (the model records no parameters, or has no head;
 * another detector, or none; another model's calibration; a path with a line
 *         break),
 *         GD_ERR_IO, GD_ERR_FORMAT (which file, and what is wrong)
 */
GD_NODISCARD gd_status gd_predict_load(const gd_predict_request *r,
                                       gd_job **out);

#endif
