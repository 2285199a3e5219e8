#include "gradus/resnet.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/conv.h"
#include "gradus/memory.h"
#include "gradus/norm.h"
#include "gradus/pool.h"
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
  float *raw;     /* the convolution's result; its gradient, when that is known;
                     behind norm and ReLU in evaluation */
} unit;

/* A dense layer is a convolution of one pixel. */
typedef struct {
  gd_conv *conv;
  int C, K;
  int64_t weight, bias; /* offsets in the weights */
  float *own_bias;
} dense;

struct gd_resnet {
  gd_resnet_config config;
  gd_blueprint plan;
  int microbatch, training;
  int n; /* samples of the last training forward; 0: none */
  unit units[GD_MOST_UNITS];
  dense hidden, output;
  gd_workspace *ws;
  int64_t bytes;
  float *floats;  /* all the activations */
  double *pieces; /* sums for the norm that comes next */
  int64_t pieces_room;
  int n_pieces;
  float *statistics;
  int64_t n_statistics;
  const float *x;              /* the last input, borrowed */
  float *pooled;               /* behind the max pool */
  const float *factors[2];     /* of features, activated; borrowed, or NULL */
  uint8_t *winner;             /* of the max pool */
  float *outs[GD_MOST_BLOCKS]; /* behind each block */
  float *features, *activated; /* (n, 2048), (n, hidden) */
  float *scores;               /* shared output: (n) before the biases */
  float *outer, *inner;        /* gradients behind a block, and within it */
  float *dfeatures, *dactivated;
  gd_trace *trace; /* borrowed; NULL: none attached */
  gd_resnet_hear *hear;
  void *hear_context;
  int64_t final; /* the gradient is, from here on */
};

/* Layers of the trace: the units, and behind them these. */
enum { LAYER_POOL, LAYER_HIDDEN, LAYER_OUTPUT, LAYER_ALL, N_MORE_LAYERS };

static int64_t unit_rows(const unit *u, int n)
{
  return (int64_t)n * gd_unit_out_H(u->plan) * gd_unit_out_W(u->plan);
}

static gd_conv_input unit_input(const unit *u, int n)
{
  return (gd_conv_input){n, u->plan->H, u->plan->W};
}

/* Memory is handed out twice: once to count, once to give. */
typedef struct {
  float *base; /* NULL while counting */
  int64_t used;
} arena;

static float *take(arena *a, int64_t count)
{
  const int64_t line = GD_ALIGN_BYTES / (int64_t)sizeof(float);
  float *memory = a->base == NULL ? NULL : a->base + a->used;
  a->used += (count + line - 1) / line * line;
  return memory;
}

static int64_t largest_activation(const gd_resnet *net)
{
  int64_t most = 0;
  for (int i = 0; i < net->plan.n_units; i++) {
    const unit *u = &net->units[i];
    const int64_t count = unit_rows(u, net->microbatch) * u->C;
    most = count > most ? count : most;
  }
  return most;
}

/* Of each block the backward pass needs the convolutions' results and what the
 * block gives; norm and ReLU within it are computed again.  A convolution's
 * gradient takes the place of its result. */
static void place_for_training(gd_resnet *net, arena *a)
{
  const int64_t most = largest_activation(net);
  for (int i = 0; i < net->plan.n_units; i++) {
    unit *u = &net->units[i];
    u->raw = take(a, unit_rows(u, net->microbatch) * u->C);
  }
  for (int b = 0; b < net->plan.n_blocks; b++) {
    const unit *last = &net->units[net->plan.blocks[b].first + 2];
    net->outs[b] = take(a, unit_rows(last, net->microbatch) * last->C);
  }
  net->outer = take(a, most);
  net->inner = take(a, most);
  net->dfeatures = take(a, (int64_t)net->microbatch * GD_LAST_CHANNELS);
  net->dactivated = take(a, (int64_t)net->microbatch * net->config.hidden);
}

/* Evaluation keeps a block's input only until its output is there. */
static void place_for_evaluation(gd_resnet *net, arena *a)
{
  const int64_t most = largest_activation(net);
  float *inner[2] = {take(a, most), take(a, most)};
  float *outer[2] = {take(a, most), take(a, most)};
  float *shortcut = take(a, most);
  unit *units = net->units;
  units[0].raw = inner[0];
  for (int b = 0; b < net->plan.n_blocks; b++) {
    const gd_block_plan *block = &net->plan.blocks[b];
    units[block->first].raw = inner[0];
    units[block->first + 1].raw = inner[1];
    net->outs[b] = outer[b % 2];
    if (block->downsample >= 0)
      units[block->downsample].raw = shortcut;
  }
}

