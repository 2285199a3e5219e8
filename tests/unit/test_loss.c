#include "gradus/loss.h"
#include "gradus/random.h"
#include "test.h"

#include <math.h>

enum { K = 64, N = 3, M = 8 };

static const char *const names[] = {"expectation", "softmax", "euclidean"};

/* The losses as the paper writes them, one sample, not divided. */
static double define(gd_loss loss, const double *z, double y)
{
  double sum = 0, expected = 0;
  if (loss == GD_LOSS_EUCLIDEAN)
    return 0.5 * (z[0] - y) * (z[0] - y);
  for (int j = 0; j < K; j++)
    sum += exp(z[j]);
  for (int j = 0; j < K; j++)
    expected += j * exp(z[j]) / sum;
  return loss == GD_LOSS_SOFTMAX ? -log(exp(z[(int)y]) / sum)
                                 : 0.5 * (expected - y) * (expected - y);
}

static void loss_and_gradient_equal_the_papers(void **state)
{
  (void)state;
  gd_random r = gd_random_of(11, GD_FOR_TESTS, 0, 0);
  const float labels[N] = {0, 17, 63};
  for (gd_loss loss = 0; loss < GD_N_LOSSES; loss++) {
    const int k = gd_loss_outputs(loss, K);
    float z[N * K], dz[N * K], expected[N];
    double z2[K], want = 0, part;
    for (int i = 0; i < N * k; i++)
      z[i] = (float)gd_random_normal(&r);
    assert_ok(gd_loss_forward_backward(loss, k, z, labels, N, M, dz, expected,
                                       &part));
    for (int i = 0; i < N; i++) {
      const double y = (double)labels[i], h = 1e-5;
      for (int j = 0; j < k; j++)
        z2[j] = (double)z[i * k + j];
      want += define(loss, z2, y) / M;
      for (int j = 0; j < k; j++) {
        const double was = z2[j];
        z2[j] = was + h;
        const double above = define(loss, z2, y);
        z2[j] = was - h;
        const double below = define(loss, z2, y);
        z2[j] = was;
        const double slope = (above - below) / (2 * h) / M;
        assert_true(fabs((double)dz[i * k + j] - slope) <
                    1e-6 * (1 + fabs(slope)));
      }
    }
    assert_true(fabs(part - want) < 1e-9 * (1 + want));
  }
}

static void huge_logits_stay_finite(void **state)
{
  (void)state;
  float z[K] = {0}, p[K], dz[K], expected, sigma;
  const float label = 5;
  double part;
  z[63] = 3e38f;
  z[0] = -3e38f;
  for (gd_loss loss = GD_LOSS_EXPECTATION; loss <= GD_LOSS_SOFTMAX; loss++) {
    assert_ok(gd_loss_forward_backward(loss, K, z, &label, 1, 1, dz, &expected,
                                       &part));
    assert_true(isfinite(part) && isfinite(dz[0]) && isfinite(dz[63]));
  }
  assert_ok(gd_loss_predict(GD_LOSS_SOFTMAX, K, z, 1, p, &expected, &sigma));
  assert_true(expected == 63.0f && sigma == 0.0f && p[63] == 1.0f);
}

static void prediction_tells_mean_and_spread(void **state)
{
  (void)state;
  float z[K], p[K], expected, sigma;
  for (int j = 0; j < K; j++)
    z[j] = j == 10 || j == 20 ? 0.0f : -200.0f;
  assert_ok(
      gd_loss_predict(GD_LOSS_EXPECTATION, K, z, 1, p, &expected, &sigma));
  assert_true(expected == 15.0f && sigma == 5.0f && p[10] == 0.5f);

  const float level = 31.5f;
  assert_ok(
      gd_loss_predict(GD_LOSS_EUCLIDEAN, 1, &level, 1, p, &expected, &sigma));
  assert_true(expected == 31.5f && sigma == 0.0f && p[0] == 1.0f);
}

static void bad_numbers_are_named(void **state)
{
  (void)state;
  float z[2 * K] = {0}, e[2];
  float labels[2] = {3, 64};
  double part;
  assert_fails(gd_loss_forward_backward(GD_LOSS_SOFTMAX, K, z, labels, 2, 2,
                                        NULL, NULL, &part),
               GD_ERR_USAGE, "sample 1: label 64");
  labels[1] = 2.5f;
  assert_fails(gd_loss_forward_backward(GD_LOSS_SOFTMAX, K, z, labels, 2, 2,
                                        NULL, NULL, &part),
               GD_ERR_USAGE, "2.5");
  assert_ok(gd_loss_forward_backward(GD_LOSS_EXPECTATION, K, z, labels, 2, 2,
                                     NULL, NULL, &part));
  labels[0] = NAN;
  assert_fails(gd_loss_forward_backward(GD_LOSS_EXPECTATION, K, z, labels, 2, 2,
                                        NULL, NULL, &part),
               GD_ERR_NUMERIC, "sample 0");
  z[K + 7] = INFINITY;
  assert_fails(gd_loss_predict(GD_LOSS_SOFTMAX, K, z, 2, NULL, e, NULL),
               GD_ERR_NUMERIC, "sample 1: output 7");
}

static void loss_is_found_by_its_name(void **state)
{
  (void)state;
  gd_loss loss;
  for (int i = 0; i < GD_N_LOSSES; i++) {
    assert_ok(gd_loss_of(names[i], &loss));
    assert_int_equal(loss, i);
    assert_string_equal(gd_loss_name(loss), names[i]);
  }
  assert_fails(gd_loss_of("huber", &loss), GD_ERR_USAGE, "loss huber");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(loss_and_gradient_equal_the_papers),
    cmocka_unit_test(huge_logits_stay_finite),
    cmocka_unit_test(prediction_tells_mean_and_spread),
    cmocka_unit_test(bad_numbers_are_named),
    cmocka_unit_test(loss_is_found_by_its_name),
};

gd_test_main(tests)
