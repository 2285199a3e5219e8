#include "gradus/dropout.h"

#include "test.h"

enum { N = 4000 };

static void share_of_units_is_left_out_and_the_mean_stays(void **state)
{
  (void)state;
  static float factors[N];
  gd_random r = gd_random_of(1, GD_FOR_DROPOUT, 0, 0);
  gd_dropout_draw(0.25, &r, N, factors);
  int n_out = 0;
  for (int i = 0; i < N; i++) {
    n_out += factors[i] == 0.0f;
    assert_true(factors[i] == 0.0f || factors[i] == (float)(4.0 / 3));
  }
  assert_in_range(n_out, N / 4 - 100, N / 4 + 100);
  gd_dropout_draw(0, &r, N, factors);
  for (int i = 0; i < N; i++)
    assert_true(factors[i] == 1.0f);
}

static void sample_and_epoch_decide_what_is_left_out(void **state)
{
  (void)state;
  static float first[N], again[N];
  gd_random r = gd_random_of(1, GD_FOR_DROPOUT, 3, 7);
  gd_dropout_draw(0.5, &r, N, first);
  r = gd_random_of(1, GD_FOR_DROPOUT, 3, 7);
  gd_dropout_draw(0.5, &r, N / 2, again);
  gd_dropout_draw(0.5, &r, N / 2, again + N / 2);
  assert_memory_equal(first, again, sizeof first);
  r = gd_random_of(1, GD_FOR_DROPOUT, 4, 7);
  gd_dropout_draw(0.5, &r, N, again);
  assert_memory_not_equal(first, again, sizeof first);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(share_of_units_is_left_out_and_the_mean_stays),
    cmocka_unit_test(sample_and_epoch_decide_what_is_left_out),
};

gd_test_main(tests)
