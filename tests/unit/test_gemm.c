#include "gradus/gemm.h"
#include "gradus/memory.h"
#include "gradus/random.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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
                     .accumulate = draw(r, 0, 1)};
  s.lda = (s.transposed_a ? s.m : s.k) + draw(r, 0, 3);
  s.ldb = s.n + draw(r, 0, 3);
  s.ldc = s.n + draw(r, 0, 3);
  /* One behind the other (one long product), or apart. */
  const int apart = draw(r, 0, 1);
  s.stride_a =
      s.transposed_a || apart ? s.k * s.lda + s.m * s.lda * apart : s.k;
  s.stride_b = s.k * s.ldb + apart * 5;
  if (!s.transposed_a && !apart)
    s.lda = 5 * s.k;
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

static void check_shape(gd_random *r, gd_gemm_shape s, int count)
{
  float *a = random_floats(r, (int64_t)count * s.stride_a +
                                  (int64_t)(s.m + s.k) * s.lda);
  float *b = random_floats(r, (int64_t)count * s.stride_b + s.k * s.ldb);
  float *c = random_floats(r, (int64_t)s.m * s.ldc);
  float *before = random_floats(r, (int64_t)s.m * s.ldc);
  memcpy(before, c, (size_t)(s.m * s.ldc) * sizeof *c);

  gd_gemm g;
  assert_ok(gd_gemm_make(s, &g));
  gd_gemm_run(&g, a, b, count, c);
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
  gd_random r = gd_random_of(1, GD_FOR_TESTS, 0, 0);
  for (int i = 0; i < 60; i++)
    check_shape(&r, random_shape(&r), draw(&r, 1, 5));
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
    cmocka_unit_test(unknown_backend_is_refused_by_name),
};

gd_test_main(tests)
