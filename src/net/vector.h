/**
 * Vectors of floats, for the few loops that a compiler does not make fast by
 * itself: as wide as a register of the machine.  Wider ones would be parted by
 * the compiler, and their comparisons done lane by lane (GCC 12).
 */
#ifndef GRADUS_NET_VECTOR_H
#define GRADUS_NET_VECTOR_H

#include <stdint.h>
#include <string.h>

/** Of a function that is compiled into its callers, for their constants. */
#define GD_INLINE static inline __attribute__((always_inline))

#ifdef __AVX512F__
enum { GD_LANES = 16 };
#else
enum { GD_LANES = 8 };
#endif

typedef float gd_vector __attribute__((vector_size(4 * GD_LANES)));
typedef int32_t gd_mask __attribute__((vector_size(4 * GD_LANES)));
typedef uint32_t gd_bits __attribute__((vector_size(4 * GD_LANES)));
typedef uint16_t gd_halves __attribute__((vector_size(2 * GD_LANES)));
typedef uint8_t gd_bytes __attribute__((vector_size(GD_LANES)));

static inline gd_vector gd_load(const float *from)
{
  gd_vector v;
  memcpy(&v, from, sizeof v);
  return v;
}

static inline void gd_store(float *to, gd_vector v)
{
  memcpy(to, &v, sizeof v);
}

/**
 * Store v past the caches, without reading first what is there: for much that
 * is not read again soon.  Behind the last one: gd_stream_end().
 * @param[out] to  at a multiple of the vector's bytes
 */
static inline void gd_stream(float *to, gd_vector v)
{
#if defined(__AVX512F__)
  __builtin_ia32_movntps512(to, v);
#elif defined(__AVX__)
  __builtin_ia32_movntps256(to, v);
#else
  gd_store(to, v);
#endif
}

/** Let other threads see what was streamed. */
static inline void gd_stream_end(void)
{
#ifdef __AVX__
  __builtin_ia32_sfence();
#endif
}

/** Return v where the mask is set, and 0 elsewhere. */
static inline gd_vector gd_where(gd_mask mask, gd_vector v)
{
  return (gd_vector)(mask & (gd_mask)v);
}

/** Return a where the mask is set, and b elsewhere. */
static inline gd_vector gd_choose(gd_mask mask, gd_vector a, gd_vector b)
{
#if defined(__AVX__) && !defined(__AVX512F__)
  return __builtin_ia32_blendvps256(b, a, (gd_vector)mask);
#else
  return (gd_vector)((mask & (gd_mask)a) | (~mask & (gd_mask)b));
#endif
}

/** Return v, but 0 where it is negative; a NaN stays. */
static inline gd_vector gd_relu(gd_vector v)
{
  return gd_where(~(v < 0.0f), v);
}

#endif
