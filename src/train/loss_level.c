/* Losses of a single output, the level itself. */
#include <math.h>

#include "loss_row.h"

static double of_euclidean(const gd_loss_sample *s, double *dz)
{
  dz[0] = s->expected - s->y;
  return 0.5 * dz[0] * dz[0];
}

const gd_loss_row gd_loss_euclidean = {
    .name = "euclidean", .head = &gd_loss_head_level, .of = of_euclidean};

static double of_huber(const gd_loss_sample *s, double *dz)
{
  const double miss = s->expected - s->y, delta = s->options->delta;
  dz[0] = fmin(fmax(miss, -delta), delta);
  return dz[0] * (miss - 0.5 * dz[0]);
}

const gd_loss_row gd_loss_huber = {
    .name = "huber", .head = &gd_loss_head_level, .of = of_huber};

static double of_l1(const gd_loss_sample *s, double *dz)
{
  const double miss = s->expected - s->y;
  dz[0] = miss > 0 ? 1 : miss < 0 ? -1 : 0;
  return fabs(miss);
}

const gd_loss_row gd_loss_l1 = {
    .name = "l1", .head = &gd_loss_head_level, .of = of_l1};

static double of_balanced(const gd_loss_sample *s, double *dz)
{
  const double weight = s->options->weights[(int)lround(s->y)];
  const double loss = weight * of_euclidean(s, dz);
  dz[0] *= weight;
  return loss;
}

const gd_loss_row gd_loss_balanced = {.name = "balanced",
                                      .head = &gd_loss_head_level,
                                      .labels = GD_LABELS_WITHIN,
                                      .of = of_balanced};
