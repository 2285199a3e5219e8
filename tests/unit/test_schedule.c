#include "gradus/schedule.h"

#include <math.h>

#include "test.h"

enum { STEPS = 10 };

static double factor(const gd_schedule *s, int64_t step)
{
  return gd_schedule_factor(s, step, STEPS);
}

static void constant_rate_never_changes(void **state)
{
  (void)state;
  const gd_schedule s = {.kind = GD_SCHEDULE_CONSTANT, .epochs = 5};
  for (int step = 0; step < 50; step++)
    assert_true(factor(&s, step) == 1);
}

static void step_rate_falls_at_whole_epochs(void **state)
{
  (void)state;
  const gd_schedule s = {
      .kind = GD_SCHEDULE_STEP, .every = 2, .factor = 0.5, .epochs = 5};
  assert_true(factor(&s, 0) == 1 && factor(&s, 19) == 1);
  assert_true(factor(&s, 20) == 0.5 && factor(&s, 39) == 0.5);
  assert_true(factor(&s, 40) == 0.25);
}

static void cosine_rate_falls_from_one_to_nearly_nothing(void **state)
{
  (void)state;
  const gd_schedule s = {.kind = GD_SCHEDULE_COSINE, .epochs = 5};
  assert_true(factor(&s, 0) == 1);
  assert_true(fabs(factor(&s, 25) - 0.5) < 1e-12);
  assert_true(factor(&s, 49) > 0 && factor(&s, 49) < 0.01);
  for (int step = 1; step < 50; step++)
    assert_true(factor(&s, step) < factor(&s, step - 1));
}

static void warmup_rises_to_the_schedule(void **state)
{
  (void)state;
  const gd_schedule s = {
      .kind = GD_SCHEDULE_CONSTANT, .warmup = 0.5, .epochs = 5};
  for (int step = 0; step < 5; step++)
    assert_true(fabs(factor(&s, step) - 0.2 * (step + 1)) < 1e-12);
  assert_true(factor(&s, 5) == 1);
}

static void unknown_kind_is_refused_with_those_there_are(void **state)
{
  (void)state;
  gd_schedule_kind kind;
  assert_ok(gd_schedule_kind_of("cosine", &kind));
  assert_int_equal(kind, GD_SCHEDULE_COSINE);
  assert_fails(gd_schedule_kind_of("cosin", &kind), GD_ERR_USAGE,
               "constant, step or cosine");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(constant_rate_never_changes),
    cmocka_unit_test(step_rate_falls_at_whole_epochs),
    cmocka_unit_test(cosine_rate_falls_from_one_to_nearly_nothing),
    cmocka_unit_test(warmup_rises_to_the_schedule),
    cmocka_unit_test(unknown_kind_is_refused_with_those_there_are),
};

gd_test_main(tests)
