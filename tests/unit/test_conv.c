#include "gradus/conv.h"
#include "gradus/gemm.h"
#include "gradus/memory.h"
#include "gradus/random.h"
#include "test.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One convolution with its data, in float and in double. */
typedef struct {
  gd_conv_shape f;
  gd_conv_input in;
  int64_t n_x, n_w, n_y;
  float *x, *w, *b, *dy, *y, *dx, *dw;
  double *x2, *w2, *b2, *dy2, *y2, *dx2, *dw2;
} example;

static float *floats(gd_random *r, int64_t count)
{
  float *x = gd_alloc(count, sizeof *x);
  assert_non_null(x);
  for (int64_t i = 0; i < count; i++)
    x[i] = (float)gd_random_between(r, -1.0, 1.0);
  return x;
}

static double *doubles(const float *x, int64_t count)
{
  double *y = gd_alloc(count, sizeof *y);
  assert_non_null(y);
  for (int64_t i = 0; i < count; i++)
    y[i] = (double)x[i];
  return y;
}

static example example_of(gd_random *r, gd_conv_shape f, gd_conv_input in)
{
  example e = {.f = f, .in = in};
  e.n_x = (int64_t)in.N * in.H * in.W * f.C;
  e.n_w = (int64_t)f.K * f.C * f.R * f.S;
  e.n_y = (int64_t)in.N * gd_conv_out_H(f, in.H) * gd_conv_out_W(f, in.W) * f.K;
  e.x = floats(r, e.n_x), e.w = floats(r, e.n_w), e.b = floats(r, f.K);
  e.dy = floats(r, e.n_y), e.y = floats(r, e.n_y), e.dx = floats(r, e.n_x);
  e.dw = floats(r, e.n_w);
  e.x2 = doubles(e.x, e.n_x), e.w2 = doubles(e.w, e.n_w);
  e.b2 = doubles(e.b, f.K), e.dy2 = doubles(e.dy, e.n_y);
  e.y2 = doubles(e.y, e.n_y), e.dx2 = doubles(e.dx, e.n_x);
  e.dw2 = doubles(e.dw, e.n_w);
  return e;
}

static void example_free(example *e)
{
  float *singles[] = {e->x, e->w, e->b, e->dy, e->y, e->dx, e->dw};
  double *others[] = {e->x2, e->w2, e->b2, e->dy2, e->y2, e->dx2, e->dw2};
  for (int i = 0; i < 7; i++) {
    free(singles[i]);
    free(others[i]);
  }
}

static void assert_close(const char *what, const example *e, const float *is,
                         const double *want, int64_t count, double terms)
{
  for (int64_t i = 0; i < count; i++)
    if (!(fabs((double)is[i] - want[i]) < 4e-7 * (4 + terms)))
      fail_msg("%s of C %d K %d %dx%d/%d pad %d, %dx%dx%d: element %lld is %g, "
               "not %g",
               what, e->f.C, e->f.K, e->f.R, e->f.S, e->f.stride, e->f.pad,
               e->in.N, e->in.H, e->in.W, (long long)i, (double)is[i], want[i]);
}

static void run(const example *e, int with_bias)
{
  gd_workspace *ws;
  gd_conv *conv;
  assert_ok(gd_workspace_new(&ws));
  assert_ok(gd_conv_new(e->f, 1, &conv));
  gd_conv_pack(conv, e->w, with_bias ? e->b : NULL);
  gd_conv_forward(conv, ws, e->in, e->x, e->y);
  gd_conv_backward_data(conv, ws, e->in, e->dy, e->dx);
  gd_conv_backward_weights(conv, ws, e->in, e->x, e->dy, e->dw);
  gd_conv_free(conv);
  gd_workspace_free(ws);
}

static void check(gd_random *r, gd_conv_shape f, gd_conv_input in)
{
  const int with_bias = (int)gd_random_below(r, 2);
  example e = example_of(r, f, in);
  run(&e, with_bias);
  gd_conv_forward_naive(f, in, e.x2, e.w2, with_bias ? e.b2 : NULL, e.y2);
  gd_conv_backward_data_naive(f, in, e.dy2, e.w2, e.dx2);
  gd_conv_backward_weights_naive(f, in, e.x2, e.dy2, e.dw2);
  assert_close("forward", &e, e.y, e.y2, e.n_y, f.C * f.R * f.S);
  assert_close("backward data", &e, e.dx, e.dx2, e.n_x, f.K * f.R * f.S);
  assert_close("backward weights", &e, e.dw, e.dw2, e.n_w,
               (double)(e.n_y / f.K));
  example_free(&e);
}

