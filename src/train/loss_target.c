/* Losses that compare the distribution with one drawn around the label. */
#include <math.h>

#include "loss_row.h"

/* Return the cross-entropy from q (K) to p, whose gradient replaces q. */
static double cross_entropy(const gd_loss_sample *s, double *q)
{
  double loss = 0;
  for (int j = 0; j < s->K; j++) {
    loss -= q[j] * ((double)s->z[j] - s->log_sum);
    q[j] = s->p[j] - q[j];
  }
  return loss;
}

/* Write a distribution q_k ~ exp(x_k), and return its sum of q log q. */
static double normalise(int K, double *x)
{
  double high = x[0], sum = 0, information = 0;
  for (int k = 1; k < K; k++)
    high = x[k] > high ? x[k] : high;
  for (int k = 0; k < K; k++)
    sum += exp(x[k] - high);
  for (int k = 0; k < K; k++) {
    const double log_q = x[k] - high - log(sum);
    x[k] = exp(log_q);
    information += x[k] * log_q;
  }
  return information;
}

static double of_dldl(const gd_loss_sample *s, double *dz)
{
  for (int k = 0; k < s->K; k++) {
    const double off = (k - s->y) / s->options->sigma;
    dz[k] = -0.5 * off * off;
  }
  const double information = normalise(s->K, dz);
  return information + cross_entropy(s, dz);
}

const gd_loss_row gd_loss_dldl = {.name = "dldl",
                                  .head = &gd_loss_head_softmax,
                                  .labels = GD_LABELS_WITHIN,
                                  .of = of_dldl};

static double of_dldl_v2(const gd_loss_sample *s, double *dz)
{
  const double miss = s->expected - s->y;
  const double side = miss > 0 ? 1 : miss < 0 ? -1 : 0;
  const double loss = of_dldl(s, dz);
  for (int j = 0; j < s->K; j++)
    dz[j] += side * s->p[j] * (j - s->expected);
  return loss + fabs(miss);
}

const gd_loss_row gd_loss_dldl_v2 = {.name = "dldl-v2",
                                     .head = &gd_loss_head_softmax,
                                     .labels = GD_LABELS_WITHIN,
                                     .of = of_dldl_v2};

static double of_sord(const gd_loss_sample *s, double *dz)
{
  for (int k = 0; k < s->K; k++)
    dz[k] = -fabs(k - s->y);
  normalise(s->K, dz);
  return cross_entropy(s, dz);
}

const gd_loss_row gd_loss_sord = {.name = "sord",
                                  .head = &gd_loss_head_softmax,
                                  .labels = GD_LABELS_WITHIN,
                                  .of = of_sord};

/* A label between two levels is shared by both.  By p_j goes what all sums from
 * j on change by; a constant makes no difference to z. */
static double of_emd2(const gd_loss_sample *s, double *dz)
{
  double loss = 0, cdf = 0, before = 0, mean = 0;
  for (int j = 0; j < s->K; j++) {
    cdf += s->p[j];
    const double off = cdf - fmin(fmax(j + 1 - s->y, 0), 1);
    loss += off * off;
    dz[j] = -before;
    before += 2 * off;
    mean += s->p[j] * dz[j];
  }
  for (int j = 0; j < s->K; j++)
    dz[j] = s->p[j] * (dz[j] - mean);
  return loss;
}

const gd_loss_row gd_loss_emd2 = {.name = "emd2",
                                  .head = &gd_loss_head_softmax,
                                  .labels = GD_LABELS_WITHIN,
                                  .of = of_emd2};
