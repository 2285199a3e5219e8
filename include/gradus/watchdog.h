/**
 * A watchdog: a rank that shows no sign of life for too long ends the run,
 * after one line that names it and what was being done.  mpirun and srun then
 * end the other ranks: better than to hang until the time limit.
 *
 * Each rank watches itself, by the process's alarm clock: one that hangs in its
 * own work is ended by SIGALRM.  One that is stopped (SIGSTOP, a frozen node)
 * cannot: so each rank that joined also tells the next one, in a ring, that it
 * is alive, whenever it feeds its own watchdog, and the next one names it when
 * nothing came for a quarter longer than the silence that is allowed.
 *
 * Whoever reads files or resamples persons is alive (gradus/alive.h), and
 * whoever waits for another rank by gd_wait(), gd_agree() is; so the rank that
 * is named is the one that others wait for.
 */
#ifndef GRADUS_WATCHDOG_H
#define GRADUS_WATCHDOG_H

#include <mpi.h>

/**
 * Begin to watch this process.
 * @param[in] rank      to be named
 * @param[in] limit_s   longest silence, seconds; 0: no watch
 * Ends with: gd_watchdog_end()
 */
void gd_watchdog_begin(int rank, int limit_s);
/**
 * Begin to watch one another.  After gd_watchdog_begin().
 * Collective: yes, with the same limit on all ranks; `comm` is duplicated
 */
void gd_watchdog_join(MPI_Comm comm);
/** Say what is being done ("stage model"), for the last line. */
void gd_watchdog_name(const char *what);
/**
 * Have this called before this rank ends because another is lost or silent:
 * what it was doing itself is not to blame.  NULL: nothing, as at first.
 * @param[in] excuse  does only what a signal handler may
 */
void gd_watchdog_excuse(void (*excuse)(void));
/** Show a sign of life.  Cheap; does nothing when no watch has begun.  The main
 * thread's alone. */
void gd_watchdog_feed(void);
/** Collective: yes, if the ranks have joined */
void gd_watchdog_end(void);

#endif
