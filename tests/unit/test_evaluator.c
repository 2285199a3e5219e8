#include "gradus/evaluator.h"

#include <math.h>

#include "gradus/memory.h"
#include "gradus/random.h"
#include "test.h"

enum { SIZE = 32, K = 12 };

static gd_model *new_model(gd_loss loss)
{
  gd_model *m = gd_alloc(1, sizeof *m);
  m->info.network = gd_resnet_config_default();
  m->info.network.height = m->info.network.width = SIZE;
  m->info.network.hidden = 16;
  m->info.network.outputs = gd_loss_outputs(loss, K);
  m->info.loss = loss;
  m->info.n_levels = K;
  gd_tensor_table weights, running;
  assert_ok(gd_resnet_tables(&m->info.network, &weights, &running));
  m->weights = gd_alloc(weights.count, sizeof(float));
  m->running = gd_alloc(running.count, sizeof(float));
  gd_resnet_init_weights(&weights, 1, m->weights);
  gd_resnet_init_running(&running, m->running);
  gd_tensor_table_free(&weights);
  gd_tensor_table_free(&running);
  return m;
}

/* Random weights take a while: the tests share two models. */
static gd_model *levels, *regression;

static int setup(void **state)
{
  (void)state;
  levels = new_model(GD_LOSS_EXPECTATION);
  regression = new_model(GD_LOSS_EUCLIDEAN);
  return 0;
}

static int teardown(void **state)
{
  (void)state;
  gd_model_free(levels);
  gd_model_free(regression);
  return 0;
}

static void draw_face(int number, uint8_t rgb[SIZE * SIZE * 3])
{
  gd_random r = gd_random_of(7, GD_FOR_TESTS, 0, number);
  for (int i = 0; i < SIZE * SIZE * 3; i++)
    rgb[i] = (uint8_t)gd_random_below(&r, 256);
}

static void evaluator_gives_a_face_one_score_whatever_came_before(void **state)
{
  (void)state;
  gd_evaluator *e = NULL, *other = NULL;
  uint8_t a[SIZE * SIZE * 3], b[SIZE * SIZE * 3];
  double first, again, alone, sigma;
  draw_face(1, a);
  draw_face(2, b);
  assert_ok(gd_evaluator_new(levels, &e));
  assert_ok(gd_evaluator_face(e, a, &first, &sigma, NULL));
  assert_ok(gd_evaluator_face(e, b, &alone, &sigma, NULL));
  assert_true(alone != first);
  assert_ok(gd_evaluator_face(e, a, &again, &sigma, NULL));
  assert_true(again == first);
  assert_ok(gd_evaluator_new(levels, &other));
  assert_ok(gd_evaluator_face(other, b, &again, &sigma, NULL));
  assert_true(again == alone);
  gd_evaluator_free(other);
  gd_evaluator_free(e);
}

static void evaluator_score_is_the_mean_of_its_distribution(void **state)
{
  (void)state;
  gd_evaluator *e = NULL;
  uint8_t face[SIZE * SIZE * 3];
  float p[K];
  double expected, sigma, sum = 0, mean = 0, variance = 0;
  draw_face(3, face);
  assert_ok(gd_evaluator_new(levels, &e));
  assert_int_equal(gd_evaluator_levels(e), K);
  assert_ok(gd_evaluator_face(e, face, &expected, &sigma, p));
  for (int k = 0; k < K; k++) {
    sum += p[k];
    mean += k * p[k];
  }
  for (int k = 0; k < K; k++)
    variance += (k - mean) * (k - mean) * p[k];
  assert_float_equal(sum, 1, 1e-5);
  assert_float_equal(expected, mean, 1e-4);
  assert_float_equal(sigma, sqrt(variance), 1e-4);
  gd_evaluator_free(e);
}

static void evaluator_of_a_regression_has_no_distribution(void **state)
{
  (void)state;
  gd_evaluator *e = NULL;
  uint8_t face[SIZE * SIZE * 3];
  double expected, sigma;
  draw_face(4, face);
  assert_ok(gd_evaluator_new(regression, &e));
  assert_int_equal(gd_evaluator_levels(e), 0);
  assert_ok(gd_evaluator_face(e, face, &expected, &sigma, NULL));
  assert_true(isfinite(expected));
  assert_float_equal(sigma, 0, 0);
  gd_evaluator_free(e);
}

/* 8 2^-8 of the levels' range, as test_resnet bounds outputs.  The map is of
 * what the network keeps in bf16, and a sum over channels that cancels. */
static void evaluator_in_bf16_is_near_that_in_fp32(void **state)
{
  (void)state;
  uint8_t face[SIZE * SIZE * 3];
  double expected[2], sigma;
  float map[2];
  draw_face(6, face);
  for (gd_precision p = GD_FP32; p <= GD_BF16; p++) {
    gd_evaluator *e = NULL;
    int rows, columns;
    levels->info.network.precision = p;
    assert_ok(gd_evaluator_new(levels, &e));
    gd_evaluator_map_size(e, &rows, &columns);
    assert_int_equal(rows * columns, 1);
    assert_ok(gd_evaluator_face(e, face, &expected[p], &sigma, NULL));
    gd_evaluator_map(e, &map[p]);
    gd_evaluator_free(e);
  }
  levels->info.network.precision = GD_FP32;
  assert_true(expected[0] != expected[1] && map[0] != map[1]);
  assert_float_equal(expected[0], expected[1], 8 * 0x1p-8 * K);
  assert_float_equal(map[0], map[1], 0.25f * fabsf(map[0]));
}

/* Last: it spoils the model. */
static void evaluator_refuses_an_output_that_is_not_finite(void **state)
{
  (void)state;
  gd_evaluator *e = NULL;
  uint8_t face[SIZE * SIZE * 3];
  double expected, sigma;
  draw_face(5, face);
  regression->running[0] = NAN;
  assert_ok(gd_evaluator_new(regression, &e));
  assert_fails(gd_evaluator_face(e, face, &expected, &sigma, NULL),
               GD_ERR_NUMERIC, "output 0 is nan");
  gd_evaluator_free(e);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(evaluator_gives_a_face_one_score_whatever_came_before),
    cmocka_unit_test(evaluator_score_is_the_mean_of_its_distribution),
    cmocka_unit_test(evaluator_of_a_regression_has_no_distribution),
    cmocka_unit_test(evaluator_in_bf16_is_near_that_in_fp32),
    cmocka_unit_test(evaluator_refuses_an_output_that_is_not_finite),
};

int main(void)
{
  return gd_test_end(cmocka_run_group_tests(tests, setup, teardown));
}
