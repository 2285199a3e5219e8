#include "gradus/comparison.h"

#include <math.h>

#include "scored.h"
#include "test.h"

static gd_scores *scored(const char *loss, int n, int tasks, double error)
{
  gd_scores *s = NULL;
  gd_scored_write(gd_test_path("scores.h5"), loss, n, tasks, error);
  assert_ok(gd_scores_read(gd_test_path("scores.h5"), &s));
  return s;
}

static const gd_bootstrap few = {1, 200, 0.95};

/* Compare models that differ in their method alone. */
static gd_comparison *compared(int n, const char *const *labels,
                               const gd_scores *const *scores)
{
  gd_comparison_member members[4];
  gd_comparison *c = NULL;
  assert_in_range(n, 1, 4);
  for (int i = 0; i < n; i++)
    members[i] = (gd_comparison_member){labels[i], "", "", scores[i], 0};
  assert_ok(gd_comparison_new(n, members, &few, &c));
  return c;
}

static void comparison_ends_with_the_mean_of_the_training_labels(void **state)
{
  (void)state;
  gd_scores *good = scored("expectation", 20, 0, 1);
  gd_scores *poor = scored("softmax", 20, 0, 30);
  const char *labels[] = {"expectation", "softmax"};
  gd_comparison *c = compared(2, labels, (const gd_scores *[]){good, poor});
  assert_int_equal(c->n_rows, 4);
  assert_int_equal(c->n_models, 2);
  assert_false(c->has_sessions);
  assert_string_equal(c->rows[2].label, "constant");
  assert_int_equal(c->rows[2].kind, GD_ROW_MEAN);
  for (int m = 0; m < 2; m++) { /* one stands for both models */
    assert_int_equal(c->rows[m].constants[0], 2);
    assert_int_equal(c->rows[m].constants[1], 3);
  }
  assert_string_equal(c->rows[3].label, "median");
  assert_int_equal(c->rows[3].kind, GD_ROW_MEDIAN);

  double sum = 0;
  for (int64_t v = 0; v < good->videos->n_videos; v++)
    if (good->videos->videos[v].partition == GD_TRAIN)
      sum += good->videos->videos[v].label;
  for (int64_t v = 0; v < c->rows[2].n; v++)
    assert_float_equal(c->rows[2].predicted[v], sum / 10, 1e-12);

  const double constant = c->rows[2].slices[0].metrics.mae;
  assert_true(c->rows[0].slices[0].metrics.mae < constant);
  assert_true(c->rows[1].slices[0].metrics.mae >
              c->rows[0].slices[0].metrics.mae);
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
  gd_comparison *c = compared(2, labels, (const gd_scores *[]){one, other});
  assert_int_equal(c->n_rows, 6);
  assert_string_equal(c->rows[2].label, "constant");
  assert_string_equal(c->rows[3].label, "constant (every=10)");
  assert_string_equal(c->rows[5].label, "median (every=10)");
  for (int m = 0; m < 2; m++)
    for (int k = 0; k < 2; k++)
      assert_int_equal(c->rows[m].constants[k], 2 + m + 2 * k);
  for (int i = 0; i < c->n_pairs; i++) /* never over different videos */
    assert_int_equal(c->rows[c->pairs[i].first].n,
                     c->rows[c->pairs[i].second].n);
  gd_comparison_free(c);
  gd_scores_free(one);
  gd_scores_free(other);
}

