#include "gradus/bootstrap.h"

#include <math.h>
#include <stdio.h>

#include "gradus/random.h"
#include "test.h"

enum { PERSONS = 60, VIDEOS = 2, N = PERSONS * VIDEOS };

typedef struct {
  double truth[N], predicted[N];
  double absolute[N], square[N];
  int64_t person[N];
} sample;

/* Persons have a level of their own and an error of their own, which both of
 * their videos share, and each video an error besides: 6 levels together. */
static void film(int64_t world, int64_t method, sample *s)
{
  for (int p = 0; p < PERSONS; p++) {
    gd_random same = gd_random_of(7, GD_FOR_TESTS, world, p);
    gd_random own = gd_random_of(8 + (uint64_t)method, GD_FOR_TESTS, world, p);
    const double level = 20 + 10 * gd_random_normal(&same);
    const double shared = 4.8 * gd_random_normal(&own);
    for (int v = 0; v < VIDEOS; v++) {
      const int i = p * VIDEOS + v;
      const double e = shared + 3.6 * gd_random_normal(&own);
      s->person[i] = p;
      s->truth[i] = level;
      s->predicted[i] = level + e;
      s->absolute[i] = fabs(e);
      s->square[i] = e * e;
    }
  }
}

static int inside(gd_interval i, double value)
{
  return i.low <= value && value <= i.high;
}

/* 400 corpora of 60 persons: the intervals hold what the whole population has
 * about as often as they say.  The standard error of a share is 1.1 %. */
static void intervals_cover_as_often_as_they_say(void **state)
{
  (void)state;
  enum { WORLDS = 400 };
  const double mae = 6 * sqrt(2 / 3.14159265358979), rmse = 6;
  const double ccc = 200.0 / (200 + 36);
  int n_mae = 0, n_rmse = 0, n_ccc = 0, n_equal = 0;
  for (int w = 0; w < WORLDS; w++) {
    sample s, other;
    gd_metrics_interval m;
    gd_difference d;
    const gd_bootstrap b = {(uint64_t)w, 600, 0.95};
    film(w, 0, &s);
    film(w, 1, &other);
    assert_ok(gd_bootstrap_metrics(&b, N, s.truth, s.predicted, s.person,
                                   PERSONS, &m));
    assert_ok(gd_bootstrap_difference(
        &b, N, (const double *const[]){s.absolute, other.absolute},
        (const double *const[]){s.square, other.square}, s.person, PERSONS,
        &d));
    n_mae += inside(m.mae, mae);
    n_rmse += inside(m.rmse, rmse);
    n_ccc += inside(m.ccc, ccc);
    n_equal += inside(d.mae_interval, 0);
  }
  printf("covered of %d: MAE %d, RMSE %d, CCC %d, no difference %d\n", WORLDS,
         n_mae, n_rmse, n_ccc, n_equal);
  assert_in_range(n_mae, 0.92 * WORLDS, 0.98 * WORLDS);
  assert_in_range(n_rmse, 0.92 * WORLDS, 0.98 * WORLDS);
  assert_in_range(n_ccc, 0.92 * WORLDS, 0.98 * WORLDS);
  assert_in_range(n_equal, 0.92 * WORLDS, 0.98 * WORLDS);
}

static void intervals_are_a_function_of_the_seed(void **state)
{
  (void)state;
  sample s;
  gd_metrics_interval a, again, other;
  film(1, 0, &s);
  const gd_bootstrap one = {1, 300, 0.9}, two = {2, 300, 0.9};
  assert_ok(gd_bootstrap_metrics(&one, N, s.truth, s.predicted, s.person,
                                 PERSONS, &a));
  assert_ok(gd_bootstrap_metrics(&one, N, s.truth, s.predicted, s.person,
                                 PERSONS, &again));
  assert_ok(gd_bootstrap_metrics(&two, N, s.truth, s.predicted, s.person,
                                 PERSONS, &other));
  assert_memory_equal(&a, &again, sizeof a);
  assert_true(a.mae.low != other.mae.low);
  assert_true(a.mae.low < a.mae.high && a.rmse.low < a.rmse.high);
}

/* Were videos drawn instead of persons, a person's copies would narrow the
 * interval; here they leave it as it is. */
