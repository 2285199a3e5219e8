#include "gradus/gemm.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "net/backend.h"

typedef struct {
  const char *name;
  gd_status (*make)(gd_gemm_shape shape, gd_gemm *out);
} backend;

/* In the order of preference. */
static const backend backends[] = {
#ifdef GRADUS_HAVE_LIBXSMM
    {"libxsmm", gd_gemm_libxsmm_make},
#endif
    {"openblas", gd_gemm_openblas_make},
};

/* Read each time, so that one test program may try both; it is only asked when
 * layers are made. */
static gd_status choose(const backend **out)
{
  const char *name = getenv("GRADUS_GEMM");
  *out = NULL;
  if (name == NULL || name[0] == '\0') {
    *out = &backends[0];
    return GD_OK;
  }
  for (size_t i = 0; i < sizeof backends / sizeof *backends; i++)
    if (strcmp(name, backends[i].name) == 0) {
      *out = &backends[i];
      return GD_OK;
    }
  if (strcmp(name, "libxsmm") == 0)
    return gd_fail(GD_ERR_USAGE,
                   "GRADUS_GEMM=libxsmm: this program was built without "
                   "LIBXSMM; unset it, or rebuild with GRADUS_LIBXSMM=ON");
  return gd_fail(GD_ERR_USAGE,
                 "GRADUS_GEMM=%s: no such backend; there are libxsmm and "
                 "openblas",
                 name);
}

gd_status gd_gemm_begin(void)
{
  const backend *chosen;
  return choose(&chosen);
}

const char *gd_gemm_backend(void)
{
  const backend *chosen;
  return choose(&chosen) == GD_OK ? chosen->name : "none";
}

gd_precision gd_gemm_takes(gd_precision kept)
{
  (void)kept; /* no backend has kernels for another */
  return GD_FP32;
}

const char *gd_gemm_bf16_way(void)
{
  return gd_gemm_takes(GD_BF16) == GD_BF16 ? "bf16 kernels"
                                           : "tiles widened to fp32";
}

gd_status gd_gemm_make(gd_gemm_shape shape, gd_gemm *out)
{
  assert(out != NULL);
  assert(shape.m >= 1 && shape.n >= 1 && shape.k >= 1);
  assert(shape.lda >= (shape.transposed_a ? shape.m : shape.k));
  assert(shape.ldb >= shape.n && shape.ldc >= shape.n);
  assert(shape.stride_a >= 0 && shape.stride_b >= 0);

  *out = (gd_gemm){.shape = shape};
  const backend *chosen;
  gd_status st = choose(&chosen);
  return st == GD_OK ? chosen->make(shape, out) : st;
}

void gd_gemm_run(const gd_gemm *g, const float *a, const float *b, int count,
                 float *c)
{
  assert(g->run != NULL && !g->shape.scattered && count >= 1);
  g->run(g, a, b, count, c);
}

void gd_gemm_run_scattered(const gd_gemm *g, const float **a, const float **b,
                           int count, float *c)
{
  assert(g->run_scattered != NULL && g->shape.scattered && count >= 1);
  g->run_scattered(g, a, b, count, c);
}
