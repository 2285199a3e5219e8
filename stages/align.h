/**
 * What the parts of align share: the work, and what is told about it.
 *
 *   align.c        the stage: plan, make the shards
 *   align_list.c   faces.csv and the contact sheets
 */
#ifndef GRADUS_STAGES_ALIGN_H
#define GRADUS_STAGES_ALIGN_H

#include "gradus/aligner.h"
#include "gradus/stage.h"

typedef struct {
  gd_frame_set *frames;
  gd_aligner *aligner;
  gd_digest digest;
  gd_alignment alignment;
  int size_px;
  int64_t n_sheets; /* at most, of single videos */
  int sheets_are_blurred;
  int64_t n_units;
  int64_t *first; /* (n_units + 1): first video of each unit */
  double *cost;   /* (n_units): frames */
} gd_align;

/** Write a unit's file name: the stage's own, for gd_units. */
void gd_align_name_unit(const void *context, int64_t unit,
                        char out[GD_PATH_MAX]);

/** Write faces.csv and the contact sheets from what the shards hold; rank 0. */
GD_NODISCARD gd_status gd_align_list(gd_stage_env *env, const gd_align *a);

#endif
