/**
 * A run directory as rank 0 keeps it: what is done, what is left over, what is
 * damaged.  No MPI here.
 */
#ifndef GRADUS_FLOW_RUNDIR_H
#define GRADUS_FLOW_RUNDIR_H

#include <stdint.h>

#include "gradus/job.h"
#include "gradus/lock.h"
#include "gradus/status.h"
#include "gradus/text.h"

/** How a stage instance stands. */
typedef struct {
  int done;
  int64_t n_items, n_skipped; /**< of a done one */
} gd_standing;

/**
 * Say whether an instance is done and its results are as they were left, by
 * their size and time; changes nothing.
 * Errors: GD_ERR_FORMAT (the directory belongs to another instance),
 *         GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_rundir_look(const gd_instance *self,
                                      gd_standing *out);
/**
 * Settle what gd_rundir_look() found not done, under the directory's lock:
 * results that were touched are verified, bad ones removed and said in the log,
 * and leftovers of dead runs removed.
 * @param[out] lock  held if there is work to do, else NULL
 * Errors: GD_ERR_IO, GD_ERR_FORMAT, GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_rundir_begin(const gd_instance *self,
                                       gd_standing *out, gd_lock **lock);
/** List the results and write `done`: the last act. */
GD_NODISCARD gd_status gd_rundir_finish(const gd_instance *self,
                                        int64_t n_items, int64_t n_skipped);
/**
 * Say whether a done instance skipped more than it may: nothing is built upon
 * it.
 */
int gd_standing_is_over(const gd_instance *self, const gd_standing *files);
/** Compose what is said of such a one: how much, what it may, what to do. */
void gd_standing_tell_over(const gd_instance *self, const gd_standing *files,
                           gd_text *out);
/**
 * After a stage failed on a file that is not what it claims: read all results
 * in its inputs and in its own directory, and remove the bad ones, so that the
 * next run makes them anew.
 * @return how many were removed
 */
int64_t gd_rundir_heal(const gd_instance *self);

#endif
