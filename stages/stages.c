#include "stages.h"

/* Each is defined in the file of its name: gd_stage_align in align.c. */
const gd_stage *const gd_stages[] = {
    NULL,
};