static void place(gd_resnet *net, arena *a)
{
  const int n = net->microbatch;
  const gd_blueprint *plan = &net->plan;
  for (int i = 0; i < plan->n_units; i++) {
    unit *u = &net->units[i];
    u->own_gamma = take(a, u->C);
    u->own_beta = take(a, u->C);
    u->own_mean = take(a, u->C);
    u->own_variance = take(a, u->C);
    u->own_factor = take(a, u->C);
  }
  net->hidden.own_bias = take(a, net->hidden.K);
  net->output.own_bias = take(a, net->config.outputs);
  const int64_t n_pooled = (int64_t)n * 64 *
                           gd_pool_out(plan->pool_H, plan->pool) *
                           gd_pool_out(plan->pool_W, plan->pool);
  net->pooled = take(a, n_pooled);
  net->winner = (uint8_t *)take(a, (n_pooled + 3) / 4);
  net->features = take(a, (int64_t)n * GD_LAST_CHANNELS);
  net->activated = take(a, (int64_t)n * net->config.hidden);
  net->scores = take(a, n);
  net->statistics = take(a, net->n_statistics);
  if (net->training)
    place_for_training(net, a);
  else
    place_for_evaluation(net, a);
}

/* What the unit keeps of one sample until the backward pass. */
static int64_t kept_bytes(const gd_resnet *net, const unit *u)
{
  int n_kept = net->training;
  for (int b = 0; b < net->plan.n_blocks && net->training; b++)
    n_kept += u == &net->units[net->plan.blocks[b].first + 2];
  return n_kept * unit_rows(u, 1) * u->C * (int64_t)sizeof(float);
}

/* The most doubles that the sums of one norm have, wherever they come from: of
 * any number of samples, as fewer may be cut into more pieces. */
static int64_t most_pieces(const gd_resnet *net)
{
  int64_t most = 0;
  for (int i = 0; i < net->plan.n_units && net->training; i++) {
    const unit *u = &net->units[i];
    for (int n = 1; n <= net->microbatch; n++) {
      const gd_conv_input in = unit_input(u, n);
      const int64_t counts[3] = {
          (int64_t)gd_conv_n_pieces(u->conv, in, 0) * gd_norm_piece(u->C),
          (int64_t)gd_conv_n_pieces(u->conv, in, 1) *
              gd_norm_piece(u->plan->shape.C),
          (int64_t)gd_norm_n_pieces(unit_rows(u, n)) * gd_norm_piece(u->C)};
      for (int j = 0; j < 3; j++)
        most = counts[j] > most ? counts[j] : most;
    }
  }
  return most;
}

static gd_status make_memory(gd_resnet *net)
{
  arena a = {NULL, 0};
  place(net, &a);
  net->pieces_room = most_pieces(net);
  net->floats = gd_alloc(a.used, sizeof *net->floats);
  net->pieces = gd_alloc(net->pieces_room, sizeof *net->pieces);
  gd_status st = gd_workspace_new(&net->ws);
  if (net->floats == NULL || net->pieces == NULL)
    return GD_ERR_NOMEM;
  if (st != GD_OK)
    return st;
  net->bytes += a.used * (int64_t)sizeof *net->floats +
                net->pieces_room * (int64_t)sizeof *net->pieces +
                gd_workspace_bytes(net->ws);
  a = (arena){net->floats, 0};
  place(net, &a);
  return GD_OK;
}

static gd_status make_dense(gd_resnet *net, const gd_tensor_entry *weight,
                            dense *d)
{
  *d = (dense){.C = weight->shape[1],
               .K = weight->shape[0],
               .weight = weight->offset,
               .bias = weight[1].offset};
  gd_status st = gd_conv_new(
      (gd_conv_shape){.C = d->C, .K = d->K, .R = 1, .S = 1, .stride = 1},
      net->training, &d->conv);
  if (st == GD_OK)
    net->bytes += gd_conv_bytes(d->conv);
  return st;
}

