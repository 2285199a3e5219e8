/**
 * Requests to stop: SIGTERM, SIGUSR1 and SIGINT set a flag instead of ending
 * the process, so that a stage can finish its item, keep what it has, and
 * return GD_ERR_STOPPED (exit code 75: run the same command again).
 *
 * The flag and the handlers belong to the process, like the signals.
 */
#ifndef GRADUS_STOP_H
#define GRADUS_STOP_H

/**
 * Begin to note the signals.  Called once, by the program, after MPI_Init.
 * A second SIGINT ends the process.
 */
void gd_stop_begin(void);
/** Return the number of the signal that asked to stop, 0 if none has. */
int gd_stop_requested(void);

#endif
