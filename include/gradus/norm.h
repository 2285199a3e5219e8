/**
 * Batch norm over rows of C channels, with what stands behind it in a residual
 * network in the same pass:
 *
 *   y = relu(gamma (x - mean) / sqrt(variance + epsilon) + beta + shortcut)
 *
 * Rows are pixels of all samples.  Sums over rows are made of pieces of them,
 * by the convolutions while the rows are in the cache, or here; a piece is
 * centred in itself, and the pieces' means and squares are merged in order, in
 * double: no cancellation, and the same bits on any number of threads.
 *
 * x, shortcut, y, g, open and dx are of the precision `p`, and sums over g are
 * of what is in it; everything else is floats and doubles.
 *
 * Source: Ioffe and Szegedy, "Batch Normalization" (ICML 2015), algorithm 1 and
 * section 3; merging: Chan, Golub, LeVeque (1979), equation 2.1.
 */
#ifndef GRADUS_NORM_H
#define GRADUS_NORM_H

#include <stdint.h>

#include "gradus/conv.h"

/**
 * Return the doubles of a piece of rows: their number; (C) means and (C)
 * squared distances from them, or (C) sums of g and (C) of g * (x - mean).
 */
int gd_norm_piece(int C);

/** Return the pieces that gd_norm_sums() makes of n_rows rows. */
int gd_norm_n_pieces(int64_t n_rows);

/**
 * Merge pieces into mean and biased variance of each channel.
 * @param[in]  pieces          (n_pieces, gd_norm_piece(C))
 * @param[out] mean, variance  (C); variance is over all rows, not one less
 */
void gd_norm_merge(int n_pieces, int C, const double *pieces, float *mean,
                   float *variance);

/** One layer's numbers, (C) each, borrowed. */
typedef struct {
  int C;
  double epsilon;
  const float *gamma, *beta, *mean, *variance;
} gd_norm;

/**
 * Write the norm as a scale: (x - mean) * factor + beta.
 * @param[out] factor  (C), kept by what is returned, as are the norm's numbers
 */
gd_scale gd_norm_scale(const gd_norm *norm, float *factor);

/**
 * Compute y = relu(scaled x + shortcut).
 * @param[in]  of_x      the scale of x
 * @param[in]  shortcut  (n_rows, C)
 * @param[in]  of_shortcut  its scale; NULL: as it is
 * @param[out] y         (n_rows, C); may be `x` or `shortcut`
 */
void gd_norm_join(gd_precision p, int64_t n_rows, int C, const void *x,
                  const gd_scale *of_x, const void *shortcut,
                  const gd_scale *of_shortcut, void *y);

/**
 * Sum g and g * (x - mean) over pieces of the rows.
 * @param[in,out] g       (n_rows, C) gradient behind ReLU; becomes the one in
 *                        front of it
 * @param[in]     open    (n_rows, C) ReLU's result; NULL: there was none, or g
 *                        has been through it
 * @param[in]     x       (n_rows, C) the norm's input
 * @param[out]    pieces  (gd_norm_n_pieces(n_rows), gd_norm_piece(C))
 */
void gd_norm_sums(gd_precision p, int64_t n_rows, int C, const void *x,
                  const float *mean, const void *open, void *g, double *pieces);

/**
 * Gradient through norm and statistics together, from the sums.
 * @param[in]  scale   the norm's, from gd_norm_scale()
 * @param[in]  g       (n_rows, C) gradient in front of ReLU
 * @param[in]  x       (n_rows, C), as in forward
 * @param[in,out] pieces  the sums, which are lost
 * @param[out] dx      (n_rows, C); may be `x` or `g`
 * @param[out] dgamma, dbeta  (C)
 */
void gd_norm_backward(gd_precision p, const gd_norm *norm,
                      const gd_scale *scale, int64_t n_rows, const void *g,
                      const void *x, int n_pieces, double *pieces, void *dx,
                      float *dgamma, float *dbeta);

#endif
