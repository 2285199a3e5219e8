/** The kernels behind gradus/gemm.h; only gemm.c calls them. */
#ifndef GRADUS_NET_BACKEND_H
#define GRADUS_NET_BACKEND_H

#include "gradus/gemm.h"

/** Make a kernel of the checked shape. Errors: GD_ERR_NOMEM (cannot compile) */
GD_NODISCARD gd_status gd_gemm_libxsmm_make(gd_gemm_shape shape, gd_gemm *out);
GD_NODISCARD gd_status gd_gemm_openblas_make(gd_gemm_shape shape, gd_gemm *out);
/** Return the processor whose instructions are used; static. */
const char *gd_gemm_libxsmm_target(void);
const char *gd_gemm_openblas_target(void);
/** Choose a kernel of bf16. */
void gd_gemm_bf16_make(gd_gemm_shape shape, gd_gemm *out);
/** Say whether the machine that this is compiled for has the instruction. */
int gd_gemm_bf16_is_fast(void);

#endif