static int draw(gd_random *r, int low, int high)
{
  return low + (int)gd_random_below(r, high - low + 1);
}

static void check_random_shapes(void)
{
  gd_random r = gd_random_of(3, GD_FOR_TESTS, 0, 0);
  for (int i = 0; i < 60; i++) {
    gd_conv_shape f = {.C = draw(&r, 1, 40),
                       .K = draw(&r, 1, 90),
                       .R = draw(&r, 1, 4),
                       .S = draw(&r, 1, 4),
                       .stride = draw(&r, 1, 3)};
    f.pad = draw(&r, 0, (f.R < f.S ? f.R : f.S) - 1);
    f.pad_behind = i % 3 > 0 ? 0 : (f.R < f.S ? f.R : f.S) - 1 - f.pad;
    check(
        &r, f,
        (gd_conv_input){draw(&r, 1, 3), draw(&r, f.R, 13), draw(&r, f.S, 13)});
  }
}

/* TensorFlow's `same`: as many output pixels as steps fit into the image, and
 * what the padding has too much of comes behind. */
static void padding_behind_the_image_makes_room_for_one_more(void **state)
{
  (void)state;
  gd_conv_shape f = {.C = 1, .K = 1, .R = 7, .S = 7, .stride = 2, .pad = 2};
  assert_int_equal(gd_conv_out_H(f, 224), 111);
  f.pad_behind = 1;
  assert_int_equal(gd_conv_out_H(f, 224), 112);
  assert_int_equal(gd_conv_out_W(f, 64), 32);
  assert_int_equal(gd_conv_out_W(f, 2), 1);
}

/* The shapes that the networks are made of, small ends of them. */
static void check_network_shapes(void)
{
  gd_random r = gd_random_of(4, GD_FOR_TESTS, 0, 0);
  check(&r, (gd_conv_shape){3, 64, 7, 7, 2, 3, 0}, (gd_conv_input){1, 21, 16});
  check(&r, (gd_conv_shape){3, 64, 7, 7, 2, 2, 1}, (gd_conv_input){1, 22, 15});
  check(&r, (gd_conv_shape){64, 64, 3, 3, 1, 1, 0}, (gd_conv_input){3, 7, 7});
  check(&r, (gd_conv_shape){128, 64, 3, 3, 2, 1, 0}, (gd_conv_input){1, 8, 7});
  check(&r, (gd_conv_shape){640, 64, 1, 1, 1, 0, 0}, (gd_conv_input){5, 2, 2});
  check(&r, (gd_conv_shape){64, 640, 1, 1, 1, 0, 0}, (gd_conv_input){2, 9, 9});
  check(&r, (gd_conv_shape){64, 128, 1, 1, 2, 0, 0}, (gd_conv_input){2, 9, 8});
  check(&r, (gd_conv_shape){3, 10, 3, 3, 1, 0, 0}, (gd_conv_input){1, 30, 17});
  check(&r, (gd_conv_shape){28, 48, 2, 2, 1, 0, 0}, (gd_conv_input){7, 4, 4});
  check(&r, (gd_conv_shape){1100, 2, 1, 1, 1, 0, 0}, (gd_conv_input){3, 1, 1});
  check(&r, (gd_conv_shape){20, 1030, 3, 3, 2, 1, 0}, (gd_conv_input){1, 5, 6});
}

static void conv_by_libxsmm_equals_its_definition(void **state)
{
  (void)state;
  setenv("GRADUS_GEMM", "libxsmm", 1);
  if (gd_gemm_begin() != GD_OK) {
    unsetenv("GRADUS_GEMM");
    gd_test_skip(gd_reason());
  }
  check_random_shapes();
  check_network_shapes();
  unsetenv("GRADUS_GEMM");
}

static void conv_by_openblas_equals_its_definition(void **state)
{
  (void)state;
  setenv("GRADUS_GEMM", "openblas", 1);
  check_random_shapes();
  check_network_shapes();
  unsetenv("GRADUS_GEMM");
}

