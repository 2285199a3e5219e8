/**
 * Contiguous shares: which of n items belong to part `rank` of `size`.
 *
 * Pure arithmetic; the same for every caller.
 */
#ifndef GRADUS_RANGE_H
#define GRADUS_RANGE_H

#include <stdint.h>

typedef struct {
  int64_t first; /**< first item of the share */
  int64_t end;   /**< one past its last item */
} gd_range;

/**
 * Return the share of `rank` when n items are dealt to `size` parts in order.
 * The first n mod size parts get one item more.
 * @param[in] n     number of items, >= 0
 * @param[in] rank  0 <= rank < size
 * Ranks: a part without items gets first == end
 */
gd_range gd_range_of(int64_t n, int rank, int size);

#endif
