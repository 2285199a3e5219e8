/**
 * Patience: how long reading a video may go on without giving anything.
 *
 * It is measured in time of computing, not by the clock: a file system that
 * hangs for a minute condemns no video, and neither does a busy node.  What
 * computes for ever inside one picture cannot be interrupted here; the rank's
 * watchdog ends that (gradus/watchdog.h).
 */
#ifndef GRADUS_PATIENCE_H
#define GRADUS_PATIENCE_H

#include "gradus/status.h"

typedef struct {
  /** Seconds of computing without another packet or its pictures, after which a
   * video is given up; 0: none. */
  double stall_s;
  /** Called about ten times a second while a file is read: a sign of life, for
   * those who wait.  What it returns but GD_OK ends the reading.  NULL: not
   * called. */
  gd_status (*alive)(void *context);
  void *context;
} gd_patience;

#endif
