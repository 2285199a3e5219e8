#include "gradus/range.h"

#include <assert.h>

gd_range gd_range_of(int64_t n, int rank, int size)
{
  assert(n >= 0 && size > 0 && rank >= 0 && rank < size);

  const int64_t share = n / size, longer = n % size;
  const int64_t first = rank * share + (rank < longer ? rank : longer);
  return (gd_range){first, first + share + (rank < longer ? 1 : 0)};
}
