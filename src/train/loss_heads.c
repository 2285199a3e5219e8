/* How outputs become a level and a distribution over levels. */
#include <math.h>

#include "loss_row.h"

double gd_softplus(double x)
{
  return fmax(x, 0) + log1p(exp(-fabs(x)));
}

double gd_sigmoid(double x)
{
  const double e = exp(-fabs(x));
  return (x >= 0 ? 1 : e) / (1 + e);
}

static void measure(gd_loss_sample *s)
{
  s->variance = 0;
  for (int j = 0; j < s->K; j++)
    s->variance += s->p[j] * (j - s->expected) * (j - s->expected);
}

/* ------------------------------------------------------------------ softmax */

static int outputs_softmax(int K)
{
  return K;
}

static void read_softmax(gd_loss_sample *s)
{
  double high = (double)s->z[0], sum = 0, first = 0;
  for (int j = 1; j < s->K; j++)
    high = (double)s->z[j] > high ? (double)s->z[j] : high;
  for (int j = 0; j < s->K; j++) {
    s->p[j] = exp((double)s->z[j] - high);
    sum += s->p[j];
    first += j * s->p[j];
  }
  for (int j = 0; j < s->K; j++)
    s->p[j] /= sum;
  s->expected = first / sum;
  s->log_sum = log(sum) + high;
  measure(s);
}

static void slope_softmax(const gd_loss_sample *s, double *dz)
{
  for (int j = 0; j < s->K; j++)
    dz[j] = s->p[j] * (j - s->expected);
}

const gd_loss_head gd_loss_head_softmax = {.outputs = outputs_softmax,
                                           .has_distribution = 1,
                                           .read = read_softmax,
                                           .slope = slope_softmax};

/* -------------------------------------------------------------------- level */

static int outputs_level(int K)
{
  (void)K;
  return 1;
}

static void read_level(gd_loss_sample *s)
{
  s->expected = (double)s->z[0];
  s->variance = 0;
}

static void slope_level(const gd_loss_sample *s, double *dz)
{
  (void)s;
  dz[0] = 1;
}

const gd_loss_head gd_loss_head_level = {
    .outputs = outputs_level, .read = read_level, .slope = slope_level};

/* ---------------------------------------------------------- rank, condition */

static int outputs_between(int K)
{
  return K - 1;
}

/* From P(y > k), which may only fall, to p; both in s->p, the former from k = 0
 * to K - 2. */
static void difference(gd_loss_sample *s)
{
  double above = 1;
  s->expected = 0;
  for (int k = 0; k < s->K; k++) {
    const double next = k < s->K - 1 ? fmin(s->p[k], above) : 0;
    s->p[k] = above - next;
    s->expected += k * s->p[k];
    above = next;
  }
  measure(s);
}

static void read_rank(gd_loss_sample *s)
{
  for (int k = 0; k < s->K - 1; k++)
    s->p[k] = gd_sigmoid((double)s->z[k]);
  difference(s);
}

/* E is the sum of P(y > k) over k, each the least of the sigmoids up to k: its
 * slope is that one's. */
static void slope_rank(const gd_loss_sample *s, double *dz)
{
  double least = 1, slope = 0;
  int at = 0;
  for (int k = 0; k < s->K - 1; k++) {
    const double p = gd_sigmoid((double)s->z[k]);
    dz[k] = 0;
    if (p < least) {
      least = p;
      slope = p * gd_sigmoid(-(double)s->z[k]);
      at = k;
    }
    dz[at] += slope;
  }
}

/* P(y > k) = (K - 1 - k) / K */
static double first_rank(int K, int k)
{
  return log((double)(K - 1 - k) / (k + 1));
}

const gd_loss_head gd_loss_head_rank = {.outputs = outputs_between,
                                        .shares_weights = 1,
                                        .has_distribution = 1,
                                        .read = read_rank,
                                        .slope = slope_rank,
                                        .first_bias = first_rank};

static void read_condition(gd_loss_sample *s)
{
  double above = 1;
  for (int k = 0; k < s->K - 1; k++) {
    above *= gd_sigmoid((double)s->z[k]);
    s->p[k] = above;
  }
  difference(s);
}

/* Every P(y > i) from i = k on has the factor sigmoid(z_k), and E is their sum.
 */
static void slope_condition(const gd_loss_sample *s, double *dz)
{
  double above = 1, sum = 0;
  for (int k = 0; k < s->K - 1; k++)
    dz[k] = above *= gd_sigmoid((double)s->z[k]);
  for (int k = s->K - 2; k >= 0; k--) {
    sum += dz[k];
    dz[k] = sum * gd_sigmoid(-(double)s->z[k]);
  }
}

/* P(y > k | y > k-1) = (K - 1 - k) / (K - k) */
static double first_condition(int K, int k)
{
  return log((double)(K - 1 - k));
}

const gd_loss_head gd_loss_head_condition = {.outputs = outputs_between,
                                             .has_distribution = 1,
                                             .read = read_condition,
                                             .slope = slope_condition,
                                             .first_bias = first_condition};
