#include "gradus/average.h"

#include "test.h"

static double taken(gd_average kind, int64_t n, const double *x)
{
  double out;
  assert_ok(gd_average_take(kind, n, x, &out));
  return out;
}

static void averages_of_a_worked_example_are_those_by_hand(void **state)
{
  (void)state;
  const double x[] = {19, 1, 2, 3, 4, 5, 6, 7, 8, 100};
  assert_float_equal(taken(GD_AVERAGE_MEAN, 10, x), 15.5, 1e-12);
  assert_float_equal(taken(GD_AVERAGE_MEDIAN, 10, x), 5.5, 1e-12);
  assert_float_equal(taken(GD_AVERAGE_MEDIAN, 9, x), 5, 1e-12);
  assert_float_equal(taken(GD_AVERAGE_TRIMMED, 10, x), 6.75, 1e-12);
  assert_float_equal(x[0], 19, 0); /* left as it was */
}

static void trimming_leaves_few_values_alone(void **state)
{
  (void)state;
  const double x[] = {0, 0, 30};
  assert_float_equal(taken(GD_AVERAGE_TRIMMED, 3, x), 10, 1e-12);
  assert_float_equal(taken(GD_AVERAGE_MEDIAN, 1, x + 2), 30, 0);
}

static void averages_are_found_by_their_names(void **state)
{
  (void)state;
  for (int i = 0; i < GD_N_AVERAGES; i++) {
    gd_average found;
    assert_ok(gd_average_of(gd_average_name((gd_average)i), &found));
    assert_int_equal(found, i);
  }
  gd_average none;
  assert_fails(gd_average_of("mode", &none), GD_ERR_USAGE, "\"mode\"");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(averages_of_a_worked_example_are_those_by_hand),
    cmocka_unit_test(trimming_leaves_few_values_alone),
    cmocka_unit_test(averages_are_found_by_their_names),
};

gd_test_main(tests)
