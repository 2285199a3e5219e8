/* Built with -ffp-contract=fast: a product and a sum become one instruction. */
#include "gradus/peak.h"

#include <assert.h>
#include <omp.h>
#include <stdlib.h>

#include "gradus/memory.h"

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

/* 64 MiB each: more than the caches of a node's socket by far. */
enum { TRIAD_COUNT = 1 << 24 };

double gd_peak_bandwidth(double seconds)
{
  assert(seconds > 0);
  float *a = gd_alloc(TRIAD_COUNT, sizeof *a);
  float *b = gd_alloc(TRIAD_COUNT, sizeof *b);
  float *c = gd_alloc(TRIAD_COUNT, sizeof *c);
  double best_s = 0, took_s = 0;
  if (a != NULL && b != NULL && c != NULL) {
    /* Each page first by the thread that streams it. */
#pragma omp parallel for schedule(static)
    for (int i = 0; i < TRIAD_COUNT; i++)
      a[i] = 0, b[i] = (float)i, c[i] = 1;
    const double begun_s = omp_get_wtime();
    for (int round = 0; round < 2 || took_s < seconds; round++) {
      const double round_s = omp_get_wtime();
#pragma omp parallel for schedule(static)
      for (int i = 0; i < TRIAD_COUNT; i++)
        a[i] = b[i] + 0.5F * c[i];
      const double now_s = omp_get_wtime();
      if (best_s == 0 || now_s - round_s < best_s)
        best_s = now_s - round_s;
      took_s = now_s - begun_s;
    }
    assert(a[1] == 1.5F); /* so that nobody leaves the work out */
  }
  free(a);
  free(b);
  free(c);
  return best_s > 0 ? 3.0 * sizeof *a * TRIAD_COUNT / best_s : 0;
}
