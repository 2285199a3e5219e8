#include "gradus/severity.h"

#include <math.h>

#include "test.h"

static void severity_bands_of_64_levels_are_those_of_the_bdi(void **state)
{
  (void)state;
  gd_band bands[GD_MAX_BANDS];
  assert_int_equal(gd_severity_bands(64, bands), 4);
  assert_string_equal(bands[0].name, "none");
  assert_int_equal(bands[0].last, 13);
  assert_string_equal(bands[1].name, "mild");
  assert_int_equal(bands[1].last, 19);
  assert_string_equal(bands[2].name, "moderate");
  assert_int_equal(bands[2].last, 28);
  assert_string_equal(bands[3].name, "severe");
}

static void severity_bands_of_any_scale_cover_it_without_gap(void **state)
{
  (void)state;
  for (int levels = 1; levels <= 128; levels++) {
    gd_band bands[GD_MAX_BANDS];
    const int n = gd_severity_bands(levels, bands);
    int next = 0;
    for (int b = 0; b < n; b++) {
      assert_int_equal(bands[b].first, next);
      assert_true(bands[b].last >= bands[b].first);
      next = bands[b].last + 1;
    }
    assert_int_equal(next, levels);
  }
}

static void prediction_is_of_the_band_of_its_nearest_level(void **state)
{
  (void)state;
  gd_band bands[GD_MAX_BANDS];
  const int n = gd_severity_bands(64, bands);
  const double levels[] = {-4, 13.49, 13.5, 19.6, 28.4, 28.5, 80};
  const int expected[] = {0, 0, 1, 2, 2, 3, 3};
  for (int i = 0; i < 7; i++)
    assert_int_equal(gd_severity_of(n, bands, levels[i]), expected[i]);
}

static void confusion_counts_true_and_predicted_bands(void **state)
{
  (void)state;
  gd_band bands[GD_MAX_BANDS];
  const int n = gd_severity_bands(64, bands);
  const double truth[] = {3, 12, 15, 40}, predicted[] = {5, 18, 16, 22};
  const gd_confusion c = gd_severity_confusion(n, bands, 4, truth, predicted);
  assert_int_equal(c.n, 4);
  assert_int_equal(c.count[0][0], 1);
  assert_int_equal(c.count[0][1], 1);
  assert_int_equal(c.count[1][1], 1);
  assert_int_equal(c.count[3][2], 1);
  assert_float_equal(c.accuracy, 0.5, 1e-12);
  assert_true(isnan(gd_severity_confusion(n, bands, 0, NULL, NULL).accuracy));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(severity_bands_of_64_levels_are_those_of_the_bdi),
    cmocka_unit_test(severity_bands_of_any_scale_cover_it_without_gap),
    cmocka_unit_test(prediction_is_of_the_band_of_its_nearest_level),
    cmocka_unit_test(confusion_counts_true_and_predicted_bands),
};

gd_test_main(tests)
