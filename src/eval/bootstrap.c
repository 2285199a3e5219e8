#include "gradus/bootstrap.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/alive.h"
#include "gradus/average.h"
#include "gradus/memory.h"
#include "gradus/random.h"
#include "student.h"

/* What the videos of one person add to every error; sums over persons are all
 * that a draw needs.  Levels are taken from their mean, so that squares keep
 * their digits. */
enum { COUNT, ABSOLUTE, SQUARE, T, P, TT, PP, TP, N_SUMS };
typedef double sums[N_SUMS];

/* In a comparison: the second method's errors. */
enum { ABSOLUTE_2 = T, SQUARE_2 = P };

typedef double statistic(const double *s);
enum { MOST_STATISTICS = 3 };

/* -------------------------------------------------------------- quantiles */

static double normal_share(double z)
{
  return 0.5 * erfc(-z / sqrt(2));
}

/* The z below which a share of a normal population lies, by bisection. */
static double normal_quantile(double share)
{
  double low = -40, high = 40;
  for (int i = 0; i < 100; i++) {
    const double middle = 0.5 * (low + high);
    if (normal_share(middle) < share)
      low = middle;
    else
      high = middle;
  }
  return 0.5 * (low + high);
}

/* The q-quantile of sorted numbers, linear between neighbours. */
static double quantile(int64_t n, const double *sorted, double q)
{
  const double at = q * (double)(n - 1);
  const int64_t below = (int64_t)floor(at);
  const int64_t above = below + 1 < n ? below + 1 : below;
  return sorted[below] + (at - (double)below) * (sorted[above] - sorted[below]);
}

/* --------------------------------------------------------------- resample */

/* One statistic: of all persons, without each of them, and of each draw. */
typedef struct {
  statistic *of;
  double whole;
  double *without; /* (n_persons) */
  double *draws;   /* (draws) */
} resampled;

static void add(sums total, const double *one, double sign)
{
  for (int k = 0; k < N_SUMS; k++)
    total[k] += sign * one[k];
}

/* Add up the persons of draw d. */
static void draw_persons(const gd_bootstrap *b, int64_t d, int64_t n_persons,
                         sums *of, sums total)
{
  gd_random r = gd_random_of(b->seed, GD_FOR_BOOTSTRAP, 0, d);
  memset(total, 0, sizeof(sums));
  for (int64_t i = 0; i < n_persons; i++)
    add(total, of[gd_random_below(&r, n_persons)], 1);
}

/* How much the statistic bends: the skewness of the jackknife, over six. */
static double acceleration(int64_t n, const double *without)
{
  double mean = 0, square = 0, cube = 0;
  for (int64_t p = 0; p < n; p++)
    mean += without[p] / (double)n;
  for (int64_t p = 0; p < n; p++) {
    const double d = mean - without[p];
    square += d * d;
    cube += d * d * d;
  }
  const double a = square > 0 ? cube / (6 * square * sqrt(square)) : 0;
  return isfinite(a) ? a : 0;
}

/* The interval of a statistic; draws that are no numbers are left out. */
static gd_interval interval_of(const gd_bootstrap *b, int64_t n_persons,
                               resampled *r)
{
  int64_t n = 0;
  double below = 0;
  for (int64_t d = 0; d < b->draws; d++)
    if (isfinite(r->draws[d])) {
      below += 0.5 * ((r->draws[d] < r->whole) + (r->draws[d] <= r->whole));
      r->draws[n++] = r->draws[d];
    }
  if (n < 2 || !isfinite(r->whole))
    return (gd_interval){NAN, NAN};
  qsort(r->draws, (size_t)n, sizeof *r->draws, gd_average_order);

  const double least = 0.5 / (double)n, persons = (double)n_persons;
  const double share = fmin(1 - least, fmax(least, below / (double)n));
  const double bias = normal_quantile(share);
  const double bend = acceleration(n_persons, r->without);
  const double width = sqrt(persons / (persons - 1)) *
                       gd_student_within(b->level, n_persons - 1);
  double end[2];
  for (int side = 0; side < 2; side++) {
    const double z = bias + (side == 0 ? -width : width);
    /* Where the error grows so fast with the statistic, all draws lie inside.
     */
    const double share_below =
        bend * z < 1 ? normal_share(bias + z / (1 - bend * z)) : side;
    end[side] = quantile(n, r->draws, share_below);
  }
  return (gd_interval){end[0], end[1]};
}

