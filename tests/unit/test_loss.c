#include "gradus/loss.h"
#include "gradus/optimizer.h"
#include "gradus/random.h"
#include "test.h"

#include <math.h>
#include <string.h>

enum { K = 64, N = 5, M = 8 };

static const double SIGMA = 1.5, MEAN = 0.3, VARIANCE = 0.07, DELTA = 2;
static double level_weights[K];

static gd_loss_options options(void)
{
  for (int k = 0; k < K; k++)
    level_weights[k] = 0.25 + 0.125 * k;
  return (gd_loss_options){.sigma = SIGMA,
                           .mean = MEAN,
                           .variance = VARIANCE,
                           .delta = DELTA,
                           .weights = level_weights};
}

/* ------------------------------------------------- the papers, term by term */

static double sigmoid(double x)
{
  return 1 / (1 + exp(-x));
}

static void softmax(const double *z, double *p)
{
  double sum = 0;
  for (int j = 0; j < K; j++)
    sum += exp(z[j]);
  for (int j = 0; j < K; j++)
    p[j] = exp(z[j]) / sum;
}

static double mean_of(const double *p)
{
  double mean = 0;
  for (int j = 0; j < K; j++)
    mean += j * p[j];
  return mean;
}

static double variance_of(const double *p)
{
  double variance = 0;
  for (int j = 0; j < K; j++)
    variance += p[j] * (j - mean_of(p)) * (j - mean_of(p));
  return variance;
}

static double divergence(const double *q, const double *p)
{
  double sum = 0;
  for (int k = 0; k < K; k++)
    sum += q[k] > 0 ? q[k] * log(q[k] / p[k]) : 0;
  return sum;
}

static void gaussian(double y, double *q)
{
  double sum = 0;
  for (int k = 0; k < K; k++)
    sum += q[k] = exp(-(k - y) * (k - y) / (2 * SIGMA * SIGMA));
  for (int k = 0; k < K; k++)
    q[k] /= sum;
}

static double earth_movers(const double *p, double y)
{
  double loss = 0;
  for (int k = 0; k < K; k++) {
    double cdf = 0, wanted = 0;
    for (int j = 0; j <= k; j++) {
      cdf += p[j];
      wanted += fmax(0, 1 - fabs(j - y)); /* between two levels: both */
    }
    loss += (cdf - wanted) * (cdf - wanted);
  }
  return loss;
}

static double soft_target(const double *p, double y)
{
  double sum = 0, loss = 0;
  for (int k = 0; k < K; k++)
    sum += exp(-fabs(y - k));
  for (int k = 0; k < K; k++)
    loss -= exp(-fabs(y - k)) / sum * log(p[k]);
  return loss;
}

static double above_all(const double *z, double y, int only_reached)
{
  double loss = 0;
  for (int k = 0; k < K - 1; k++) {
    const double target = y > k, p = sigmoid(z[k]);
    if (!only_reached || y > k - 1)
      loss -= target * log(p) + (1 - target) * log(1 - p);
  }
  return loss;
}

/* One sample's loss, not divided. */
static double define(gd_loss loss, const double *z, double y)
{
  const double miss = z[0] - y, size = fabs(miss);
  double p[K], q[K];
  switch (loss) {
  case GD_LOSS_EUCLIDEAN:
    return 0.5 * miss * miss;
  case GD_LOSS_HUBER:
    return size <= DELTA ? 0.5 * miss * miss : DELTA * (size - 0.5 * DELTA);
  case GD_LOSS_L1:
    return size;
  case GD_LOSS_BALANCED:
    return 0.5 * (0.25 + 0.125 * floor(y + 0.5)) * miss * miss;
  case GD_LOSS_CORAL:
    return above_all(z, y, 0);
  case GD_LOSS_CORN:
    return above_all(z, y, 1);
  default:
    softmax(z, p);
    gaussian(y, q);
  }
  const double off = mean_of(p) - y;
  switch (loss) {
  case GD_LOSS_EXPECTATION:
    return 0.5 * off * off;
  case GD_LOSS_SOFTMAX:
    return -log(p[(int)y]);
  case GD_LOSS_MEAN_VARIANCE:
    return -log(p[(int)y]) + MEAN * 0.5 * off * off + VARIANCE * variance_of(p);
  case GD_LOSS_DLDL:
    return divergence(q, p);
  case GD_LOSS_DLDL_V2:
    return divergence(q, p) + fabs(off);
  case GD_LOSS_SORD:
    return soft_target(p, y);
  case GD_LOSS_EMD2:
    return earth_movers(p, y);
  default:
    fail_msg("loss %s has no definition here", gd_loss_name(loss));
    return 0;
  }
}

