/**
 * What a ResNet consists of when it is made: layers, and the memory that they
 * share.  Private to gradus/resnet.h: resnet_layout.c makes it, resnet.c
 * computes with it.
 */
#ifndef GRADUS_NET_RESNET_PARTS_H
#define GRADUS_NET_RESNET_PARTS_H

#include "gradus/conv.h"
#include "gradus/norm.h"
#include "gradus/resnet.h"
#include "net/blueprint.h"

/* One convolution and the batch norm behind it. */
typedef struct {
  const gd_unit_plan *plan;
  gd_conv *conv;
  int C;                          /* output channels */
  int64_t weight, gamma, beta;    /* offsets in the weights */
  int64_t mean_at, variance_at;   /* offsets in the running statistics */
  float *own_gamma, *own_beta;    /* copies, from gd_resnet_pack() */
  float *own_mean, *own_variance; /* the microbatch's, variance biased */
  float *own_factor;
  gd_scale scale; /* the norm, of these or of the running statistics */
  void *raw;      /* the convolution's result; its gradient, when that is known;
                     behind norm and ReLU in evaluation */
} gd_unit;

/* A dense layer is a convolution of one pixel. */
typedef struct {
  gd_conv *conv;
  int C, K;
  int64_t weight, bias; /* offsets in the weights */
  float *own_bias;
} gd_dense;

/* What is `void` is of the configuration's precision. */
struct gd_resnet {
  gd_resnet_config config;
  gd_blueprint plan;
  int microbatch, training;
  int n; /* samples of the last training forward; 0: none */
  gd_unit units[GD_MOST_UNITS];
  gd_dense hidden, output;
  gd_workspace *ws;
  int64_t bytes;
  char *memory;   /* all the activations */
  double *pieces; /* sums for the norm that comes next */
  int64_t pieces_room;
  int n_pieces;
  float *statistics;
  int64_t n_statistics;
  void *own_x;                /* room for the input; NULL with fp32 */
  const void *x;              /* the last input: borrowed, or own_x */
  void *pooled;               /* behind the max pool */
  const float *factors[2];    /* of features, activated; borrowed, or NULL */
  uint8_t *winner;            /* of the max pool */
  void *outs[GD_MOST_BLOCKS]; /* behind each block */
  uint8_t is_remade[GD_MOST_BLOCKS]; /* outs, in the backward pass */
  float *features, *activated;       /* (n, plan.C), (n, hidden) */
  float *scores;                     /* shared output: (n) before the biases */
  void *outer, *inner; /* gradients behind a block, and within it */
  void *stem_gradient; /* behind conv1 */
  float *dfeatures, *dactivated;
  gd_trace *trace; /* borrowed; NULL: none attached */
  gd_resnet_hear *hear;
  void *hear_context;
  int64_t final; /* the gradient is, from here on */
};

/* Layers of the trace: the units, and behind them these. */
enum { LAYER_POOL, LAYER_HIDDEN, LAYER_OUTPUT, LAYER_ALL, N_MORE_LAYERS };

/** Return the rows of n samples at a unit's output. */
int64_t gd_unit_rows(const gd_unit *u, int n);
/** Return the shape of n samples at a unit's input. */
gd_conv_input gd_unit_input(const gd_unit *u, int n);

#endif
