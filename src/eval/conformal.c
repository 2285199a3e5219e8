#include "gradus/conformal.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "gradus/average.h"
#include "gradus/memory.h"

gd_status gd_conformal_half_width(int64_t n, const double *truth,
                                  const double *predicted, double level,
                                  double *out)
{
  assert(n >= 0 && level > 0 && level < 1 && out != NULL);

  /* 10 of 9 videos at 0.9 are 9 of them, also where 0.9 times 10 is rounded
   * up. */
  const int64_t k = (int64_t)ceil((double)(n + 1) * level - 1e-9);
  *out = INFINITY;
  if (k > n)
    return GD_OK;
  double *distance = gd_alloc(n, sizeof *distance);
  if (distance == NULL)
    return GD_ERR_NOMEM;
  for (int64_t i = 0; i < n; i++)
    distance[i] = fabs(truth[i] - predicted[i]);
  qsort(distance, (size_t)n, sizeof *distance, gd_average_order);
  *out = distance[k - 1];
  free(distance);
  return GD_OK;
}
