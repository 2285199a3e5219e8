#include "gradus/severity.h"

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

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(severity_bands_of_64_levels_are_those_of_the_bdi),
    cmocka_unit_test(severity_bands_of_any_scale_cover_it_without_gap),
};

gd_test_main(tests)
