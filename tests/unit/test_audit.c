#include "gradus/audit.h"

#include <math.h>

#include "test.h"

static void audit_counts_a_test_person_who_is_also_trained_on(void **state)
{
  (void)state;
  const gd_video videos[] = {
      {.subject = "anna", .partition = GD_TRAIN, .label = 4},
      {.subject = "bert", .partition = GD_TRAIN, .label = 40},
      {.subject = "cleo", .partition = GD_DEV, .label = 9},
      {.subject = "anna", .partition = GD_TEST, .label = 63},
      {.subject = "anna", .partition = GD_TEST, .label = 2},
      {.subject = "dora", .partition = GD_TEST, .label = 7},
      {.subject = "cleo", .partition = GD_TEST, .label = 8},
  };
  gd_audit a;
  assert_ok(gd_audit_of(7, videos, 64, &a));
  assert_int_equal(a.n_persons, 4);
  assert_int_equal(a.n_overlap, 2);
  assert_int_equal(a.part[GD_TRAIN].n_videos, 2);
  assert_int_equal(a.part[GD_TRAIN].n_persons, 2);
  assert_float_equal(a.part[GD_TRAIN].mean, 22, 0);
  assert_int_equal(a.part[GD_TEST].n_videos, 4);
  assert_int_equal(a.part[GD_TEST].n_persons, 3);
  assert_float_equal(a.part[GD_TEST].median, 7.5, 0);
  assert_float_equal(a.part[GD_TEST].least, 2, 0);
  assert_float_equal(a.part[GD_TEST].most, 63, 0);
  assert_int_equal(a.bin_levels, 4);
  assert_int_equal(a.n_bins, 16);
  assert_int_equal(a.part[GD_TEST].histogram[0], 1);
  assert_int_equal(a.part[GD_TEST].histogram[1], 1);
  assert_int_equal(a.part[GD_TEST].histogram[2], 1);
  assert_int_equal(a.part[GD_TEST].histogram[15], 1);
}

static void audit_of_an_empty_partition_has_no_mean(void **state)
{
  (void)state;
  const gd_video one = {.subject = "a", .partition = GD_TEST, .label = 3};
  gd_audit a;
  assert_ok(gd_audit_of(1, &one, 5, &a));
  assert_int_equal(a.part[GD_TRAIN].n_videos, 0);
  assert_true(isnan(a.part[GD_TRAIN].mean));
  assert_int_equal(a.n_bins, 5);
  assert_int_equal(a.n_overlap, 0);
  assert_ok(gd_audit_of(0, NULL, 64, &a));
  assert_int_equal(a.n_persons, 0);
}

static void audit_bins_hold_every_video_for_any_scale(void **state)
{
  (void)state;
  for (int levels = 1; levels <= 200; levels++) {
    const gd_video ends[] = {
        {.subject = "a", .partition = GD_DEV, .label = 0},
        {.subject = "b", .partition = GD_DEV, .label = levels - 1},
    };
    gd_audit a;
    assert_ok(gd_audit_of(2, ends, levels, &a));
    int64_t sum = 0;
    for (int b = 0; b < a.n_bins; b++)
      sum += a.part[GD_DEV].histogram[b];
    assert_int_equal(sum, 2);
    assert_true(a.part[GD_DEV].histogram[a.n_bins - 1] > 0);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(audit_counts_a_test_person_who_is_also_trained_on),
    cmocka_unit_test(audit_of_an_empty_partition_has_no_mean),
    cmocka_unit_test(audit_bins_hold_every_video_for_any_scale),
};

gd_test_main(tests)
