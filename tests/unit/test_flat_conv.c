#include "gradus/flat_conv.h"

#include <math.h>
#include <stdlib.h>

#include "gradus/conv.h"
#include "test.h"

/* Values of about one, the same for equal seeds. */
static void fill(float *values, int64_t n, uint64_t seed)
{
  for (int64_t i = 0; i < n; i++)
    values[i] =
        (float)(((uint64_t)(i + 1) * 2654435761u + seed * 40503u) % 2001) /
            1000.0f -
        1.0f;
}

static double *widen(const float *values, int64_t n)
{
  double *wide = malloc((size_t)n * sizeof *wide);
  for (int64_t i = 0; i < n; i++)
    wide[i] = values[i];
  return wide;
}

/* Compare a whole image with the definition in double. */
static void compare(int H, int W, int C, int K, int size, int with_slopes)
{
  const int P = H - size + 1, Q = W - size + 1;
  const int64_t n_weights = (int64_t)K * C * size * size;
  float *x = malloc((size_t)(H * W * C) * sizeof *x);
  float *weights = malloc((size_t)n_weights * sizeof *weights);
  float *bias = malloc((size_t)K * sizeof *bias);
  float *slopes = malloc((size_t)K * sizeof *slopes);
  float *y = malloc((size_t)(P * W * K) * sizeof *y);
  double *want = malloc((size_t)(P * Q * K) * sizeof *want);
  fill(x, (int64_t)H * W * C, 1);
  fill(weights, n_weights, 2);
  fill(bias, K, 3);
  fill(slopes, K, 4);
  double *wide_x = widen(x, (int64_t)H * W * C);
  double *wide_weights = widen(weights, n_weights);
  double *wide_bias = widen(bias, K);
  gd_conv_forward_naive(
      (gd_conv_shape){.C = C, .K = K, .R = size, .S = size, .stride = 1},
      (gd_conv_input){.N = 1, .H = H, .W = W}, wide_x, wide_weights, wide_bias,
      want);

  gd_flat_conv f;
  assert_ok(gd_flat_conv_begin(&f, C, K, size, weights, bias,
                               with_slopes ? slopes : NULL));
  gd_flat_conv_run(&f, x, W, (int64_t)(P - 1) * W + Q, y);
  for (int p = 0; p < P; p++)
    for (int q = 0; q < Q; q++)
      for (int k = 0; k < K; k++) {
        double value = want[(p * Q + q) * K + k];
        if (with_slopes && value < 0)
          value *= slopes[k];
        const double found = y[((int64_t)p * W + q) * K + k];
        if (!(fabs(found - value) <= 1e-5 * (1 + fabs(value)) * size * size))
          fail_msg("%dx%d C %d K %d size %d: (%d, %d, %d) is %g, not %g", H, W,
                   C, K, size, p, q, k, found, value);
      }
  gd_flat_conv_end(&f);
  free(x);
  free(weights);
  free(bias);
  free(slopes);
  free(y);
  free(want);
  free(wide_x);
  free(wide_weights);
  free(wide_bias);
}

static void compare_all(void)
{
  static const int cases[][5] = {
      {12, 12, 3, 10, 3},  {37, 53, 3, 10, 3}, {5, 200, 10, 16, 3},
      {30, 41, 16, 32, 3}, {9, 9, 28, 48, 3},  {4, 4, 48, 64, 2},
      {3, 3, 64, 7, 3},    {1, 1, 5, 3, 1},    {1, 77, 576, 128, 1},
      {2, 2, 1, 1, 2},     {64, 3, 2, 17, 3},  {8, 100, 4, 6, 1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    for (int with_slopes = 0; with_slopes < 2; with_slopes++)
      compare(cases[i][0], cases[i][1], cases[i][2], cases[i][3], cases[i][4],
              with_slopes);
}

static void every_position_is_the_definition(void **state)
{
  (void)state;
  compare_all();
}

static void openblas_computes_the_same(void **state)
{
  (void)state;
  assert_int_equal(setenv("GRADUS_GEMM", "openblas", 1), 0);
  compare_all();
  assert_int_equal(unsetenv("GRADUS_GEMM"), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_position_is_the_definition),
    cmocka_unit_test(openblas_computes_the_same),
};

gd_test_main(tests)
