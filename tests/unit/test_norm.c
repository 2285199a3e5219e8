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
  gd_precision p; /* of x, shortcut, dy */
  int rows, C;
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
      const double factor = d->gamma[c] / sqrt(variance + 1e-5);
      d->y[i] = factor * (d->x[i] - mean) + d->beta[c] + d->shortcut[i];
      if (d->y[i] < 0)
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
  float mean[MOST], variance[MOST], factor[MOST], dx[MOST], dgamma[MOST],
      dbeta[MOST];
} result;

/* Return n floats as numbers of a precision. */
static void *keep(gd_precision p, const float *x, int64_t n)
{
  void *kept = gd_alloc(n, (size_t)gd_precision_bytes(p));
  assert_non_null(kept);
  gd_precision_write(p, x, n, kept);
  return kept;
}

/* The way back; the numbers are freed. */
static void take(gd_precision p, void *kept, int64_t n, float *x)
{
  gd_precision_read(p, kept, n, x);
  free(kept);
}

static void fill(gd_random *r, gd_precision p, double *to, float *copy,
                 int count)
{
  for (int i = 0; i < count; i++)
    copy[i] = (float)gd_random_between(r, -1.0, 1.0);
  take(p, keep(p, copy, count), count, copy);
  for (int i = 0; i < count; i++)
    to[i] = (double)copy[i];
}

/* Means and squares of pieces of `most` rows, as convolutions give them. */
static double *measure(const float *x, int rows, int C, int most, int *n_pieces)
{
  *n_pieces = (rows + most - 1) / most;
  double *pieces =
      gd_alloc((int64_t)*n_pieces * gd_norm_piece(C), sizeof(double));
  for (int i = 0; i < *n_pieces; i++) {
    double *piece = pieces + i * gd_norm_piece(C);
    const int first = i * most;
    const int n = rows - first < most ? rows - first : most;
    piece[0] = n;
    for (int c = 0; c < C; c++) {
      double *mean = &piece[1 + c], *squares = &piece[1 + C + c];
      for (int r = first; r < first + n; r++)
        *mean += (double)x[r * C + c] / n;
      for (int r = first; r < first + n; r++)
        *squares += pow((double)x[r * C + c] - *mean, 2);
    }
  }
  return pieces;
}

static void compute(const definition *d, result *f)
{
  const gd_norm norm = {.C = d->C,
                        .epsilon = 1e-5,
                        .gamma = f->gamma,
                        .beta = f->beta,
                        .mean = f->mean,
                        .variance = f->variance};
  int n_pieces;
  double *pieces = measure(f->x, d->rows, d->C, 30, &n_pieces);
  gd_norm_merge(n_pieces, d->C, pieces, f->mean, f->variance);
  free(pieces);
  const gd_precision p = d->p;
  const int n = d->rows * d->C;
  void *x = keep(p, f->x, n), *shortcut = keep(p, f->shortcut, n);
  void *y = keep(p, f->y, n), *dy = keep(p, f->dy, n), *dx = keep(p, f->dx, n);
  const gd_scale scale = gd_norm_scale(&norm, f->factor);
  gd_norm_join(p, d->rows, d->C, x, &scale, shortcut, NULL, y);
  n_pieces = gd_norm_n_pieces(d->rows);
  pieces = gd_alloc((int64_t)n_pieces * gd_norm_piece(d->C), sizeof *pieces);
  gd_norm_sums(p, d->rows, d->C, x, f->mean, y, dy, pieces);
  gd_norm_backward(p, &norm, &scale, d->rows, dy, x, n_pieces, pieces, dx,
                   f->dgamma, f->dbeta);
  take(p, y, n, f->y);
  take(p, dy, n, f->dy);
  take(p, dx, n, f->dx);
  free(x);
  free(shortcut);
  free(pieces);
}

/* Half of the last of bf16's 8 bits is lost at the end of each pass; what comes
 * between is in floats. */
static void assert_near(const definition *d, float is, double want,
                        double error)
{
  const double rounding = d->p == GD_BF16 ? 0x1p-8 : 0;
  if (!(fabs((double)is - want) < error + rounding * fabs(want)))
    fail_msg("%s: %g is not %g", gd_precision_name(d->p), (double)is, want);
}

