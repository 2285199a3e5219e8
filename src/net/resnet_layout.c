/* The layers of a net, and its memory: planned when it is made. */
#include "net/resnet_parts.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "gradus/memory.h"
#include "gradus/pool.h"

int64_t gd_unit_rows(const gd_unit *u, int n)
{
  return (int64_t)n * gd_unit_out_H(u->plan) * gd_unit_out_W(u->plan);
}

gd_conv_input gd_unit_input(const gd_unit *u, int n)
{
  return (gd_conv_input){n, u->plan->H, u->plan->W};
}

/* Memory is handed out twice: once to count, once to give. */
typedef struct {
  char *base; /* NULL while counting */
  int64_t used_bytes;
  gd_precision precision; /* of activations */
} arena;

static void *memory_at(const arena *a, int64_t at_bytes)
{
  return a->base == NULL ? NULL : a->base + at_bytes;
}

static void *take_bytes(arena *a, int64_t count)
{
  void *memory = memory_at(a, a->used_bytes);
  a->used_bytes +=
      (count + GD_ALIGN_BYTES - 1) / GD_ALIGN_BYTES * (int64_t)GD_ALIGN_BYTES;
  return memory;
}

static float *take(arena *a, int64_t count)
{
  return take_bytes(a, count * (int64_t)sizeof(float));
}

static int64_t activation_bytes(const arena *a, int64_t count)
{
  return count * gd_precision_bytes(a->precision);
}

static void *take_activations(arena *a, int64_t count)
{
  return take_bytes(a, activation_bytes(a, count));
}

static int64_t most(int64_t a, int64_t b)
{
  return a > b ? a : b;
}

/* Numbers of a microbatch, behind a unit's convolution... */
static int64_t unit_count(const gd_resnet *net, int unit)
{
  const gd_unit *u = &net->units[unit];
  return gd_unit_rows(u, net->microbatch) * u->C;
}

/* ... and behind the max pool. */
static int64_t pooled_count(const gd_resnet *net)
{
  const gd_blueprint *plan = &net->plan;
  return (int64_t)net->microbatch * plan->units[0].shape.K *
         gd_pool_out(plan->pool_H, plan->pool) *
         gd_pool_out(plan->pool_W, plan->pool);
}

static int64_t largest_activation(const gd_resnet *net)
{
  int64_t largest = 0;
  for (int i = 0; i < net->plan.n_units; i++)
    largest = most(largest, unit_count(net, i));
  return largest;
}

/* The gradients behind a block (and in front of the first), and within it. */
static void place_gradients(gd_resnet *net, arena *a)
{
  const gd_blueprint *plan = &net->plan;
  int64_t outer = pooled_count(net), inner = 0;
  for (int b = 0; b < plan->n_blocks; b++) {
    const gd_block_plan *block = &plan->blocks[b];
    outer = most(outer, unit_count(net, block->last));
    for (int i = block->first; i < block->last; i++)
      inner = most(inner, unit_count(net, i));
  }
  net->outer = take_activations(a, outer);
  net->inner = take_activations(a, inner);
}

/* Of each block the backward pass needs the convolutions' results and what the
 * block gives; norm and ReLU within it are computed again, and so is what every
 * other block gives: it lies where the convolutions of the block behind the
 * next have theirs, which neither pass needs at the same time.  A convolution's
 * gradient takes the place of its result; conv1's, which is large, that of the
 * blocks'. */
static void place_for_training(gd_resnet *net, arena *a)
{
  const gd_blueprint *plan = &net->plan;
  int64_t at_bytes[GD_MOST_UNITS] = {0};
  for (int i = 0; i < plan->n_units; i++) {
    at_bytes[i] = a->used_bytes;
    net->units[i].raw = take_activations(a, unit_count(net, i));
  }
  const int64_t end_bytes = a->used_bytes;
  net->stem_gradient = memory_at(a, at_bytes[1]);
  assert(activation_bytes(a, unit_count(net, 0)) <= end_bytes - at_bytes[1]);
  for (int b = 0; b < plan->n_blocks; b++) {
    const int64_t count = unit_count(net, plan->blocks[b].last);
    const int behind =
        b % 2 == 0 && b + 2 < plan->n_blocks ? plan->blocks[b + 2].first : -1;
    net->is_remade[b] = behind >= 0 && activation_bytes(a, count) <=
                                           end_bytes - at_bytes[behind];
    net->outs[b] = net->is_remade[b] ? memory_at(a, at_bytes[behind])
                                     : take_activations(a, count);
  }
  place_gradients(net, a);
  net->dfeatures = take(a, (int64_t)net->microbatch * net->plan.C);
  net->dactivated = take(a, (int64_t)net->microbatch * net->config.hidden);
}

/* Evaluation keeps a block's input only until its output is there. */
static void place_for_evaluation(gd_resnet *net, arena *a)
{
  const int64_t count = largest_activation(net);
  void *inner[2] = {take_activations(a, count), take_activations(a, count)};
  void *outer[2] = {take_activations(a, count), take_activations(a, count)};
  void *shortcut = take_activations(a, count);
  gd_unit *units = net->units;
  units[0].raw = inner[0];
  for (int b = 0; b < net->plan.n_blocks; b++) {
    const gd_block_plan *block = &net->plan.blocks[b];
    for (int i = block->first; i < block->last; i++)
      units[i].raw = inner[(i - block->first) % 2];
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
    gd_unit *u = &net->units[i];
    u->own_gamma = take(a, u->C);
    u->own_beta = take(a, u->C);
    u->own_mean = take(a, u->C);
    u->own_variance = take(a, u->C);
    u->own_factor = take(a, u->C);
  }
  net->hidden.own_bias = take(a, net->hidden.K);
  net->output.own_bias = take(a, net->config.outputs);
  const int64_t n_pooled = pooled_count(net);
  if (net->config.precision != GD_FP32)
    net->own_x =
        take_activations(a, (int64_t)n * net->config.height *
                                net->config.width * plan->units[0].shape.C);
  net->pooled = take_activations(a, n_pooled);
  net->winner = take_bytes(a, n_pooled);
  net->features = take(a, (int64_t)n * net->plan.C);
  net->activated = take(a, (int64_t)n * net->config.hidden);
  net->scores = take(a, n);
  net->statistics = take(a, net->n_statistics);
  if (net->training)
    place_for_training(net, a);
  else
    place_for_evaluation(net, a);
}

