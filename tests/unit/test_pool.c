#include "gradus/pool.h"
#include "gradus/random.h"
#include "test.h"

#include <math.h>

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
 * which either precision has exactly, as they are or scaled and behind ReLU. */
static void check_one(gd_precision precision, gd_pool_shape s, gd_conv_input in,
                      int C, int is_scaled)
{
  enum { MOST = 4096, MOST_C = 130 };
  static float x[MOST], y[MOST], dy[MOST], dx[MOST], want[MOST];
  static float mean[MOST_C], factor[MOST_C], addend[MOST_C];
  static uint8_t winner[MOST];
  const gd_scale scale = {mean, factor, addend};
  const int P = gd_pool_out(in.H, s), Q = gd_pool_out(in.W, s);
  gd_random r = gd_random_of(10, GD_FOR_TESTS, s.size, in.H);
  for (int i = 0; i < MOST; i++) {
    x[i] = (float)gd_random_below(&r, 20) - 10; /* with ties */
    dy[i] = (float)gd_random_below(&r, 9);
    want[i] = 0;
  }
  for (int c = 0; c < C; c++) {
    mean[c] = (float)gd_random_below(&r, 4);
    factor[c] = (float)gd_random_below(&r, 5) - 2;
    addend[c] = (float)gd_random_below(&r, 8);
  }
  static float room[4][MOST]; /* for numbers of the precision */
  gd_precision_write(precision, x, MOST, room[0]);
  gd_precision_write(precision, dy, MOST, room[1]);
  gd_max_pool_forward(precision, s, in, C, room[0], is_scaled ? &scale : NULL,
                      room[2], winner);
  gd_max_pool_backward(precision, s, in, C, room[1], winner, room[3]);
  gd_precision_read(precision, room[2], MOST, y);
  gd_precision_read(precision, room[3], MOST, dx);
  for (int i = 0; is_scaled && i < in.N * in.H * in.W * C; i++) {
    const float v = (x[i] - mean[i % C]) * factor[i % C] + addend[i % C];
    x[i] = v < 0 ? 0 : v;
  }
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
  for (int is_scaled = 0; is_scaled < 2; is_scaled++) {
    check_one(GD_FP32, s, in, C, is_scaled);
    check_one(GD_BF16, s, in, C, is_scaled);
  }
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
  enum { C = 19 };
  for (int at = 0; at < C; at++) {
    float x[4 * C] = {0}, y[C];
    x[C + at] = NAN;
    x[2 * C + at] = 3;
    gd_max_pool_forward(GD_FP32, (gd_pool_shape){2, 2, 0, 0},
                        (gd_conv_input){1, 2, 2}, C, x, NULL, y, NULL);
    for (int c = 0; c < C; c++)
      assert_true(c == at ? isnan(y[c]) : y[c] == 0);
  }
}

/* Of whole numbers, six to a mean. */
static void mean_pool_shares_the_gradient_evenly(void **state)
{
  (void)state;
  enum { N = 2, PIXELS = 6, MOST_C = 35 };
  const gd_conv_input in = {N, 2, PIXELS / 2};
  static float x[N * PIXELS * MOST_C], dx[N * PIXELS * MOST_C];
  static float dy[N * MOST_C], y[N * MOST_C], kept[N * PIXELS * MOST_C];
  gd_random r = gd_random_of(11, GD_FOR_TESTS, 0, 0);
  for (int i = 0; i < N * PIXELS * MOST_C; i++)
    x[i] = (float)gd_random_below(&r, 40);
  for (int i = 0; i < N * MOST_C; i++)
    dy[i] = (float)(PIXELS * gd_random_below(&r, 40));
  for (gd_precision p = GD_FP32; p <= GD_BF16; p++)
    for (int C = 1; C <= MOST_C; C++) {
      gd_precision_write(p, x, N * PIXELS * C, kept);
      gd_mean_pool_forward(p, in, C, kept, y);
      for (int i = 0; i < N * C; i++) {
        float sum = 0;
        for (int pixel = 0; pixel < PIXELS; pixel++)
          sum += x[(i / C * PIXELS + pixel) * C + i % C];
        assert_true(y[i] == sum / PIXELS);
      }
      gd_mean_pool_backward(p, in, C, dy, kept);
      gd_precision_read(p, kept, N * PIXELS * C, dx);
      for (int i = 0; i < N * PIXELS * C; i++)
        assert_true(dx[i] == dy[i / (PIXELS * C) * C + i % C] / PIXELS);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(output_size_is_pytorchs),
    cmocka_unit_test(max_pool_takes_the_first_largest_of_each_window),
    cmocka_unit_test(maximum_is_chosen_before_it_is_rounded),
    cmocka_unit_test(not_a_number_is_the_maximum),
    cmocka_unit_test(mean_pool_shares_the_gradient_evenly),
};

gd_test_main(tests)
