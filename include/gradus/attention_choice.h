/**
 * Attention choice: which faces of a partition have their map shown.
 *
 * By rule, so that nobody picks the pretty ones.  Of the videos, in this order,
 * until there are enough:
 *
 *   1. of each severity band (gradus/severity.h) that has videos, lowest band
 *      first, the one with the median error |predicted - label|: the lower of
 *      two middle ones
 *   2. the one with the smallest error of all, then that with the largest
 *   3. the second smallest, the second largest, and so on
 *
 * Equal errors are in the order of the corpus.  A video is chosen once; it may
 * be so for two reasons.  Of its frames that one stands for it whose level is
 * nearest to the video's, the first of equal ones.
 */
#ifndef GRADUS_ATTENTION_CHOICE_H
#define GRADUS_ATTENTION_CHOICE_H

#include <stdint.h>

#include "gradus/scores.h"
#include "gradus/status.h"

typedef struct {
  int64_t video;   /**< of the scores: v < n_videos */
  int64_t frame;   /**< of the scores: f < n_frames */
  char reason[96]; /**< "median error of the band mild" */
} gd_attention_choice;

/**
 * Choose.
 * @param[in]  most  >= 1
 * @param[out] out   room for `most`
 * @param[out] n     how many were chosen: fewer where there are fewer videos
 *                   that have a label
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_attention_choose(const gd_scores *s, int most,
                                           gd_attention_choice *out, int *n);

/**
 * Average the maps of all videos, which the scores must have.
 * @param[out] mean  (P, Q) levels
 */
void gd_attention_mean(const gd_scores *s, float *mean);

#endif
