/**
 * The instruction for bf16: two terms of a sum, on 16 sums at once.
 */
#ifndef GRADUS_NET_BF16_TERMS_H
#define GRADUS_NET_BF16_TERMS_H

#include <stdint.h>

#include "net/vector.h"

#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

typedef float gd_sums __attribute__((vector_size(64)));
/** Of each 32 bits, the lower half is the first number of a pair. */
typedef uint32_t gd_pairs __attribute__((vector_size(64)));

/** Return c + a1 b1 + a0 b0.  Without the instruction, by its definition: the
 * products are exact, as a number of bf16 has 8 bits. */
GD_INLINE gd_sums gd_add_terms(gd_sums c, gd_pairs a, gd_pairs b)
{
#ifdef __AVX512BF16__
  return (gd_sums)_mm512_dpbf16_ps((__m512)c, (__m512bh)a, (__m512bh)b);
#else
  c += (gd_sums)(a & 0xffff0000) * (gd_sums)(b & 0xffff0000);
  return c + (gd_sums)(a << 16) * (gd_sums)(b << 16);
#endif
}

#endif