/* The tables list three tensors of weights and two of statistics for each unit,
 * in the blueprint's order, then the dense layers. */
static gd_status make_layers(gd_resnet *net, const gd_tensor_table *weights,
                             const gd_tensor_table *running)
{
  gd_status st = GD_OK;
  for (int i = 0; i < net->plan.n_units && st == GD_OK; i++) {
    const gd_tensor_entry *w = &weights->entries[3 * i];
    unit *u = &net->units[i];
    *u = (unit){.plan = &net->plan.units[i],
                .C = net->plan.units[i].shape.K,
                .weight = w[0].offset,
                .gamma = w[1].offset,
                .beta = w[2].offset,
                .mean_at = running->entries[2 * i].offset,
                .variance_at = running->entries[2 * i + 1].offset};
    st = gd_conv_new(u->plan->shape, net->training, &u->conv);
    if (st == GD_OK)
      net->bytes += gd_conv_bytes(u->conv);
  }
  const gd_tensor_entry *last = &weights->entries[3 * net->plan.n_units];
  if (st == GD_OK)
    st = make_dense(net, last, &net->hidden);
  if (st == GD_OK)
    st = make_dense(net, last + 2, &net->output);
  net->n_statistics = running->count;
  return st;
}

gd_status gd_resnet_new(const gd_resnet_config *config, int microbatch,
                        int training, gd_resnet **out)
{
  assert(microbatch >= 1);
  *out = NULL;
  if (config->outputs == 0)
    return gd_fail(GD_ERR_USAGE, "a network without a head has no outputs");
  gd_tensor_table weights, running;
  gd_status st = gd_resnet_tables(config, &weights, &running);
  if (st != GD_OK)
    return st;
  gd_resnet *net = gd_alloc(1, sizeof *net);
  if (net == NULL) {
    st = GD_ERR_NOMEM;
  } else {
    net->config = *config;
    net->microbatch = microbatch;
    net->training = training;
    gd_blueprint_draw(config, &net->plan);
    st = make_layers(net, &weights, &running);
    if (st == GD_OK)
      st = make_memory(net);
  }
  gd_tensor_table_free(&weights);
  gd_tensor_table_free(&running);
  if (st != GD_OK) {
    gd_resnet_free(net);
    return st;
  }
  *out = net;
  return GD_OK;
}

void gd_resnet_free(gd_resnet *net)
{
  if (net == NULL)
    return;
  for (int i = 0; i < net->plan.n_units; i++)
    gd_conv_free(net->units[i].conv);
  gd_conv_free(net->hidden.conv);
  gd_conv_free(net->output.conv);
  gd_workspace_free(net->ws);
  free(net->floats);
  free(net->pieces);
  free(net);
}

int64_t gd_resnet_bytes(const gd_resnet *net)
{
  return net->bytes;
}

static void name_layer(gd_trace *t, const char *name, double multiplications)
{
  gd_trace_layer *layer = &t->layers[t->n_layers++];
  *layer = (gd_trace_layer){.flop = 2 * multiplications};
  snprintf(layer->name, sizeof layer->name, "%s", name);
}

void gd_resnet_trace(gd_resnet *net, gd_trace *trace)
{
  net->trace = trace;
  if (trace == NULL)
    return;
  assert(net->plan.n_units + N_MORE_LAYERS <= GD_TRACE_MOST);
  *trace = (gd_trace){0};
  for (int i = 0; i < net->plan.n_units; i++) {
    const gd_conv_shape s = net->plan.units[i].shape;
    const double rows = (double)unit_rows(&net->units[i], 1);
    name_layer(trace, net->plan.units[i].conv, rows * s.C * s.K * s.R * s.S);
    const gd_conv_input in = unit_input(&net->units[i], 1);
    trace->layers[i].kept_bytes = kept_bytes(net, &net->units[i]);
    trace->layers[i].sample_bytes =
        sizeof(float) * ((double)in.H * in.W * s.C + rows * s.K);
    trace->layers[i].weight_bytes =
        sizeof(float) * (double)s.C * s.K * s.R * s.S;
  }
  const dense *d[2] = {&net->hidden, &net->output};
  name_layer(trace, "pools", 0);
  name_layer(trace, "fc.0", (double)d[0]->C * d[0]->K);
  name_layer(trace, "fc.2", (double)d[1]->C * d[1]->K);
  name_layer(trace, "all weights", 0);
}

