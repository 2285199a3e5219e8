/** The stages that the program knows. */
#ifndef GRADUS_STAGES_H
#define GRADUS_STAGES_H

#include "gradus/stage.h"

/** All stages, in the order of the dataflow; ends with NULL. */
extern const gd_stage *const gd_stages[];

#endif
