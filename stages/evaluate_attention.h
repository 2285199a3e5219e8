/** The attention maps of an evaluation: chosen faces, and the mean of all. */
#ifndef GRADUS_STAGES_EVALUATE_ATTENTION_H
#define GRADUS_STAGES_EVALUATE_ATTENTION_H

#include "gradus/evaluator.h"
#include "gradus/faces.h"
#include "gradus/scores.h"
#include "gradus/stage.h"

/**
 * Choose faces by rule (gradus/attention_choice.h) and make, in the stage's
 * directory, attention.h5 (gradus/attention_set.h), a picture of each,
 * attention-01.png and on, and of the mean map, attention-mean.png.
 * @param[in] faces, evaluator  those that the scores are of
 * @param[in] scores            complete, with the maps of all videos
 * @param[in] most              faces; 1 .. GD_ATTENTION_MOST
 * Collective: no
 * Errors: GD_ERR_IO, GD_ERR_FORMAT, GD_ERR_NOMEM, GD_ERR_NUMERIC
 */
GD_NODISCARD gd_status gd_evaluate_attention(gd_stage_env *env,
                                             gd_face_set *faces,
                                             gd_evaluator *evaluator,
                                             const gd_scores *scores, int most,
                                             int is_blurred);

#endif
