/**
 * Student's distribution: how many standard errors a mean of few numbers may
 * be off, where their deviation is itself estimated from them.
 */
#ifndef GRADUS_EVAL_STUDENT_H
#define GRADUS_EVAL_STUDENT_H

#include <stdint.h>

/**
 * Return the t that lies so far from 0 that `share` of the distribution is
 * between -t and t.
 * @param[in] share    0 .. 0.999
 * @param[in] freedom  its degrees, >= 1; the time grows with them
 * Source: Abramowitz and Stegun, "Handbook of Mathematical Functions" (1964),
 * 26.7.3 and 26.7.4, inverted by bisection.
 */
double gd_student_within(double share, int64_t freedom);

#endif
