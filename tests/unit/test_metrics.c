#include "gradus/metrics.h"

#include <math.h>

#include "test.h"

static void metrics_of_a_worked_example_match_the_hand_computation(void **state)
{
  (void)state;
  const double truth[] = {0, 10, 20, 30}, predicted[] = {2, 8, 23, 27};
  const gd_metrics m = gd_metrics_of(4, truth, predicted);
  /* e = 2, -2, 3, -3; means 15 and 15; var 125 and 106.5; cov 112.5 */
  assert_int_equal(m.n, 4);
  assert_float_equal(m.mae, 2.5, 1e-12);
  assert_float_equal(m.rmse, sqrt(6.5), 1e-12);
  assert_float_equal(m.bias, 0, 1e-12);
  assert_float_equal(m.pearson, 112.5 / sqrt(125 * 106.5), 1e-12);
  assert_float_equal(m.ccc, 2 * 112.5 / (125 + 106.5), 1e-12);
}

/* Python 3.11: statistics.fmean, correlation, covariance, pvariance; CCC as
 * 2 cov / (var + var + shift^2) with cov and var divided by n. */
static void metrics_of_eight_videos_match_an_independent_program(void **state)
{
  (void)state;
  const double truth[] = {3, 9, 27, 14, 6, 41, 0, 18};
  const double predicted[] = {9.0312, 8.7745,  22.4610, 19.9021,
                              4.1150, 33.5807, 7.2504,  10.6383};
  const gd_metrics m = gd_metrics_of(8, truth, predicted);
  assert_float_equal(m.mae, 5.0767750000000005, 1e-9);
  assert_float_equal(m.rmse, 5.6703802081518315, 1e-9);
  assert_float_equal(m.bias, -0.28085000000000016, 1e-9);
  assert_float_equal(m.pearson, 0.9171960317996452, 1e-9);
  assert_float_equal(m.ccc, 0.8720756098598373, 1e-9);
}

static void metrics_of_nothing_are_not_numbers(void **state)
{
  (void)state;
  const gd_metrics m = gd_metrics_of(0, NULL, NULL);
  assert_int_equal(m.n, 0);
  assert_true(isnan(m.mae) && isnan(m.rmse) && isnan(m.bias));
  assert_true(isnan(m.pearson) && isnan(m.ccc));
}

static void metrics_of_one_item_have_an_error_but_no_correlation(void **state)
{
  (void)state;
  const double truth = 12, predicted = 9;
  const gd_metrics m = gd_metrics_of(1, &truth, &predicted);
  assert_float_equal(m.mae, 3, 0);
  assert_float_equal(m.rmse, 3, 0);
  assert_float_equal(m.bias, -3, 0);
  assert_true(isnan(m.pearson));
  assert_float_equal(m.ccc, 0, 0);
}

static void metrics_of_a_constant_prediction_show_no_agreement(void **state)
{
  (void)state;
  const double truth[] = {5, 15, 40}, predicted[] = {20, 20, 20};
  const gd_metrics m = gd_metrics_of(3, truth, predicted);
  assert_true(isnan(m.pearson));
  assert_float_equal(m.ccc, 0, 0);
  const double tenth[] = {0.1, 0.1, 0.1}; /* their rounded sum is not 0.3 */
  assert_true(isnan(gd_metrics_of(3, truth, tenth).pearson));
  const gd_metrics same = gd_metrics_of(3, predicted, predicted);
  assert_true(isnan(same.ccc));
  assert_float_equal(same.mae, 0, 0);
}

static void metrics_keep_their_digits_far_from_zero(void **state)
{
  (void)state;
  const double far = 1e9, truth[] = {far, far + 1, far + 2},
               predicted[] = {far, far + 2, far + 1};
  assert_float_equal(gd_metrics_of(3, truth, predicted).pearson, 0.5, 1e-9);
}

static void metrics_of_a_band_leave_out_the_other_bands(void **state)
{
  (void)state;
  const double truth[] = {13, 14, 19, 20, 63}, predicted[] = {0, 15, 16, 0, 0};
  const gd_metrics m = gd_metrics_between(5, truth, predicted, 14, 20);
  assert_int_equal(m.n, 2);
  assert_float_equal(m.mae, 2, 1e-12);
  assert_float_equal(m.bias, -1, 1e-12);
  assert_int_equal(gd_metrics_between(5, truth, predicted, 64, 99).n, 0);
}

/* scipy 1.10.1: stats.spearmanr on the same numbers, ties included. */
static void rank_correlation_shares_ranks_between_equals(void **state)
{
  (void)state;
  const double truth[] = {3, 9, 27, 14, 9, 41, 0, 9};
  const double predicted[] = {9, 8, 22, 19, 8, 33, 7, 10};
  double r;
  assert_ok(gd_metrics_spearman(8, truth, predicted, &r));
  assert_float_equal(r, 0.8835852486128688, 1e-12);
  assert_ok(gd_metrics_spearman(8, truth, truth, &r));
  assert_float_equal(r, 1, 1e-12);
  assert_ok(gd_metrics_spearman(1, truth, predicted, &r));
  assert_true(isnan(r));
  assert_ok(gd_metrics_spearman(0, NULL, NULL, &r));
  assert_true(isnan(r));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(metrics_of_a_worked_example_match_the_hand_computation),
    cmocka_unit_test(metrics_of_eight_videos_match_an_independent_program),
    cmocka_unit_test(metrics_of_nothing_are_not_numbers),
    cmocka_unit_test(metrics_of_one_item_have_an_error_but_no_correlation),
    cmocka_unit_test(metrics_of_a_constant_prediction_show_no_agreement),
    cmocka_unit_test(metrics_keep_their_digits_far_from_zero),
    cmocka_unit_test(metrics_of_a_band_leave_out_the_other_bands),
    cmocka_unit_test(rank_correlation_shares_ranks_between_equals),
};

gd_test_main(tests)
