/** What flow keeps for a running stage; stages see it as opaque. */
#ifndef GRADUS_FLOW_STATE_H
#define GRADUS_FLOW_STATE_H

#include "gradus/attempts.h"
#include "gradus/progress.h"
#include "gradus/stage.h"
#include "gradus/tally.h"

struct gd_stage_state {
  gd_progress *progress;
  gd_tally *tally;
  gd_status failed;  /* of calls that return nothing: out of memory */
  int64_t n_ticked;  /* by this rank, in all */
  int64_t n_items;   /* input items; -1: not said */
  int64_t n_units;   /* of all lists so far; -1: not made of units */
  int64_t n_resumed; /* of these, there already */
  char ticked[32];   /* what n_ticked counts: "units", "images" */

  gd_attempts *attempts;    /* while units are made */
  char making[GD_PATH_MAX]; /* name of the unit's file */
};

#endif