static void note_unit(const gd_resnet *net, const unit *u, gd_phase phase)
{
  gd_trace_note(net->trace, (int)(u - net->units), phase);
}

static void note(const gd_resnet *net, int layer, gd_phase phase)
{
  gd_trace_note(net->trace, net->plan.n_units + layer, phase);
}

void gd_resnet_tell(gd_resnet *net, gd_resnet_hear *hear, void *context)
{
  net->hear = hear;
  net->hear_context = context;
}

/* A piece of the backward pass is done. */
static void tell(const gd_resnet *net)
{
  if (net->hear != NULL)
    net->hear(net->hear_context, net->final);
}

static void pack_dense(dense *d, int n_biases, const float *weights)
{
  gd_conv_pack(d->conv, weights + d->weight);
  memcpy(d->own_bias, weights + d->bias, (size_t)n_biases * sizeof *weights);
}

void gd_resnet_pack(gd_resnet *net, const float *weights)
{
  gd_trace_begin(net->trace);
  for (int i = 0; i < net->plan.n_units; i++) {
    unit *u = &net->units[i];
    const size_t bytes = (size_t)u->C * sizeof *weights;
    gd_conv_pack(u->conv, weights + u->weight);
    memcpy(u->own_gamma, weights + u->gamma, bytes);
    memcpy(u->own_beta, weights + u->beta, bytes);
    note_unit(net, u, GD_PHASE_PACK);
  }
  pack_dense(&net->hidden, net->config.hidden, weights);
  pack_dense(&net->output, net->config.outputs, weights);
  note(net, LAYER_HIDDEN, GD_PHASE_PACK);
}

/* Sums of n pieces, of C channels each, come next. */
static void expect_pieces(gd_resnet *net, int n, int C)
{
  assert((int64_t)n * gd_norm_piece(C) <= net->pieces_room);
  net->n_pieces = n;
}

static gd_norm norm_of(const unit *u, double epsilon, const float *mean,
                       const float *variance)
{
  return (gd_norm){.C = u->C,
                   .epsilon = epsilon,
                   .gamma = u->own_gamma,
                   .beta = u->own_beta,
                   .mean = mean,
                   .variance = variance};
}

static gd_norm own_norm(const gd_resnet *net, const unit *u)
{
  return norm_of(u, net->config.bn_epsilon, u->own_mean, u->own_variance);
}

/* The microbatch's statistics, and what of them the running ones take in. */
static void measure(gd_resnet *net, unit *u, int64_t n_rows)
{
  gd_norm_merge(net->n_pieces, u->C, net->pieces, u->own_mean, u->own_variance);
  const double unbiased = (double)n_rows / (double)(n_rows - 1);
  for (int c = 0; c < u->C; c++) {
    net->statistics[u->mean_at + c] = u->own_mean[c];
    net->statistics[u->variance_at + c] =
        (float)((double)u->own_variance[c] * unbiased);
  }
  const gd_norm norm = own_norm(net, u);
  u->scale = gd_norm_scale(&norm, u->own_factor);
}

/* Training: the convolution's result, and the scale that is the norm. */
static void unit_train(gd_resnet *net, unit *u, int n, gd_conv_source source)
{
  const gd_conv_input in = unit_input(u, n);
  expect_pieces(net, gd_conv_n_pieces(u->conv, in, 0), u->C);
  gd_conv_forward(u->conv, net->ws, in, &source,
                  &(gd_conv_sink){.y = u->raw, .sums = net->pieces});
  note_unit(net, u, GD_PHASE_FORWARD);
  measure(net, u, unit_rows(u, n));
  note_unit(net, u, GD_PHASE_NORM);
}

static void block_train(gd_resnet *net, int b, int n, const float *x)
{
  const gd_block_plan *block = &net->plan.blocks[b];
  unit *u = &net->units[block->first];
  unit *down = block->downsample < 0 ? NULL : &net->units[block->downsample];
  unit_train(net, &u[0], n, (gd_conv_source){.x = x});
  unit_train(net, &u[1], n, (gd_conv_source){u[0].raw, &u[0].scale});
  unit_train(net, &u[2], n, (gd_conv_source){u[1].raw, &u[1].scale});
  if (down != NULL)
    unit_train(net, down, n, (gd_conv_source){.x = x});
  gd_norm_join(unit_rows(&u[2], n), u[2].C, u[2].raw, &u[2].scale,
               down == NULL ? x : down->raw, down == NULL ? NULL : &down->scale,
               net->outs[b]);
  note_unit(net, &u[2], GD_PHASE_NORM);
}

