#include "gradus/random.h"

#include <math.h>

#include "test.h"

static void stream_is_a_function_of_its_names(void **state)
{
  (void)state;
  gd_random a = gd_random_of(7, GD_FOR_ORDER, 3, 11);
  gd_random b = gd_random_of(7, GD_FOR_ORDER, 3, 11);
  const gd_random others[] = {
      gd_random_of(8, GD_FOR_ORDER, 3, 11),
      gd_random_of(7, GD_FOR_AUGMENT, 3, 11),
      gd_random_of(7, GD_FOR_ORDER, 4, 11),
      gd_random_of(7, GD_FOR_ORDER, 3, 12),
      gd_random_of(7, GD_FOR_ORDER, 11, 3),
  };
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
    assert_true(others[i].start != a.start);
  for (int i = 0; i < 100; i++)
    assert_true(gd_random_bits(&a) == gd_random_bits(&b));
}

/* The reference sequence of splitmix64 from state 0 (Vigna's published C). */
static void mix_gives_the_published_numbers(void **state)
{
  (void)state;
  assert_true(gd_random_mix(0) == UINT64_C(0xe220a8397b1dcdaf));
  assert_true(gd_random_mix(UINT64_C(0x9E3779B97F4A7C15)) ==
              UINT64_C(0x6e789e6aa1b965f4));
}

static void draws_have_the_stated_moments(void **state)
{
  (void)state;
  enum { N = 200000 };
  gd_random r = gd_random_of(1, GD_FOR_TESTS, 0, 0);
  double sum = 0, squares = 0, normal = 0, normal2 = 0;
  int64_t counts[7] = {0};
  for (int i = 0; i < N; i++) {
    const double u = gd_random_uniform(&r), z = gd_random_normal(&r);
    assert_true(u >= 0 && u < 1);
    sum += u, squares += u * u, normal += z, normal2 += z * z;
    counts[gd_random_below(&r, 7)]++;
  }
  assert_true(fabs(sum / N - 0.5) < 0.005);
  assert_true(fabs(squares / N - 1.0 / 3) < 0.005);
  assert_true(fabs(normal / N) < 0.01);
  assert_true(fabs(normal2 / N - 1) < 0.02);
  for (int k = 0; k < 7; k++)
    assert_true(fabs((double)counts[k] / N - 1.0 / 7) < 0.005);
}

static void order_is_a_permutation(void **state)
{
  (void)state;
  int64_t order[97];
  int seen[97] = {0}, moved = 0;
  gd_random r = gd_random_of(5, GD_FOR_ORDER, 0, 0);
  gd_random_order(&r, 97, order);
  for (int i = 0; i < 97; i++) {
    assert_in_range(order[i], 0, 96);
    seen[order[i]]++;
    moved += order[i] != i;
  }
  for (int i = 0; i < 97; i++)
    assert_int_equal(seen[i], 1);
  assert_true(moved > 80);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(stream_is_a_function_of_its_names),
    cmocka_unit_test(mix_gives_the_published_numbers),
    cmocka_unit_test(draws_have_the_stated_moments),
    cmocka_unit_test(order_is_a_permutation),
};

gd_test_main(tests)
