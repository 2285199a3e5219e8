/**
 * Numbers in memory, of either precision, on their way to floats and back.
 *
 * Two ways for two kinds of loops.  Loops over vectors load and keep vectors,
 * and are compiled for each precision.  Loops over strips of channels work on
 * floats: those in memory, or in a room of the loop's own that is read before
 * and put away behind it,
 *
 *     const float *a = gd_strip(p, x, at, n, room_a);
 *     float *b = gd_room(p, y, at, room_b);
 *     for (i < n) b[i] = f(a[i]);
 *     gd_put(p, y, at, n, room_b);
 *
 * so that with fp32 nothing is copied.
 */
#ifndef GRADUS_NET_NUMBERS_H
#define GRADUS_NET_NUMBERS_H

#include <stddef.h>

#include "gradus/conv.h"
#include "gradus/precision.h"
#include "net/vector.h"

static inline size_t gd_size_of(gd_precision p)
{
  return p == GD_BF16 ? sizeof(uint16_t) : sizeof(float);
}

/** Return the address of number `i`. */
static inline void *gd_at(gd_precision p, const void *x, ptrdiff_t i)
{
  return (char *)x + i * (ptrdiff_t)gd_size_of(p);
}

/* ------------------------------------------------------------------ vectors
 */

/** Return the vector that begins at number `at`. */
static inline gd_vector gd_load_of(gd_precision p, const void *x, ptrdiff_t at)
{
  if (p == GD_FP32)
    return gd_load(gd_at(p, x, at));
  gd_halves upper;
  memcpy(&upper, gd_at(p, x, at), sizeof upper);
  return (gd_vector)(__builtin_convertvector(upper, gd_bits) << 16);
}

/** Return v as it would be kept. */
static inline gd_vector gd_kept(gd_precision p, gd_vector v)
{
  if (p == GD_FP32)
    return v;
  const gd_bits bits = (gd_bits)v, is_nan = (gd_bits)(v != v);
  const gd_bits nearest = bits + 0x7fff + (bits >> 16 & 1);
  const gd_bits quiet = bits | 0x400000;
  return (gd_vector)(((is_nan & quiet) | (~is_nan & nearest)) & 0xffff0000);
}

/** Keep v from number `at` on, and return it as it is kept. */
static inline gd_vector gd_keep(gd_precision p, void *x, ptrdiff_t at,
                                gd_vector v)
{
  const gd_vector kept = gd_kept(p, v);
  if (p == GD_FP32) {
    gd_store(gd_at(p, x, at), kept);
  } else {
    const gd_halves upper =
        __builtin_convertvector((gd_bits)kept >> 16, gd_halves);
    memcpy(gd_at(p, x, at), &upper, sizeof upper);
  }
  return kept;
}

/** Return one number. */
static inline float gd_number(gd_precision p, const void *x, ptrdiff_t at)
{
  float v;
  if (p == GD_FP32) {
    memcpy(&v, gd_at(p, x, at), sizeof v);
  } else {
    uint16_t upper;
    memcpy(&upper, gd_at(p, x, at), sizeof upper);
    const uint32_t bits = (uint32_t)upper << 16;
    memcpy(&v, &bits, sizeof v);
  }
  return v;
}

/** Return a number as it would be kept. */
static inline float gd_kept_number(gd_precision p, float v)
{
  uint16_t kept;
  if (p == GD_FP32)
    return v;
  gd_precision_write(p, &v, 1, &kept);
  return gd_number(p, &kept, 0);
}

/* ------------------------------------------------------------------- strips
 */

/** Return n numbers from `at` on as floats: where they lie, or in the room. */
static inline const float *gd_strip(gd_precision p, const void *x, int64_t at,
                                    int64_t n, float *room)
{
  if (p == GD_FP32)
    return (const float *)x + at;
  gd_precision_read(p, gd_at(p, x, at), n, room);
  return room;
}

/** Return where to write numbers from `at` on as floats. */
static inline float *gd_room(gd_precision p, void *x, int64_t at, float *room)
{
  return p == GD_FP32 ? (float *)x + at : room;
}

/** Return the strip of a scale that begins at channel c0. */
static inline gd_scale gd_scale_strip(const gd_scale *s, int c0)
{
  return (gd_scale){s->mean + c0, s->factor + c0, s->addend + c0};
}

/** Put away n floats that were written to gd_room(). */
static inline void gd_put(gd_precision p, void *x, int64_t at, int64_t n,
                          const float *room)
{
  if (p != GD_FP32)
    gd_precision_write(p, room, n, gd_at(p, x, at));
}

#endif
