#include "gradus/loss.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "loss_row.h"

#define ROW(letters, row) &gd_loss_##row,
static const gd_loss_row *const rows[GD_N_LOSSES] = {GD_LOSS_LIST(ROW)};

gd_loss_options gd_loss_options_default(void)
{
  return (gd_loss_options){
      .sigma = 2, .mean = 0.2, .variance = 0.05, .delta = 1};
}

const char *gd_loss_name(gd_loss loss)
{
  return rows[loss]->name;
}

gd_status gd_loss_of(const char *name, gd_loss *out)
{
  char names[256] = "";
  for (int i = 0; i < GD_N_LOSSES; i++) {
    if (strcmp(name, rows[i]->name) == 0) {
      *out = (gd_loss)i;
      return GD_OK;
    }
    const size_t length = strlen(names);
    snprintf(names + length, sizeof names - length, "%s%s", i == 0 ? "" : ", ",
             rows[i]->name);
  }
  return gd_fail(GD_ERR_USAGE, "loss %s: there are %s", name, names);
}

int gd_loss_outputs(gd_loss loss, int K)
{
  return rows[loss]->head->outputs(K);
}

int gd_loss_shares_weights(gd_loss loss)
{
  return rows[loss]->head->shares_weights;
}

int gd_loss_has_distribution(gd_loss loss)
{
  return rows[loss]->head->has_distribution;
}

int gd_loss_needs_whole(gd_loss loss)
{
  return rows[loss]->labels == GD_LABELS_WHOLE;
}

void gd_loss_first_biases(gd_loss loss, int K, float *biases)
{
  const gd_loss_head *head = rows[loss]->head;
  for (int k = 0; head->first_bias != NULL && k < head->outputs(K); k++)
    biases[k] = (float)head->first_bias(K, k);
}

void gd_loss_balance(const float *labels, int64_t n, int K, double *weights)
{
  assert(labels != NULL && n >= 1 && K >= 1 && weights != NULL);
  int n_levels = 0;
  memset(weights, 0, (size_t)K * sizeof weights[0]);
  for (int64_t i = 0; i < n; i++) {
    const long level = lroundf(labels[i]);
    assert(level >= 0 && level < K);
    n_levels += weights[level] == 0;
    weights[level]++;
  }
  for (int k = 0; k < K; k++)
    if (weights[k] > 0)
      weights[k] = (double)n / (n_levels * weights[k]);
}

static gd_status check_finite(const float *z, int n_outputs, int sample)
{
  for (int j = 0; j < n_outputs; j++)
    if (!isfinite(z[j]))
      return gd_fail(GD_ERR_NUMERIC, "sample %d: output %d is %g", sample, j,
                     (double)z[j]);
  return GD_OK;
}

static gd_status check_label(gd_labels labels, float y, int K, int sample)
{
  const int within = y >= 0.0f && y <= (float)(K - 1);
  if (!isfinite(y))
    return gd_fail(GD_ERR_NUMERIC, "sample %d: the label is %g", sample,
                   (double)y);
  if (labels == GD_LABELS_WHOLE && !(within && y == floorf(y)))
    return gd_fail(GD_ERR_USAGE,
                   "sample %d: label %g is none of the levels 0 to %d", sample,
                   (double)y, K - 1);
  if (labels == GD_LABELS_WITHIN && !within)
    return gd_fail(GD_ERR_USAGE, "sample %d: label %g lies outside 0 to %d",
                   sample, (double)y, K - 1);
  return GD_OK;
}

gd_status gd_loss_forward_backward(gd_loss loss, const gd_loss_options *options,
                                   int K, const float *logits,
                                   const float *labels, int n, int64_t batch,
                                   float *dlogits, float *expected,
                                   double *part)
{
  assert(options != NULL && K >= 1 && K <= GD_LOSS_MOST_LEVELS);
  assert(n >= 0 && batch >= n && batch >= 1);
  const gd_loss_row *row = rows[loss];
  const int n_outputs = row->head->outputs(K);
  const double M = (double)batch;
  double p[GD_LOSS_MOST_LEVELS], dz[GD_LOSS_MOST_LEVELS], sum = 0.0;
  *part = 0.0;
  for (int i = 0; i < n; i++) {
    const float *z = logits + (ptrdiff_t)i * n_outputs;
    gd_status st = check_finite(z, n_outputs, i);
    if (st == GD_OK)
      st = check_label(row->labels, labels[i], K, i);
    if (st != GD_OK)
      return st;
    gd_loss_sample s = {
        .options = options, .K = K, .z = z, .y = (double)labels[i], .p = p};
    row->head->read(&s);
    sum += row->of(&s, dz) / M;
    for (int j = 0; j < n_outputs && dlogits != NULL; j++)
      dlogits[(ptrdiff_t)i * n_outputs + j] = (float)(dz[j] / M);
    if (expected != NULL)
      expected[i] = (float)s.expected;
  }
  *part = sum;
  return GD_OK;
}

gd_status gd_loss_slope(gd_loss loss, int K, const float *logits, double *slope)
{
  assert(K >= 1 && K <= GD_LOSS_MOST_LEVELS && slope != NULL);
  const gd_loss_head *head = rows[loss]->head;
  double p[GD_LOSS_MOST_LEVELS];
  gd_loss_sample s = {.K = K, .z = logits, .p = p};
  gd_status st = check_finite(s.z, head->outputs(K), 0);
  if (st != GD_OK)
    return st;
  head->read(&s);
  head->slope(&s, slope);
  return GD_OK;
}

gd_status gd_loss_predict(gd_loss loss, int K, const float *logits, int n,
                          float *p, float *expected, float *sigma)
{
  assert(K >= 1 && K <= GD_LOSS_MOST_LEVELS);
  const gd_loss_head *head = rows[loss]->head;
  const int n_outputs = head->outputs(K);
  double own_p[GD_LOSS_MOST_LEVELS];
  assert(p == NULL || head->has_distribution);
  for (int i = 0; i < n; i++) {
    gd_loss_sample s = {
        .K = K, .z = logits + (ptrdiff_t)i * n_outputs, .p = own_p};
    gd_status st = check_finite(s.z, n_outputs, i);
    if (st != GD_OK)
      return st;
    head->read(&s);
    expected[i] = (float)s.expected;
    if (sigma != NULL)
      sigma[i] = (float)sqrt(s.variance);
    for (int j = 0; j < K && p != NULL; j++)
      p[(ptrdiff_t)i * K + j] = (float)own_p[j];
  }
  return GD_OK;
}
