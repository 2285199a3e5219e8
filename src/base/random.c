#include "gradus/random.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

uint64_t gd_random_mix(uint64_t x)
{
  uint64_t z = x + UINT64_C(0x9E3779B97F4A7C15);
  z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
  return z ^ (z >> 31);
}

gd_random gd_random_of(uint64_t seed, gd_random_purpose purpose, int64_t epoch,
                       int64_t sample)
{
  uint64_t start = gd_random_mix(seed);
  start = gd_random_mix(start ^ (uint64_t)purpose);
  start = gd_random_mix(start ^ (uint64_t)epoch);
  start = gd_random_mix(start ^ (uint64_t)sample);
  return (gd_random){.start = start, .next = 0};
}

uint64_t gd_random_bits(gd_random *r)
{
  assert(r != NULL);
  return gd_random_mix(r->start + UINT64_C(0x9E3779B97F4A7C15) * r->next++);
}

double gd_random_uniform(gd_random *r)
{
  return (double)(gd_random_bits(r) >> 11) * 0x1p-53;
}

double gd_random_between(gd_random *r, double low, double high)
{
  return low + (high - low) * gd_random_uniform(r);
}

int64_t gd_random_below(gd_random *r, int64_t n)
{
  assert(n > 0);
  const unsigned __int128 wide =
      (unsigned __int128)gd_random_bits(r) * (uint64_t)n;
  return (int64_t)(wide >> 64);
}

double gd_random_normal(gd_random *r)
{
  const double two_pi = 6.283185307179586;
  const double radius = sqrt(-2.0 * log(1.0 - gd_random_uniform(r)));
  return radius * cos(two_pi * gd_random_uniform(r));
}

void gd_random_order(gd_random *r, int64_t n, int64_t *order)
{
  assert(n == 0 || order != NULL);
  for (int64_t i = 0; i < n; i++)
    order[i] = i;
  for (int64_t i = n - 1; i > 0; i--) {
    const int64_t j = gd_random_below(r, i + 1);
    const int64_t swap = order[i];
    order[i] = order[j];
    order[j] = swap;
  }
}
