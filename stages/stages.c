#include "stages.h"

/* Each is defined in the file of its name: gd_stage_align in align.c. */
extern const gd_stage gd_stage_synth;
extern const gd_stage gd_stage_extract;
extern const gd_stage gd_stage_align;
extern const gd_stage gd_stage_train;
extern const gd_stage gd_stage_train_detector;
extern const gd_stage gd_stage_evaluate;
extern const gd_stage gd_stage_predict;
extern const gd_stage gd_stage_report;

const gd_stage *const gd_stages[] = {
    &gd_stage_synth,   &gd_stage_extract,        &gd_stage_align,
    &gd_stage_train,   &gd_stage_train_detector, &gd_stage_evaluate,
    &gd_stage_predict, &gd_stage_report,         NULL,
};
