#include "gradus/conformal.h"

#include <math.h>
#include <stdio.h>

#include "gradus/random.h"
#include "test.h"

static void half_width_is_the_distance_that_enough_videos_keep(void **state)
{
  (void)state;
  const double truth[9] = {0}, predicted[9] = {-3, 1, 2, 9, 4, -5, 6, 7, -8};
  double width;
  assert_ok(gd_conformal_half_width(9, truth, predicted, 0.9, &width));
  assert_float_equal(width, 9, 0); /* ceil(10 * 0.9) = 9th of 9 */
  assert_ok(gd_conformal_half_width(9, truth, predicted, 0.5, &width));
  assert_float_equal(width, 5, 0);
}

static void half_width_of_too_few_videos_has_no_bound(void **state)
{
  (void)state;
  const double truth[8] = {0}, predicted[8] = {0};
  double width;
  assert_ok(gd_conformal_half_width(8, truth, predicted, 0.9, &width));
  assert_true(isinf(width));
  assert_ok(gd_conformal_half_width(0, NULL, NULL, 0.1, &width));
  assert_true(isinf(width));
}

/* 200 corpora: 50 videos to calibrate, 100 to test, errors that are neither
 * normal nor centred.  On average 46 / 51 = 0.902 of the test videos are
 * inside at 0.9, and 41 / 51 = 0.804 at 0.8. */
static void coverage_over_many_splits_is_what_was_asked_for(void **state)
{
  (void)state;
  enum { SPLITS = 200, DEV = 50, TEST = 100 };
  const double levels[] = {0.9, 0.8};
  for (int l = 0; l < 2; l++) {
    int64_t covered = 0;
    for (int split = 0; split < SPLITS; split++) {
      gd_random r = gd_random_of(5, GD_FOR_TESTS, 0, split);
      double truth[DEV], predicted[DEV], width;
      for (int i = 0; i < DEV; i++) {
        truth[i] = 45 * gd_random_uniform(&r);
        predicted[i] = truth[i] + 3 - 8 * log(1 - gd_random_uniform(&r));
      }
      assert_ok(
          gd_conformal_half_width(DEV, truth, predicted, levels[l], &width));
      for (int i = 0; i < TEST; i++)
        covered += 3 - 8 * log(1 - gd_random_uniform(&r)) <= width;
    }
    const double share = (double)covered / (SPLITS * TEST);
    printf("level %.2f: %.4f inside\n", levels[l], share);
    assert_true(fabs(share - levels[l]) < 0.02);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(half_width_is_the_distance_that_enough_videos_keep),
    cmocka_unit_test(half_width_of_too_few_videos_has_no_bound),
    cmocka_unit_test(coverage_over_many_splits_is_what_was_asked_for),
};

gd_test_main(tests)