/* ------------------------------------------------------------------- tests */

static void loss_and_gradient_equal_the_papers(void **state)
{
  (void)state;
  gd_random r = gd_random_of(11, GD_FOR_TESTS, 0, 0);
  const gd_loss_options o = options();
  for (gd_loss loss = 0; loss < GD_N_LOSSES; loss++) {
    float labels[N] = {0, 17, 63, 1, 40.25f};
    const int k = gd_loss_outputs(loss, K);
    float z[N * K], dz[N * K], expected[N];
    double z2[K], want = 0, part;
    if (gd_loss_needs_whole(loss))
      labels[4] = 40;
    for (int i = 0; i < N * k; i++)
      z[i] = (float)gd_random_normal(&r);
    z[3] += 2.5f; /* huber: a miss on either side of delta */
    assert_ok(gd_loss_forward_backward(loss, &o, K, z, labels, N, M, dz,
                                       expected, &part));
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
        if (!(fabs((double)dz[i * k + j] - slope) < 1e-6 * (1 + fabs(slope))))
          fail_msg("%s: label %g, output %d: gradient %g, slope %g",
                   gd_loss_name(loss), y, j, (double)dz[i * k + j], slope);
      }
    }
    if (!(fabs(part - want) < 1e-9 * (1 + want)))
      fail_msg("%s: loss %g, defined as %g", gd_loss_name(loss), part, want);
  }
}

/* A single output whose loss is the same for all labels would pass the above:
 * the least loss has to lie where the distribution is on the label. */
static void loss_is_least_at_the_label(void **state)
{
  (void)state;
  const gd_loss_options o = options();
  for (gd_loss loss = 0; loss < GD_N_LOSSES; loss++) {
    double best = INFINITY;
    int at = -1;
    for (int level = 0; level < K; level++) {
      const float label = 23;
      const int k = gd_loss_outputs(loss, K);
      float z[K];
      double part;
      for (int j = 0; j < k; j++)
        z[j] = k == 1   ? (float)level
               : k == K ? -0.5f * (float)((j - level) * (j - level))
                        : (j < level ? 8 : -8);
      assert_ok(gd_loss_forward_backward(loss, &o, K, z, &label, 1, 1, NULL,
                                         NULL, &part));
      if (part < best) {
        best = part;
        at = level;
      }
    }
    assert_int_equal(at, 23);
  }
}

/* A net of one hidden layer, whose last layer is as the head wants it. */
enum { INPUTS = 6, HIDDEN = 32, BATCH = 8 };
enum { LAST = INPUTS * HIDDEN, BIASES = LAST + K * HIDDEN, COUNT = BIASES + K };

typedef struct {
  int n_outputs, n_rows; /* rows of `last`: one if they share it */
  float weights[COUNT];  /* first layer, last one, its biases */
} tiny_net;

static float hidden_of(const tiny_net *net, const float *x, int h)
{
  float sum = 0;
  for (int c = 0; c < INPUTS; c++)
    sum += net->weights[h * INPUTS + c] * x[c];
  return fmaxf(sum, 0);
}

static void tiny_forward(const tiny_net *net, const float *x, float *z)
{
  float hidden[HIDDEN];
  for (int h = 0; h < HIDDEN; h++)
    hidden[h] = hidden_of(net, x, h);
  for (int k = 0; k < net->n_outputs; k++) {
    z[k] = net->weights[BIASES + k];
    for (int h = 0; h < HIDDEN; h++)
      z[k] += net->weights[LAST + k % net->n_rows * HIDDEN + h] * hidden[h];
  }
}

