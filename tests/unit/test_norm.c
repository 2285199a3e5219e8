#include "gradus/memory.h"
#include "gradus/norm.h"
#include "gradus/random.h"
#include "test.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 70 * 130 };

typedef struct {
  int rows, C, relu, has_shortcut;
  double x[MOST], shortcut[MOST], gamma[MOST], beta[MOST], dy[MOST], y[MOST];
} definition;

/* Batch norm, shortcut, ReLU, as written in the header; returns <dy, y>. */
static double define(definition *d)
{
  double sum = 0;
  for (int c = 0; c < d->C; c++) {
    double mean = 0, variance = 0;
    for (int r = 0; r < d->rows; r++)
      mean += d->x[r * d->C + c] / d->rows;
    for (int r = 0; r < d->rows; r++)
      variance += pow(d->x[r * d->C + c] - mean, 2) / d->rows;
    for (int r = 0; r < d->rows; r++) {
      const int i = r * d->C + c;
      d->y[i] = d->gamma[c] * (d->x[i] - mean) / sqrt(variance + 1e-5) +
                d->beta[c] + (d->has_shortcut ? d->shortcut[i] : 0.0);
      if (d->relu && d->y[i] < 0)
        d->y[i] = 0;
      sum += d->dy[i] * d->y[i];
    }
  }
  return sum;
}

static double slope(definition *d, double *at)
{
  const double was = *at, h = 1e-6;
  *at = was + h;
  const double above = define(d);
  *at = was - h;
  const double below = define(d);
  *at = was;
  return (above - below) / (2 * h);
}

typedef struct {
  float x[MOST], shortcut[MOST], gamma[MOST], beta[MOST], dy[MOST], y[MOST];
  float mean[MOST], variance[MOST], dx[MOST], dgamma[MOST], dbeta[MOST];
} result;

static void fill(gd_random *r, double *to, float *copy, int count)
{
  for (int i = 0; i < count; i++) {
    copy[i] = (float)gd_random_between(r, -1.0, 1.0);
    to[i] = (double)copy[i];
  }
}

static void compute(const definition *d, result *f)
{
  double *scratch = gd_alloc(gd_norm_scratch(d->rows, d->C), sizeof *scratch);
  const gd_norm norm = {.C = d->C,
                        .epsilon = 1e-5,
                        .gamma = f->gamma,
                        .beta = f->beta,
                        .mean = f->mean,
                        .variance = f->variance};
  gd_norm_statistics(d->rows, d->C, f->x, scratch, f->mean, f->variance);
  gd_norm_forward(&norm, d->rows, f->x, d->has_shortcut ? f->shortcut : NULL,
                  d->relu, f->y);
  gd_norm_backward(&norm, d->rows, f->x, d->relu ? f->y : NULL, f->dy, scratch,
                   f->dx, f->dgamma, f->dbeta);
  free(scratch);
}

static void check(int rows, int C, int relu, int has_shortcut)
{
  definition *d = gd_alloc(1, sizeof *d);
  result *f = gd_alloc(1, sizeof *f);
  d->rows = rows, d->C = C, d->relu = relu, d->has_shortcut = has_shortcut;
  gd_random r = gd_random_of(7, GD_FOR_TESTS, rows, C);
  fill(&r, d->x, f->x, rows * C);
  fill(&r, d->shortcut, f->shortcut, rows * C);
  fill(&r, d->dy, f->dy, rows * C);
  fill(&r, d->gamma, f->gamma, C);
  fill(&r, d->beta, f->beta, C);
  compute(d, f);
  define(d);
  for (int i = 0; i < rows * C; i++)
    assert_true(fabs((double)f->y[i] - d->y[i]) < 1e-5);
  for (int i = 0; i < rows * C; i += 1 + rows * C / 40) {
    assert_true(fabs((double)f->dx[i] - slope(d, &d->x[i])) < 2e-5);
    /* dy has become the shortcut's gradient */
    if (has_shortcut)
      assert_true(fabs((double)f->dy[i] - slope(d, &d->shortcut[i])) < 1e-5);
  }
  for (int c = 0; c < C; c += 1 + C / 10) {
    assert_true(fabs((double)f->dgamma[c] - slope(d, &d->gamma[c])) < 1e-4);
    assert_true(fabs((double)f->dbeta[c] - slope(d, &d->beta[c])) < 1e-4);
  }
  free(f);
  free(d);
}

static void norm_equals_its_definition_and_finite_differences(void **state)
{
  (void)state;
  check(7, 5, 0, 0);
  check(40, 3, 1, 0);
  check(70, 130, 1, 1);
  check(2, 64, 0, 1);
  check(1500, 6, 1, 1);
}

/* 1000 +- 0.01: squares of values would leave nothing of the variance. */
static void variance_far_from_zero_keeps_its_digits(void **state)
{
  (void)state;
  enum { ROWS = 5000 };
  float *x = gd_alloc(ROWS, sizeof *x);
  double *scratch = gd_alloc(gd_norm_scratch(ROWS, 1), sizeof *scratch);
  double mean = 0, squares = 0;
  float m, v;
  gd_random r = gd_random_of(8, GD_FOR_TESTS, 0, 0);
  for (int i = 0; i < ROWS; i++) {
    x[i] = (float)(1000.0 + 0.01 * gd_random_normal(&r));
    mean += (double)x[i] / ROWS;
  }
  for (int i = 0; i < ROWS; i++)
    squares += pow((double)x[i] - mean, 2) / ROWS;
  gd_norm_statistics(ROWS, 1, x, scratch, &m, &v);
  assert_true(fabs((double)m - mean) < 1e-4);
  assert_true(fabs((double)v / squares - 1) < 1e-4);
  free(scratch);
  free(x);
}

static void norm_on_more_threads_gives_the_same_bits(void **state)
{
  (void)state;
  enum { ROWS = 1300, C = 7 };
  const int before = omp_get_max_threads();
  definition *d = gd_alloc(1, sizeof *d);
  result *f = gd_alloc(2, sizeof *f);
  gd_random r = gd_random_of(9, GD_FOR_TESTS, 0, 0);
  d->rows = ROWS, d->C = C, d->relu = 1;
  fill(&r, d->x, f[0].x, ROWS * C);
  fill(&r, d->dy, f[0].dy, ROWS * C);
  fill(&r, d->gamma, f[0].gamma, C);
  fill(&r, d->beta, f[0].beta, C);
  memcpy(&f[1], &f[0], sizeof f[0]);
  omp_set_num_threads(1);
  compute(d, &f[0]);
  omp_set_num_threads(4);
  compute(d, &f[1]);
  omp_set_num_threads(before);
  assert_memory_equal(&f[0], &f[1], sizeof f[0]);
  free(f);
  free(d);
}

static void not_a_number_survives_relu(void **state)
{
  (void)state;
  const float one = 1, zero = 0, x[2] = {NAN, -1};
  float y[2];
  const gd_norm norm = {
      .C = 1, .gamma = &one, .beta = &zero, .mean = &zero, .variance = &one};
  gd_norm_forward(&norm, 2, x, NULL, 1, y);
  assert_true(isnan(y[0]) && y[1] == 0.0f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(norm_equals_its_definition_and_finite_differences),
    cmocka_unit_test(variance_far_from_zero_keeps_its_digits),
    cmocka_unit_test(norm_on_more_threads_gives_the_same_bits),
    cmocka_unit_test(not_a_number_survives_relu),
};

gd_test_main(tests)
