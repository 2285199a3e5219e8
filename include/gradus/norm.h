/**
 * Batch norm over rows of C channels, with what stands behind it in a residual
 * network in the same pass:
 *
 *   y = relu(gamma (x - mean) / sqrt(variance + epsilon) + beta + shortcut)
 *
 * where ReLU and the shortcut are optional.  Rows are pixels of all samples.
 *
 * Statistics are summed over fixed pieces of rows, centred within each, and the
 * pieces' means and squares are merged in order, in double: no cancellation,
 * and the same bits on any number of threads.
 *
 * Source: Ioffe and Szegedy, "Batch Normalization" (ICML 2015), algorithm 1 and
 * section 3; merging: Chan, Golub, LeVeque (1979), equation 2.1.
 */
#ifndef GRADUS_NORM_H
#define GRADUS_NORM_H

#include <stdint.h>

#include "gradus/status.h"

/** Return how many doubles of scratch n_rows rows of C channels need. */
int64_t gd_norm_scratch(int64_t n_rows, int C);

/**
 * Compute mean and biased variance of each channel.
 * @param[in]  x               (n_rows, C)
 * @param[in]  scratch         gd_norm_scratch() doubles
 * @param[out] mean, variance  (C); variance is over n_rows, not n_rows - 1
 */
void gd_norm_statistics(int64_t n_rows, int C, const float *x, double *scratch,
                        float *mean, float *variance);

/** One layer's numbers, (C) each, borrowed. */
typedef struct {
  int C;
  double epsilon;
  const float *gamma, *beta, *mean, *variance;
} gd_norm;

/**
 * @param[in]  shortcut  (n_rows, C), or NULL for none
 * @param[in]  relu      clamp below zero
 * @param[out] y         (n_rows, C); may be `x`
 */
void gd_norm_forward(const gd_norm *norm, int64_t n_rows, const float *x,
                     const float *shortcut, int relu, float *y);

/**
 * Gradient through norm and statistics together.
 * @param[in]     x       (n_rows, C), as in forward; `norm` holds its
 * statistics
 * @param[in]     y       the result of forward, to know where ReLU was at rest;
 *                        NULL: there was no ReLU
 * @param[in,out] dy      (n_rows, C); becomes the gradient in front of ReLU,
 *                        which is also that of the shortcut
 * @param[in]     scratch gd_norm_scratch() doubles
 * @param[out]    dx      (n_rows, C); may be `dy`, which then becomes dx
 * @param[out]    dgamma, dbeta  (C)
 */
void gd_norm_backward(const gd_norm *norm, int64_t n_rows, const float *x,
                      const float *y, float *dy, double *scratch, float *dx,
                      float *dgamma, float *dbeta);

#endif
