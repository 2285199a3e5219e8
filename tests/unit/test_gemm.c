#include "gradus/gemm.h"
#include "gradus/memory.h"
#include "gradus/precision.h"
#include "gradus/random.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PAIRS = 12 };

static int draw(gd_random *r, int low, int high)
{
  return low + (int)gd_random_below(r, high - low + 1);
}

static gd_gemm_shape random_shape(gd_random *r)
{
  gd_gemm_shape s = {.m = draw(r, 1, 40),
                     .n = draw(r, 1, 70),
                     .k = draw(r, 1, 70),
                     .transposed_a = draw(r, 0, 1),
                     .accumulate = draw(r, 0, 1),
                     .scattered = draw(r, 0, 1)};
  s.lda = (s.transposed_a ? s.m : s.k) + draw(r, 0, 3);
  s.ldb = s.n + draw(r, 0, 3);
  s.ldc = s.n + draw(r, 0, 3);
  /* One behind the other (one long product), or apart. */
  const int apart = draw(r, 0, 1);
  s.stride_a =
      s.transposed_a || apart ? s.k * s.lda + s.m * s.lda * apart : s.k;
  s.stride_b = s.k * s.ldb + apart * 5;
  if (!s.transposed_a && !apart)
    s.lda = MOST_PAIRS * s.k;
  return s;
}

static float *random_floats(gd_random *r, int64_t count)
{
  float *x = gd_alloc(count, sizeof *x);
  assert_non_null(x);
  for (int64_t i = 0; i < count; i++)
    x[i] = (float)gd_random_between(r, -1.0, 1.0);
  return x;
}

/* C = sum_i A_i B_i by its definition, in double. */
static double element(const gd_gemm_shape *s, const float *a, const float *b,
                      int count, int row, int column)
{
  double sum = 0;
  for (int i = 0; i < count; i++)
    for (int k = 0; k < s->k; k++)
      sum += (double)a[i * s->stride_a + (s->transposed_a ? k * s->lda + row
                                                          : row * s->lda + k)] *
             (double)b[i * s->stride_b + k * s->ldb + column];
  return sum;
}

/* The same in floats, in the order that libxsmm promises. */
static float element_in_order(const gd_gemm_shape *s, const float *a,
                              const float *b, int count, int row, int column,
                              float sum)
{
  for (int i = 0; i < count; i++)
    for (int k = 0; k < s->k; k++)
      sum = fmaf(a[i * s->stride_a +
                   (s->transposed_a ? k * s->lda + row : row * s->lda + k)],
                 b[i * s->stride_b + k * s->ldb + column], sum);
  return sum;
}

static void run(const gd_gemm *g, const float *a, const float *b, int count,
                float *c)
{
  const void *at_a[MOST_PAIRS], *at_b[MOST_PAIRS];
  if (!g->shape.scattered) {
    gd_gemm_run(g, a, b, count, c);
    return;
  }
  for (int i = 0; i < count; i++) {
    at_a[i] = a + i * g->shape.stride_a;
    at_b[i] = b + i * g->shape.stride_b;
  }
  gd_gemm_run_scattered(g, at_a, at_b, count, c);
}

static void check_shape(gd_random *r, gd_gemm_shape s, int count)
{
#ifdef __FMA__
  const int in_order = /* for this machine, not for an older one */
      strcmp(gd_gemm_backend(), "libxsmm") == 0 &&
      getenv("LIBXSMM_TARGET") == NULL &&
      (!__builtin_cpu_supports("avx512f") || s.n % 64 == 0 || s.n % 64 > 16);
#else
  const int in_order = 0;
#endif
  float *a = random_floats(r, (int64_t)count * s.stride_a +
                                  (int64_t)(s.m + s.k) * s.lda);
  float *b = random_floats(r, (int64_t)count * s.stride_b + s.k * s.ldb);
  float *c = random_floats(r, (int64_t)s.m * s.ldc);
  float *before = random_floats(r, (int64_t)s.m * s.ldc);
  memcpy(before, c, (size_t)(s.m * s.ldc) * sizeof *c);

  gd_gemm g;
  assert_ok(gd_gemm_make(s, &g));
  run(&g, a, b, count, c);
  for (int i = 0; i < s.m; i++)
    for (int j = 0; j < s.ldc; j++) {
      const float was = before[i * s.ldc + j], is = c[i * s.ldc + j];
      if (j >= s.n) {
        assert_true(is == was); /* nothing beside the matrix is touched */
        continue;
      }
      const double want =
          element(&s, a, b, count, i, j) + (s.accumulate ? (double)was : 0.0);
      assert_true(fabs((double)is - want) < 1e-6 * (20 + s.k * count));
      if (in_order)
        assert_true(is == element_in_order(&s, a, b, count, i, j,
                                           s.accumulate ? was : 0.0f));
    }
  free(before);
  free(c);
  free(b);
  free(a);
}