static void comparison_names_both_protocols_where_they_differ(void **state)
{
  (void)state;
  gd_scores *s = scored("expectation", 10, 1, 3);
  const char *label = "expectation";
  gd_comparison *c = compared(1, &label, (const gd_scores *[]){s});
  assert_true(c->has_sessions);
  assert_int_equal(c->rows[0].slices[0].metrics.n, 10);
  assert_int_equal(c->rows[0].slices[1].metrics.n, 5);

  gd_text csv = {0}, table = {0};
  gd_comparison_csv(c, &csv);
  assert_true(gd_test_has(gd_text_get(&csv), "\nexpectation,test,video,,10,"));
  assert_true(gd_test_has(gd_text_get(&csv), "\nexpectation,test,session,,5,"));
  assert_true(gd_test_has(gd_text_get(&csv), "\nconstant,test,session,,5,"));
  assert_true(
      gd_test_has(gd_text_get(&csv), "\nmedian,test,video,Northwind,5,"));
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
  const gd_comparison_member members[] = {{"a", "", "", a, 0},
                                          {"b", "", "", b, 0}};
  gd_comparison *c = NULL;
  assert_fails(gd_comparison_new(2, members, &few, &c), GD_ERR_USAGE,
               "b has 100");
  assert_null(c);
  gd_scores_free(a);
  gd_scores_free(b);
}

/* Two models that pass for one would be pooled to a row that nobody trained. */
static void video_that_one_row_predicts_twice_is_refused(void **state)
{
  (void)state;
  gd_scores *a = scored("softmax", 4, 0, 1), *b = scored("softmax", 4, 0, 9);
  const gd_comparison_member members[] = {{"softmax", "", "", a, 0},
                                          {"softmax", "", "", b, 0}};
  gd_comparison *c = NULL;
  assert_fails(gd_comparison_new(2, members, &few, &c), GD_ERR_USAGE,
               "is predicted twice by softmax: give its stages different "
               "names");
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
  gd_comparison *c = compared(1, &label, (const gd_scores *[]){s});
  assert_int_equal(c->n_rows, 1);
  assert_int_equal(c->rows[0].constants[0], -1);
  assert_int_equal(c->rows[0].constants[1], -1);
  gd_comparison_free(c);
  gd_scores_free(s);
}

/* Two losses of three seeds each, of which the second is worse. */
static void methods_have_a_spread_over_their_seeds(void **state)
{
  (void)state;
  gd_scores *s[6];
  gd_comparison_member members[6];
  gd_comparison *c = NULL;
  static const char *const seeds[] = {"1", "2", "3"};
  for (int i = 0; i < 6; i++) {
    s[i] = scored("softmax", 40, 0, i < 3 ? 2 + i : 14 + i);
    members[i] =
        (gd_comparison_member){i < 3 ? "a" : "b", seeds[i % 3], "", s[i], 0};
  }
  assert_ok(gd_comparison_new(6, members, &few, &c));
  assert_int_equal(c->n_models, 6);
  assert_true(c->has_seeds && !c->has_folds);
  assert_string_equal(c->rows[4].label, "b, seed 2");
  assert_int_equal(c->n_methods, 4);
  assert_string_equal(c->methods[1].label, "b");
  assert_int_equal(c->methods[1].n_runs, 3);

  double mae[3], mean = 0, square = 0;
  for (int i = 0; i < 3; i++) {
    mae[i] = c->rows[i].slices[0].metrics.mae;
    mean += mae[i] / 3;
  }
  for (int i = 0; i < 3; i++)
    square += (mae[i] - mean) * (mae[i] - mean);
  const gd_spread spread = c->methods[0].slices[0].mae;
  assert_float_equal(spread.mean, mean, 1e-12);
  assert_float_equal(spread.deviation, sqrt(square / 2), 1e-12);
  assert_true(isnan(c->methods[2].slices[0].mae.deviation));

  /* a against b, and both against each constant, but not these. */
  assert_int_equal(c->n_pairs, 5);
  const gd_difference *d = &c->pairs[0].difference;
  assert_int_equal(c->pairs[0].first, 0);
  assert_int_equal(c->pairs[0].second, 1);
  assert_float_equal(d->mae, mean - c->methods[1].slices[0].mae.mean, 1e-9);
  assert_true(d->mae_interval.low < d->mae && d->mae < d->mae_interval.high);
  assert_true(d->mae_interval.high < 0);
  gd_comparison_free(c);
  for (int i = 0; i < 6; i++)
    gd_scores_free(s[i]);
}

/* What a comparison is made of, to be freed together. */
typedef struct {
  int n;
  gd_scores *scores[9];
  gd_comparison *c;
} compared_runs;