/* Evaluation: norm, shortcut and ReLU on the way out of the convolution. */
static void unit_evaluate(gd_resnet *net, unit *u, int n, const float *x,
                          const float *running, const float *shortcut, int relu,
                          float *y)
{
  const gd_norm norm = norm_of(u, net->config.bn_epsilon, running + u->mean_at,
                               running + u->variance_at);
  u->scale = gd_norm_scale(&norm, u->own_factor);
  gd_conv_forward(
      u->conv, net->ws, unit_input(u, n), &(gd_conv_source){.x = x},
      &(gd_conv_sink){
          .y = y, .scale = &u->scale, .add = shortcut, .relu = relu});
  note_unit(net, u, GD_PHASE_FORWARD);
}

static void block_evaluate(gd_resnet *net, int b, int n, const float *x,
                           const float *running)
{
  const gd_block_plan *block = &net->plan.blocks[b];
  unit *u = &net->units[block->first];
  const float *shortcut = x;
  if (block->downsample >= 0) {
    unit *down = &net->units[block->downsample];
    unit_evaluate(net, down, n, x, running, NULL, 0, down->raw);
    shortcut = down->raw;
  }
  unit_evaluate(net, &u[0], n, x, running, NULL, 1, u[0].raw);
  unit_evaluate(net, &u[1], n, u[0].raw, running, NULL, 1, u[1].raw);
  unit_evaluate(net, &u[2], n, u[1].raw, running, shortcut, 1, net->outs[b]);
}

static void dense_forward(const gd_resnet *net, const dense *d, int n,
                          const float *x, const float *bias, float *y)
{
  gd_conv_forward(d->conv, net->ws, (gd_conv_input){n, 1, 1},
                  &(gd_conv_source){.x = x},
                  &(gd_conv_sink){.y = y, .bias = bias});
}

void gd_resnet_multiply(gd_resnet *net, const float *features,
                        const float *hidden)
{
  assert(net->training);
  net->factors[0] = features;
  net->factors[1] = hidden;
}

static void multiply(float *y, const float *factors, int64_t count)
{
  for (int64_t i = 0; factors != NULL && i < count; i++)
    y[i] *= factors[i];
}

static void output_forward(gd_resnet *net, int n, float *logits)
{
  const int K = net->config.outputs;
  if (!net->config.shared_output) {
    dense_forward(net, &net->output, n, net->activated, net->output.own_bias,
                  logits);
    return;
  }
  dense_forward(net, &net->output, n, net->activated, NULL, net->scores);
  for (int i = 0; i < n; i++)
    for (int k = 0; k < K; k++)
      logits[(ptrdiff_t)i * K + k] = net->scores[i] + net->output.own_bias[k];
}

gd_status gd_resnet_forward(gd_resnet *net, gd_resnet_mode mode,
                            const float *running, const float *x, int n,
                            float *logits)
{
  const gd_blueprint *plan = &net->plan;
  assert(n >= 1 && n <= net->microbatch);
  assert(mode == GD_RESNET_TRAIN ? net->training : running != NULL);

  net->n = 0;
  if (mode == GD_RESNET_TRAIN) {
    if ((int64_t)n * plan->H * plan->W == 1)
      return gd_fail(GD_ERR_USAGE,
                     "a microbatch of one %dx%d image has no variance at the "
                     "last layers: take two samples or larger images",
                     net->config.height, net->config.width);
    running = NULL;
    net->n = n;
    net->x = x;
  }
  gd_trace_begin(net->trace);
  unit *stem = &net->units[0];
  if (running == NULL)
    unit_train(net, stem, n, (gd_conv_source){.x = x});
  else
    unit_evaluate(net, stem, n, x, running, NULL, 1, stem->raw);
  gd_max_pool_forward(
      plan->pool, (gd_conv_input){n, plan->pool_H, plan->pool_W}, 64, stem->raw,
      running == NULL ? &stem->scale : NULL, net->pooled, net->winner);
  note(net, LAYER_POOL, GD_PHASE_POOL);
  const float *y = net->pooled;
  for (int b = 0; b < plan->n_blocks; b++) {
    if (running == NULL)
      block_train(net, b, n, y);
    else
      block_evaluate(net, b, n, y, running);
    y = net->outs[b];
  }
  gd_mean_pool_forward((gd_conv_input){n, plan->H, plan->W}, GD_LAST_CHANNELS,
                       y, net->features);
  note(net, LAYER_POOL, GD_PHASE_POOL);
  if (running == NULL)
    multiply(net->features, net->factors[0], (int64_t)n * GD_LAST_CHANNELS);
  dense_forward(net, &net->hidden, n, net->features, net->hidden.own_bias,
                net->activated);
  for (int64_t i = 0; i < (int64_t)n * net->config.hidden; i++)
    net->activated[i] = net->activated[i] < 0.0f ? 0.0f : net->activated[i];
  if (running == NULL)
    multiply(net->activated, net->factors[1], (int64_t)n * net->config.hidden);
  note(net, LAYER_HIDDEN, GD_PHASE_DENSE);
  output_forward(net, n, logits);
  note(net, LAYER_OUTPUT, GD_PHASE_DENSE);
  return GD_OK;
}

