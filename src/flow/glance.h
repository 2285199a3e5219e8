/**
 * A glance at a run directory: what its files alone say about an instance.
 * Reads little, changes nothing, locks nothing.
 */
#ifndef GRADUS_FLOW_GLANCE_H
#define GRADUS_FLOW_GLANCE_H

#include <stdint.h>

#include "gradus/job.h"
#include "gradus/status.h"

typedef enum {
  GD_SEEN_NONE,    /**< no directory */
  GD_SEEN_BEGUN,   /**< begun, or not as it was left; nobody works there */
  GD_SEEN_RUNNING, /**< somebody works there */
  GD_SEEN_DONE     /**< as gd_rundir_look() has it */
} gd_seen;

typedef struct {
  gd_seen seen;
  int64_t n_units; /**< files planned; -1: not known */
  int64_t n_files; /**< results that are there */
  int64_t n_skipped;
  double seconds; /**< of the last completed run; -1: not known */
  char by[160];   /**< who works there */
  char last[200]; /**< last line of the log, "" if there is none */
} gd_glance;

/** Errors: GD_ERR_IO (a directory that is there cannot be read) */
GD_NODISCARD gd_status gd_glance_at(const gd_instance *s, gd_glance *out);

#endif