static void tiny_backward(const tiny_net *net, const float *x, const float *dz,
                          float *gradient)
{
  for (int h = 0; h < HIDDEN; h++) {
    const float activated = hidden_of(net, x, h);
    float back = 0;
    for (int k = 0; k < net->n_outputs; k++) {
      const int at = LAST + k % net->n_rows * HIDDEN + h;
      gradient[at] += dz[k] * activated;
      back += dz[k] * net->weights[at];
    }
    for (int c = 0; c < INPUTS && activated > 0; c++)
      gradient[h * INPUTS + c] += back * x[c];
  }
  for (int k = 0; k < net->n_outputs; k++)
    gradient[BIASES + k] += dz[k];
}

/* Return the mean absolute error after some steps of Adam on one batch. */
static double learn_by_heart(gd_loss loss)
{
  enum { STEPS = 800 };
  const float labels[BATCH] = {2, 5, 13, 14, 29, 30, 45, 58};
  tiny_net net;
  float gradient[COUNT], m[COUNT] = {0}, v[COUNT] = {0};
  float x[BATCH][INPUTS], z[BATCH * K], dz[BATCH * K], expected[BATCH];
  float *states[] = {m, v};
  double part, error = 0;
  gd_random r = gd_random_of(13, GD_FOR_TESTS, 0, 0);
  gd_optimizer adam = gd_optimizer_default(GD_OPTIMIZER_ADAM);
  const gd_loss_options o = options();
  net.n_outputs = gd_loss_outputs(loss, K);
  net.n_rows = gd_loss_shares_weights(loss) ? 1 : net.n_outputs;
  for (int i = 0; i < COUNT; i++)
    net.weights[i] = (float)(0.2 * gd_random_normal(&r));
  for (int i = 0; i < BATCH * INPUTS; i++)
    x[i / INPUTS][i % INPUTS] = (float)gd_random_normal(&r);
  gd_loss_first_biases(loss, K, net.weights + BIASES);
  for (int step = 1; step <= STEPS; step++) {
    memset(gradient, 0, sizeof gradient);
    for (int i = 0; i < BATCH; i++)
      tiny_forward(&net, x[i], z + i * net.n_outputs);
    assert_ok(gd_loss_forward_backward(loss, &o, K, z, labels, BATCH, BATCH, dz,
                                       expected, &part));
    for (int i = 0; i < BATCH; i++)
      tiny_backward(&net, x[i], dz + i * net.n_outputs, gradient);
    adam.rate = 0.03 * (1 - (double)step / (STEPS + 1));
    gd_optimizer_step(&adam, step, 1, COUNT, net.weights, gradient, states);
  }
  for (int i = 0; i < BATCH; i++)
    error += fabs((double)(expected[i] - labels[i])) / BATCH;
  return error;
}

static void every_loss_learns_one_batch_by_heart(void **state)
{
  (void)state;
  for (gd_loss loss = 0; loss < GD_N_LOSSES; loss++) {
    const double error = learn_by_heart(loss);
    print_message("%s: error %.3f\n", gd_loss_name(loss), error);
    assert_true(error < 0.5);
  }
}

static void huge_outputs_stay_finite(void **state)
{
  (void)state;
  const gd_loss_options o = options();
  for (gd_loss loss = 0; loss < GD_N_LOSSES; loss++) {
    float z[K] = {0}, p[K], dz[K], expected, sigma;
    const float label = 5;
    double part;
    z[62] = 3e38f;
    z[0] = -3e38f;
    assert_ok(gd_loss_forward_backward(loss, &o, K, z, &label, 1, 1, dz,
                                       &expected, &part));
    assert_true(isfinite(part) && isfinite(expected));
    for (int j = 0; j < gd_loss_outputs(loss, K); j++)
      assert_true(isfinite(dz[j]));
    assert_ok(gd_loss_predict(loss, K, z, 1,
                              gd_loss_has_distribution(loss) ? p : NULL,
                              &expected, &sigma));
    assert_true(isfinite(expected) && isfinite(sigma));
    if (gd_loss_outputs(loss, K) == K)
      assert_true(expected == 62.0f && sigma == 0.0f && p[62] == 1.0f);
  }
}