/* What the unit keeps of one sample until the backward pass. */
static int64_t kept_bytes(const gd_resnet *net, const gd_unit *u)
{
  int n_kept = net->training;
  for (int b = 0; b < net->plan.n_blocks && net->training; b++)
    n_kept += u == &net->units[net->plan.blocks[b].last] && !net->is_remade[b];
  return n_kept * gd_unit_rows(u, 1) * u->C *
         gd_precision_bytes(net->config.precision);
}

/* The most doubles that the sums of one norm have, wherever they come from: of
 * any number of samples, as fewer may be cut into more pieces. */
static int64_t most_pieces(const gd_resnet *net)
{
  int64_t largest = 0;
  for (int i = 0; i < net->plan.n_units && net->training; i++) {
    const gd_unit *u = &net->units[i];
    for (int n = 1; n <= net->microbatch; n++) {
      const gd_conv_input in = gd_unit_input(u, n);
      const int64_t counts[3] = {
          (int64_t)gd_conv_n_pieces(u->conv, in, 0) * gd_norm_piece(u->C),
          (int64_t)gd_conv_n_pieces(u->conv, in, 1) *
              gd_norm_piece(u->plan->shape.C),
          (int64_t)gd_norm_n_pieces(gd_unit_rows(u, n)) * gd_norm_piece(u->C)};
      for (int j = 0; j < 3; j++)
        largest = most(largest, counts[j]);
    }
  }
  return largest;
}

static gd_status make_memory(gd_resnet *net)
{
  arena a = {.precision = net->config.precision};
  place(net, &a);
  net->pieces_room = most_pieces(net);
  net->memory = gd_alloc(a.used_bytes, 1);
  net->pieces = gd_alloc(net->pieces_room, sizeof *net->pieces);
  gd_status st = gd_workspace_new(&net->ws);
  if (net->memory == NULL || net->pieces == NULL)
    return GD_ERR_NOMEM;
  if (st != GD_OK)
    return st;
  net->bytes += a.used_bytes + net->pieces_room * (int64_t)sizeof *net->pieces +
                gd_workspace_bytes(net->ws);
  a = (arena){.base = net->memory, .precision = net->config.precision};
  place(net, &a);
  return GD_OK;
}

static gd_status make_dense(gd_resnet *net, const gd_tensor_entry *weight,
                            gd_dense *d)
{
  *d = (gd_dense){.C = weight->shape[1],
                  .K = weight->shape[0],
                  .weight = weight->offset,
                  .bias = weight[1].offset};
  gd_status st = gd_conv_new(
      (gd_conv_shape){.C = d->C, .K = d->K, .R = 1, .S = 1, .stride = 1},
      GD_FP32, net->training, &d->conv);
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
    gd_unit *u = &net->units[i];
    *u = (gd_unit){.plan = &net->plan.units[i],
                   .C = net->plan.units[i].shape.K,
                   .weight = w[0].offset,
                   .gamma = w[1].offset,
                   .beta = w[2].offset,
                   .mean_at = running->entries[2 * i].offset,
                   .variance_at = running->entries[2 * i + 1].offset};
    st = gd_conv_new(u->plan->shape, net->config.precision, net->training,
                     &u->conv);
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
  const int64_t pixels = (int64_t)config->height * config->width;
  if (pixels > INT_MAX / microbatch) /* a layer counts them by int */
    return gd_fail(GD_ERR_USAGE,
                   "a microbatch of %d images of %d x %d: at most 2^31 pixels",
                   microbatch, config->width, config->height);
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
  free(net->memory);
  free(net->pieces);
  free(net);
}

int64_t gd_resnet_bytes(const gd_resnet *net)
{
  return net->bytes;
}

static void name_layer(gd_trace *t, const char *name, double flop,
                       double definition_flop)
{
  gd_trace_layer *layer = &t->layers[t->n_layers++];
  *layer = (gd_trace_layer){.flop = flop, .definition_flop = definition_flop};
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
    const double rows = (double)gd_unit_rows(&net->units[i], 1);
    const gd_conv_input in = gd_unit_input(&net->units[i], 1);
    name_layer(trace, net->plan.units[i].conv,
               gd_conv_flop(net->units[i].conv, in),
               2 * rows * s.C * s.K * s.R * s.S);
    trace->layers[i].kept_bytes = kept_bytes(net, &net->units[i]);
    const int number_bytes = gd_precision_bytes(net->config.precision);
    trace->layers[i].sample_bytes =
        number_bytes * ((double)in.H * in.W * s.C + rows * s.K);
    trace->layers[i].weight_bytes =
        (double)gd_conv_weight_bytes(net->units[i].conv);
  }
  const double flop[2] = {2.0 * net->hidden.C * net->hidden.K,
                          2.0 * net->output.C * net->output.K};
  name_layer(trace, "pools", 0, 0);
  name_layer(trace, "fc.0", flop[0], flop[0]);
  name_layer(trace, "fc.2", flop[1], flop[1]);
  name_layer(trace, "all weights", 0, 0);
}
