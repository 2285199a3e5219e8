/** What a trained model's folds mean to the stages behind it. */
#ifndef GRADUS_STAGES_TRAIN_H
#define GRADUS_STAGES_TRAIN_H

#include "gradus/faces.h"
#include "gradus/job.h"
#include "gradus/status.h"

/**
 * Divide the videos of a face set as the train instance `self` does: by its
 * fold, if it has any; else they keep the corpus's partitions.
 * Errors: GD_ERR_USAGE (more folds than persons), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_train_divide(const gd_instance *self,
                                       gd_face_set *faces);

#endif
