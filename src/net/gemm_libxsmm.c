/* The batch-reduce kernels of LIBXSMM 1.17, compiled for each shape.
 *
 * LIBXSMM thinks in columns: our row-major C = A B is its C' = B' A', so its A
 * is our B, its m our n.  The kernels with constant strides are used: those
 * that take arrays of addresses write into the arrays while they run. */
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

gd_status gd_gemm_libxsmm_make(gd_gemm_shape shape, gd_gemm *out)
{
  const float one = 1.0f, beta = shape.accumulate ? 1.0f : 0.0f;
  const int flags =
      shape.transposed_a ? LIBXSMM_GEMM_FLAG_TRANS_B : LIBXSMM_GEMM_FLAG_NONE;
  const int prefetch = LIBXSMM_GEMM_PREFETCH_NONE;
  const libxsmm_smmfunction_reducebatch_strd kernel =
      libxsmm_smmdispatch_reducebatch_strd(
          shape.n, shape.m, shape.k, shape.stride_b * (int)sizeof(float),
          shape.stride_a * (int)sizeof(float), &shape.ldb, &shape.lda,
          &shape.ldc, &one, &beta, &flags, &prefetch);
  if (kernel == NULL)
    return gd_fail(GD_ERR_NOMEM,
                   "LIBXSMM cannot compile a %dx%dx%d kernel here; "
                   "GRADUS_GEMM=openblas does without",
                   shape.m, shape.n, shape.k);
  out->run = run;
  out->code = (void (*)(void))kernel;
  return GD_OK;
}
#else
typedef int gd_gemm_libxsmm_absent; /* ISO C wants one declaration */
#endif