static void check_backend(const char *name)
{
  setenv("GRADUS_GEMM", name, 1);
  if (gd_gemm_begin() != GD_OK) {
    unsetenv("GRADUS_GEMM");
    gd_test_skip(gd_reason());
  }
  assert_string_equal(gd_gemm_backend(), name);
  char told[GD_GEMM_TEXT], begin[GD_GEMM_TEXT];
  snprintf(begin, sizeof begin, "%s for ", name);
  gd_gemm_describe(GD_FP32, told);
  assert_memory_equal(told, begin, strlen(begin));
  assert_true(told[strlen(begin)] != '\0');
  gd_random r = gd_random_of(1, GD_FOR_TESTS, 0, 0);
  for (int i = 0; i < 60; i++)
    check_shape(&r, random_shape(&r), draw(&r, 1, MOST_PAIRS));
  unsetenv("GRADUS_GEMM");
}

static void libxsmm_product_equals_its_definition(void **state)
{
  (void)state;
  check_backend("libxsmm");
}

static void openblas_product_equals_its_definition(void **state)
{
  (void)state;
  check_backend("openblas");
}

/* A product of bf16 numbers. */
typedef struct {
  gd_gemm_shape s;
  int count;
  int64_t n_a, n_b; /* numbers of all pairs */
  uint16_t *a, *b;
} bf16_product;

static uint16_t *random_bf16(gd_random *r, int64_t count)
{
  float *x = random_floats(r, count);
  uint16_t *kept = gd_alloc(count, sizeof *kept);
  assert_non_null(kept);
  gd_precision_write(GD_BF16, x, count, kept);
  free(x);
  return kept;
}

static double value_of(uint16_t kept)
{
  float v;
  gd_precision_read(GD_BF16, &kept, 1, &v);
  return (double)v;
}

/* The terms 2p and 2p + 1 are neighbours in A's rows, or in A's columns where
 * it is transposed; in B, where it is not. */
static double term(const bf16_product *p, int i, int row, int k, int column)
{
  const gd_gemm_shape *s = &p->s;
  const uint16_t *a = p->a + i * (p->n_a / p->count);
  const uint16_t *b = p->b + i * (p->n_b / p->count);
  const int pair = k / 2, half = k % 2;
  return s->transposed_a ? value_of(a[2 * (pair * s->lda + row) + half]) *
                               value_of(b[k * s->ldb + column])
                         : value_of(a[row * s->lda + k]) *
                               value_of(b[2 * (pair * s->ldb + column) + half]);
}

