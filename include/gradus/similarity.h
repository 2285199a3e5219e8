/**
 * Similarity transforms of the plane: rotation, one scale, translation; no
 * reflection.
 *
 *   x' = a x - b y + tx
 *   y' = b x + a y + ty          scale = sqrt(a^2 + b^2)
 *
 * Coordinates are pixels; the centre of an image's first pixel is (0, 0).
 */
#ifndef GRADUS_SIMILARITY_H
#define GRADUS_SIMILARITY_H

#include "gradus/status.h"

typedef struct {
  double a, b, tx, ty;
} gd_similarity;

/**
 * Fit the transform that takes n points nearest to n others, by least squares.
 * @param[in]  from  (n, 2) x y; n >= 2
 * @param[in]  to    (n, 2)
 * @param[out] out   left alone on failure
 * Errors: GD_ERR_NUMERIC (points coincide, or are not finite)
 * Source: Umeyama, "Least-Squares Estimation of Transformation Parameters
 *         Between Two Point Patterns", IEEE TPAMI 13(4), 1991, eq. 40-43; in
 * the plane and without reflection its solution has this closed form.
 */
GD_NODISCARD gd_status gd_similarity_fit(const float (*from)[2],
                                         const float (*to)[2], int n,
                                         gd_similarity *out);
/** Return the scale, sqrt(a^2 + b^2). */
double gd_similarity_scale(const gd_similarity *t);
/** Return the transform back; the scale must not be 0. */
gd_similarity gd_similarity_inverse(const gd_similarity *t);
/** Transform one point. */
void gd_similarity_apply(const gd_similarity *t, double x, double y,
                         double out[2]);

#endif
