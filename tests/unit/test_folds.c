#include "gradus/folds.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gradus/persons.h"
#include "gradus/random.h"
#include "test.h"

enum { PERSONS = 41, MOST = 3 * PERSONS };

typedef struct {
  int64_t n;
  char subject[PERSONS][16];
  gd_video videos[MOST];
} corpus;

/* One to three videos of each person, in an order of its own. */
static void make(corpus *c)
{
  *c = (corpus){0};
  for (int p = 0; p < PERSONS; p++)
    snprintf(c->subject[p], sizeof c->subject[p], "p%02d", p);
  for (int round = 0; round < 3; round++)
    for (int p = PERSONS - 1; p >= 0; p--) {
      gd_random r = gd_random_of(1, GD_FOR_TESTS, round, p);
      if (p % 3 < round)
        continue;
      c->videos[c->n++] =
          (gd_video){.id = "v",
                     .subject = c->subject[p],
                     .task = "",
                     .label = (double)(p + gd_random_below(&r, 10))};
    }
}

static void persons_are_numbered_by_name(void **state)
{
  (void)state;
  gd_video videos[] = {{.subject = "b"}, {.subject = "a"}, {.subject = "b"}};
  int64_t person[3], n;
  assert_ok(gd_persons_number(
      3, (const gd_video *[]){&videos[0], &videos[1], &videos[2]}, person, &n));
  assert_int_equal(n, 2);
  assert_int_equal(person[0], 1);
  assert_int_equal(person[1], 0);
  assert_int_equal(person[2], 1);
}

static void person_is_never_in_two_folds(void **state)
{
  (void)state;
  corpus c;
  int fold[MOST];
  make(&c);
  assert_ok(gd_folds_deal(c.n, c.videos, 5, 1, fold));
  for (int64_t v = 0; v < c.n; v++)
    for (int64_t w = 0; w < v; w++)
      if (strcmp(c.videos[v].subject, c.videos[w].subject) == 0)
        assert_int_equal(fold[v], fold[w]);
}

static void folds_are_even_in_persons_and_in_levels(void **state)
{
  (void)state;
  corpus c;
  int fold[MOST], in[5] = {0};
  double sum[5] = {0}, counted[5] = {0}, all = 0;
  make(&c);
  assert_ok(gd_folds_deal(c.n, c.videos, 5, 1, fold));
  int seen[PERSONS] = {0};
  for (int64_t v = 0; v < c.n; v++) {
    const int p =
        (c.videos[v].subject[1] - '0') * 10 + (c.videos[v].subject[2] - '0');
    in[fold[v]] += !seen[p];
    seen[p] = 1;
    sum[fold[v]] += c.videos[v].label;
    counted[fold[v]]++;
    all += c.videos[v].label;
  }
  for (int f = 0; f < 5; f++) {
    assert_in_range(in[f], PERSONS / 5, PERSONS / 5 + 1);
    assert_true(fabs(sum[f] / counted[f] - all / (double)c.n) < 4);
  }
}

static void folds_are_a_function_of_persons_levels_and_seed(void **state)
{
  (void)state;
  corpus c;
  int fold[MOST], again[MOST], other[MOST];
  make(&c);
  assert_ok(gd_folds_deal(c.n, c.videos, 5, 1, fold));
  assert_ok(gd_folds_deal(c.n, c.videos, 5, 2, other));
  assert_memory_not_equal(fold, other, (size_t)c.n * sizeof *fold);
  /* Neither the order of the videos nor their partitions matter. */
  gd_video turned[MOST];
  for (int64_t v = 0; v < c.n; v++) {
    turned[v] = c.videos[c.n - 1 - v];
    turned[v].partition = GD_TEST;
  }
  assert_ok(gd_folds_deal(c.n, turned, 5, 1, again));
  for (int64_t v = 0; v < c.n; v++)
    assert_int_equal(fold[v], again[c.n - 1 - v]);
}

static void as_many_folds_as_persons_leave_one_out(void **state)
{
  (void)state;
  corpus c;
  int fold[MOST], of[PERSONS];
  make(&c);
  assert_ok(gd_folds_deal(c.n, c.videos, PERSONS, 1, fold));
  memset(of, -1, sizeof of);
  for (int64_t v = 0; v < c.n; v++) {
    const int p =
        (c.videos[v].subject[1] - '0') * 10 + (c.videos[v].subject[2] - '0');
    if (of[fold[v]] >= 0)
      assert_int_equal(of[fold[v]], p);
    of[fold[v]] = p;
  }
  for (int f = 0; f < PERSONS; f++)
    assert_true(of[f] >= 0);
  assert_fails(gd_folds_deal(c.n, c.videos, PERSONS + 1, 1, fold), GD_ERR_USAGE,
               "42 folds by person: there are only 41 persons");
}

static void folds_that_the_corpus_names_are_taken(void **state)
{
  (void)state;
  int fold[4];
  gd_video videos[4] = {{.id = "a", .subject = "p", .fold = 3},
                        {.id = "b", .subject = "q", .fold = 1},
                        {.id = "c", .subject = "q", .fold = 2},
                        {.id = "d", .subject = "r", .fold = 3}};
  assert_ok(gd_folds_deal(4, videos, 3, 1, fold));
  for (int v = 0; v < 4; v++)
    assert_int_equal(fold[v], videos[v].fold - 1);
  videos[3].fold = 4;
  assert_fails(gd_folds_deal(4, videos, 3, 1, fold), GD_ERR_USAGE,
               "video d is in fold 4, of 3");
  videos[3].fold = 0;
  assert_fails(gd_folds_deal(4, videos, 3, 1, fold), GD_ERR_USAGE,
               "video d is in fold 0, of 3");
}

/* Every fold is tested once, and never trained on or selected with then. */
static void rounds_use_every_fold_once_for_each(void **state)
{
  (void)state;
  for (int n = GD_LEAST_FOLDS; n <= 20; n++)
    for (int fold = 0; fold < n; fold++) {
      int used[GD_N_PARTITIONS] = {0};
      for (int round = 0; round < n; round++)
        used[gd_folds_partition(fold, n, round)]++;
      assert_int_equal(used[GD_TEST], 1);
      assert_int_equal(used[GD_DEV], n < 10 ? 1 : n / 5);
      assert_int_equal(used[GD_TRAIN], n - 1 - used[GD_DEV]);
      assert_int_equal(gd_folds_partition(fold, n, fold), GD_TEST);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(persons_are_numbered_by_name),
    cmocka_unit_test(person_is_never_in_two_folds),
    cmocka_unit_test(folds_are_even_in_persons_and_in_levels),
    cmocka_unit_test(folds_are_a_function_of_persons_levels_and_seed),
    cmocka_unit_test(as_many_folds_as_persons_leave_one_out),
    cmocka_unit_test(folds_that_the_corpus_names_are_taken),
    cmocka_unit_test(rounds_use_every_fold_once_for_each),
};

gd_test_main(tests)
