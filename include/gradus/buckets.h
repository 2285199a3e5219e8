/**
 * Buckets: how a block of floats is cut for its exchange between ranks, and
 * which rank owns what.  Pure arithmetic.
 *
 *   block     | 0 | 1  |   2   |      3       |      4       |      5        |
 *   bucket 4                   | rank 0 | rank 1 | rank 2 |
 *
 * A backward pass makes the gradient from the block's end to its beginning, so
 * buckets travel in that order, the last one first.  All ranks own a part of
 * every bucket: if a rank owned one run of the whole block, all would send to
 * that rank alone while its run is what has just been made.  The first buckets
 * are small, as little is left to hide them behind.
 *
 * What a rank owns lies packed in its own memory, part behind part: an
 * optimiser's state.
 */
#ifndef GRADUS_BUCKETS_H
#define GRADUS_BUCKETS_H

#include <stddef.h>
#include <stdint.h>

#include "gradus/range.h"

enum {
  GD_BUCKETS_MOST = 64,
  GD_BUCKETS_ALIGN = 1024 /**< buckets and parts begin at multiples of it */
};

typedef struct {
  int n;
  int size;                           /**< ranks */
  int64_t first[GD_BUCKETS_MOST + 1]; /**< of each bucket, and the end */
} gd_buckets;                         /**< a plain value */

/**
 * Cut a block.
 * @param[in] count         floats, >= 1
 * @param[in] bucket_bytes  of a usual bucket; more where there would be more
 *                          than GD_BUCKETS_MOST buckets, or a rank's part would
 *                          be shorter than a message is worth (16 KiB)
 * @param[in] size          ranks
 */
gd_buckets gd_buckets_cut(int64_t count, size_t bucket_bytes, int size);
/** Return bucket i of the block. */
gd_range gd_buckets_at(const gd_buckets *b, int i);
/** Return what a rank owns of bucket i; may be empty. */
gd_range gd_buckets_part(const gd_buckets *b, int i, int rank);
/** Return what of it lies in block[0 .. count). */
gd_range gd_buckets_within(const gd_buckets *b, int i, int rank, int64_t count);
/** Return how many floats a rank owns of block[0 .. count). */
int64_t gd_buckets_owned(const gd_buckets *b, int rank, int64_t count);
/** Return where element `at` of the block, which the rank owns, lies in its
 * memory. */
int64_t gd_buckets_place(const gd_buckets *b, int rank, int64_t at);
/**
 * Copy what a rank owns of block[0 .. count) to its memory, or back.
 * @param packed  (gd_buckets_owned()) floats
 */
void gd_buckets_pack(const gd_buckets *b, int rank, int64_t count,
                     const float *block, float *packed);
void gd_buckets_unpack(const gd_buckets *b, int rank, int64_t count,
                       const float *packed, float *block);

#endif
