#include "gradus/axis.h"

#include <math.h>

#include "gradus/random.h"
#include "test.h"

static void axis_of_a_plain_range_has_round_ticks(void **state)
{
  (void)state;
  const gd_axis a = gd_axis_of(0, 63, 6, 0);
  assert_float_equal(a.step, 20, 0);
  assert_float_equal(a.low, 0, 0);
  assert_float_equal(a.high, 80, 0);
  assert_int_equal(a.n_ticks, 5);
  char label[GD_AXIS_LABEL];
  gd_axis_label(&a, 3, label);
  assert_string_equal(label, "60");
  assert_float_equal(gd_axis_place(&a, 40, 100, 200), 150, 1e-12);
}

static void axis_labels_have_the_decimals_of_the_step(void **state)
{
  (void)state;
  char label[GD_AXIS_LABEL];
  const gd_axis a = gd_axis_of(-0.31, 0.42, 8, 0);
  assert_float_equal(a.step, 0.2, 1e-12);
  gd_axis_label(&a, 0, label);
  assert_string_equal(label, "-0.4");
  gd_axis_label(&a, 2, label);
  assert_string_equal(label, "0.0");
}

static void axis_of_epochs_has_whole_ticks(void **state)
{
  (void)state;
  const gd_axis a = gd_axis_of(1, 3, 6, 1);
  assert_float_equal(a.step, 1, 0);
  assert_int_equal(a.n_ticks, 3);
}

static void axis_without_a_range_still_has_ticks(void **state)
{
  (void)state;
  const double odd[][2] = {
      {0, 0},        {5, 5},         {NAN, 3},          {NAN, NAN},
      {INFINITY, 1}, {1e300, 1e300}, {1e9, 1e9 + 1e-9}, {7, -7}};
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
    const gd_axis a = gd_axis_of(odd[i][0], odd[i][1], 6, 0);
    assert_in_range(a.n_ticks, 2, 6);
    assert_true(a.high > a.low && a.step > 0);
  }
}

static void axis_holds_its_values_between_round_ends(void **state)
{
  (void)state;
  gd_random r = gd_random_of(1, GD_FOR_TESTS, 0, 0);
  for (int i = 0; i < 5000; i++) {
    const double size = pow(10, gd_random_between(&r, -6, 8));
    const double low = gd_random_between(&r, -1, 1) * size;
    const double high = low + gd_random_uniform(&r) * size + 1e-4 * size;
    const int most = 3 + (int)gd_random_below(&r, GD_AXIS_TICKS - 2);
    const gd_axis a = gd_axis_of(low, high, most, 0);
    assert_in_range(a.n_ticks, 2, most);
    assert_true(a.low <= low + 1e-6 * a.step && a.high >= high - 1e-6 * a.step);
    const double unit = a.step / pow(10, floor(log10(a.step) + 1e-9));
    assert_true(fabs(unit - 1) < 1e-6 || fabs(unit - 2) < 1e-6 ||
                fabs(unit - 5) < 1e-6);
    assert_float_equal(gd_axis_tick(&a, a.n_ticks - 1) / a.step,
                       a.high / a.step, 1e-6);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(axis_of_a_plain_range_has_round_ticks),
    cmocka_unit_test(axis_labels_have_the_decimals_of_the_step),
    cmocka_unit_test(axis_of_epochs_has_whole_ticks),
    cmocka_unit_test(axis_without_a_range_still_has_ticks),
    cmocka_unit_test(axis_holds_its_values_between_round_ends),
};

gd_test_main(tests)