const float *gd_resnet_statistics(const gd_resnet *net)
{
  assert(net->training);
  return net->statistics;
}

static void dense_backward(const gd_resnet *net, const dense *d, const float *x,
                           const float *dy, float *gradient, float *dx)
{
  const gd_conv_input in = {net->n, 1, 1};
  gd_conv_backward_weights(d->conv, net->ws, in, &(gd_conv_source){.x = x}, dy,
                           gradient + d->weight);
  gd_conv_backward_bias(dy, net->n, d->K, gradient + d->bias);
  gd_conv_backward_data(d->conv, net->ws, in, dy, &(gd_conv_sink){.y = dx});
}

static void output_backward(gd_resnet *net, const float *dlogits,
                            float *gradient)
{
  const int K = net->config.outputs;
  if (!net->config.shared_output) {
    dense_backward(net, &net->output, net->activated, dlogits, gradient,
                   net->dactivated);
    return;
  }
  for (int i = 0; i < net->n; i++) {
    net->scores[i] = 0;
    for (int k = 0; k < K; k++)
      net->scores[i] += dlogits[(ptrdiff_t)i * K + k];
  }
  dense_backward(net, &net->output, net->activated, net->scores, gradient,
                 net->dactivated);
  gd_conv_backward_bias(dlogits, net->n, K, gradient + net->output.bias);
}

/* From the gradient g in front of a unit's ReLU, whose sums are there, to that
 * of its convolution, in the place of the convolution's result. */
static void norm_backward(gd_resnet *net, unit *u, const float *g,
                          float *gradient)
{
  const gd_norm norm = own_norm(net, u);
  gd_norm_backward(&norm, &u->scale, unit_rows(u, net->n), g, u->raw,
                   net->n_pieces, net->pieces, u->raw, gradient + u->gamma,
                   gradient + u->beta);
  note_unit(net, u, GD_PHASE_NORM);
  tell(net);
}

/* Sum the gradient g behind a unit (in front of its ReLU, if there is one). */
static void norm_sums(gd_resnet *net, const unit *u, const float *open,
                      float *g)
{
  const int64_t n_rows = unit_rows(u, net->n);
  expect_pieces(net, gd_norm_n_pieces(n_rows), u->C);
  gd_norm_sums(n_rows, u->C, u->raw, u->own_mean, open, g, net->pieces);
  note_unit(net, u, GD_PHASE_NORM);
}

static void weights_backward(gd_resnet *net, const unit *u,
                             gd_conv_source source, float *gradient)
{
  gd_conv_backward_weights(u->conv, net->ws, unit_input(u, net->n), &source,
                           u->raw, gradient + u->weight);
  note_unit(net, u, GD_PHASE_BACKWARD_WEIGHTS);
  tell(net);
}

static void data_backward(gd_resnet *net, const unit *u, gd_conv_sink sink)
{
  const gd_conv_input in = unit_input(u, net->n);
  if (sink.raw != NULL) {
    sink.sums = net->pieces;
    expect_pieces(net, gd_conv_n_pieces(u->conv, in, 1), u->plan->shape.C);
  }
  gd_conv_backward_data(u->conv, net->ws, in, u->raw, &sink);
  note_unit(net, u, GD_PHASE_BACKWARD_DATA);
  tell(net);
}

