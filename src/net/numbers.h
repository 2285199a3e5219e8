/**
 * Numbers in memory, of either precision, on their way to vectors of floats and
 * back.  Loops walk along a row a vector at a time, the last of which may be of
 * fewer numbers:
 *
 *     for (int c = 0; c < C; c += GD_LANES) {
 *       const int n = gd_lanes(C - c);
 *       gd_keep_some(p, y, at + c, n, f(gd_load_some(p, x, at + c, n)));
 *     }
 *
 * and are fast where the compiler knows p.
 */
#ifndef GRADUS_NET_NUMBERS_H
#define GRADUS_NET_NUMBERS_H

#include <stddef.h>

#include "gradus/conv.h"
#include "gradus/precision.h"
#include "net/vector.h"

#ifdef __AVX2__
#include <immintrin.h>
#endif

static inline size_t gd_size_of(gd_precision p)
{
  return p == GD_BF16 ? sizeof(uint16_t) : sizeof(float);
}

/** Return the address of number `i`. */
static inline void *gd_at(gd_precision p, const void *x, ptrdiff_t i)
{
  return (char *)x + i * (ptrdiff_t)gd_size_of(p);
}

/* Of these conversions GCC 12 makes three to six instructions. */

/** Return the upper halves. */
static inline gd_halves gd_upper(gd_bits bits)
{
#if defined(__AVX2__) && !defined(__AVX512F__)
  const __m256i upper = (__m256i)(bits >> 16);
  return (gd_halves)_mm_packus_epi32(_mm256_castsi256_si128(upper),
                                     _mm256_extracti128_si256(upper, 1));
#else
  return __builtin_convertvector(bits >> 16, gd_halves);
#endif
}

/** Round to bf16; denormals may become zeros. */
static inline gd_halves gd_round(gd_vector v)
{
#ifdef __AVX512BF16__
  return (gd_halves)_mm512_cvtneps_pbh((__m512)v);
#else
  const gd_bits bits = (gd_bits)v;
  const gd_bits nearest = bits + 0x7fff + (bits >> 16 & 1);
  const gd_bits quiet = bits | 0x400000; /* of what is no number */
  return gd_upper(
      (gd_bits)gd_choose(v != v, (gd_vector)quiet, (gd_vector)nearest));
#endif
}

static inline gd_vector gd_widen(gd_halves upper)
{
#if defined(__AVX512F__)
  const gd_bits bits = (gd_bits)_mm512_cvtepu16_epi32((__m256i)upper);
#elif defined(__AVX2__)
  const gd_bits bits = (gd_bits)_mm256_cvtepu16_epi32((__m128i)upper);
#else
  const gd_bits bits = __builtin_convertvector(upper, gd_bits);
#endif
  return (gd_vector)(bits << 16);
}

/** Return the vector that begins at number `at`. */
static inline gd_vector gd_load_of(gd_precision p, const void *x, ptrdiff_t at)
{
  if (p == GD_FP32)
    return gd_load(gd_at(p, x, at));
  gd_halves upper;
  memcpy(&upper, gd_at(p, x, at), sizeof upper);
  return gd_widen(upper);
}

/** Return v as it would be kept. */
static inline gd_vector gd_kept(gd_precision p, gd_vector v)
{
  return p == GD_FP32 ? v : gd_widen(gd_round(v));
}

/** Keep v from number `at` on, and return it as it is kept. */
static inline gd_vector gd_keep(gd_precision p, void *x, ptrdiff_t at,
                                gd_vector v)
{
  if (p == GD_FP32) {
    gd_store(gd_at(p, x, at), v);
    return v;
  }
  const gd_halves upper = gd_round(v);
  memcpy(gd_at(p, x, at), &upper, sizeof upper);
  return gd_widen(upper);
}

/** Return how many of the numbers that are left go into a vector. */
static inline int gd_lanes(int64_t left)
{
  return left < GD_LANES ? (int)left : GD_LANES;
}

/** Return n numbers, at most GD_LANES, and zeros behind them. */
static inline gd_vector gd_load_some(gd_precision p, const void *x,
                                     ptrdiff_t at, int n)
{
  if (n == GD_LANES)
    return gd_load_of(p, x, at);
  float room[GD_LANES] = {0};
  memcpy(room, gd_at(p, x, at), (size_t)n * gd_size_of(p));
  return gd_load_of(p, room, 0);
}

/** Keep the first n of v, at most GD_LANES, and return v as it is kept. */
static inline gd_vector gd_keep_some(gd_precision p, void *x, ptrdiff_t at,
                                     int n, gd_vector v)
{
  if (n == GD_LANES)
    return gd_keep(p, x, at, v);
  float room[GD_LANES];
  const gd_vector kept = gd_keep(p, room, 0, v);
  memcpy(gd_at(p, x, at), room, (size_t)n * gd_size_of(p));
  return kept;
}

/** Return n numbers of channels c.., scaled: (v - mean) factor + addend. */
static inline gd_vector gd_scaled(const gd_scale *s, int c, int n, gd_vector v)
{
  return (v - gd_load_some(GD_FP32, s->mean, c, n)) *
             gd_load_some(GD_FP32, s->factor, c, n) +
         gd_load_some(GD_FP32, s->addend, c, n);
}

#endif
