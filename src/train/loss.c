#include "gradus/loss.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

static const char *const names[GD_N_LOSSES] = {
    [GD_LOSS_EXPECTATION] = "expectation",
    [GD_LOSS_SOFTMAX] = "softmax",
    [GD_LOSS_EUCLIDEAN] = "euclidean",
};

const char *gd_loss_name(gd_loss loss)
{
  return names[loss];
}

gd_status gd_loss_of(const char *name, gd_loss *out)
{
  for (int i = 0; i < GD_N_LOSSES; i++)
    if (strcmp(name, names[i]) == 0) {
      *out = (gd_loss)i;
      return GD_OK;
    }
  return gd_fail(GD_ERR_USAGE,
                 "loss %s: there are expectation, softmax and euclidean", name);
}

int gd_loss_outputs(gd_loss loss, int levels)
{
  return loss == GD_LOSS_EUCLIDEAN ? 1 : levels;
}

/* A distribution p_j = exp(z_j - high) / sum, never stored: two numbers stand
 * for it, and two more for what it says. */
typedef struct {
  double high, sum;
  double expected, variance;
} distribution;

static double p_of(const distribution *d, const float *z, int j)
{
  return exp((double)z[j] - d->high) / d->sum;
}

static distribution distribution_of(const float *z, int K)
{
  distribution d = {.high = (double)z[0]};
  for (int j = 1; j < K; j++)
    d.high = (double)z[j] > d.high ? (double)z[j] : d.high;
  double first = 0;
  for (int j = 0; j < K; j++) {
    const double e = exp((double)z[j] - d.high);
    d.sum += e;
    first += j * e;
  }
  d.expected = first / d.sum;
  for (int j = 0; j < K; j++)
    d.variance += p_of(&d, z, j) * (j - d.expected) * (j - d.expected);
  return d;
}

static gd_status check_finite(const float *z, int K, int sample)
{
  for (int j = 0; j < K; j++)
    if (!isfinite(z[j]))
      return gd_fail(GD_ERR_NUMERIC, "sample %d: output %d is %g", sample, j,
                     (double)z[j]);
  return GD_OK;
}

static gd_status check_label(gd_loss loss, float y, int K, int sample)
{
  if (!isfinite(y))
    return gd_fail(GD_ERR_NUMERIC, "sample %d: the label is %g", sample,
                   (double)y);
  if (loss == GD_LOSS_SOFTMAX &&
      !(y >= 0.0f && y <= (float)(K - 1) && y == floorf(y)))
    return gd_fail(GD_ERR_USAGE,
                   "sample %d: label %g is none of the levels 0 to %d", sample,
                   (double)y, K - 1);
  if (loss == GD_LOSS_EXPECTATION && !(y >= 0.0f && y <= (float)(K - 1)))
    return gd_fail(GD_ERR_USAGE, "sample %d: label %g lies outside 0 to %d",
                   sample, (double)y, K - 1);
  return GD_OK;
}

/* One sample's loss and gradient, both divided by M. */
static double loss_of(gd_loss loss, int K, const float *z, float y, double M,
                      float *dz, double *expected)
{
  if (loss == GD_LOSS_EUCLIDEAN) {
    const double miss = (double)z[0] - (double)y;
    *expected = (double)z[0];
    if (dz != NULL)
      dz[0] = (float)(miss / M);
    return 0.5 * miss * miss / M;
  }
  const distribution d = distribution_of(z, K);
  const double miss = d.expected - (double)y;
  const int label = loss == GD_LOSS_SOFTMAX ? (int)y : -1;
  *expected = d.expected;
  for (int j = 0; j < K && dz != NULL; j++) {
    const double p = p_of(&d, z, j);
    dz[j] = (float)(loss == GD_LOSS_SOFTMAX ? (p - (j == label)) / M
                                            : miss * p * (j - d.expected) / M);
  }
  return loss == GD_LOSS_SOFTMAX ? (log(d.sum) + d.high - (double)z[label]) / M
                                 : 0.5 * miss * miss / M;
}

gd_status gd_loss_forward_backward(gd_loss loss, int K, const float *logits,
                                   const float *labels, int n, int64_t batch,
                                   float *dlogits, float *expected,
                                   double *part)
{
  assert(K >= 1 && (loss != GD_LOSS_EUCLIDEAN || K == 1));
  assert(n >= 0 && batch >= n && batch >= 1);
  *part = 0.0;
  double sum = 0.0;
  for (int i = 0; i < n; i++) {
    const float *z = logits + (ptrdiff_t)i * K;
    gd_status st = check_finite(z, K, i);
    if (st == GD_OK)
      st = check_label(loss, labels[i], K, i);
    if (st != GD_OK)
      return st;
    double e;
    sum += loss_of(loss, K, z, labels[i], (double)batch,
                   dlogits == NULL ? NULL : dlogits + (ptrdiff_t)i * K, &e);
    if (expected != NULL)
      expected[i] = (float)e;
  }
  *part = sum;
  return GD_OK;
}

gd_status gd_loss_predict(gd_loss loss, int K, const float *logits, int n,
                          float *p, float *expected, float *sigma)
{
  assert(K >= 1 && (loss != GD_LOSS_EUCLIDEAN || K == 1));
  for (int i = 0; i < n; i++) {
    const float *z = logits + (ptrdiff_t)i * K;
    gd_status st = check_finite(z, K, i);
    if (st != GD_OK)
      return st;
    const distribution d = distribution_of(z, K);
    expected[i] = loss == GD_LOSS_EUCLIDEAN ? z[0] : (float)d.expected;
    if (sigma != NULL)
      sigma[i] = (float)sqrt(d.variance);
    for (int j = 0; j < K && p != NULL; j++)
      p[(ptrdiff_t)i * K + j] = (float)p_of(&d, z, j);
  }
  return GD_OK;
}
