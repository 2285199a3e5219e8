/** The films of a prediction: where a video's levels come from, face by face.
 */
#ifndef GRADUS_STAGES_PREDICT_FILM_H
#define GRADUS_STAGES_PREDICT_FILM_H

#include "scoring.h"

/**
 * Make attention-NNNNN.mp4 for each video that was scored, NNNNN its index in
 * the corpus: its faces in order, each with its attention map over it
 * (gradus/attention.h), its time and its level, as fast as they were sampled.
 * @param[in] scores  path of the complete scores
 * Collective: yes
 * Errors: those of gd_stage_units(); GD_ERR_IO, GD_ERR_FORMAT, GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_predict_films(gd_scoring *s, const char *scores,
                                        int is_blurred);

#endif