static void copies_of_a_person_do_not_narrow_the_interval(void **state)
{
  (void)state;
  enum { TIMES = 4 };
  sample s;
  static double truth[TIMES * N], predicted[TIMES * N];
  static int64_t person[TIMES * N];
  gd_metrics_interval once, often;
  film(2, 0, &s);
  for (int i = 0; i < TIMES * N; i++) {
    truth[i] = s.truth[i % N];
    predicted[i] = s.predicted[i % N];
    person[i] = s.person[i % N];
  }
  const gd_bootstrap b = {1, 300, 0.9};
  assert_ok(gd_bootstrap_metrics(&b, N, s.truth, s.predicted, s.person, PERSONS,
                                 &once));
  assert_ok(gd_bootstrap_metrics(&b, (int64_t)TIMES * N, truth, predicted,
                                 person, PERSONS, &often));
  assert_float_equal(once.mae.low, often.mae.low, 1e-9);
  assert_float_equal(once.rmse.high, often.rmse.high, 1e-9);
}

static void difference_of_unequal_methods_leaves_zero_out(void **state)
{
  (void)state;
  sample s;
  double worse[N], worse_square[N];
  gd_difference d;
  film(3, 0, &s);
  for (int i = 0; i < N; i++) {
    worse[i] = s.absolute[i] + 2;
    worse_square[i] = worse[i] * worse[i];
  }
  assert_ok(gd_bootstrap_difference(
      &(gd_bootstrap){1, 200, 0.95}, N,
      (const double *const[]){s.absolute, worse},
      (const double *const[]){s.square, worse_square}, s.person, PERSONS, &d));
  assert_float_equal(d.mae, -2, 1e-9);
  assert_float_equal(d.mae_interval.low, -2, 1e-9); /* in every draw */
  assert_true(d.rmse < 0 && d.rmse_interval.high < 0);
}

static void intervals_of_one_person_or_no_draws_are_not_numbers(void **state)
{
  (void)state;
  const double truth[] = {1, 2}, predicted[] = {2, 2};
  const int64_t one[] = {0, 0}, two[] = {0, 1};
  gd_metrics_interval m;
  assert_ok(gd_bootstrap_metrics(&(gd_bootstrap){1, 50, 0.95}, 2, truth,
                                 predicted, one, 1, &m));
  assert_true(isnan(m.mae.low) && isnan(m.ccc.high));
  assert_ok(gd_bootstrap_metrics(&(gd_bootstrap){1, 0, 0.95}, 2, truth,
                                 predicted, two, 2, &m));
  assert_true(isnan(m.mae.low) && isnan(m.ccc.high));
  /* Where a draw is the same person twice, there is no CCC. */
  assert_ok(gd_bootstrap_metrics(&(gd_bootstrap){1, 50, 0.95}, 2, truth,
                                 predicted, two, 2, &m));
  assert_true(m.mae.low == 0 && m.mae.high == 1);
}

/* All five draws are one person's with a chance of 1/3125.  By Student's
 * quantile for four degrees of freedom (scipy 1.10.1), 1.25/3125 of the draws
 * are left below an interval at 0.96, and 0.85/3125 below one at 0.9635; a
 * series from the normal quantile that was here before left 1.13/3125. */
static void interval_of_few_persons_is_as_wide_as_students(void **state)
{
  (void)state;
  static const double x[] = {1, 2, 3, 4, 5};
  static const int64_t person[] = {0, 1, 2, 3, 4};
  gd_interval i;
  assert_ok(gd_bootstrap_mean(&(gd_bootstrap){1, 2000000, 0.96}, 5, x, person,
                              5, &i));
  assert_float_equal(i.low, 1.2, 1e-12); /* four of the first, one second */
  assert_float_equal(i.high, 4.8, 1e-12);
  assert_ok(gd_bootstrap_mean(&(gd_bootstrap){1, 2000000, 0.9635}, 5, x, person,
                              5, &i));
  assert_float_equal(i.low, 1, 1e-12);
  assert_float_equal(i.high, 5, 1e-12);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(intervals_cover_as_often_as_they_say),
    cmocka_unit_test(intervals_are_a_function_of_the_seed),
    cmocka_unit_test(copies_of_a_person_do_not_narrow_the_interval),
    cmocka_unit_test(difference_of_unequal_methods_leaves_zero_out),
    cmocka_unit_test(intervals_of_one_person_or_no_draws_are_not_numbers),
    cmocka_unit_test(interval_of_few_persons_is_as_wide_as_students),
};

gd_test_main(tests)
