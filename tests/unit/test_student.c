#include "eval/student.h"

#include <math.h>

#include "test.h"

static int is_near(double x, double expected, double tolerance)
{
  return fabs(x - expected) < tolerance * expected;
}

/* scipy 1.10.1: stats.t.ppf(0.975, freedom), which has nine digits right. */
static void quantiles_are_those_of_tables(void **state)
{
  (void)state;
  static const struct {
    int64_t freedom;
    double t;
  } known[] = {
      {1, 12.7062047},   {2, 4.30265273},    {3, 3.18244631},
      {4, 2.77644511},   {9, 2.26215716},    {30, 2.04227246},
      {100, 1.98397152}, {1000, 1.96233908}, {100000, 1.95998771},
  };
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    assert_true(
        is_near(gd_student_within(0.95, known[i].freedom), known[i].t, 5e-9));
}

/* Of one and two degrees the distribution has an inverse that can be written
 * down. */
static void quantiles_of_few_degrees_are_the_closed_forms(void **state)
{
  (void)state;
  static const double shares[] = {0.5, 0.9, 0.95, 0.999};
  const double pi = acos(-1);
  for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
    const double p = shares[i];
    assert_true(is_near(gd_student_within(p, 1), tan(pi / 2 * p), 1e-11));
    assert_true(
        is_near(gd_student_within(p, 2), p * sqrt(2 / (1 - p * p)), 1e-11));
  }
}

static void nothing_lies_within_zero(void **state)
{
  (void)state;
  for (int64_t freedom = 1; freedom <= 3; freedom++)
    assert_true(gd_student_within(0, freedom) < 1e-12);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(quantiles_are_those_of_tables),
    cmocka_unit_test(quantiles_of_few_degrees_are_the_closed_forms),
    cmocka_unit_test(nothing_lies_within_zero),
};

gd_test_main(tests)
