/**
 * Ranks working together: agreement, a shared work queue, stop requests.
 *
 * A failing rank never leaves the others in a collective: each phase ends with
 * gd_agree(), and long independent loops look around without waiting.
 */
#ifndef GRADUS_PAR_H
#define GRADUS_PAR_H

#include <mpi.h>
#include <stdint.h>

#include "gradus/status.h"

/**
 * Return this rank's own failure, or GD_ERR_PEER if another rank failed (the
 * reason names the lowest such rank and its reason), or GD_OK on all.
 * Collective: yes
 */
GD_NODISCARD gd_status gd_agree(MPI_Comm comm, gd_status mine);

/**
 * A queue of n items, 0 .. n-1, each taken by exactly one rank, in order.
 * A one-sided counter on rank 0: taking an item needs no partner.
 */
typedef struct gd_queue gd_queue;
/** Collective: yes. Ends with: gd_queue_close() */
GD_NODISCARD gd_status gd_queue_open(MPI_Comm comm, int64_t n_items,
                                     gd_queue **out);
/** Return the next item, or -1 when none is left. Collective: no */
int64_t gd_queue_take(gd_queue *q);
/** Collective: yes; waits for all ranks.  NULL is allowed on all. */
void gd_queue_close(gd_queue *q);

/**
 * Note SIGTERM, SIGUSR1 and SIGINT instead of dying of them.  Called once, by
 * the program.  A second SIGINT kills.
 */
void gd_stop_begin(void);
/** Say whether a signal has asked this process to stop. */
int gd_stop_requested(void);

#endif
