/* The batch-reduce kernels of LIBXSMM 1.17, compiled for each shape.
 *
 * LIBXSMM thinks in columns: our row-major C = A B is its C' = B' A', so its A
 * is our B, its m our n.  Kernels that take arrays of addresses write into the
 * arrays while they run; those with constant strides do not. */
#ifdef GRADUS_HAVE_LIBXSMM
#include "net/backend.h"

#include <libxsmm.h>

static void run(const gd_gemm *g, const float *a, const float *b, int count,
                float *c)
{
  const libxsmm_smmfunction_reducebatch_strd kernel =
      (libxsmm_smmfunction_reducebatch_strd)g->code;
  const unsigned long long n_pairs = (unsigned long long)count;
  kernel(b, a, c, &n_pairs);
}

static void run_scattered(const gd_gemm *g, const void **a, const void **b,
                          int count, float *c)
{
  const libxsmm_smmfunction_reducebatch_addr kernel =
      (libxsmm_smmfunction_reducebatch_addr)g->code;
  const unsigned long long n_pairs = (unsigned long long)count;
  kernel((const float **)b, (const float **)a, c, &n_pairs);
}

/* Compile, or find what was compiled before; NULL on failure. */
static void (*code_of(const gd_gemm_shape *s))(void)
{
  const float one = 1.0f, beta = s->accumulate ? 1.0f : 0.0f;
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
  out->code = code_of(&shape);
  if (out->code == NULL)
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
