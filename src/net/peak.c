/* Built with -ffp-contract=fast: a product and a sum become one instruction. */
#include "gradus/peak.h"

#include <assert.h>
#include <omp.h>

/* Enough independent sums to hide an instruction's latency, in registers. */
enum { CHAINS = 12, ROUNDS = 20000 };

#ifdef __AVX512F__
enum { LANES = 16 };
#else
enum { LANES = 8 };
#endif
typedef float vector __attribute__((vector_size(LANES * sizeof(float))));

/* The sums converge: they never overflow. */
static float multiply_and_add(float first)
{
  vector v[CHAINS];
  for (int i = 0; i < CHAINS; i++)
    for (int j = 0; j < LANES; j++)
      v[i][j] = first + (float)(i + j);
  vector factor = v[0], addend = v[0];
  for (int j = 0; j < LANES; j++)
    factor[j] = 0.999f, addend[j] = 1e-3f;
  for (int r = 0; r < ROUNDS; r++)
    for (int i = 0; i < CHAINS; i++)
      v[i] = v[i] * factor + addend;
  for (int i = 1; i < CHAINS; i++)
    v[0] += v[i];
  return v[0][0];
}

double gd_peak_flops(double seconds)
{
  assert(seconds > 0);
  double flops = 0;
#pragma omp parallel reduction(+ : flops)
  {
    const double begun_s = omp_get_wtime();
    double took_s = 0;
    long n = 0;
    float sum = 0;
    while (took_s < seconds) {
      sum = multiply_and_add(sum);
      n++;
      took_s = omp_get_wtime() - begun_s;
    }
    assert(sum > 0); /* so that nobody leaves the work out */
    flops += 2.0 * LANES * CHAINS * ROUNDS * (double)n / took_s;
  }
  return flops;
}
