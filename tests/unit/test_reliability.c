#include "gradus/reliability.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gradus/random.h"
#include "test.h"

enum { N = 97 };

static const gd_bootstrap few = {1, 400, 0.95};

typedef struct {
  double truth[N], predicted[N];
  gd_video videos[N];
  const gd_video *list[N];
  char names[N][16];
} sample;

/* Videos of two per person, predicted with noise and by a line. */
static void film(sample *s, uint64_t seed, double slope, double noise)
{
  gd_random r = gd_random_of(seed, GD_FOR_TESTS, 0, 0);
  for (int i = 0; i < N; i++) {
    snprintf(s->names[i], sizeof s->names[i], "p%02d", i / 2);
    s->videos[i] = (gd_video){.id = s->names[i], .subject = s->names[i]};
    s->list[i] = &s->videos[i];
    s->truth[i] = (double)gd_random_below(&r, 64);
    s->predicted[i] =
        30 + slope * (s->truth[i] - 30) + noise * gd_random_normal(&r);
  }
}

/* By plain loops: the rank of each prediction says its bin. */
static void bins_are_those_of_ranks(void **state)
{
  (void)state;
  static sample s;
  gd_reliability r;
  film(&s, 1, 0.7, 6);
  assert_ok(gd_reliability_of(&few, N, s.truth, s.predicted, s.list, &r));
  assert_int_equal(r.n_bins, 10);
  double distance = 0;
  int64_t n_all = 0;
  for (int b = 0; b < 10; b++) {
    double truth = 0, predicted = 0;
    int64_t n = 0;
    for (int i = 0; i < N; i++) {
      int64_t rank = 0;
      for (int j = 0; j < N; j++)
        rank += s.predicted[j] < s.predicted[i];
      if (rank < b * N / 10 || rank >= (b + 1) * N / 10)
        continue;
      truth += s.truth[i];
      predicted += s.predicted[i];
      n++;
    }
    assert_int_equal(r.bins[b].n, n);
    assert_float_equal(r.bins[b].label, truth / (double)n, 1e-12);
    assert_float_equal(r.bins[b].predicted, predicted / (double)n, 1e-12);
    assert_true(r.bins[b].label_interval.low <= r.bins[b].label);
    assert_true(r.bins[b].label_interval.high >= r.bins[b].label);
    distance += fabs(truth - predicted) / N;
    n_all += n;
  }
  assert_int_equal(n_all, N);
  assert_float_equal(r.distance, distance, 1e-12);
}

/* Exact lines are found again; those of noisy ones by the normal equations. */
static void line_is_that_of_least_squares(void **state)
{
  (void)state;
  static sample s;
  gd_reliability r;
  film(&s, 2, 0.5, 0);
  assert_ok(gd_reliability_of(&few, N, s.truth, s.predicted, s.list, &r));
  assert_float_equal(r.slope, 2, 1e-12);
  assert_float_equal(r.intercept, -30, 1e-10);
  film(&s, 3, 1, 8);
  assert_ok(gd_reliability_of(&few, N, s.truth, s.predicted, s.list, &r));
  double residual = 0, moment = 0;
  for (int i = 0; i < N; i++) {
    const double e = s.truth[i] - r.intercept - r.slope * s.predicted[i];
    residual += e;
    moment += e * s.predicted[i];
  }
  assert_float_equal(residual, 0, 1e-9);
  assert_float_equal(moment, 0, 1e-8);
}

/* The interval resamples persons: twice the same videos of the same persons
 * tell no more. */
static void copies_of_persons_do_not_narrow_intervals(void **state)
{
  (void)state;
  static sample s;
  gd_reliability r;
  film(&s, 4, 1, 5);
  for (int i = 0; i < N; i++)
    s.predicted[i] = 10; /* one bin */
  assert_ok(gd_reliability_of(&few, 40, s.truth, s.predicted, s.list, &r));
  assert_int_equal(r.n_bins, 1);
  assert_true(isnan(r.slope));
  const double width =
      r.bins[0].label_interval.high - r.bins[0].label_interval.low;
  memcpy(s.truth + 40, s.truth, 40 * sizeof *s.truth);
  memcpy(s.list + 40, s.list, 40 * sizeof(gd_video *));
  assert_ok(gd_reliability_of(&few, 80, s.truth, s.predicted, s.list, &r));
  assert_float_equal(r.bins[0].label_interval.high -
                         r.bins[0].label_interval.low,
                     width, 1e-4); /* draws that tie with the mean */
}

/* In 200 worlds the interval of a bin's mean holds the mean it is drawn from
 * about as often as it says. */
static void interval_of_a_mean_holds_as_often_as_it_says(void **state)
{
  (void)state;
  enum { WORLDS = 200, PERSONS = 40 };
  int held = 0;
  for (int world = 0; world < WORLDS; world++) {
    double x[2 * PERSONS];
    int64_t person[2 * PERSONS];
    gd_interval i;
    gd_random r = gd_random_of(9, GD_FOR_TESTS, 1, world);
    for (int p = 0; p < PERSONS; p++) {
      const double own = 20 + 6 * gd_random_normal(&r);
      for (int v = 0; v < 2; v++) {
        x[2 * p + v] = own + 2 * gd_random_normal(&r);
        person[2 * p + v] = p;
      }
    }
    assert_ok(gd_bootstrap_mean(&few, 2 * PERSONS, x, person, PERSONS, &i));
    held += i.low <= 20 && 20 <= i.high;
  }
  assert_in_range(held, 182, 198);
}

static void few_videos_and_ties_make_few_bins(void **state)
{
  (void)state;
  static sample s;
  gd_reliability r;
  film(&s, 5, 1, 3);
  assert_ok(gd_reliability_of(&few, 15, s.truth, s.predicted, s.list, &r));
  assert_int_equal(r.n_bins, 1);
  assert_ok(gd_reliability_of(&few, 16, s.truth, s.predicted, s.list, &r));
  assert_int_equal(r.n_bins, 2);
  for (int i = 0; i < N; i++)
    s.predicted[i] = i < 60 ? 5 : 9;
  assert_ok(gd_reliability_of(&few, N, s.truth, s.predicted, s.list, &r));
  assert_int_equal(r.n_bins, 2);
  assert_int_equal(r.bins[0].n, 60);
  assert_ok(gd_reliability_of(&few, 0, NULL, NULL, NULL, &r));
  assert_int_equal(r.n_bins, 0);
  assert_true(isnan(r.distance));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(bins_are_those_of_ranks),
    cmocka_unit_test(line_is_that_of_least_squares),
    cmocka_unit_test(copies_of_persons_do_not_narrow_intervals),
    cmocka_unit_test(interval_of_a_mean_holds_as_often_as_it_says),
    cmocka_unit_test(few_videos_and_ties_make_few_bins),
};

gd_test_main(tests)
