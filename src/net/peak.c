/* Built with -ffp-contract=fast: a product and a sum become one instruction. */
#include "gradus/peak.h"

#include <assert.h>
#include <omp.h>
#include <stdlib.h>

#include "gradus/gemm.h"
#include "gradus/memory.h"
#include "net/bf16_terms.h"

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

#ifdef __AVX512BF16__
/* The sums grow up to where a float adds no more to them. */
static float multiply_and_add_bf16(float first)
{
  enum { ONE = 0x3f80, HALF = 0x3f00 }; /* in bf16 */
  gd_sums v[CHAINS];
  for (int i = 0; i < CHAINS; i++)
    v[i] = (gd_sums){0} + first;
  const gd_pairs one = (gd_pairs){0} + (ONE << 16 | ONE);
  const gd_pairs half = (gd_pairs){0} + (HALF << 16 | HALF);
  for (int r = 0; r < ROUNDS; r++)
    for (int i = 0; i < CHAINS; i++)
      v[i] = gd_add_terms(v[i], one, half);
  for (int i = 1; i < CHAINS; i++)
    v[0] += v[i];
  return v[0][0] * 1e-9f;
}
#endif

/* A way to keep the processor busy, and its multiplications and additions. */
typedef struct {
  float (*run)(float first);
  double flop;
} load;

static load load_of(gd_precision precision)
{
#ifdef __AVX512BF16__
  if (gd_gemm_takes(precision) == GD_BF16)
    return (load){multiply_and_add_bf16, 2.0 * 32 * CHAINS * ROUNDS};
#endif
  (void)precision;
  return (load){multiply_and_add, 2.0 * LANES * CHAINS * ROUNDS};
}

double gd_peak_flops(gd_precision precision, double seconds)
{
  assert(seconds > 0);
  const load l = load_of(precision);
  double flops = 0;
#pragma omp parallel reduction(+ : flops)
  {
    const double begun_s = omp_get_wtime();
    double took_s = 0;
    long n = 0;
    float sum = 0;
    while (took_s < seconds) {
      sum = l.run(sum);
      n++;
      took_s = omp_get_wtime() - begun_s;
    }
    assert(sum > 0); /* so that nobody leaves the work out */
    flops += l.flop * (double)n / took_s;
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
