/**
 * Schedules: the learning rate of each step, as a factor of the base rate.
 *
 * Time t is counted in epochs and goes on within them, t = step / steps per
 * epoch, so that a schedule means the same for any batch.
 *
 *   warm-up   for t < warmup the factor below is multiplied by
 *             (step + 1) / (steps in the warm-up)
 *   constant  1
 *   step      factor^floor(t / every)
 *   cosine    (1 + cos(pi t / epochs)) / 2
 *
 * Source: Goyal et al. 2017, section 2.2 (gradual warm-up); Loshchilov and
 * Hutter, "SGDR" (ICLR 2017), equation 5 without restarts.
 */
#ifndef GRADUS_SCHEDULE_H
#define GRADUS_SCHEDULE_H

#include <stdint.h>

#include "gradus/status.h"

typedef enum {
  GD_SCHEDULE_CONSTANT,
  GD_SCHEDULE_STEP,
  GD_SCHEDULE_COSINE
} gd_schedule_kind;

typedef struct {
  gd_schedule_kind kind;
  double warmup;  /**< epochs, >= 0 */
  int64_t every;  /**< step: epochs between two falls, >= 1 */
  double factor;  /**< step: what the rate is multiplied with */
  int64_t epochs; /**< of the whole training, >= 1 */
} gd_schedule;

/** Find a kind by name. Errors: GD_ERR_USAGE (names those there are) */
GD_NODISCARD gd_status gd_schedule_kind_of(const char *name,
                                           gd_schedule_kind *out);
/**
 * Return the factor of a step.
 * @param[in] step             from 0, over all epochs
 * @param[in] steps_per_epoch  >= 1
 */
double gd_schedule_factor(const gd_schedule *s, int64_t step,
                          int64_t steps_per_epoch);

#endif
