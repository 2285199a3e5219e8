#include "gradus/gemm.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/backend.h"

typedef struct {
  const char *name;
  const char *(*target)(void);
  gd_status (*make)(gd_gemm_shape shape, gd_gemm *out);
} backend;

/* In the order of preference. */
static const backend backends[] = {
#ifdef GRADUS_HAVE_LIBXSMM
    {"libxsmm", gd_gemm_libxsmm_target, gd_gemm_libxsmm_make},
#endif
    {"openblas", gd_gemm_openblas_target, gd_gemm_openblas_make},
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

/* The way of bf16 that is asked for; without one, the faster. */
static gd_status choose_bf16(gd_precision *tiles)
{
  const char *name = getenv("GRADUS_BF16");
  *tiles = gd_gemm_bf16_is_fast() ? GD_BF16 : GD_FP32;
  if (name == NULL || name[0] == '\0')
    return GD_OK;
  if (strcmp(name, "kernels") != 0 && strcmp(name, "tiles") != 0)
    return gd_fail(GD_ERR_USAGE,
                   "GRADUS_BF16=%s: no such way; there are kernels and tiles",
                   name);
  *tiles = name[0] == 'k' ? GD_BF16 : GD_FP32;
  return GD_OK;
}

gd_status gd_gemm_begin(void)
{
  const backend *chosen;
  gd_precision tiles;
  gd_status st = choose(&chosen);
  return st == GD_OK ? choose_bf16(&tiles) : st;
}

const char *gd_gemm_backend(void)
{
  const backend *chosen;
  return choose(&chosen) == GD_OK ? chosen->name : "none";
}

gd_precision gd_gemm_takes(gd_precision kept)
{
  gd_precision tiles = GD_FP32;
  return kept == GD_BF16 && choose_bf16(&tiles) == GD_OK ? tiles : GD_FP32;
}

const char *gd_gemm_bf16_way(void)
{
  return gd_gemm_takes(GD_BF16) == GD_FP32 ? "tiles widened to fp32"
         : gd_gemm_bf16_is_fast()          ? "bf16 kernels"
                                           : "bf16 kernels, slowly";
}

void gd_gemm_describe(gd_precision kept, char out[GD_GEMM_TEXT])
{
  const backend *chosen;
  if (choose(&chosen) != GD_OK)
    snprintf(out, GD_GEMM_TEXT, "none");
  else
    snprintf(out, GD_GEMM_TEXT, "%s for %s%s%s", chosen->name, chosen->target(),
             kept == GD_BF16 ? ", " : "",
             kept == GD_BF16 ? gd_gemm_bf16_way() : "");
}

gd_status gd_gemm_make(gd_gemm_shape shape, gd_gemm *out)
{
  assert(out != NULL);
  assert(shape.m >= 1 && shape.n >= 1 && shape.k >= 1);
  assert(shape.lda >= (shape.transposed_a ? shape.m : shape.k));
  assert(shape.ldb >= shape.n && shape.ldc >= shape.n);
  assert(shape.stride_a >= 0 && shape.stride_b >= 0);

  *out = (gd_gemm){.shape = shape};
  if (shape.precision == GD_BF16) {
    gd_gemm_bf16_make(shape, out);
    return GD_OK;
  }
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

void gd_gemm_run_scattered(const gd_gemm *g, const void **a, const void **b,
                           int count, float *c)
{
  assert(g->run_scattered != NULL && g->shape.scattered && count >= 1);
  g->run_scattered(g, a, b, count, c);
}
