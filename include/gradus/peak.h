/**
 * What the machine can do at most: fused multiply-adds on registers, and bytes
 * from and to memory, on all threads at once.  Every rate of the engine is a
 * share of the first; the second is the slope of a roofline.  Both change with
 * the load of the machine, so they are measured beside what is compared with
 * them.
 */
#ifndef GRADUS_PEAK_H
#define GRADUS_PEAK_H

#include "gradus/precision.h"

/**
 * Return the multiply-adds of all OpenMP threads, in FLOP/s: of fp32, or by the
 * instruction for bf16 where the machine has it and kernels take it
 * (gd_gemm_takes()).
 * @param[in] seconds  about as long as it takes, > 0
 */
double gd_peak_flops(gd_precision precision, double seconds);

/**
 * Return the bytes that all OpenMP threads move between memory and registers
 * in a second, in a[i] = b[i] + s * c[i] over arrays that no cache holds: three
 * words for each i, as is usual, though most processors read a[i] as well.
 * Source: the triad of STREAM (McCalpin 1995)
 * @param[in] seconds  about as long as it takes, > 0
 * @return 0: no memory for the arrays (192 MiB)
 */
double gd_peak_bandwidth(double seconds);

#endif
