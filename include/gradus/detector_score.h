/**
 * How well a detector does on labelled images.
 *
 * Detections and faces are matched from the surest detection on, each with the
 * face that it overlaps most, if by at least half (intersection over union).  A
 * face of which too little is seen, or that is smaller than asked for, counts
 * neither as found nor as missed, and a detection that touches it neither as
 * right nor as wrong.  Landmarks are judged on the faces that are found, in
 * distances between the labels' eyes.
 *
 * Source: Everingham et al., "The PASCAL Visual Object Classes Challenge"
 * (IJCV 2010), section 4.2
 */
#ifndef GRADUS_DETECTOR_SCORE_H
#define GRADUS_DETECTOR_SCORE_H

#include <stdint.h>

#include "gradus/labelled_image.h"
#include "gradus/mtcnn.h"

typedef struct {
  double least_px;      /**< longer side of the faces that count, at least */
  double least_visible; /**< the share of them that is to be seen, at least */
  int64_t n_faces;      /**< that count */
  int64_t n_found;      /**< ... and were found */
  int64_t n_wrong;      /**< detections of no face */
  float *errors;        /**< of landmarks: GD_N_LANDMARKS of each face found */
  int64_t room;         /**< faces */
} gd_detector_score;    /**< starts as {.least_px = ...}; ends with
                           gd_detector_score_free() */

/** Add what a detector found in an image. Errors: GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_detector_score_add(gd_detector_score *s,
                                             const gd_labelled_image *image,
                                             const gd_face *found, int n);

typedef struct {
  double recall, precision; /**< 0 .. 1 */
  /** Of the landmarks' errors: mean, median, 95th percentile. */
  double mean, median, most;
} gd_detector_result;

/** Sum up; sorts the errors.  What nothing was found of is NaN. */
gd_detector_result gd_detector_score_sum(gd_detector_score *s);
void gd_detector_score_free(gd_detector_score *s);

#endif
