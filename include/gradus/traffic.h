/**
 * Traffic: the cost model of the reduction, as counted numbers.
 *
 * What one rank sends in a step (gradus/reduce.h), from how the block is cut
 * and how many leaves there are.  With one subtree per rank, as when every rank
 * has the same power of two of leaves, a rank that owns w of W bytes sends
 * W - w in sums and (P - 1) w in new values: 2 W (P - 1) / P, as a ring does.
 * docs/scaling.md goes on from here.
 */
#ifndef GRADUS_TRAFFIC_H
#define GRADUS_TRAFFIC_H

#include <stdint.h>

#include "gradus/buckets.h"

typedef struct {
  int64_t messages, bytes;  /**< from this rank to another */
  int64_t collectives;      /**< small ones, of all ranks */
  int64_t collective_bytes; /**< what this rank puts in */
} gd_traffic;

/**
 * Return what a rank sends in a step, without what a step settles by norms.
 * @param[in] n_leaves  of the step, >= 1
 */
gd_traffic gd_traffic_of(const gd_buckets *buckets, int64_t n_leaves, int rank);

#endif
