/**
 * What the processor can do at most: fused multiply-adds on registers, on all
 * threads at once.  Every rate of the engine is a share of it.  It changes with
 * the load of the machine, so it is measured beside what is compared with it.
 */
#ifndef GRADUS_PEAK_H
#define GRADUS_PEAK_H

/**
 * Return the multiply-adds of all OpenMP threads, in FLOP/s of single
 * precision.
 * @param[in] seconds  about as long as it takes, > 0
 */
double gd_peak_flops(double seconds);

#endif
