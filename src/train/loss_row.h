/* What a loss consists of: a head that reads the outputs, and a formula.
 *
 * A formula sees one sample, whose outputs its head has read, and gives the
 * sample's loss and the gradient by the outputs; nothing is divided by the
 * batch.  See gradus/loss.h for the list. */
#ifndef GRADUS_TRAIN_LOSS_ROW_H
#define GRADUS_TRAIN_LOSS_ROW_H

#include "gradus/loss.h"

/* One sample, as its head reads it. */
typedef struct {
  const gd_loss_options *options;
  int K;                     /* levels */
  const float *z;            /* (outputs) */
  double y;                  /* label */
  double *p;                 /* (K) distribution, for heads that have one */
  double expected, variance; /* E, and the variance of p or 0 */
  double log_sum;            /* softmax: log p_j = z_j - log_sum */
} gd_loss_sample;

typedef struct {
  int (*outputs)(int K);
  int shares_weights, has_distribution;
  /* Fill in what follows from z. */
  void (*read)(gd_loss_sample *s);
  /* Write dE/dz (outputs), behind read. */
  void (*slope)(const gd_loss_sample *s, double *dz);
  /* First bias of output k; NULL: as any dense layer's. */
  double (*first_bias)(int K, int k);
} gd_loss_head;

extern const gd_loss_head gd_loss_head_softmax, gd_loss_head_level,
    gd_loss_head_rank, gd_loss_head_condition;

/* Labels that a formula can take: any finite ones, those within 0 .. K-1, or
 * whole ones among them. */
typedef enum { GD_LABELS_ANY, GD_LABELS_WITHIN, GD_LABELS_WHOLE } gd_labels;

typedef struct {
  const char *name;
  const gd_loss_head *head;
  gd_labels labels;
  /* Return the loss; write dz (outputs), which is scratch until then. */
  double (*of)(const gd_loss_sample *s, double *dz);
} gd_loss_row;

/* The rows, each in the file of its group. */
#define GD_LOSS_ROW(letters, row) extern const gd_loss_row gd_loss_##row;
GD_LOSS_LIST(GD_LOSS_ROW)

/* log(1 + exp(x)), for any x. */
double gd_softplus(double x);
/* 1 / (1 + exp(-x)), for any x. */
double gd_sigmoid(double x);

#endif
