#include "gradus/comparison.h"

#include "scored.h"
#include "test.h"

static gd_scores *scored(const char *loss, int n, int tasks, double error)
{
  gd_scores *s = NULL;
  gd_scored_write(gd_test_path("scores.h5"), loss, n, tasks, error);
  assert_ok(gd_scores_read(gd_test_path("scores.h5"), &s));
  return s;
}

static void comparison_ends_with_the_mean_of_the_training_labels(void **state)
{
  (void)state;
  gd_scores *good = scored("expectation", 20, 0, 1);
  gd_scores *poor = scored("softmax", 20, 0, 30);
  const char *labels[] = {"expectation", "softmax"};
  gd_comparison *c = NULL;
  assert_ok(
      gd_comparison_new(2, labels, (const gd_scores *[]){good, poor}, &c));
  assert_int_equal(c->n_rows, 3);
  assert_false(c->has_sessions);
  assert_string_equal(c->rows[2].label, "constant");
  assert_true(c->rows[2].is_constant);

  double sum = 0;
  for (int64_t v = 0; v < good->videos->n_videos; v++)
    if (good->videos->videos[v].partition == GD_TRAIN)
      sum += good->videos->videos[v].label;
  for (int64_t v = 0; v < c->rows[2].n; v++)
    assert_float_equal(c->rows[2].predicted[v], sum / 10, 1e-12);

  const double constant = c->rows[2].metrics[GD_PER_VIDEO].mae;
  assert_true(c->rows[0].metrics[GD_PER_VIDEO].mae < constant);
  assert_true(c->rows[1].metrics[GD_PER_VIDEO].mae >
              c->rows[0].metrics[GD_PER_VIDEO].mae);
  int64_t in_bands = 0;
  for (int b = 0; b < c->n_bands; b++)
    in_bands += c->rows[0].band[b].n;
  assert_int_equal(in_bands, 20);
  gd_comparison_free(c);
  gd_scores_free(good);
  gd_scores_free(poor);
}

static void comparison_of_other_videos_has_its_own_constant(void **state)
{
  (void)state;
  gd_scores *one = scored("softmax", 20, 0, 1);
  gd_scores *other = scored("softmax", 12, 0, 1);
  const char *labels[] = {"every=5", "every=10"};
  gd_comparison *c = NULL;
  assert_ok(
      gd_comparison_new(2, labels, (const gd_scores *[]){one, other}, &c));
  assert_int_equal(c->n_rows, 4);
  assert_string_equal(c->rows[2].label, "constant");
  assert_string_equal(c->rows[3].label, "constant (every=10)");
  gd_comparison_free(c);
  gd_scores_free(one);
  gd_scores_free(other);
}

static void comparison_names_both_protocols_where_they_differ(void **state)
{
  (void)state;
  gd_scores *s = scored("expectation", 10, 1, 3);
  const char *label = "expectation";
  gd_comparison *c = NULL;
  assert_ok(gd_comparison_new(1, &label, (const gd_scores *[]){s}, &c));
  assert_true(c->has_sessions);
  assert_int_equal(c->rows[0].metrics[GD_PER_VIDEO].n, 10);
  assert_int_equal(c->rows[0].metrics[GD_PER_SESSION].n, 5);

  gd_text csv = {0}, table = {0};
  gd_comparison_csv(c, &csv);
  assert_true(gd_test_has(gd_text_get(&csv), "\nexpectation,test,video,10,"));
  assert_true(gd_test_has(gd_text_get(&csv), "\nexpectation,test,session,5,"));
  assert_true(gd_test_has(gd_text_get(&csv), "\nconstant,test,session,5,"));
  gd_comparison_table(c, &table);
  assert_true(gd_test_has(gd_text_get(&table), "per video\n"));
  assert_true(gd_test_has(gd_text_get(&table), "per session\n"));
  assert_false(gd_test_has(gd_text_get(&table), "nan"));
  gd_text_free(&csv);
  gd_text_free(&table);
  gd_comparison_free(c);
  gd_scores_free(s);
}

static void comparison_of_different_scales_is_refused(void **state)
{
  (void)state;
  gd_scores *a = scored("softmax", 4, 0, 1), *b = scored("softmax", 4, 0, 1);
  b->info.n_levels = 100;
  const char *labels[] = {"a", "b"};
  gd_comparison *c = NULL;
  assert_fails(gd_comparison_new(2, labels, (const gd_scores *[]){a, b}, &c),
               GD_ERR_USAGE, "b has 100");
  assert_null(c);
  gd_scores_free(a);
  gd_scores_free(b);
}

static void comparison_without_training_videos_has_no_constant(void **state)
{
  (void)state;
  gd_scores *s = scored("softmax", 4, 0, 1);
  gd_video *videos = (gd_video *)s->videos->videos;
  for (int64_t v = 0; v < s->videos->n_videos; v++)
    if (videos[v].partition == GD_TRAIN)
      videos[v].partition = GD_DEV;
  const char *label = "softmax";
  gd_comparison *c = NULL;
  assert_ok(gd_comparison_new(1, &label, (const gd_scores *[]){s}, &c));
  assert_int_equal(c->n_rows, 1);
  gd_comparison_free(c);
  gd_scores_free(s);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(comparison_ends_with_the_mean_of_the_training_labels),
    cmocka_unit_test(comparison_of_other_videos_has_its_own_constant),
    cmocka_unit_test(comparison_names_both_protocols_where_they_differ),
    cmocka_unit_test(comparison_of_different_scales_is_refused),
    cmocka_unit_test(comparison_without_training_videos_has_no_constant),
};

gd_test_main(tests)
