/* The batch-reduce kernels of LIBXSMM 1.17, compiled for each shape.
 *
 * LIBXSMM thinks in columns: our row-major C = A B is its C' = B' A', so its A
 * is our B, its m our n.  Kernels that take arrays of addresses write into the
 * arrays while they run; those with constant strides do not.
 *
 * A kernel computes what fits the registers of C over the whole sum before the
 * next rows of it.  With the 16 registers of AVX2 these are 3 rows, for which
 * all of B is read again: pairs that do not fit the L1 together come from the
 * L2 each time (measured on Zen 3, 192 terms: 83 of 98 GFLOP/s).  So a long sum
 * is several calls there, which go on from C: the same additions in the same
 * order (95 of 98).  With the 32 of AVX-512 B is read a third as often.
 */
#ifdef GRADUS_HAVE_LIBXSMM
#include "net/backend.h"

#include <libxsmm.h>
#include <limits.h>
#include <stddef.h>

#include "net/whole.h"

enum { L1_BYTES = 32 * 1024 };

static void run(const gd_gemm *g, const float *a, const float *b, int count,
                float *c)
{
  for (int i = 0; i < count; i += g->at_once) {
    const libxsmm_smmfunction_reducebatch_strd kernel =
        (libxsmm_smmfunction_reducebatch_strd)g->code[i > 0];
    const unsigned long long n_pairs =
        (unsigned long long)gd_least(g->at_once, count - i);
    kernel(b + (ptrdiff_t)i * g->shape.stride_b,
           a + (ptrdiff_t)i * g->shape.stride_a, c, &n_pairs);
  }
}

static void run_scattered(const gd_gemm *g, const void **a, const void **b,
                          int count, float *c)
{
  for (int i = 0; i < count; i += g->at_once) {
    const libxsmm_smmfunction_reducebatch_addr kernel =
        (libxsmm_smmfunction_reducebatch_addr)g->code[i > 0];
    const unsigned long long n_pairs =
        (unsigned long long)gd_least(g->at_once, count - i);
    kernel((const float **)b + i, (const float **)a + i, c, &n_pairs);
  }
}

const char *gd_gemm_libxsmm_target(void)
{
  return libxsmm_get_target_arch();
}

/* As many pairs as fit the L1. */
static int at_once(const gd_gemm_shape *s)
{
  if (libxsmm_get_target_archid() >= LIBXSMM_X86_AVX512)
    return INT_MAX;
  const int64_t bytes = (int64_t)s->k * (s->m + s->n) * (int)sizeof(float);
  return bytes < L1_BYTES ? (int)(L1_BYTES / bytes) : 1;
}

/* Compile, or find what was compiled before; NULL on failure. */
static void (*code_of(const gd_gemm_shape *s, int accumulate))(void)
{
  const float one = 1.0f, beta = accumulate ? 1.0f : 0.0f;
  const int flags =
      s->transposed_a ? LIBXSMM_GEMM_FLAG_TRANS_B : LIBXSMM_GEMM_FLAG_NONE;
  const int prefetch = LIBXSMM_GEMM_PREFETCH_NONE;
  if (s->scattered)
    return (void (*)(void))libxsmm_smmdispatch_reducebatch_addr(
        s->n, s->m, s->k, &s->ldb, &s->lda, &s->ldc, &one, &beta, &flags,
        &prefetch);
  return (void (*)(void))libxsmm_smmdispatch_reducebatch_strd(
      s->n, s->m, s->k, s->stride_b * (int)sizeof(float),
      s->stride_a * (int)sizeof(float), &s->ldb, &s->lda, &s->ldc, &one, &beta,
      &flags, &prefetch);
}

gd_status gd_gemm_libxsmm_make(gd_gemm_shape shape, gd_gemm *out)
{
  out->at_once = at_once(&shape);
  out->code[0] = code_of(&shape, shape.accumulate);
  out->code[1] = code_of(&shape, 1);
  if (out->code[0] == NULL || out->code[1] == NULL)
    return gd_fail(GD_ERR_NOMEM,
                   "LIBXSMM cannot compile a %dx%dx%d kernel here; "
                   "GRADUS_GEMM=openblas does without",
                   shape.m, shape.n, shape.k);
  out->run = run;
  out->run_scattered = run_scattered;
  return GD_OK;
}
#else
typedef int gd_gemm_libxsmm_absent; /* ISO C wants one declaration */
#endif
