/**
 * Precisions of the numbers that a network keeps in memory.
 *
 *   fp32   floats
 *   bf16   the upper halves of floats: sign, exponent, and 7 of the 23 bits
 *          behind the binary point; half the memory, the range of floats,
 *          rounding errors of up to 2^-8 of a number
 *
 * Whatever is kept in bf16 is computed with in floats: it is widened, which is
 * exact, on the way to a computation (or multiplied as it is, and summed in
 * floats: see gradus/gemm.h), and results are rounded once, on the way back.  A
 * buffer of a precision is a `void *` here, and what makes or fills it names
 * the precision.
 *
 * Source: Kalamkar et al., "A Study of BFLOAT16 for Deep Learning Training",
 * arXiv:1905.12322 (2019), section 3; rounding as IEEE 754's default.
 */
#ifndef GRADUS_PRECISION_H
#define GRADUS_PRECISION_H

#include <stdint.h>

#include "gradus/status.h"

typedef enum { GD_FP32, GD_BF16 } gd_precision;

/** Return "fp32" or "bf16"; static. */
const char *gd_precision_name(gd_precision p);
/** Errors: GD_ERR_USAGE (no such precision) */
GD_NODISCARD gd_status gd_precision_of(const char *name, gd_precision *out);
/** Return the bytes of one number: 4 or 2. */
int gd_precision_bytes(gd_precision p);

/**
 * Write floats as numbers of a precision: rounded to the nearest one, of two
 * equally near to the one whose last bit is 0.  What is nearer to a further
 * step than to the largest number becomes an infinity; a NaN stays a NaN (a
 * quiet one, of the same sign and upper bits).  Denormal numbers, below 2^-126,
 * become zeros where the machine's instruction for bf16 rounds.
 * @param[in]  from  (n)
 * @param[out] to    (n) of the precision; need not be aligned
 */
void gd_precision_write(gd_precision p, const float *from, int64_t n, void *to);
/** Read them back: exact. */
void gd_precision_read(gd_precision p, const void *from, int64_t n, float *to);

#endif
