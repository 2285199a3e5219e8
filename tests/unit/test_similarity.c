#include "gradus/similarity.h"

#include <math.h>

#include "gradus/random.h"
#include "test.h"

static void fit_recovers_a_known_similarity(void **state)
{
  (void)state;
  gd_random random = gd_random_of(3, GD_FOR_TESTS, 0, 0);
  for (int trial = 0; trial < 200; trial++) {
    const double angle = gd_random_between(&random, -3.1, 3.1);
    const double scale = gd_random_between(&random, 0.1, 5);
    const gd_similarity truth = {scale * cos(angle), scale * sin(angle),
                                 gd_random_between(&random, -500, 500),
                                 gd_random_between(&random, -500, 500)};
    float from[5][2], to[5][2];
    for (int i = 0; i < 5; i++) {
      double moved[2];
      from[i][0] = (float)gd_random_between(&random, 0, 640);
      from[i][1] = (float)gd_random_between(&random, 0, 480);
      gd_similarity_apply(&truth, from[i][0], from[i][1], moved);
      to[i][0] = (float)moved[0];
      to[i][1] = (float)moved[1];
    }
    gd_similarity found;
    assert_ok(gd_similarity_fit(from, to, 5, &found));
    assert_true(fabs(found.a - truth.a) < 1e-5);
    assert_true(fabs(found.b - truth.b) < 1e-5);
    assert_true(fabs(found.tx - truth.tx) < 5e-3);
    assert_true(fabs(found.ty - truth.ty) < 5e-3);
    assert_true(fabs(gd_similarity_scale(&found) - scale) < 1e-5);
  }
}

static double squared_error(const gd_similarity *t, const float (*from)[2],
                            const float (*to)[2], int n)
{
  double sum = 0;
  for (int i = 0; i < n; i++) {
    double moved[2];
    gd_similarity_apply(t, from[i][0], from[i][1], moved);
    sum += pow(moved[0] - to[i][0], 2) + pow(moved[1] - to[i][1], 2);
  }
  return sum;
}

/* Least squares: any small change of the result makes the error larger. */
static void fit_of_noisy_points_has_the_least_error(void **state)
{
  (void)state;
  const float from[5][2] = {{10, 10}, {50, 12}, {31, 33}, {14, 52}, {47, 49}};
  const float to[5][2] = {{40, 42}, {71, 40}, {55, 60}, {44, 78}, {70, 75}};
  gd_similarity best;
  assert_ok(gd_similarity_fit(from, to, 5, &best));
  const double least = squared_error(&best, from, to, 5);
  for (int i = 0; i < 8; i++) {
    gd_similarity t = best;
    double *value[4] = {&t.a, &t.b, &t.tx, &t.ty};
    *value[i / 2] += i % 2 == 0 ? 1e-3 : -1e-3;
    assert_true(squared_error(&t, from, to, 5) > least);
  }
}

static void inverse_undoes_the_transform(void **state)
{
  (void)state;
  const gd_similarity t = {1.5, -0.7, 12, -90};
  const gd_similarity back = gd_similarity_inverse(&t);
  double out[2];
  gd_similarity_apply(&t, 123, 45, out);
  gd_similarity_apply(&back, out[0], out[1], out);
  assert_true(fabs(out[0] - 123) < 1e-9 && fabs(out[1] - 45) < 1e-9);
}

static void coinciding_and_infinite_points_are_refused(void **state)
{
  (void)state;
  const float same[3][2] = {{4, 5}, {4, 5}, {4, 5}};
  const float fine[3][2] = {{1, 2}, {3, 4}, {5, 9}};
  const float wild[3][2] = {{1, 2}, {INFINITY, 4}, {5, 9}};
  gd_similarity t;
  assert_fails(gd_similarity_fit(same, fine, 3, &t), GD_ERR_NUMERIC,
               "coincide");
  assert_fails(gd_similarity_fit(fine, same, 3, &t), GD_ERR_NUMERIC,
               "coincide");
  assert_fails(gd_similarity_fit(wild, fine, 3, &t), GD_ERR_NUMERIC, "finite");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(fit_recovers_a_known_similarity),
    cmocka_unit_test(fit_of_noisy_points_has_the_least_error),
    cmocka_unit_test(inverse_undoes_the_transform),
    cmocka_unit_test(coinciding_and_infinite_points_are_refused),
};

gd_test_main(tests)
