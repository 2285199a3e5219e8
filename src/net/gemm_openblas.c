/* The batch-reduce product by sgemm calls: one where the pairs lie one behind
 * the other, so that they are one longer product, otherwise one per pair. */
#include "net/backend.h"

#include <cblas.h>
#include <stddef.h>

static int is_one_product(const gd_gemm_shape *s)
{
  const int next_a = s->transposed_a ? s->k * s->lda : s->k;
  return s->stride_a == next_a && s->stride_b == s->k * s->ldb;
}

static void run(const gd_gemm *g, const float *a, const float *b, int count,
                float *c)
{
  const gd_gemm_shape *s = &g->shape;
  const CBLAS_TRANSPOSE transposed =
      s->transposed_a ? CblasTrans : CblasNoTrans;
  const int whole = is_one_product(s);
  const int calls = whole ? 1 : count;
  const int k = whole ? count * s->k : s->k;

  for (int i = 0; i < calls; i++)
    cblas_sgemm(CblasRowMajor, transposed, CblasNoTrans, s->m, s->n, k, 1.0f,
                a + (ptrdiff_t)i * s->stride_a, s->lda,
                b + (ptrdiff_t)i * s->stride_b, s->ldb,
                i > 0 || s->accumulate ? 1.0f : 0.0f, c, s->ldc);
}

static void run_scattered(const gd_gemm *g, const void **a, const void **b,
                          int count, float *c)
{
  const gd_gemm_shape *s = &g->shape;
  for (int i = 0; i < count; i++)
    cblas_sgemm(CblasRowMajor, s->transposed_a ? CblasTrans : CblasNoTrans,
                CblasNoTrans, s->m, s->n, s->k, 1.0f, a[i], s->lda, b[i],
                s->ldb, i > 0 || s->accumulate ? 1.0f : 0.0f, c, s->ldc);
}

const char *gd_gemm_openblas_target(void)
{
  return openblas_get_corename();
}

gd_status gd_gemm_openblas_make(gd_gemm_shape shape, gd_gemm *out)
{
  (void)shape;
  /* The loops around the kernels are already spread over threads; and a sum
   * must not depend on how many there are. */
  openblas_set_num_threads(1);
  out->run = run;
  out->run_scattered = run_scattered;
  return GD_OK;
}
