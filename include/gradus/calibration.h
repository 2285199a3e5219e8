/**
 * Calibrations: what an evaluation found out about a model that predictions for
 * other videos need, and nothing about any person.
 *
 *   model: "5d2c..."     digest of the model file
 *   average: mean        how a video's frames make its score
 *   interval: 0.9        level of the prediction intervals; 0: none
 *   half_width: 7.25     of them, levels; inf: too few videos for the level
 *   n_calibration: 50    videos that it was read off
 *
 * `evaluate` leaves it as calibration.yaml; see gradus/conformal.h.
 */
#ifndef GRADUS_CALIBRATION_H
#define GRADUS_CALIBRATION_H

#include <stdint.h>

#include "gradus/average.h"
#include "gradus/digest.h"
#include "gradus/status.h"

typedef struct {
  char model[GD_DIGEST_HEX];
  gd_average average;
  double interval, half_width;
  int64_t n_calibration;
} gd_calibration;

/** Write a calibration. Errors: GD_ERR_IO, GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_calibration_write(const char *path,
                                            const gd_calibration *c);
/**
 * Read a calibration; the numbers are those that were written, bit for bit.
 * Errors: GD_ERR_IO, GD_ERR_FORMAT (which key is missing or makes no sense)
 */
GD_NODISCARD gd_status gd_calibration_read(const char *path,
                                           gd_calibration *out);

#endif
