/* Losses of the expected level, and of the level as a class. */
#include "loss_row.h"

static double of_expectation(const gd_loss_sample *s, double *dz)
{
  const double miss = s->expected - s->y;
  for (int j = 0; j < s->K; j++)
    dz[j] = miss * s->p[j] * (j - s->expected);
  return 0.5 * miss * miss;
}

const gd_loss_row gd_loss_expectation = {.name = "expectation",
                                         .head = &gd_loss_head_softmax,
                                         .labels = GD_LABELS_WITHIN,
                                         .of = of_expectation};

static double of_softmax(const gd_loss_sample *s, double *dz)
{
  const int label = (int)s->y;
  for (int j = 0; j < s->K; j++)
    dz[j] = s->p[j] - (j == label);
  return s->log_sum - (double)s->z[label];
}

const gd_loss_row gd_loss_softmax = {.name = "softmax",
                                     .head = &gd_loss_head_softmax,
                                     .labels = GD_LABELS_WHOLE,
                                     .of = of_softmax};

static double of_mean_variance(const gd_loss_sample *s, double *dz)
{
  const double a = s->options->mean, b = s->options->variance;
  const double miss = s->expected - s->y;
  const double loss = of_softmax(s, dz);
  for (int j = 0; j < s->K; j++) {
    const double off = j - s->expected;
    dz[j] += s->p[j] * (a * miss * off + b * (off * off - s->variance));
  }
  return loss + 0.5 * a * miss * miss + b * s->variance;
}

const gd_loss_row gd_loss_mean_variance = {.name = "mean-variance",
                                           .head = &gd_loss_head_softmax,
                                           .labels = GD_LABELS_WHOLE,
                                           .of = of_mean_variance};