/* Compute the intervals of some statistics of the persons' sums. */
static gd_status resample(const gd_bootstrap *b, int64_t n_persons, sums *of,
                          int n, statistic *const *statistics,
                          gd_interval *const *out)
{
  const int64_t room = n_persons + b->draws;
  resampled r[MOST_STATISTICS] = {{0}};
  sums all = {0}, some;
  assert(n <= MOST_STATISTICS);

  gd_alive();
  for (int s = 0; s < n; s++)
    *out[s] = (gd_interval){NAN, NAN};
  if (b->draws == 0 || n_persons < 2)
    return GD_OK;
  double *memory = gd_alloc(n * room, sizeof *memory);
  if (memory == NULL)
    return GD_ERR_NOMEM;
  for (int64_t p = 0; p < n_persons; p++)
    add(all, of[p], 1);
  for (int s = 0; s < n; s++) {
    double *own = memory + s * room;
    r[s] = (resampled){statistics[s], statistics[s](all), own, own + n_persons};
  }
  for (int64_t p = 0; p < n_persons; p++) {
    memcpy(some, all, sizeof some);
    add(some, of[p], -1);
    for (int s = 0; s < n; s++)
      r[s].without[p] = r[s].of(some);
  }
  for (int64_t d = 0; d < b->draws; d++) {
    draw_persons(b, d, n_persons, of, some);
    for (int s = 0; s < n; s++)
      r[s].draws[d] = r[s].of(some);
  }
  for (int s = 0; s < n; s++)
    *out[s] = interval_of(b, n_persons, &r[s]);
  free(memory);
  return GD_OK;
}

/* -------------------------------------------------------------- statistics */

static double mae_of(const double *s)
{
  return s[ABSOLUTE] / s[COUNT];
}

static double rmse_of(const double *s)
{
  return sqrt(s[SQUARE] / s[COUNT]);
}

static double ccc_of(const double *s)
{
  const double n = s[COUNT], t = s[T] / n, p = s[P] / n;
  const double width =
      s[TT] / n - t * t + s[PP] / n - p * p + (t - p) * (t - p);
  return width > 0 ? 2 * (s[TP] / n - t * p) / width : NAN;
}

static double mae_difference(const double *s)
{
  return (s[ABSOLUTE] - s[ABSOLUTE_2]) / s[COUNT];
}

static double rmse_difference(const double *s)
{
  return sqrt(s[SQUARE] / s[COUNT]) - sqrt(s[SQUARE_2] / s[COUNT]);
}

static double mean_of(int64_t n, const double *x)
{
  double sum = 0;
  for (int64_t i = 0; i < n; i++)
    sum += x[i];
  return n > 0 ? sum / (double)n : 0;
}

gd_status gd_bootstrap_metrics(const gd_bootstrap *b, int64_t n,
                               const double *truth, const double *predicted,
                               const int64_t *person, int64_t n_persons,
                               gd_metrics_interval *out)
{
  assert(b != NULL && n >= 0 && out != NULL);

  sums *of = gd_alloc(n_persons, sizeof *of);
  if (of == NULL)
    return GD_ERR_NOMEM;
  const double centre = mean_of(n, truth);
  for (int64_t i = 0; i < n; i++) {
    const double t = truth[i] - centre, p = predicted[i] - centre, e = p - t;
    const sums one = {1, fabs(e), e * e, t, p, t * t, p * p, t * p};
    add(of[person[i]], one, 1);
  }
  gd_status st = resample(
      b, n_persons, of, 3, (statistic *const[]){mae_of, rmse_of, ccc_of},
      (gd_interval *const[]){&out->mae, &out->rmse, &out->ccc});
  free(of);
  return st;
}

gd_status gd_bootstrap_mean(const gd_bootstrap *b, int64_t n, const double *x,
                            const int64_t *person, int64_t n_persons,
                            gd_interval *out)
{
  assert(b != NULL && n >= 0 && out != NULL);

  sums *of = gd_alloc(n_persons, sizeof *of);
  if (of == NULL)
    return GD_ERR_NOMEM;
  for (int64_t i = 0; i < n; i++)
    add(of[person[i]], (const sums){[COUNT] = 1, [ABSOLUTE] = x[i]}, 1);
  gd_status st = resample(b, n_persons, of, 1, (statistic *const[]){mae_of},
                          (gd_interval *const[]){out});
  free(of);
  return st;
}

gd_status gd_bootstrap_difference(const gd_bootstrap *b, int64_t n,
                                  const double *const absolute[2],
                                  const double *const square[2],
                                  const int64_t *person, int64_t n_persons,
                                  gd_difference *out)
{
  assert(b != NULL && n >= 0 && out != NULL);

  sums *of = gd_alloc(n_persons, sizeof *of), all = {0};
  if (of == NULL)
    return GD_ERR_NOMEM;
  for (int64_t i = 0; i < n; i++) {
    const sums one = {[COUNT] = 1,
                      [ABSOLUTE] = absolute[0][i],
                      [SQUARE] = square[0][i],
                      [ABSOLUTE_2] = absolute[1][i],
                      [SQUARE_2] = square[1][i]};
    add(of[person[i]], one, 1);
    add(all, one, 1);
  }
  out->mae = n > 0 ? mae_difference(all) : NAN;
  out->rmse = n > 0 ? rmse_difference(all) : NAN;
  gd_status st =
      resample(b, n_persons, of, 2,
               (statistic *const[]){mae_difference, rmse_difference},
               (gd_interval *const[]){&out->mae_interval, &out->rmse_interval});
  free(of);
  return st;
}
