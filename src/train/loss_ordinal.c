/* Losses that ask for each level whether the label lies above it. */
#include "loss_row.h"

/* Binary cross-entropy of output k with [y > k], and its gradient. */
static double ask(const gd_loss_sample *s, int k, double *dz)
{
  const double z = (double)s->z[k];
  const int above = s->y > k;
  dz[k] = gd_sigmoid(z) - above;
  return gd_softplus(above ? -z : z);
}

static double of_coral(const gd_loss_sample *s, double *dz)
{
  double loss = 0;
  for (int k = 0; k < s->K - 1; k++)
    loss += ask(s, k, dz);
  return loss;
}

const gd_loss_row gd_loss_coral = {.name = "coral",
                                   .head = &gd_loss_head_rank,
                                   .labels = GD_LABELS_WITHIN,
                                   .of = of_coral};

/* Only those above k - 1 are asked about k. */
static double of_corn(const gd_loss_sample *s, double *dz)
{
  double loss = 0;
  for (int k = 0; k < s->K - 1; k++) {
    dz[k] = 0;
    if (s->y > k - 1)
      loss += ask(s, k, dz);
  }
  return loss;
}

const gd_loss_row gd_loss_corn = {.name = "corn",
                                  .head = &gd_loss_head_condition,
                                  .labels = GD_LABELS_WITHIN,
                                  .of = of_corn};