static void check_bf16(gd_random *r, gd_gemm_shape s, int count)
{
  const int rows_a = s.transposed_a ? s.k : s.m;
  bf16_product p = {.s = s,
                    .count = count,
                    .n_a = (int64_t)count * rows_a * s.lda,
                    .n_b = (int64_t)count * s.k * s.ldb};
  p.a = random_bf16(r, p.n_a);
  p.b = random_bf16(r, p.n_b);
  const void *a[MOST_PAIRS], *b[MOST_PAIRS];
  for (int i = 0; i < count; i++) {
    a[i] = p.a + i * (p.n_a / count);
    b[i] = p.b + i * (p.n_b / count);
  }
  float *c = random_floats(r, (int64_t)s.m * s.ldc);
  float *before = gd_alloc((int64_t)s.m * s.ldc, sizeof *before);
  memcpy(before, c, (size_t)(s.m * s.ldc) * sizeof *c);
  gd_gemm g;
  assert_ok(gd_gemm_make(s, &g));
  gd_gemm_run_scattered(&g, a, b, count, c);
  for (int row = 0; row < s.m; row++)
    for (int column = 0; column < s.ldc; column++) {
      const float was = before[row * s.ldc + column];
      const float is = c[row * s.ldc + column];
      if (column >= s.n) {
        assert_true(is == was); /* nothing beside the matrix is touched */
        continue;
      }
      double want = s.accumulate ? (double)was : 0.0;
      for (int i = 0; i < count; i++)
        for (int k = 0; k < s.k; k++)
          want += term(&p, i, row, k, column);
      if (!(fabs((double)is - want) < 1e-6 * (20 + s.k * count)))
        fail_msg("%d x %d x %d, element (%d, %d) is %g, not %g", s.m, s.n, s.k,
                 row, column, (double)is, want);
    }
  free(before);
  free(c);
  free(p.b);
  free(p.a);
}

/* Rows in all the runs that there are, and in those of slabs: 64 apart. */
static void bf16_product_equals_its_definition(void **state)
{
  (void)state;
  gd_random r = gd_random_of(2, GD_FOR_TESTS, 0, 0);
  for (int i = 0; i < 80; i++) {
    gd_gemm_shape s = {.precision = GD_BF16,
                       .m = draw(&r, 1, 66),
                       .n = 16 * draw(&r, 1, 5),
                       .k = 2 * draw(&r, 1, 32),
                       .transposed_a = i % 2,
                       .accumulate = draw(&r, 0, 1),
                       .scattered = 1};
    s.lda = i % 4 == 0 ? 64 : (s.transposed_a ? s.m : s.k) + draw(&r, 0, 3);
    s.ldb = s.n + draw(&r, 0, 3);
    s.ldc = s.n + draw(&r, 0, 3);
    check_bf16(&r, s, draw(&r, 1, MOST_PAIRS));
  }
}

static void way_of_bf16_is_chosen_by_name(void **state)
{
  (void)state;
  setenv("GRADUS_BF16", "kernels", 1);
  assert_ok(gd_gemm_begin());
  assert_int_equal(gd_gemm_takes(GD_BF16), GD_BF16);
  assert_int_equal(gd_gemm_takes(GD_FP32), GD_FP32);
  assert_memory_equal(gd_gemm_bf16_way(), "bf16 kernels", 12);
  setenv("GRADUS_BF16", "tiles", 1);
  assert_ok(gd_gemm_begin());
  assert_int_equal(gd_gemm_takes(GD_BF16), GD_FP32);
  assert_string_equal(gd_gemm_bf16_way(), "tiles widened to fp32");
  setenv("GRADUS_BF16", "quick", 1);
  assert_fails(gd_gemm_begin(), GD_ERR_USAGE, "GRADUS_BF16=quick");
  unsetenv("GRADUS_BF16");
}

static void unknown_backend_is_refused_by_name(void **state)
{
  (void)state;
  setenv("GRADUS_GEMM", "mkl", 1);
  assert_fails(gd_gemm_begin(), GD_ERR_USAGE, "GRADUS_GEMM=mkl");
  assert_string_equal(gd_gemm_backend(), "none");
  gd_gemm g;
  assert_fails(
      gd_gemm_make(
          (gd_gemm_shape){.m = 1, .n = 1, .k = 1, .lda = 1, .ldb = 1, .ldc = 1},
          &g),
      GD_ERR_USAGE, "openblas");
  unsetenv("GRADUS_GEMM");
  assert_ok(gd_gemm_begin());
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(libxsmm_product_equals_its_definition),
    cmocka_unit_test(openblas_product_equals_its_definition),
    cmocka_unit_test(bf16_product_equals_its_definition),
    cmocka_unit_test(way_of_bf16_is_chosen_by_name),
    cmocka_unit_test(unknown_backend_is_refused_by_name),
};

gd_test_main(tests)
