/**
 * The one building block: a batch-reduce matrix product on small tiles,
 *
 *     C = sum_i A_i B_i      or      C += sum_i A_i B_i
 *
 * C stays in registers over the sum, or a long part of it.  Convolutions and
 * dense layers are loops around it.  All matrices are row-major with a row
 * stride each, of floats where their shape does not say bf16.
 *
 * Two backends: `libxsmm` compiles a kernel for each shape at run time
 * (x86-64), `openblas` calls a library made for the machine.  The environment
 * variable GRADUS_GEMM chooses one; without it, libxsmm if it was built in.
 * The two round differently, so results name the backend they came from.  By
 * libxsmm a row of C does not depend on the other rows (but, with AVX-512, in
 * up to 16 columns behind a multiple of 64); by openblas the order of its sums
 * follows from where it lies among them.
 *
 * Numbers that are kept in bf16 are multiplied as gd_gemm_takes() says:
 *
 *   bf16   by kernels of ours for AVX-512-BF16, whatever the backend: twice as
 *          many products at a time.  Their matrices have two terms of a sum
 *          side by side: see gd_gemm_shape.
 *   fp32   where the machine has none: those who call bring tiles of A and B
 *          into the cache as floats.  Half the memory for activations; a
 *          training step takes about as long as in fp32.
 *
 * Products of two bf16 numbers are exact in floats, so the ways differ in the
 * order of their sums alone (and the instruction takes denormals for zeros),
 * but where a convolution transforms what tiles bring (gradus/conv.h).
 * GRADUS_BF16=kernels or tiles chooses one; kernels run on every machine, but
 * where it has no instruction for them by its definition, slowly: for tests.
 *
 * Source: Georganas et al., "High-Performance Deep Learning via a Single
 * Building Block", arXiv:1906.06440 (2019), section 2.
 */
#ifndef GRADUS_GEMM_H
#define GRADUS_GEMM_H

#include "gradus/precision.h"
#include "gradus/status.h"

enum { GD_GEMM_TEXT = 96 };

/**
 * Sizes and strides in numbers of `precision`, of C in floats.
 *
 * Of bf16, pairs are scattered, k is even and n a multiple of 16, and the two
 * terms 2p and 2p + 1 of a sum are neighbours: in the rows of A, and in B,
 * which lies in memory as (k / 2, n, 2), with 2 ldb numbers from one p to the
 * next.  A transposed A lies as (k / 2, m, 2), with 2 lda; then B's rows are
 * plain.
 */
typedef struct {
  gd_precision precision; /**< of A and B */
  int m, n, k;            /**< C is (m, n), A_i (m, k), B_i (k, n) */
  int lda, ldb, ldc;      /**< from one row to the next */
  int stride_a, stride_b; /**< from A_i to A_(i+1), B_i to B_(i+1) */
  int transposed_a;       /**< A_i lies in memory as (k, m), with stride lda */
  int accumulate; /**< add to C instead of overwriting it; of bf16, a sum
                     begins at zero and is then added */
  int scattered;  /**< pairs lie anywhere: for gd_gemm_run_scattered() */
} gd_gemm_shape;

/** A kernel for one shape: a plain value, usable by several threads at once. */
typedef struct gd_gemm {
  gd_gemm_shape shape;
  /** The backend's way to run it; NULL: none made. */
  void (*run)(const struct gd_gemm *g, const float *a, const float *b,
              int count, float *c);
  void (*run_scattered)(const struct gd_gemm *g, const void **a, const void **b,
                        int count, float *c);
  /** Where the backend compiles: code for the first pairs of a sum and for the
   * next ones, and how many of them are a call. */
  void (*code[2])(void);
  int at_once;
} gd_gemm;

/**
 * Settle the backend for this process, from GRADUS_GEMM, and GRADUS_BF16. Every
 * gd_*_new() that makes kernels calls it; a program calls it first to fail
 * early.
 * Errors: GD_ERR_USAGE (unknown name, or not built into this program)
 */
GD_NODISCARD gd_status gd_gemm_begin(void);

/** Return the backend's name; static; "none" when GRADUS_GEMM asks for what
 * there is not. */
const char *gd_gemm_backend(void);

/**
 * Tell what multiplies numbers of a precision, and for which processor: such as
 * "libxsmm for hsw", or of bf16 "libxsmm for clx, tiles widened to fp32".  What
 * one program computes is the same, bit for bit, where this is the same.
 */
void gd_gemm_describe(gd_precision kept, char out[GD_GEMM_TEXT]);

/** Return the precision in which kernels want tiles of numbers that are kept in
 * `kept`. */
gd_precision gd_gemm_takes(gd_precision kept);
/** Return how products of bf16 numbers are computed, for people; static. */
const char *gd_gemm_bf16_way(void);

/**
 * Make the kernel of a shape.  Equal shapes share one compiled kernel.
 * @param[in] shape  sizes >= 1, strides at least as long as a row
 * Errors: GD_ERR_USAGE (as gd_gemm_begin()), GD_ERR_NOMEM (cannot compile)
 */
GD_NODISCARD gd_status gd_gemm_make(gd_gemm_shape shape, gd_gemm *out);

/**
 * Compute C from `count` pairs, of fp32.  Nothing is allocated.  By libxsmm
 * an element's sum runs over i, then k, beginning with C where it is added to
 * (but, with AVX-512, is that of several such sums in up to 16 columns behind a
 * multiple of 64).
 * @param[in]     a, b   A_0 and B_0; the others follow at the shape's strides
 * @param[in]     count  number of pairs, >= 1
 * @param[in,out] c      (m, n) with stride ldc; must not overlap A or B
 */
void gd_gemm_run(const gd_gemm *g, const float *a, const float *b, int count,
                 float *c);
/**
 * The same for a kernel of scattered pairs, of either precision.
 * @param[in,out] a, b  `count` addresses each; changed by the call
 */
void gd_gemm_run_scattered(const gd_gemm *g, const void **a, const void **b,
                           int count, float *c);

#endif
