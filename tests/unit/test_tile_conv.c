#include "gradus/tile_conv.h"

#include <math.h>
#include <omp.h>
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

/* Compare a whole image, `spare` pixels between its rows, with the definition
 * in double. */
static void compare(int H, int W, int spare, int C, int K, int with_slopes)
{
  const int P = H - 2, Q = W - 2, pitch = W + spare;
  const int64_t n_x = (int64_t)(H * pitch + 1) * C + GD_TILE_VECTOR;
  const int64_t n_weights = (int64_t)K * C * 9;
  float *x = malloc((size_t)n_x * sizeof *x);
  double *wide_x = malloc((size_t)(H * W * C) * sizeof *wide_x);
  float *weights = malloc((size_t)n_weights * sizeof *weights);
  float *bias = malloc((size_t)K * sizeof *bias);
  float *slopes = malloc((size_t)K * sizeof *slopes);
  float *y = malloc((size_t)(P * pitch * K) * sizeof *y);
  double *want = malloc((size_t)(P * Q * K) * sizeof *want);
  fill(x, n_x, 1);
  fill(weights, n_weights, 2);
  fill(bias, K, 3);
  fill(slopes, K, 4);
  for (int r = 0; r < H; r++)
    for (int i = 0; i < W * C; i++)
      wide_x[r * W * C + i] = x[r * pitch * C + i];
  double *wide_weights = widen(weights, n_weights);
  double *wide_bias = widen(bias, K);
  gd_conv_forward_naive(
      (gd_conv_shape){.C = C, .K = K, .R = 3, .S = 3, .stride = 1},
      (gd_conv_input){.N = 1, .H = H, .W = W}, wide_x, wide_weights, wide_bias,
      want);

  gd_tile_conv f;
  assert_ok(
      gd_tile_conv_begin(&f, C, K, weights, bias, with_slopes ? slopes : NULL));
  float *scratch = malloc((size_t)gd_tile_conv_scratch(&f) * sizeof *scratch);
  gd_tile_conv_run(&f, H, W, pitch, x, scratch, y);
  for (int p = 0; p < P; p++)
    for (int q = 0; q < Q; q++)
      for (int k = 0; k < K; k++) {
        double value = want[(p * Q + q) * K + k];
        if (with_slopes && value < 0)
          value *= slopes[k];
        const double found = y[((int64_t)p * pitch + q) * K + k];
        if (fabs(found - value) > 1e-5 * (1 + fabs(value)))
          fail_msg("%dx%d C %d K %d: (%d, %d, %d) is %g, not %g", H, W, C, K, p,
                   q, k, found, value);
      }
  gd_tile_conv_end(&f);
  free(scratch);
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
      {3, 3, 0, 16, 16},   {4, 4, 0, 1, 16},    {9, 8, 0, 10, 32},
      {10, 61, 2, 16, 32}, {11, 11, 0, 28, 48}, {40, 41, 1, 32, 64},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    for (int with_slopes = 0; with_slopes < 2; with_slopes++)
      compare(cases[i][0], cases[i][1], cases[i][2], cases[i][3], cases[i][4],
              with_slopes);
}

static void every_pixel_is_the_definition(void **state)
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

static void results_do_not_depend_on_threads(void **state)
{
  (void)state;
  enum { SIDE = 64, C = 16, K = 16, N_X = (SIDE * SIDE + 1) * C + 16 };
  const size_t n_y = SIDE * SIDE * K;
  float *x = malloc(N_X * sizeof *x), weights[C * K * 9], bias[K];
  float *one = calloc(n_y, sizeof *one), *two = calloc(n_y, sizeof *two);
  gd_tile_conv f;
  const int threads = omp_get_max_threads();
  fill(x, N_X, 1);
  fill(weights, C * K * 9, 2);
  fill(bias, K, 3);
  assert_ok(gd_tile_conv_begin(&f, C, K, weights, bias, NULL));
  for (int n = 1; n <= 2; n++) {
    omp_set_num_threads(n);
    float *scratch = malloc((size_t)gd_tile_conv_scratch(&f) * sizeof *scratch);
    gd_tile_conv_run(&f, SIDE, SIDE, SIDE, x, scratch, n == 1 ? one : two);
    free(scratch);
  }
  omp_set_num_threads(threads);
  assert_memory_equal(one, two, n_y * sizeof *one);
  gd_tile_conv_end(&f);
  free(x);
  free(one);
  free(two);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_pixel_is_the_definition),
    cmocka_unit_test(openblas_computes_the_same),
    cmocka_unit_test(results_do_not_depend_on_threads),
};

gd_test_main(tests)