/* Compare runs "a" seed 1, 2, ..., "b" seed 1, ... with these errors on test
 * and on development. */
static compared_runs runs_of(int n_methods, int n_seeds, const double *error,
                             const double *dev_mae)
{
  static const char *const methods[] = {"a", "b", "c"};
  static const char *const seeds[] = {"1", "2", "3"};
  compared_runs r = {.n = n_methods * n_seeds};
  gd_comparison_member members[9];
  for (int i = 0; i < r.n; i++) {
    r.scores[i] = scored("softmax", 40, 0, error[i]);
    members[i] = (gd_comparison_member){methods[i / n_seeds],
                                        n_seeds > 1 ? seeds[i % n_seeds] : "",
                                        "", r.scores[i], dev_mae[i]};
  }
  assert_ok(gd_comparison_new(r.n, members, &few, &r.c));
  return r;
}

static void drop_runs(compared_runs *r)
{
  gd_comparison_free(r->c);
  for (int i = 0; i < r->n; i++)
    gd_scores_free(r->scores[i]);
}

/* The least error on development chooses, whatever test says: the second seed
 * of b, and, by the mean over seeds, the method a. */
static void development_chooses_row_and_method(void **state)
{
  (void)state;
  compared_runs r =
      runs_of(2, 2, (const double[]){9, 9, 2, 2}, (const double[]){6, 7, 9, 5});
  assert_int_equal(r.c->chosen_row, 3);
  assert_int_equal(r.c->chosen_method, 0);
  assert_float_equal(r.c->methods[0].dev_mae.mean, 6.5, 1e-12);
  assert_float_equal(r.c->methods[0].dev_mae.deviation, sqrt(0.5), 1e-12);
  gd_text said = {0};
  gd_comparison_findings(r.c, &said);
  assert_true(gd_test_has(gd_text_get(&said),
                          "Beside a, which has the least MAE on the "
                          "development videos"));
  assert_true(gd_test_has(gd_text_get(&said), "clearly better: b (\xe2"));
  gd_text_free(&said);
  drop_runs(&r);
}

static void findings_list_constants_within_noise_of_either_kind(void **state)
{
  (void)state;
  compared_runs r =
      runs_of(2, 1, (const double[]){9, 2}, (const double[]){6, 0});
  gd_text said = {0};
  for (int i = 0; i < r.c->n_pairs; i++) {
    gd_comparison_pair *pair = &r.c->pairs[i];
    if (r.c->methods[pair->second].kind == GD_ROW_MEAN)
      pair->verdict = GD_VERDICT_PERSONS;
    if (r.c->methods[pair->second].kind == GD_ROW_MEDIAN)
      pair->verdict = GD_VERDICT_SEEDS;
  }
  gd_comparison_findings(r.c, &said);
  assert_true(gd_test_has(gd_text_get(&said), "predictors: constant (+"));
  assert_true(gd_test_has(gd_text_get(&said), "), median (+"));
  gd_text_free(&said);
  drop_runs(&r);
}

/* Of many methods, each is set beside the best model, of which the sentences
 * speak, though a constant is better than all of them. */
static void many_poor_models_are_paired_with_a_model(void **state)
{
  (void)state;
  static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g"};
  enum { BEST = 4 };
  gd_scores *poor = scored("softmax", 40, 0, 60);
  gd_scores *less_poor = scored("softmax", 40, 0, 50);
  gd_comparison_member members[7];
  gd_comparison *c = NULL;
  for (int i = 0; i < 7; i++)
    members[i] = (gd_comparison_member){names[i], "", "",
                                        i == BEST ? less_poor : poor, 0};
  assert_ok(gd_comparison_new(7, members, &few, &c));
  assert_int_equal(c->n_methods, 9);
  assert_true(c->methods[7].slices[0].mae.mean <
              c->methods[BEST].slices[0].mae.mean);
  assert_int_equal(c->n_pairs, 8);
  for (int i = 0; i < c->n_pairs; i++)
    assert_true(c->pairs[i].first == BEST || c->pairs[i].second == BEST);
  gd_text said = {0};
  gd_comparison_findings(c, &said);
  assert_true(gd_test_has(gd_text_get(&said), "Beside e, which"));
  gd_text_free(&said);
  gd_comparison_free(c);
  gd_scores_free(poor);
  gd_scores_free(less_poor);
}

