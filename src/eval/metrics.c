#include "gradus/metrics.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#include "gradus/memory.h"

/* Sums over the pairs in the band; the second pass is about the means of the
 * first, so that large levels with little spread lose no digits. */
typedef struct {
  int64_t n;
  double first_t, first_p; /* of the first pair */
  int varies_t, varies_p;
  double mean_t, mean_p;
  double var_t, var_p, cov;
  double absolute, square;
} moments;

static int inside(double truth, double low, double high)
{
  return truth >= low && truth < high;
}

static moments measure(int64_t n, const double *truth, const double *predicted,
                       double low, double high)
{
  moments m = {0};
  for (int64_t i = 0; i < n; i++) {
    if (!inside(truth[i], low, high))
      continue;
    const double e = predicted[i] - truth[i];
    if (m.n++ == 0) {
      m.first_t = truth[i];
      m.first_p = predicted[i];
    }
    m.varies_t |= truth[i] != m.first_t;
    m.varies_p |= predicted[i] != m.first_p;
    m.mean_t += truth[i];
    m.mean_p += predicted[i];
    m.absolute += fabs(e);
    m.square += e * e;
  }
  if (m.n == 0)
    return m;
  /* The rounded mean of equal values may differ from them, and would give them
   * a spread that they do not have. */
  m.mean_t = m.varies_t ? m.mean_t / (double)m.n : m.first_t;
  m.mean_p = m.varies_p ? m.mean_p / (double)m.n : m.first_p;
  for (int64_t i = 0; i < n; i++) {
    if (!inside(truth[i], low, high))
      continue;
    const double t = truth[i] - m.mean_t, p = predicted[i] - m.mean_p;
    m.var_t += t * t;
    m.var_p += p * p;
    m.cov += t * p;
  }
  return m;
}

gd_metrics gd_metrics_between(int64_t n, const double *truth,
                              const double *predicted, double low, double high)
{
  assert(n >= 0 && (n == 0 || (truth != NULL && predicted != NULL)));

  const moments m = measure(n, truth, predicted, low, high);
  if (m.n == 0)
    return (gd_metrics){0, NAN, NAN, NAN, NAN, NAN};

  const double count = (double)m.n, shift = m.mean_p - m.mean_t;
  const double spread = sqrt(m.var_t) * sqrt(m.var_p);
  const double width = m.var_t + m.var_p + count * shift * shift;
  return (gd_metrics){
      .n = m.n,
      .mae = m.absolute / count,
      .rmse = sqrt(m.square / count),
      .bias = shift,
      .pearson = spread > 0 ? m.cov / spread : NAN,
      .ccc = width > 0 ? 2 * m.cov / width : NAN,
  };
}

gd_metrics gd_metrics_of(int64_t n, const double *truth,
                         const double *predicted)
{
  return gd_metrics_between(n, truth, predicted, -INFINITY, INFINITY);
}

typedef struct {
  double value;
  int64_t at;
} ranked;

static int by_value(const void *a, const void *b)
{
  const double x = ((const ranked *)a)->value, y = ((const ranked *)b)->value;
  return (x > y) - (x < y);
}

/* Ranks from 0; `order` is room for n. */
static void rank_values(int64_t n, const double *x, ranked *order, double *rank)
{
  for (int64_t i = 0; i < n; i++)
    order[i] = (ranked){x[i], i};
  if (n > 0)
    qsort(order, (size_t)n, sizeof *order, by_value);
  for (int64_t first = 0, end; first < n; first = end) {
    for (end = first + 1; end < n && order[end].value == order[first].value;
         end++)
      ;
    for (int64_t i = first; i < end; i++)
      rank[order[i].at] = 0.5 * (double)(first + end - 1);
  }
}

gd_status gd_metrics_spearman(int64_t n, const double *truth,
                              const double *predicted, double *out)
{
  assert(n >= 0 && out != NULL);

  *out = NAN;
  ranked *order = gd_alloc(n, sizeof *order);
  double *t = gd_alloc(n, sizeof *t), *p = gd_alloc(n, sizeof *p);
  gd_status st = order == NULL || t == NULL || p == NULL ? GD_ERR_NOMEM : GD_OK;
  if (st == GD_OK) {
    rank_values(n, truth, order, t);
    rank_values(n, predicted, order, p);
    *out = gd_metrics_of(n, t, p).pearson;
  }
  free(order);
  free(t);
  free(p);
  return st;
}
