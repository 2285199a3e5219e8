#include "gradus/resnet.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "gradus/pool.h"
#include "net/numbers.h"
#include "net/resnet_parts.h"

static void note_unit(const gd_resnet *net, const gd_unit *u, gd_phase phase)
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

static void pack_dense(gd_dense *d, int n_biases, const float *weights)
{
  gd_conv_pack(d->conv, weights + d->weight);
  memcpy(d->own_bias, weights + d->bias, (size_t)n_biases * sizeof *weights);
}

void gd_resnet_pack(gd_resnet *net, const float *weights)
{
  gd_trace_begin(net->trace);
  for (int i = 0; i < net->plan.n_units; i++) {
    gd_unit *u = &net->units[i];
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

static gd_norm norm_of(const gd_unit *u, double epsilon, const float *mean,
                       const float *variance)
{
  return (gd_norm){.C = u->C,
                   .epsilon = epsilon,
                   .gamma = u->own_gamma,
                   .beta = u->own_beta,
                   .mean = mean,
                   .variance = variance};
}

static gd_norm own_norm(const gd_resnet *net, const gd_unit *u)
{
  return norm_of(u, net->config.bn_epsilon, u->own_mean, u->own_variance);
}

/* The microbatch's statistics, and what of them the running ones take in. */
static void measure(gd_resnet *net, gd_unit *u, int64_t n_rows)
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
static void unit_train(gd_resnet *net, gd_unit *u, int n, gd_conv_source source)
{
  const gd_conv_input in = gd_unit_input(u, n);
  expect_pieces(net, gd_conv_n_pieces(u->conv, in, 0), u->C);
  gd_conv_forward(u->conv, net->ws, in, &source,
                  &(gd_conv_sink){.y = u->raw, .sums = net->pieces});
  note_unit(net, u, GD_PHASE_FORWARD);
  measure(net, u, gd_unit_rows(u, n));
  note_unit(net, u, GD_PHASE_NORM);
}

/* What block b takes. */
static const void *block_input(const gd_resnet *net, int b)
{
  return b == 0 ? net->pooled : net->outs[b - 1];
}

/* What block b gives, from its convolutions' results. */
static void join(const gd_resnet *net, int b, int n)
{
  const gd_block_plan *block = &net->plan.blocks[b];
  const gd_unit *last = &net->units[block->last];
  const gd_unit *down =
      block->downsample < 0 ? NULL : &net->units[block->downsample];
  gd_norm_join(net->config.precision, gd_unit_rows(last, n), last->C, last->raw,
               &last->scale, down == NULL ? block_input(net, b) : down->raw,
               down == NULL ? NULL : &down->scale, net->outs[b]);
  note_unit(net, last, GD_PHASE_NORM);
}

static void block_train(gd_resnet *net, int b, int n)
{
  const void *x = block_input(net, b);
  const gd_block_plan *block = &net->plan.blocks[b];
  gd_unit *first = &net->units[block->first], *last = &net->units[block->last];
  gd_unit *down = block->downsample < 0 ? NULL : &net->units[block->downsample];
  unit_train(net, first, n, (gd_conv_source){.x = x});
  for (gd_unit *u = first + 1; u <= last; u++)
    unit_train(net, u, n, (gd_conv_source){u[-1].raw, &u[-1].scale});
  if (down != NULL)
    unit_train(net, down, n, (gd_conv_source){.x = x});
  join(net, b, n);
}

/* Evaluation: norm, shortcut and ReLU on the way out of the convolution. */
static void unit_evaluate(gd_resnet *net, gd_unit *u, int n, const void *x,
                          const float *running, const void *shortcut, int relu,
                          void *y)
{
  const gd_norm norm = norm_of(u, net->config.bn_epsilon, running + u->mean_at,
                               running + u->variance_at);
  u->scale = gd_norm_scale(&norm, u->own_factor);
  gd_conv_forward(
      u->conv, net->ws, gd_unit_input(u, n), &(gd_conv_source){.x = x},
      &(gd_conv_sink){
          .y = y, .scale = &u->scale, .add = shortcut, .relu = relu});
  note_unit(net, u, GD_PHASE_FORWARD);
}

static void block_evaluate(gd_resnet *net, int b, int n, const float *running)
{
  const gd_block_plan *block = &net->plan.blocks[b];
  gd_unit *last = &net->units[block->last];
  const void *x = block_input(net, b), *shortcut = x;
  if (block->downsample >= 0) {
    gd_unit *down = &net->units[block->downsample];
    unit_evaluate(net, down, n, x, running, NULL, 0, down->raw);
    shortcut = down->raw;
  }
  for (gd_unit *u = &net->units[block->first]; u < last; u++) {
    unit_evaluate(net, u, n, x, running, NULL, 1, u->raw);
    x = u->raw;
  }
  unit_evaluate(net, last, n, x, running, shortcut, 1, net->outs[b]);
}

static void dense_forward(const gd_resnet *net, const gd_dense *d, int n,
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

/* Take in n images: as they are, or rounded. */
static void take_input(gd_resnet *net, int n, const float *x)
{
  const gd_precision p = net->config.precision;
  const int64_t count = (int64_t)net->config.height * net->config.width *
                        net->plan.units[0].shape.C;
  net->x = x;
  if (p == GD_FP32)
    return;
  net->x = net->own_x;
#pragma omp parallel for schedule(static)
  for (int i = 0; i < n; i++)
    gd_precision_write(p, x + i * count, count,
                       gd_at(p, net->own_x, i * count));
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
  }
  const gd_precision p = net->config.precision;
  gd_trace_begin(net->trace);
  take_input(net, n, x);
  gd_unit *stem = &net->units[0];
  if (running == NULL)
    unit_train(net, stem, n, (gd_conv_source){.x = net->x});
  else
    unit_evaluate(net, stem, n, net->x, running, NULL, 1, stem->raw);
  gd_max_pool_forward(p, plan->pool,
                      (gd_conv_input){n, plan->pool_H, plan->pool_W}, 64,
                      stem->raw, running == NULL ? &stem->scale : NULL,
                      net->pooled, net->winner);
  note(net, LAYER_POOL, GD_PHASE_POOL);
  for (int b = 0; b < plan->n_blocks; b++)
    if (running == NULL)
      block_train(net, b, n);
    else
      block_evaluate(net, b, n, running);
  gd_mean_pool_forward(p, (gd_conv_input){n, plan->H, plan->W}, plan->C,
                       net->outs[plan->n_blocks - 1], net->features);
  note(net, LAYER_POOL, GD_PHASE_POOL);
  if (running == NULL)
    multiply(net->features, net->factors[0], (int64_t)n * plan->C);
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

gd_resnet_tail gd_resnet_last(const gd_resnet *net)
{
  return (gd_resnet_tail){.P = net->plan.H,
                          .Q = net->plan.W,
                          .C = net->plan.C,
                          .block = net->outs[net->plan.n_blocks - 1],
                          .hidden = net->activated};
}

const float *gd_resnet_statistics(const gd_resnet *net)
{
  assert(net->training);
  return net->statistics;
}

static void dense_backward(const gd_resnet *net, const gd_dense *d,
                           const float *x, const float *dy, float *gradient,
                           float *dx)
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
static void norm_backward(gd_resnet *net, gd_unit *u, const void *g,
                          float *gradient)
{
  const gd_norm norm = own_norm(net, u);
  gd_norm_backward(net->config.precision, &norm, &u->scale,
                   gd_unit_rows(u, net->n), g, u->raw, net->n_pieces,
                   net->pieces, u->raw, gradient + u->gamma,
                   gradient + u->beta);
  note_unit(net, u, GD_PHASE_NORM);
  tell(net);
}

/* Sum the gradient g behind a unit (in front of its ReLU, if there is one). */
static void norm_sums(gd_resnet *net, const gd_unit *u, const void *open,
                      void *g)
{
  const int64_t n_rows = gd_unit_rows(u, net->n);
  expect_pieces(net, gd_norm_n_pieces(n_rows), u->C);
  gd_norm_sums(net->config.precision, n_rows, u->C, u->raw, u->own_mean, open,
               g, net->pieces);
  note_unit(net, u, GD_PHASE_NORM);
}

static void weights_backward(gd_resnet *net, const gd_unit *u,
                             gd_conv_source source, float *gradient)
{
  gd_conv_backward_weights(u->conv, net->ws, gd_unit_input(u, net->n), &source,
                           u->raw, gradient + u->weight);
  note_unit(net, u, GD_PHASE_BACKWARD_WEIGHTS);
  tell(net);
}

static void data_backward(gd_resnet *net, const gd_unit *u, gd_conv_sink sink)
{
  const gd_conv_input in = gd_unit_input(u, net->n);
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
static void inner_backward(gd_resnet *net, const gd_unit *u,
                           const gd_unit *before, float *gradient)
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
  gd_unit *first = &net->units[block->first], *last = &net->units[block->last];
  gd_unit *down = block->downsample < 0 ? NULL : &net->units[block->downsample];
  const gd_conv_source x = {.x = block_input(net, b)};
  const gd_unit *before =
      b == 0 ? NULL : &net->units[net->plan.blocks[b - 1].last];

  if (b > 0 && net->is_remade[b - 1])
    join(net, b - 1, net->n);
  norm_backward(net, last, net->outer, gradient);
  if (down != NULL) {
    norm_sums(net, down, NULL, net->outer);
    norm_backward(net, down, net->outer, gradient);
  }
  for (gd_unit *u = last; u > first; u--) {
    inner_backward(net, u, u - 1, gradient);
    norm_backward(net, u - 1, net->inner, gradient);
  }
  weights_backward(net, first, x, gradient);
  if (down != NULL)
    weights_backward(net, down, x, gradient);
  net->final = first->weight; /* the block's tensors follow one another */
  if (down != NULL)
    data_backward(net, down, (gd_conv_sink){.y = net->outer});
  data_backward(
      net, first,
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
  gd_unit *stem = &net->units[0];

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
  multiply(net->dfeatures, net->factors[0], (int64_t)n * plan->C);
  net->final = net->hidden.weight;
  note(net, LAYER_HIDDEN, GD_PHASE_DENSE);
  tell(net);
  gd_mean_pool_backward(net->config.precision,
                        (gd_conv_input){n, plan->H, plan->W}, plan->C,
                        net->dfeatures, net->outer);
  note(net, LAYER_POOL, GD_PHASE_POOL);
  norm_sums(net, &net->units[plan->blocks[last].last], net->outs[last],
            net->outer);
  for (int b = last; b >= 0; b--)
    block_backward(net, b, gradient);
  gd_max_pool_backward(net->config.precision, plan->pool,
                       (gd_conv_input){n, plan->pool_H, plan->pool_W}, 64,
                       net->outer, net->winner, net->stem_gradient);
  note(net, LAYER_POOL, GD_PHASE_POOL);
  tell(net);
  norm_sums(net, stem, NULL, net->stem_gradient);
  norm_backward(net, stem, net->stem_gradient, gradient);
  weights_backward(net, stem, (gd_conv_source){.x = net->x}, gradient);
}