static void check_one(gd_precision p, int rows, int C)
{
  definition *d = gd_alloc(1, sizeof *d);
  result *f = gd_alloc(1, sizeof *f);
  d->p = p, d->rows = rows, d->C = C;
  gd_random r = gd_random_of(7, GD_FOR_TESTS, rows, C);
  fill(&r, p, d->x, f->x, rows * C);
  fill(&r, p, d->shortcut, f->shortcut, rows * C);
  fill(&r, p, d->dy, f->dy, rows * C);
  fill(&r, GD_FP32, d->gamma, f->gamma, C);
  fill(&r, GD_FP32, d->beta, f->beta, C);
  compute(d, f);
  define(d);
  for (int i = 0; i < rows * C; i++)
    assert_near(d, f->y[i], d->y[i], 1e-5);
  for (int i = 0; i < rows * C; i += 1 + rows * C / 40) {
    assert_near(d, f->dx[i], slope(d, &d->x[i]), 2e-5);
    /* dy has become the shortcut's gradient */
    assert_near(d, f->dy[i], slope(d, &d->shortcut[i]), 1e-5);
  }
  for (int c = 0; c < C; c += 1 + C / 10) {
    assert_true(fabs((double)f->dgamma[c] - slope(d, &d->gamma[c])) < 1e-4);
    assert_true(fabs((double)f->dbeta[c] - slope(d, &d->beta[c])) < 1e-4);
  }
  free(f);
  free(d);
}

static void check(int rows, int C)
{
  check_one(GD_FP32, rows, C);
  check_one(GD_BF16, rows, C);
}

static void norm_equals_its_definition_and_finite_differences(void **state)
{
  (void)state;
  check(7, 5);
  check(40, 3);
  check(70, 130);
  check(2, 64);
  check(1500, 6);
}

/* A downsampled shortcut has a norm of its own: of small whole numbers, which
 * either precision has exactly. */
static void shortcut_may_be_scaled_too(void **state)
{
  (void)state;
  enum { ROWS = 3, MOST_C = 35 };
  static float x[ROWS * MOST_C], shortcut[ROWS * MOST_C], y[ROWS * MOST_C];
  static float numbers[6][MOST_C];
  gd_random r = gd_random_of(8, GD_FOR_TESTS, 0, 0);
  for (int i = 0; i < ROWS * MOST_C; i++) {
    x[i] = (float)gd_random_below(&r, 9) - 4;
    shortcut[i] = (float)gd_random_below(&r, 9) - 4;
  }
  for (int i = 0; i < 6 * MOST_C; i++)
    numbers[i / MOST_C][i % MOST_C] = (float)gd_random_below(&r, 7) - 3;
  const gd_scale s = {numbers[0], numbers[1], numbers[2]};
  const gd_scale other = {numbers[3], numbers[4], numbers[5]};
  for (gd_precision p = GD_FP32; p <= GD_BF16; p++)
    for (int C = 1; C <= MOST_C; C++) {
      const int n = ROWS * C;
      void *a = keep(p, x, n), *b = keep(p, shortcut, n);
      gd_norm_join(p, ROWS, C, a, &s, b, &other, a);
      take(p, a, n, y);
      free(b);
      for (int i = 0; i < n; i++) {
        const int c = i % C;
        const float v = (x[i] - s.mean[c]) * s.factor[c] + s.addend[c] +
                        (shortcut[i] - other.mean[c]) * other.factor[c] +
                        other.addend[c];
        assert_true(y[i] == (v < 0 ? 0 : v));
      }
    }
}

static void norm_on_more_threads_gives_the_same_bits(void **state)
{
  (void)state;
  enum { ROWS = 1300, C = 7 };
  const int before = omp_get_max_threads();
  definition *d = gd_alloc(1, sizeof *d);
  result *f = gd_alloc(2, sizeof *f);
  gd_random r = gd_random_of(9, GD_FOR_TESTS, 0, 0);
  d->rows = ROWS, d->C = C;
  fill(&r, GD_FP32, d->x, f[0].x, ROWS * C);
  fill(&r, GD_FP32, d->dy, f[0].dy, ROWS * C);
  fill(&r, GD_FP32, d->gamma, f[0].gamma, C);
  fill(&r, GD_FP32, d->beta, f[0].beta, C);
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
  const float one = 1, zero = 0, x[2] = {NAN, -1}, shortcut[2] = {0, 0};
  const gd_scale scale = {&zero, &one, &zero};
  float y[2];
  gd_norm_join(GD_FP32, 2, 1, x, &scale, shortcut, NULL, y);
  assert_true(isnan(y[0]) && y[1] == 0.0f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(norm_equals_its_definition_and_finite_differences),
    cmocka_unit_test(shortcut_may_be_scaled_too),
    cmocka_unit_test(norm_on_more_threads_gives_the_same_bits),
    cmocka_unit_test(not_a_number_survives_relu),
};

gd_test_main(tests)