static void one_model_without_a_development_error_leaves_no_choice(void **state)
{
  (void)state;
  compared_runs r =
      runs_of(2, 1, (const double[]){9, 2}, (const double[]){6, 0});
  assert_int_equal(r.c->chosen_row, -1);
  assert_int_equal(r.c->chosen_method, -1);
  gd_text said = {0};
  gd_comparison_findings(r.c, &said);
  assert_true(gd_test_has(gd_text_get(&said),
                          "Beside b, which has the least MAE on these very"));
  assert_true(gd_test_has(gd_text_get(&said),
                          "2 of 2 methods were trained with one seed"));
  gd_text_free(&said);
  drop_runs(&r);

  /* Nor do errors on different development videos. */
  gd_scores *s[2] = {scored("softmax", 40, 0, 1), scored("softmax", 40, 0, 2)};
  ((gd_video *)&s[1]->videos->videos[25])->label += 1;
  assert_int_equal(s[1]->videos->videos[25].partition, GD_DEV);
  gd_comparison *c = NULL;
  assert_ok(
      gd_comparison_new(2,
                        (const gd_comparison_member[]){{"a", "", "", s[0], 3},
                                                       {"b", "", "", s[1], 4}},
                        &few, &c));
  assert_int_equal(c->chosen_row, -1);
  gd_comparison_free(c);
  gd_scores_free(s[0]);
  gd_scores_free(s[1]);
}

/* Welch's interval by Student's quantiles as scipy.stats.t.ppf(0.975, df) gives
 * them. */
static void difference_is_clear_only_beyond_persons_and_seeds(void **state)
{
  (void)state;
  const double near[] = {2, 2.2, 2.4, 9, 9.1, 9.4};
  const double dev[] = {1, 1, 1, 2, 2, 2};
  compared_runs r = runs_of(2, 3, near, dev);
  const gd_comparison_pair *pair = &r.c->pairs[0];
  assert_int_equal(pair->verdict, GD_VERDICT_CLEAR);
  const gd_spread a = r.c->methods[0].slices[0].mae,
                  b = r.c->methods[1].slices[0].mae;
  const double va = a.deviation * a.deviation / 3,
               vb = b.deviation * b.deviation / 3;
  const int freedom =
      (int)((va + vb) * (va + vb) / (va * va / 2 + vb * vb / 2));
  static const double t[] = {0, 12.706205, 4.302653, 3.182446, 2.776445};
  assert_in_range(freedom, 2, 4);
  assert_float_equal(pair->seeds_interval.high - pair->seeds_interval.low,
                     2 * t[freedom] * sqrt(va + vb), 1e-5);
  drop_runs(&r);

  /* The same persons, but one seed of the better method fails: what the mean
   * of its three runs gains over the other is not clear any more. */
  const double failing[] = {2, 2.2, 14, 12, 12, 12.5};
  r = runs_of(2, 3, failing, dev);
  pair = &r.c->pairs[0];
  assert_true(pair->difference.mae_interval.high < 0);
  assert_int_equal(pair->verdict, GD_VERDICT_SEEDS);
  gd_text said = {0};
  gd_comparison_findings(r.c, &said);
  assert_true(gd_test_has(gd_text_get(&said),
                          " within noise, as other seeds could turn the order: "
                          "b (+"));
  assert_false(gd_test_has(gd_text_get(&said), ". within"));
  gd_text_free(&said);
  drop_runs(&r);

  /* Equal errors differ by no persons. */
  r = runs_of(2, 1, (const double[]){5, 5}, (const double[]){1, 2});
  assert_int_equal(r.c->pairs[0].verdict, GD_VERDICT_PERSONS);
  drop_runs(&r);
}

