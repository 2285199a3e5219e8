#include "gradus/sampler.h"

#include <string.h>

#include "test.h"

/* For every small (n, batch, microbatch): the leaves of the steps cover the
 * epoch's places once, in order, and no piece is one sample where more are
 * there. */
static void leaves_cover_every_epoch_without_single_samples(void **state)
{
  (void)state;
  for (int64_t n = 1; n <= 30; n++)
    for (int batch = 1; batch <= 12; batch++)
      for (int microbatch = 1; microbatch <= batch; microbatch++) {
        gd_sampler *s;
        assert_ok(gd_sampler_new(n, batch, microbatch, 1, NULL, &s));
        int64_t next = 0, most = 0;
        for (int64_t k = 0; k < gd_sampler_n_steps(s); k++) {
          const gd_range step = gd_sampler_step(s, k);
          assert_int_equal(step.first, next);
          assert_true(step.end - step.first <= batch + (batch > 1));
          for (int64_t i = 0; i < gd_sampler_n_leaves(s, k); i++) {
            const gd_range leaf = gd_sampler_leaf(s, k, i);
            const int64_t length = leaf.end - leaf.first;
            assert_int_equal(leaf.first, next);
            assert_true(length >= 1 && length <= gd_sampler_most(s));
            assert_true(length > 1 || microbatch == 1 || n == 1);
            most = length > most ? length : most;
            next = leaf.end;
          }
          assert_int_equal(step.end, next);
        }
        assert_int_equal(next, n);
        assert_int_equal(most, gd_sampler_most(s));
        assert_true(most <= microbatch + 1);
        gd_sampler_free(s);
      }
}

static void order_is_a_function_of_seed_and_epoch(void **state)
{
  (void)state;
  enum { N = 50 };
  gd_sampler *a, *b;
  int64_t first[N];
  int seen[N] = {0};
  assert_ok(gd_sampler_new(N, 8, 4, 7, NULL, &a));
  assert_ok(gd_sampler_new(N, 32, 2, 7, NULL, &b));
  gd_sampler_begin(a, 3);
  memcpy(first, gd_sampler_order(a), sizeof first);
  for (int i = 0; i < N; i++)
    seen[first[i]]++;
  for (int i = 0; i < N; i++)
    assert_int_equal(seen[i], 1);
  /* Whatever came before, and however the epoch is cut. */
  gd_sampler_begin(b, 9);
  gd_sampler_begin(b, 3);
  assert_memory_equal(first, gd_sampler_order(b), sizeof first);
  gd_sampler_begin(b, 4);
  assert_memory_not_equal(first, gd_sampler_order(b), sizeof first);
  gd_sampler_free(b);
  assert_ok(gd_sampler_new(N, 8, 4, 8, NULL, &b));
  gd_sampler_begin(b, 3);
  assert_memory_not_equal(first, gd_sampler_order(b), sizeof first);
  gd_sampler_free(a);
  gd_sampler_free(b);
}

/* Every group has the same number of places, or one more; and every sample of a
 * group comes equally often, or once more: for all small sets of groups. */
static void balanced_places_are_dealt_evenly(void **state)
{
  (void)state;
  enum { MOST = 24 };
  for (int64_t n = 1; n <= MOST; n++)
    for (int64_t n_groups = 1; n_groups <= n; n_groups++) {
      gd_sampler *s;
      int64_t group[MOST], sizes[MOST] = {0}, places[MOST] = {0};
      int64_t times[MOST] = {0}, last_turn[MOST] = {0};
      for (int64_t i = 0; i < n; i++) { /* the last group is the largest */
        const int64_t g = i < n_groups ? i : n_groups - 1;
        group[i] = 1000 - 7 * g;
        sizes[g]++;
      }
      assert_ok(gd_sampler_new(n, 2, 1, 5, group, &s));
      gd_sampler_begin(s, n % 3);
      const int64_t *order = gd_sampler_order(s), *turns = gd_sampler_turns(s);
      for (int64_t p = 0; p < n; p++) {
        const int64_t i = order[p];
        assert_true(i >= 0 && i < n);
        places[i < n_groups ? i : n_groups - 1]++;
        last_turn[i] = turns[p] > last_turn[i] ? turns[p] : last_turn[i];
        times[i]++;
      }
      for (int64_t i = 0; i < n; i++) {
        const int64_t g = i < n_groups ? i : n_groups - 1;
        assert_in_range(times[i], places[g] / sizes[g],
                        (places[g] + sizes[g] - 1) / sizes[g]);
        assert_true(times[i] == 0 || last_turn[i] == times[i] - 1);
      }
      for (int64_t g = 0; g < n_groups; g++)
        assert_in_range(places[g], n / n_groups, (n + n_groups - 1) / n_groups);
      gd_sampler_free(s);
    }
}

static void balanced_order_is_a_function_of_seed_and_epoch(void **state)
{
  (void)state;
  enum { N = 50 };
  int64_t group[N], first[N];
  gd_sampler *a, *b;
  for (int i = 0; i < N; i++)
    group[i] = i / 20;
  assert_ok(gd_sampler_new(N, 8, 4, 7, group, &a));
  assert_ok(gd_sampler_new(N, 32, 2, 7, group, &b));
  gd_sampler_begin(a, 3);
  memcpy(first, gd_sampler_order(a), sizeof first);
  gd_sampler_begin(b, 9);
  gd_sampler_begin(b, 3);
  assert_memory_equal(first, gd_sampler_order(b), sizeof first);
  gd_sampler_begin(b, 4);
  assert_memory_not_equal(first, gd_sampler_order(b), sizeof first);
  gd_sampler_free(a);
  gd_sampler_free(b);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(leaves_cover_every_epoch_without_single_samples),
    cmocka_unit_test(order_is_a_function_of_seed_and_epoch),
    cmocka_unit_test(balanced_places_are_dealt_evenly),
    cmocka_unit_test(balanced_order_is_a_function_of_seed_and_epoch),
};

gd_test_main(tests)