/* Of any outputs, also of ranks that contradict one another. */
static void distribution_sums_to_one_and_tells_the_level(void **state)
{
  (void)state;
  gd_random r = gd_random_of(12, GD_FOR_TESTS, 0, 0);
  for (gd_loss loss = 0; loss < GD_N_LOSSES; loss++) {
    float z[K], p[K], expected, sigma;
    double sum = 0, mean = 0, variance = 0;
    if (!gd_loss_has_distribution(loss))
      continue;
    for (int j = 0; j < K; j++)
      z[j] = (float)gd_random_normal(&r);
    assert_ok(gd_loss_predict(loss, K, z, 1, p, &expected, &sigma));
    for (int k = 0; k < K; k++) {
      assert_true(p[k] >= 0);
      sum += (double)p[k];
      mean += k * (double)p[k];
    }
    for (int k = 0; k < K; k++)
      variance += (k - mean) * (k - mean) * (double)p[k];
    assert_float_equal(sum, 1, 1e-5);
    assert_float_equal(expected, mean, 1e-4);
    assert_float_equal(sigma, sqrt(variance), 1e-4);
  }
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
  assert_ok(gd_loss_predict(GD_LOSS_EUCLIDEAN, K, &level, 1, NULL, &expected,
                            &sigma));
  assert_true(expected == 31.5f && sigma == 0.0f);
}

/* P(y > 0) = 3/4, P(y > 1) = 1/2, and P(y > 2) = 5/8, which cannot be. */
static void ranks_give_a_distribution_by_differences(void **state)
{
  (void)state;
  const float ranks[] = {logf(3), 0, logf(5.0f / 3)};
  const float p_of_ranks[] = {0.25f, 0.25f, 0, 0.5f};
  float p[4], expected, sigma;
  assert_ok(gd_loss_predict(GD_LOSS_CORAL, 4, ranks, 1, p, &expected, &sigma));
  for (int k = 0; k < 4; k++)
    assert_float_equal(p[k], p_of_ranks[k], 1e-6);
  assert_float_equal(expected, 1.75, 1e-6);

  /* As conditions: 3/4, 3/4 * 1/2, 3/8 * 5/8. */
  const float p_of_conditions[] = {0.25f, 0.375f, 0.140625f, 0.234375f};
  assert_ok(gd_loss_predict(GD_LOSS_CORN, 4, ranks, 1, p, &expected, &sigma));
  for (int k = 0; k < 4; k++)
    assert_float_equal(p[k], p_of_conditions[k], 1e-6);
}

/* E by its definition: P(y > k) may only fall. */
static double level_of(gd_loss loss, const double *z)
{
  double p[K], above = 1, sum = 0;
  if (gd_loss_outputs(loss, K) == 1)
    return z[0];
  if (gd_loss_outputs(loss, K) == K) {
    softmax(z, p);
    return mean_of(p);
  }
  for (int k = 0; k < K - 1; k++) {
    above = loss == GD_LOSS_CORN ? above * sigmoid(z[k])
                                 : fmin(above, sigmoid(z[k]));
    sum += above;
  }
  return sum;
}

static void slope_is_how_the_level_follows_the_outputs(void **state)
{
  (void)state;
  gd_random r = gd_random_of(13, GD_FOR_TESTS, 0, 0);
  for (gd_loss loss = 0; loss < GD_N_LOSSES; loss++) {
    const int n = gd_loss_outputs(loss, K);
    float z[K];
    double z2[K], slope[K], sum = 0;
    const double h = 1e-5;
    for (int j = 0; j < n; j++) {
      z[j] = (float)(gd_random_normal(&r) + (n < K ? 2 - 0.1 * j : 0));
      z2[j] = (double)z[j];
    }
    assert_ok(gd_loss_slope(loss, K, z, slope));
    for (int j = 0; j < n; j++) {
      const double was = z2[j];
      z2[j] = was + h;
      const double above = level_of(loss, z2);
      z2[j] = was - h;
      const double below = level_of(loss, z2);
      z2[j] = was;
      const double want = (above - below) / (2 * h);
      if (!(fabs(slope[j] - want) < 1e-7 * (1 + fabs(want))))
        fail_msg("%s: output %d: slope %g, differences %g", gd_loss_name(loss),
                 j, slope[j], want);
      sum += fabs(slope[j]);
    }
    assert_true(sum > 0.01);
  }
  const float bad = NAN;
  double slope;
  assert_fails(gd_loss_slope(GD_LOSS_EUCLIDEAN, K, &bad, &slope),
               GD_ERR_NUMERIC, "output 0 is nan");
}