/* Keep every other scored video of some scores. */
static void halve(gd_scores *s, int odd)
{
  int64_t n = 0;
  for (int64_t v = odd; v < s->n_videos; v += 2, n++) {
    s->row[n] = s->row[v];
    s->predicted[n] = s->predicted[v];
    s->low[n] = s->low[v];
    s->high[n] = s->high[v];
  }
  s->n_videos = n;
}

static void folds_are_pooled_to_what_one_model_would_have_said(void **state)
{
  (void)state;
  gd_scores *whole = scored("softmax", 20, 0, 4);
  gd_scores *even = scored("softmax", 20, 0, 4);
  gd_scores *odd = scored("softmax", 20, 0, 4);
  halve(even, 0);
  halve(odd, 1);
  const gd_comparison_member members[] = {{"softmax", "", "1", odd, 0},
                                          {"whole", "", "", whole, 0},
                                          {"softmax", "", "2", even, 0}};
  gd_comparison *c = NULL;
  assert_ok(gd_comparison_new(3, members, &few, &c));
  assert_true(c->has_folds);
  assert_int_equal(c->n_models, 2);
  assert_int_equal(c->n_rows, 4); /* the constants are the same for all */
  assert_string_equal(c->rows[0].label, "softmax");
  assert_int_equal(c->rows[0].n, 20);
  assert_memory_equal(c->rows[0].predicted, c->rows[1].predicted,
                      20 * sizeof(double));
  assert_memory_equal(&c->rows[0].slices[0], &c->rows[1].slices[0],
                      sizeof c->rows[0].slices[0]);
  assert_float_equal(c->rows[0].coverage, c->rows[1].coverage, 0);
  assert_int_equal(c->n_parts, 3);
  assert_string_equal(c->parts[2].label, "softmax, fold 2");
  assert_int_equal(c->parts[2].row, 0);
  assert_int_equal(c->parts[1].row, 1);
  assert_int_equal(c->parts[2].metrics.n, 10);
  gd_comparison_free(c);
  gd_scores_free(whole);
  gd_scores_free(even);
  gd_scores_free(odd);
}

static void coverage_is_the_share_of_labels_inside(void **state)
{
  (void)state;
  gd_scores *s = scored("softmax", 20, 0, 4);
  const char *label = "softmax";
  gd_comparison *c = compared(1, &label, (const gd_scores *[]){s});
  int inside = 0;
  double width = 0;
  for (int64_t v = 0; v < 20; v++) {
    const double y = gd_scores_video(s, v)->label;
    inside += s->low[v] <= y && y <= s->high[v];
    width += (s->high[v] - s->low[v]) / 20;
  }
  assert_true(inside > 10 && inside < 20);
  assert_float_equal(c->rows[0].coverage, inside / 20.0, 1e-12);
  assert_float_equal(c->rows[0].width, width, 1e-9);
  assert_true(isnan(c->rows[1].coverage));
  gd_comparison_free(c);
  gd_scores_free(s);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(comparison_ends_with_the_mean_of_the_training_labels),
    cmocka_unit_test(comparison_of_other_videos_has_its_own_constant),
    cmocka_unit_test(comparison_names_both_protocols_where_they_differ),
    cmocka_unit_test(comparison_of_different_scales_is_refused),
    cmocka_unit_test(video_that_one_row_predicts_twice_is_refused),
    cmocka_unit_test(comparison_without_training_videos_has_no_constant),
    cmocka_unit_test(methods_have_a_spread_over_their_seeds),
    cmocka_unit_test(development_chooses_row_and_method),
    cmocka_unit_test(findings_list_constants_within_noise_of_either_kind),
    cmocka_unit_test(many_poor_models_are_paired_with_a_model),
    cmocka_unit_test(one_model_without_a_development_error_leaves_no_choice),
    cmocka_unit_test(difference_is_clear_only_beyond_persons_and_seeds),
    cmocka_unit_test(folds_are_pooled_to_what_one_model_would_have_said),
    cmocka_unit_test(coverage_is_the_share_of_labels_inside),
};

gd_test_main(tests)
