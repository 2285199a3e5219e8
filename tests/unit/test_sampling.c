#include "gradus/sampling.h"

#include <math.h>
#include <stdlib.h>

#include "gradus/memory.h"
#include "test.h"

enum { MOST = 4000 };

/* An index of frames at given times, as far as sampling looks at it. */
typedef struct {
  gd_video_index index;
  gd_video_packet packets[MOST];
  int64_t shown_by[MOST];
} table;

static table *table_of(int64_t n, double first_s, double step_s)
{
  table *t = gd_alloc(1, sizeof *t);
  for (int64_t f = 0; f < n; f++) {
    t->packets[f] =
        (gd_video_packet){.frame = f, .time_s = first_s + (double)f * step_s};
    t->shown_by[f] = f;
  }
  t->index = (gd_video_index){.packets = t->packets,
                              .shown_by = t->shown_by,
                              .n_frames = n,
                              .n_packets = n,
                              .is_timed = 1,
                              .fps = 1 / step_s};
  return t;
}

static void assert_chosen(const table *t, gd_sampling s,
                          const int64_t *expected, int64_t n_expected)
{
  int64_t *frames, n;
  assert_ok(gd_sampling_select(&s, &t->index, &frames, &n));
  assert_int_equal(n, n_expected);
  for (int64_t i = 0; i < n; i++)
    assert_int_equal(frames[i], expected[i]);
  free(frames);
}

static void every_takes_the_numbers_it_divides(void **state)
{
  (void)state;
  table *t = table_of(25, 0.7, 0.04);
  const int64_t tenth[] = {0, 10, 20}, late[] = {10, 20}, middle[] = {10};
  assert_chosen(t, (gd_sampling){.every = 10}, tenth, 3);
  assert_chosen(t, (gd_sampling){.every = 10, .start_s = 0.04}, late, 2);
  assert_chosen(t, (gd_sampling){.every = 10, .start_s = 0.4, .stop_s = 0.8},
                middle, 1);
  assert_chosen(t, (gd_sampling){.every = 10, .start_s = 9}, NULL, 0);
  free(t);
}

static void rate_takes_the_first_frame_at_or_behind_each_tick(void **state)
{
  (void)state;
  table *t = table_of(25, 0, 0.04);
  /* ticks at 0, 0.125, 0.25 ...: frames at 0, 0.16, 0.28, 0.4, 0.52 ... */
  const int64_t eight[] = {0, 4, 7, 10, 13, 16, 19, 22};
  const int64_t five[] = {5, 10, 15, 20};
  assert_chosen(t, (gd_sampling){.rate = 8}, eight, 8);
  assert_chosen(t, (gd_sampling){.rate = 5, .start_s = 0.2}, five, 4);
  int64_t all[25];
  for (int i = 0; i < 25; i++)
    all[i] = i;
  assert_chosen(t, (gd_sampling){.rate = 25}, all, 25);
  assert_chosen(t, (gd_sampling){.rate = 1000}, all, 25);
  free(t);
}

/* Whatever the rate is: ticks are never drifted from, for thousands. */
static void rate_holds_over_a_long_video(void **state)
{
  (void)state;
  const double rates[] = {24, 10, 3, 1, 0.1};
  table *t = table_of(3000, 12.5, 1001.0 / 30000);
  for (int r = 0; r < 5; r++) {
    int64_t *frames, n, expected = 0;
    const gd_sampling s = {.rate = rates[r]};
    assert_ok(gd_sampling_select(&s, &t->index, &frames, &n));
    for (int64_t k = 0; k < n; k++) {
      while ((double)expected * 1001 / 30000 < ((double)k - 1e-6) / rates[r])
        expected++;
      assert_int_equal(frames[k], expected);
    }
    assert_in_range(n, (int64_t)(3000 * 1001.0 / 30000 * rates[r]), 3000);
    free(frames);
  }
  free(t);
}

static void hole_in_a_video_is_not_filled(void **state)
{
  (void)state;
  table *t = table_of(20, 0, 0.1);
  for (int f = 10; f < 20; f++)
    t->packets[f].time_s += 5;
  const int64_t expected[] = {0, 5, 10, 15};
  assert_chosen(t, (gd_sampling){.rate = 2}, expected, 4);
  free(t);
}

static void most_spreads_evenly(void **state)
{
  (void)state;
  table *t = table_of(100, 0, 0.04);
  const int64_t four[] = {0, 20, 50, 70}, one[] = {0};
  assert_chosen(t, (gd_sampling){.every = 10, .most = 4}, four, 4);
  assert_chosen(t, (gd_sampling){.every = 10, .most = 1}, one, 1);
  assert_chosen(t, (gd_sampling){.every = 50, .most = 4},
                (const int64_t[]){0, 50}, 2);
  free(t);
}

/* What is chosen while frames go by is what is listed. */
static void walk_agrees_with_the_list(void **state)
{
  (void)state;
  static const gd_sampling cases[] = {{.every = 1},
                                      {.every = 7, .start_s = 1.3, .stop_s = 3},
                                      {.rate = 3.3},
                                      {.rate = 9, .start_s = 0.5, .most = 11},
                                      {.every = 2, .most = 37},
                                      {.every = 3, .most = 1000}};
  table *t = table_of(177, 3.25, 1 / 29.97);
  for (int c = 0; c < 6; c++) {
    int64_t *frames, n;
    assert_ok(gd_sampling_select(&cases[c], &t->index, &frames, &n));
    gd_sampling_walk count = gd_sampling_begin(&cases[c]), walk = count;
    for (int64_t f = 0; f < 177; f++)
      (void)gd_sampling_takes(&count, f, (double)f / 29.97);
    walk.n_all = count.n_seen;
    int64_t k = 0;
    for (int64_t f = 0; f < 177; f++)
      if (gd_sampling_takes(&walk, f, (double)f / 29.97))
        assert_int_equal(f, frames[k++]);
    assert_int_equal(k, n);
    free(frames);
  }
  free(t);
}

static void sampling_out_of_range_is_not_valid(void **state)
{
  (void)state;
  static const gd_sampling good[] = {{.every = 1},
                                     {.rate = 0.01},
                                     {.every = 5, .start_s = 1, .stop_s = 2},
                                     {.rate = 3, .most = 1}};
  static const gd_sampling bad[] = {{.every = 0},
                                    {.every = -1},
                                    {.every = 1, .rate = 1},
                                    {.rate = -1},
                                    {.rate = INFINITY},
                                    {.rate = NAN},
                                    {.every = 1, .start_s = -1},
                                    {.every = 1, .start_s = NAN},
                                    {.every = 1, .start_s = 2, .stop_s = 2},
                                    {.every = 1, .stop_s = NAN},
                                    {.every = 1, .most = -1}};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++)
    assert_true(gd_sampling_is_valid(&good[i]));
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_false(gd_sampling_is_valid(&bad[i]));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_takes_the_numbers_it_divides),
    cmocka_unit_test(rate_takes_the_first_frame_at_or_behind_each_tick),
    cmocka_unit_test(rate_holds_over_a_long_video),
    cmocka_unit_test(hole_in_a_video_is_not_filled),
    cmocka_unit_test(most_spreads_evenly),
    cmocka_unit_test(walk_agrees_with_the_list),
    cmocka_unit_test(sampling_out_of_range_is_not_valid),
};

gd_test_main(tests)
