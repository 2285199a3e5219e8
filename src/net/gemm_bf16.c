/* Batch-reduce products of numbers that are kept in bf16, by the instruction
 * for two terms of a sum, acc + a1 b1 + a0 b0, on 16 columns at once
 * (AVX-512-BF16).  Where the machine has none it is computed by its definition:
 * the same kernels, for tests alone.
 *
 * Two terms lie side by side in both matrices: in A along its rows, so B has
 * two rows interleaved, (k / 2, n, 2).  With a transposed A, (k, m) in memory,
 * it is A that is interleaved, (k / 2, m, 2), and B's rows are brought together
 * here: what a tap of a weight gradient sees begins at any row.
 *
 * LIBXSMM's kernels for bf16 want B interleaved in memory, which it cannot be
 * there, and are not to be had with OpenBLAS, nor run by definition in tests.
 */
#include <assert.h>
#include <string.h>

#include "net/backend.h"
#include "net/bf16_terms.h"
#include "net/vector.h"

enum {
  LANES = 16,
  STRIP = 2 * LANES, /* columns of a run: 14 rows of them fill the registers */
  MOST_ROWS = 14,
  USUAL_PITCH = 64 /* of A, for which addresses are constants */
};

typedef uint16_t numbers __attribute__((vector_size(2 * LANES)));
typedef uint16_t strip __attribute__((vector_size(2 * STRIP)));

GD_INLINE gd_pairs spread(const uint16_t *from)
{
  uint32_t pair;
  memcpy(&pair, from, sizeof pair);
  return (gd_pairs){0} + pair;
}

/* Two rows of B, one column behind the other. */
GD_INLINE void load_interleaved(const uint16_t *b, int vectors, gd_pairs to[2])
{
  for (int v = 0; v < vectors; v++)
    memcpy(&to[v], b + v * STRIP, sizeof to[v]);
}

GD_INLINE void interleave(const uint16_t *b, int ldb, int vectors,
                          gd_pairs to[2])
{
  if (vectors == 2) {
    static const strip first = {0,  32, 1,  33, 2,  34, 3,  35, 4,  36, 5,
                                37, 6,  38, 7,  39, 8,  40, 9,  41, 10, 42,
                                11, 43, 12, 44, 13, 45, 14, 46, 15, 47};
    strip upper, lower;
    memcpy(&lower, b, sizeof lower);
    memcpy(&upper, b + ldb, sizeof upper);
    to[0] = (gd_pairs)__builtin_shuffle(lower, upper, first);
    to[1] = (gd_pairs)__builtin_shuffle(lower, upper, first + LANES);
  } else {
    numbers upper, lower;
    memcpy(&lower, b, sizeof lower);
    memcpy(&upper, b + ldb, sizeof upper);
    to[0] = __builtin_convertvector(lower, gd_pairs) |
            __builtin_convertvector(upper, gd_pairs) << 16;
  }
}

/* Some rows of C by one strip, or half of one.
 * row, column: the first ones
 * pitch:       from one row of A to the next, in numbers */
GD_INLINE void run_rows(const gd_gemm_shape *s, const void **a, const void **b,
                        int count, float *c, int row, int column, int rows,
                        int vectors, int transposed, int pitch)
{
  gd_sums sum[MOST_ROWS][2] = {0};
  const int next_a = transposed ? 2 * s->lda : 2, next_b = 2 * s->ldb;
  const int accumulate = s->accumulate, ldc = s->ldc, depth = s->k;
  for (int i = 0; i < count; i++) {
    const uint16_t *from_a = (const uint16_t *)a[i] + row * pitch;
    const uint16_t *from_b =
        (const uint16_t *)b[i] + (transposed ? column : 2 * column);
    for (int k = 0; k < depth; k += 2) {
      gd_pairs terms[2];
      if (transposed)
        interleave(from_b, s->ldb, vectors, terms);
      else
        load_interleaved(from_b, vectors, terms);
#pragma GCC unroll 14
      for (int r = 0; r < rows; r++) {
        const gd_pairs factor = spread(from_a + r * pitch);
        for (int v = 0; v < vectors; v++)
          sum[r][v] = gd_add_terms(sum[r][v], factor, terms[v]);
      }
      from_a += next_a;
      from_b += next_b;
    }
  }
#pragma GCC unroll 14
  for (int r = 0; r < rows; r++)
    for (int v = 0; v < vectors; v++) {
      float *to = c + (row + r) * ldc + column + v * LANES;
      gd_sums before = {0};
      if (accumulate)
        memcpy(&before, to, sizeof before);
      before += sum[r][v];
      memcpy(to, &before, sizeof before);
    }
}

/* All rows of a strip. */
GD_INLINE void run_strip(const gd_gemm_shape *s, const void **a, const void **b,
                         int count, float *c, int column, int vectors,
                         int transposed, int pitch)
{
  int row = 0;
#define RUN(n)                                                                 \
  for (; row + (n) <= s->m; row += (n))                                        \
  run_rows(s, a, b, count, c, row, column, n, vectors, transposed, pitch)
  if (s->m % 14 % 8 == 0 || s->m % 14 % 7 == 0) /* nothing is left of runs */
    RUN(14);
  RUN(8);
  RUN(7);
  RUN(1);
#undef RUN
}

GD_INLINE void run_strips(const gd_gemm *g, const void **a, const void **b,
                          int count, float *c, int transposed, int pitch)
{
  const gd_gemm_shape *s = &g->shape;
  int column = 0;
  for (; column + STRIP <= s->n; column += STRIP)
    run_strip(s, a, b, count, c, column, 2, transposed, pitch);
  if (column < s->n)
    run_strip(s, a, b, count, c, column, 1, transposed, pitch);
}

static void run_usual(const gd_gemm *g, const void **a, const void **b,
                      int count, float *c)
{
  run_strips(g, a, b, count, c, 0, USUAL_PITCH);
}

static void run_any(const gd_gemm *g, const void **a, const void **b, int count,
                    float *c)
{
  run_strips(g, a, b, count, c, 0, g->shape.lda);
}

static void run_transposed(const gd_gemm *g, const void **a, const void **b,
                           int count, float *c)
{
  run_strips(g, a, b, count, c, 1, 2);
}

void gd_gemm_bf16_make(gd_gemm_shape shape, gd_gemm *out)
{
  assert(shape.n % LANES == 0 && shape.k % 2 == 0 && shape.scattered);
  out->run_scattered = shape.transposed_a         ? run_transposed
                       : shape.lda == USUAL_PITCH ? run_usual
                                                  : run_any;
}

int gd_gemm_bf16_is_fast(void)
{
#ifdef __AVX512BF16__
  return 1;
#else
  return 0;
#endif
}