/* From a unit within a block, whose gradient is known, to the unit before it.
 */
static void inner_backward(gd_resnet *net, const unit *u, const unit *before,
                           float *gradient)
{
  weights_backward(net, u, (gd_conv_source){before->raw, &before->scale},
                   gradient);
  data_backward(net, u,
                (gd_conv_sink){.y = net->inner,
                               .raw = before->raw,
                               .scale = &before->scale});
}

/* net->outer is the gradient behind the block, in front of its last ReLU, and
 * becomes that behind the block before.  The sums that the last norm needs are
 * there, and those of the norm before the block will be. */
static void block_backward(gd_resnet *net, int b, float *gradient)
{
  const gd_block_plan *block = &net->plan.blocks[b];
  unit *u = &net->units[block->first];
  unit *down = block->downsample < 0 ? NULL : &net->units[block->downsample];
  const gd_conv_source x = {.x = b == 0 ? net->pooled : net->outs[b - 1]};
  const unit *before =
      b == 0 ? NULL : &net->units[net->plan.blocks[b - 1].first + 2];

  norm_backward(net, &u[2], net->outer, gradient);
  if (down != NULL) {
    norm_sums(net, down, NULL, net->outer);
    norm_backward(net, down, net->outer, gradient);
  }
  inner_backward(net, &u[2], &u[1], gradient);
  norm_backward(net, &u[1], net->inner, gradient);
  inner_backward(net, &u[1], &u[0], gradient);
  norm_backward(net, &u[0], net->inner, gradient);
  weights_backward(net, &u[0], x, gradient);
  if (down != NULL)
    weights_backward(net, down, x, gradient);
  net->final = u[0].weight; /* the block's tensors follow one another */
  if (down != NULL)
    data_backward(net, down, (gd_conv_sink){.y = net->outer});
  data_backward(
      net, &u[0],
      (gd_conv_sink){.y = net->outer,
                     .add = net->outer,
                     .open = x.x,
                     .raw = before == NULL ? NULL : before->raw,
                     .scale = before == NULL ? NULL : &before->scale});
}

void gd_resnet_backward(gd_resnet *net, const float *dlogits, float *gradient)
{
  assert(net->n >= 1); /* behind a training forward */
  const gd_blueprint *plan = &net->plan;
  const int n = net->n, last = plan->n_blocks - 1;
  unit *stem = &net->units[0];

  gd_trace_begin(net->trace);
  output_backward(net, dlogits, gradient);
  net->final = net->output.weight;
  note(net, LAYER_OUTPUT, GD_PHASE_DENSE);
  tell(net);
  for (int64_t i = 0; i < (int64_t)n * net->config.hidden; i++)
    net->dactivated[i] = net->activated[i] > 0.0f ? net->dactivated[i] : 0.0f;
  multiply(net->dactivated, net->factors[1], (int64_t)n * net->config.hidden);
  dense_backward(net, &net->hidden, net->features, net->dactivated, gradient,
                 net->dfeatures);
  multiply(net->dfeatures, net->factors[0], (int64_t)n * GD_LAST_CHANNELS);
  net->final = net->hidden.weight;
  note(net, LAYER_HIDDEN, GD_PHASE_DENSE);
  tell(net);
  gd_mean_pool_backward((gd_conv_input){n, plan->H, plan->W}, GD_LAST_CHANNELS,
                        net->dfeatures, net->outer);
  note(net, LAYER_POOL, GD_PHASE_POOL);
  norm_sums(net, &net->units[plan->blocks[last].first + 2], net->outs[last],
            net->outer);
  for (int b = last; b >= 0; b--)
    block_backward(net, b, gradient);
  gd_max_pool_backward(plan->pool,
                       (gd_conv_input){n, plan->pool_H, plan->pool_W}, 64,
                       net->outer, net->winner, net->inner);
  note(net, LAYER_POOL, GD_PHASE_POOL);
  tell(net);
  norm_sums(net, stem, NULL, net->inner);
  norm_backward(net, stem, net->inner, gradient);
  weights_backward(net, stem, (gd_conv_source){.x = net->x}, gradient);
}
