/**
 * Progress of independent work across ranks, and bad news that travels fast.
 *
 * Every rank counts what it has done.  Now and then, by time and not by item,
 * it sends its count to rank 0 in a message that nobody waits for; rank 0
 * shows one line:
 *
 *   model: 120/640 steps, 3.2/s, 2:42 left, slowest: rank 3 (28)
 *
 * with a word on what holds it up, if a stage knows (gd_progress_note()),
 * on a terminal in place of the last, elsewhere in the log about every half
 * minute.  A rank that fails, or is asked to stop, tells all others in the same
 * way, so that nobody works for hours beside a dead peer.
 */
#ifndef GRADUS_PROGRESS_H
#define GRADUS_PROGRESS_H

#include <mpi.h>
#include <stdint.h>

#include "gradus/status.h"

typedef struct gd_progress gd_progress;

/**
 * Begin to follow a piece of work on a communicator of its own.
 * @param[in] title  shown before the counts; copied
 * Ends with:  gd_progress_end()
 * Collective: yes
 * Errors:     GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_progress_begin(MPI_Comm comm, const char *title,
                                         gd_progress **out);
/**
 * Say how much there is to do on all ranks together; every rank starts from
 * zero.  Called by all ranks, without waiting.
 * @param[in] n_items  only rank 0's number is used; 0: unknown
 * @param[in] n_done   of these, done by an earlier run
 * @param[in] unit     "videos", "steps"; copied
 */
void gd_progress_expect(gd_progress *p, int64_t n_items, int64_t n_done,
                        const char *unit);
/**
 * Count `n_items` more (may be 0) and look around.
 * Collective: no; never waits
 * Errors: GD_ERR_PEER (another rank has failed), GD_ERR_STOPPED (this or
 *         another rank was asked to stop)
 */
GD_NODISCARD gd_status gd_progress_add(gd_progress *p, int64_t n_items);
/** Say what stands behind rank 0's line from now on ("reading is slow"; ""):
 * copied; of no effect on other ranks. */
void gd_progress_note(gd_progress *p, const char *text);
/** Tell the other ranks that this one has ended with `st`; GD_OK: nothing to
 * tell.  Collective: no; never waits; only the first call has an effect. */
void gd_progress_tell(gd_progress *p, gd_status st);
/**
 * Wait until all ranks have come here; rank 0 goes on to show what the others
 * report.
 * Collective: yes
 */
void gd_progress_wait(gd_progress *p);
/** Return how many items rank r is known to have done: exact for the own rank,
 * on rank 0 as last reported for the others.  For tests: all else that tells is
 * the line. */
int64_t gd_progress_n_done(const gd_progress *p, int r);
/** Take the line away and free `p`.  Collective: yes. NULL is allowed on all */
void gd_progress_end(gd_progress *p);

#endif
