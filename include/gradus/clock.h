/** The clock that no one sets: for how long things take. */
#ifndef GRADUS_CLOCK_H
#define GRADUS_CLOCK_H

/** Return seconds since some moment, the same one for all of a machine's
 * processes; they never go back. */
double gd_clock_s(void);

#endif
