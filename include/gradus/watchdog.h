/**
 * A watchdog: a rank that shows no sign of life for too long is ended by
 * SIGALRM, after one line that names it and what it did last.  mpirun and srun
 * then end the other ranks: better than to hang until the time limit.
 *
 * Each rank watches itself, by the process's alarm clock: no thread, and no
 * message that a hung rank would have to answer.  Whoever waits for another
 * rank (gd_agree(), gd_wait()) is alive; so the rank that is ended is the one
 * that others wait for.
 */
#ifndef GRADUS_WATCHDOG_H
#define GRADUS_WATCHDOG_H

/**
 * Begin to watch this process.
 * @param[in] rank      to be named
 * @param[in] limit_s   longest silence, seconds; 0: no watch
 * Ends with: gd_watchdog_end()
 */
void gd_watchdog_begin(int rank, int limit_s);
/** Say what is being done ("stage model"), for the last line. */
void gd_watchdog_name(const char *what);
/** Show a sign of life.  Cheap; does nothing when no watch has begun. */
void gd_watchdog_feed(void);
void gd_watchdog_end(void);

#endif
