#include "gradus/range.h"

#include <assert.h>

gd_range gd_range_of(int64_t n, int rank, int size)
{
  assert(n >= 0 && size > 0 && rank >= 0 && rank < size);

  const int64_t share = n / size, longer = n % size;
  const int64_t first = rank * share + (rank < longer ? rank : longer);
  return (gd_range){first, first + share + (rank < longer ? 1 : 0)};
}

int gd_range_owner(int64_t n, int64_t i, int size)
{
  assert(i >= 0 && i < n && size > 0);

  const int64_t share = n / size, longer = n % size;
  const int64_t in_longer = longer * (share + 1);
  return (int)(i < in_longer ? i / (share + 1)
                             : longer + (i - in_longer) / share);
}
