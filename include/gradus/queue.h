/**
 * A shared queue of n items, 0 .. n-1, each taken by exactly one rank, in
 * order.
 *
 * It is one counter in the memory of rank 0, advanced by one-sided atomic
 * operations: taking an item needs no partner, and a rank that is busy with a
 * long item holds nobody up.  (Where MPI must move one-sided messages through
 * the target's own calls, rank 0 serves them whenever it calls MPI: see
 * gd_stage_tick().)
 */
#ifndef GRADUS_QUEUE_H
#define GRADUS_QUEUE_H

#include <mpi.h>
#include <stdint.h>

#include "gradus/status.h"

typedef struct gd_queue gd_queue;

/**
 * Settle how Open MPI 4 moves one-sided messages, unless the environment says:
 * of its ways, `rdma` cannot make a window over TCP and `ucx` crashes on nodes
 * without its hardware; shared memory and point-to-point serve everywhere.
 * Called once, by the program, before MPI_Init().
 */
void gd_queue_begin(void);

/**
 * Begin a queue.
 * @param[in] n_items  the same on all ranks, >= 0
 * Ends with:  gd_queue_close()
 * Collective: yes
 * Errors:     GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_queue_open(MPI_Comm comm, int64_t n_items,
                                     gd_queue **out);
/** Return the next item, or -1 when none is left. Collective: no */
int64_t gd_queue_take(gd_queue *q);
/** Collective: yes; waits for all ranks.  NULL is allowed on all. */
void gd_queue_close(gd_queue *q);

#endif