static void first_biases_make_all_levels_equally_likely(void **state)
{
  (void)state;
  float z[K], p[K], expected, sigma;
  for (gd_loss loss = GD_LOSS_CORAL; loss <= GD_LOSS_CORN; loss++) {
    gd_loss_first_biases(loss, K, z);
    assert_ok(gd_loss_predict(loss, K, z, 1, p, &expected, &sigma));
    for (int k = 0; k < K; k++)
      assert_float_equal(p[k], 1.0 / K, 1e-6);
  }
  z[0] = 7;
  gd_loss_first_biases(GD_LOSS_EUCLIDEAN, K, z);
  assert_true(z[0] == 7);
}

static void balance_weighs_levels_by_their_rarity(void **state)
{
  (void)state;
  const float labels[] = {3, 3, 3, 5, 3.4f, 0, 5.5f, 3};
  const double wanted[8] = {2, 0, 0, 0.4, 0, 2, 2, 0};
  double weights[8], sum = 0;
  gd_loss_balance(labels, 8, 8, weights);
  for (int k = 0; k < 8; k++)
    assert_float_equal(weights[k], wanted[k], 1e-12);
  for (int i = 0; i < 8; i++)
    sum += weights[lroundf(labels[i])];
  assert_float_equal(sum, 8, 1e-12);
}

static void bad_numbers_are_named(void **state)
{
  (void)state;
  const gd_loss_options o = options();
  float z[2 * K] = {0}, e[2];
  float labels[2] = {3, 64};
  double part;
  assert_fails(gd_loss_forward_backward(GD_LOSS_SOFTMAX, &o, K, z, labels, 2, 2,
                                        NULL, NULL, &part),
               GD_ERR_USAGE, "sample 1: label 64");
  assert_fails(gd_loss_forward_backward(GD_LOSS_BALANCED, &o, K, z, labels, 2,
                                        2, NULL, NULL, &part),
               GD_ERR_USAGE, "sample 1: label 64");
  labels[1] = 2.5f;
  assert_fails(gd_loss_forward_backward(GD_LOSS_SOFTMAX, &o, K, z, labels, 2, 2,
                                        NULL, NULL, &part),
               GD_ERR_USAGE, "2.5");
  assert_ok(gd_loss_forward_backward(GD_LOSS_EXPECTATION, &o, K, z, labels, 2,
                                     2, NULL, NULL, &part));
  labels[0] = NAN;
  assert_fails(gd_loss_forward_backward(GD_LOSS_EXPECTATION, &o, K, z, labels,
                                        2, 2, NULL, NULL, &part),
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
    assert_ok(gd_loss_of(gd_loss_name((gd_loss)i), &loss));
    assert_int_equal(loss, i);
  }
  assert_fails(gd_loss_of("hinge", &loss), GD_ERR_USAGE, "loss hinge");
  assert_true(gd_test_has(gd_reason(), "expectation, softmax"));
  assert_true(gd_test_has(gd_reason(), ", balanced"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(loss_and_gradient_equal_the_papers),
    cmocka_unit_test(loss_is_least_at_the_label),
    cmocka_unit_test(every_loss_learns_one_batch_by_heart),
    cmocka_unit_test(huge_outputs_stay_finite),
    cmocka_unit_test(distribution_sums_to_one_and_tells_the_level),
    cmocka_unit_test(prediction_tells_mean_and_spread),
    cmocka_unit_test(ranks_give_a_distribution_by_differences),
    cmocka_unit_test(slope_is_how_the_level_follows_the_outputs),
    cmocka_unit_test(first_biases_make_all_levels_equally_likely),
    cmocka_unit_test(balance_weighs_levels_by_their_rarity),
    cmocka_unit_test(bad_numbers_are_named),
    cmocka_unit_test(loss_is_found_by_its_name),
};

gd_test_main(tests)
