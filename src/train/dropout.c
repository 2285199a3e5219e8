#include "gradus/dropout.h"

#include <assert.h>
#include <stddef.h>

void gd_dropout_draw(double share, gd_random *r, int64_t n, float *factors)
{
  assert(share >= 0 && share < 1 && r != NULL && factors != NULL);
  const float stays = (float)(1 / (1 - share));
  for (int64_t i = 0; i < n; i++)
    factors[i] = gd_random_uniform(r) < share ? 0.0f : stays;
}
