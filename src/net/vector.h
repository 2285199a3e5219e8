/**
 * Vectors of floats, for the few loops that a compiler does not make fast by
 * itself: 16 lanes, however many registers of the machine they take.
 */
#ifndef GRADUS_NET_VECTOR_H
#define GRADUS_NET_VECTOR_H

#include <stdint.h>
#include <string.h>

enum { GD_LANES = 16 };

typedef float gd_vector __attribute__((vector_size(64)));
typedef int32_t gd_mask __attribute__((vector_size(64)));

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

/** Return v where the mask is set, and 0 elsewhere. */
static inline gd_vector gd_where(gd_mask mask, gd_vector v)
{
  return (gd_vector)(mask & (gd_mask)v);
}

/** Return v, but 0 where it is negative; a NaN stays. */
static inline gd_vector gd_relu(gd_vector v)
{
  return gd_where(~(v < 0.0f), v);
}

#endif