static void conv_on_more_threads_gives_the_same_bits(void **state)
{
  (void)state;
  const gd_conv_shape shapes[] = {{64, 192, 3, 3, 1, 1, 0},
                                  {128, 96, 1, 1, 2, 0, 0},
                                  {70, 64, 1, 1, 1, 0, 0},
                                  {3, 64, 7, 7, 2, 3, 0}};
  gd_random r = gd_random_of(5, GD_FOR_TESTS, 0, 0);
  const int before = omp_get_max_threads();
  for (int i = 0; i < 4; i++) {
    example e = example_of(&r, shapes[i], (gd_conv_input){2, 11, 12});
    float *first[3] = {NULL, NULL, NULL};
    float *const now[3] = {e.y, e.dx, e.dw};
    const int64_t counts[3] = {e.n_y, e.n_x, e.n_w};
    for (int threads = 1; threads <= 5; threads++) {
      omp_set_num_threads(threads);
      run(&e, i % 2);
      for (int j = 0; j < 3; j++) {
        const size_t bytes = (size_t)counts[j] * sizeof(float);
        if (threads == 1) {
          first[j] = gd_alloc(counts[j], sizeof(float));
          memcpy(first[j], now[j], bytes);
        }
        assert_memory_equal(first[j], now[j], bytes);
      }
    }
    for (int j = 0; j < 3; j++)
      free(first[j]);
    example_free(&e);
  }
  omp_set_num_threads(before);
}

/* <dy, forward(x, w)> is linear in x and in w: central differences are exact
 * but for rounding. */
static double inner(const example *e)
{
  gd_conv_forward_naive(e->f, e->in, e->x2, e->w2, NULL, e->y2);
  double sum = 0;
  for (int64_t i = 0; i < e->n_y; i++)
    sum += e->dy2[i] * e->y2[i];
  return sum;
}

static double slope(const example *e, double *at)
{
  const double was = *at, h = 1e-3;
  *at = was + h;
  const double above = inner(e);
  *at = was - h;
  const double below = inner(e);
  *at = was;
  return (above - below) / (2 * h);
}

static void
conv_definition_has_the_gradients_of_finite_differences(void **state)
{
  (void)state;
  gd_random r = gd_random_of(6, GD_FOR_TESTS, 0, 0);
  example e = example_of(&r, (gd_conv_shape){2, 3, 3, 3, 2, 1, 1},
                         (gd_conv_input){2, 5, 4});
  gd_conv_backward_data_naive(e.f, e.in, e.dy2, e.w2, e.dx2);
  gd_conv_backward_weights_naive(e.f, e.in, e.x2, e.dy2, e.dw2);
  for (int64_t i = 0; i < e.n_x; i++)
    assert_true(fabs(slope(&e, &e.x2[i]) - e.dx2[i]) < 1e-10);
  for (int64_t i = 0; i < e.n_w; i++)
    assert_true(fabs(slope(&e, &e.w2[i]) - e.dw2[i]) < 1e-10);
  example_free(&e);
}

static void bias_gradient_is_the_sum_over_pixels(void **state)
{
  (void)state;
  const float dy[6] = {1, 10, 2, 20, 3, 30};
  float dbias[2];
  gd_conv_backward_bias(dy, 3, 2, dbias);
  assert_true(dbias[0] == 6.0f && dbias[1] == 60.0f);
}

static void impossible_shape_is_refused(void **state)
{
  (void)state;
  gd_conv *conv;
  assert_fails(gd_conv_new((gd_conv_shape){0, 4, 1, 1, 1, 0, 0}, 0, &conv),
               GD_ERR_USAGE, "0 to 4 channels");
  assert_null(conv);
  assert_fails(gd_conv_new((gd_conv_shape){4, 4, 3, 3, 1, 3, 0}, 0, &conv),
               GD_ERR_USAGE, "pad 3");
  assert_fails(gd_conv_new((gd_conv_shape){4, 4, 3, 3, 1, 1, 2}, 0, &conv),
               GD_ERR_USAGE, "pad 1 and 3");
  assert_fails(gd_conv_new((gd_conv_shape){4, 4, 25, 25, 1, 0, 0}, 0, &conv),
               GD_ERR_USAGE, "25x25");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(padding_behind_the_image_makes_room_for_one_more),
    cmocka_unit_test(conv_by_libxsmm_equals_its_definition),
    cmocka_unit_test(conv_by_openblas_equals_its_definition),
    cmocka_unit_test(conv_on_more_threads_gives_the_same_bits),
    cmocka_unit_test(conv_definition_has_the_gradients_of_finite_differences),
    cmocka_unit_test(bias_gradient_is_the_sum_over_pixels),
    cmocka_unit_test(impossible_shape_is_refused),
};

gd_test_main(tests)
