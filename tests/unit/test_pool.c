#include "gradus/pool.h"
#include "gradus/random.h"
#include "test.h"

#include <math.h>
#include <string.h>

static void output_size_is_pytorchs(void **state)
{
  (void)state;
  const gd_pool_shape torchvision = {3, 2, 1, 0}, caffe = {3, 2, 0, 1};
  const gd_pool_shape keras = {3, 2, 0, 0};
  const gd_pool_shape pnet = {2, 2, 0, 1}, padded = {2, 2, 1, 1};
  assert_int_equal(gd_pool_out(112, torchvision), 56);
  assert_int_equal(gd_pool_out(112, caffe), 56);
  assert_int_equal(gd_pool_out(112, keras), 55);
  assert_int_equal(gd_pool_out(22, caffe), 11);
  assert_int_equal(gd_pool_out(23, caffe), 11);
  assert_int_equal(gd_pool_out(2, caffe), 1);
  assert_int_equal(gd_pool_out(7, pnet), 4);
  /* The fourth window would begin in the padding behind the image. */
  assert_int_equal(gd_pool_out(5, padded), 3);
}

/* The maximum of each window, and where it stands: of small whole numbers,
 * which either precision has exactly. */
static void check_one(gd_precision precision, gd_pool_shape s, gd_conv_input in,
                      int C)
{
  enum { MOST = 4096 };
  static float x[MOST], y[MOST], dy[MOST], dx[MOST], want[MOST];
  static uint8_t winner[MOST];
  const int P = gd_pool_out(in.H, s), Q = gd_pool_out(in.W, s);
  gd_random r = gd_random_of(10, GD_FOR_TESTS, s.size, in.H);
  for (int i = 0; i < MOST; i++) {
    x[i] = (float)gd_random_below(&r, 20) - 10; /* with ties */
    dy[i] = (float)gd_random_below(&r, 9);
    want[i] = 0;
  }
  static float room[4][MOST]; /* for numbers of the precision */
  gd_precision_write(precision, x, MOST, room[0]);
  gd_precision_write(precision, dy, MOST, room[1]);
  gd_max_pool_forward(precision, s, in, C, room[0], NULL, room[2], winner);
  gd_max_pool_backward(precision, s, in, C, room[1], winner, room[3]);
  gd_precision_read(precision, room[2], MOST, y);
  gd_precision_read(precision, room[3], MOST, dx);
  for (int n = 0; n < in.N; n++)
    for (int p = 0; p < P; p++)
      for (int q = 0; q < Q; q++)
        for (int c = 0; c < C; c++) {
          const int at = ((n * P + p) * Q + q) * C + c;
          int best = -1;
          for (int h = p * s.stride - s.pad; h < p * s.stride - s.pad + s.size;
               h++)
            for (int w = q * s.stride - s.pad;
                 w < q * s.stride - s.pad + s.size; w++) {
              const int i = ((n * in.H + h) * in.W + w) * C + c;
              if (h >= 0 && h < in.H && w >= 0 && w < in.W &&
                  (best < 0 || x[i] > x[best]))
                best = i;
            }
          assert_true(y[at] == x[best]);
          want[best] += dy[at];
        }
  for (int i = 0; i < in.N * in.H * in.W * C; i++)
    assert_true(dx[i] == want[i]);
}

static void check(gd_pool_shape s, gd_conv_input in, int C)
{
  check_one(GD_FP32, s, in, C);
  check_one(GD_BF16, s, in, C);
}

static void max_pool_takes_the_first_largest_of_each_window(void **state)
{
  (void)state;
  check((gd_pool_shape){3, 2, 1, 0}, (gd_conv_input){2, 8, 7}, 5);
  check((gd_pool_shape){3, 2, 0, 1}, (gd_conv_input){1, 10, 9}, 3);
  check((gd_pool_shape){2, 2, 0, 1}, (gd_conv_input){2, 7, 7}, 17);
  check((gd_pool_shape){2, 2, 0, 0}, (gd_conv_input){2, 7, 6}, 16);
  check((gd_pool_shape){3, 2, 1, 0}, (gd_conv_input){1, 6, 5}, 130);
}

/* 257 is no bf16 number: the larger one wins before they are rounded. */
static void maximum_is_chosen_before_it_is_rounded(void **state)
{
  (void)state;
  const float x[4] = {1, 2, 0, -3}, mean = 0, factor = 1, addend = 256;
  const gd_scale scale = {&mean, &factor, &addend};
  uint16_t kept[4], y;
  uint8_t winner;
  float value;
  gd_precision_write(GD_BF16, x, 4, kept);
  gd_max_pool_forward(GD_BF16, (gd_pool_shape){2, 2, 0, 0},
                      (gd_conv_input){1, 2, 2}, 1, kept, &scale, &y, &winner);
  gd_precision_read(GD_BF16, &y, 1, &value);
  assert_true(value == 258.0f && winner == 1);
}

static void not_a_number_is_the_maximum(void **state)
{
  (void)state;
  const float x[4] = {1, NAN, 3, 2};
  float y;
  gd_max_pool_forward(GD_FP32, (gd_pool_shape){2, 2, 0, 0},
                      (gd_conv_input){1, 2, 2}, 1, x, NULL, &y, NULL);
  assert_true(isnan(y));
}

static void mean_pool_shares_the_gradient_evenly(void **state)
{
  (void)state;
  const float x[12] = {1, 10, 2, 20, 3, 30, 4, 0, 5, 0, 6, 3};
  const float dy[4] = {3, 6, 9, 12};
  float y[4], dx[12];
  const gd_conv_input in = {2, 1, 3};
  gd_mean_pool_forward(GD_FP32, in, 2, x, y);
  assert_true(y[0] == 2 && y[1] == 20 && y[2] == 5 && y[3] == 1);
  gd_mean_pool_backward(GD_FP32, in, 2, dy, dx);
  for (int i = 0; i < 12; i++)
    assert_true(dx[i] == dy[i / 6 * 2 + i % 2] / 3);
  uint16_t kept[12];
  gd_precision_write(GD_BF16, x, 12, kept);
  gd_mean_pool_forward(GD_BF16, in, 2, kept, y);
  assert_true(y[0] == 2 && y[1] == 20 && y[2] == 5 && y[3] == 1);
  gd_mean_pool_backward(GD_BF16, in, 2, dy, kept);
  gd_precision_read(GD_BF16, kept, 12, dx);
  for (int i = 0; i < 12; i++) /* 1, 2, 3, 4 */
    assert_true(dx[i] == dy[i / 6 * 2 + i % 2] / 3);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(output_size_is_pytorchs),
    cmocka_unit_test(max_pool_takes_the_first_largest_of_each_window),
    cmocka_unit_test(maximum_is_chosen_before_it_is_rounded),
    cmocka_unit_test(not_a_number_is_the_maximum),
    cmocka_unit_test(mean_pool_shares_the_gradient_evenly),
};

gd_test_main(tests)
