/* The blueprint, and what can be told without a net: configuration, tables,
 * first weights. */
#include "net/blueprint.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>

#include "gradus/random.h"

typedef struct {
  int depth;
  int blocks[4];
  int is_basic; /* blocks of 3x3, 3x3, not of 1x1, 3x3, 1x1 to four times C */
} depth_row;

static const depth_row depths[] = {{18, {2, 2, 2, 2}, 1},
                                   {34, {3, 4, 6, 3}, 1},
                                   {50, {3, 4, 6, 3}, 0},
                                   {101, {3, 4, 23, 3}, 0},
                                   {152, {3, 8, 36, 3}, 0}};
enum { N_DEPTHS = sizeof depths / sizeof depths[0] };

static const depth_row *row_of(int depth)
{
  for (int i = 0; i < N_DEPTHS; i++)
    if (depths[i].depth == depth)
      return &depths[i];
  return NULL;
}

int gd_resnet_depth_at(int i)
{
  assert(i >= 0);
  return i < N_DEPTHS ? depths[i].depth : 0;
}

int gd_resnet_is_basic(int depth)
{
  const depth_row *row = row_of(depth);
  return row != NULL && row->is_basic;
}

gd_resnet_config gd_resnet_config_default(void)
{
  return (gd_resnet_config){
      .depth = 50,
      .height = 224,
      .width = 224,
      .hidden = 512,
      .outputs = 64,
      .bn_epsilon = 1e-5,
      .pooling = GD_RESNET_POOL_PAD,
      .input = {.mean = {127.5, 127.5, 127.5}, .deviation = {128, 128, 128}}};
}

gd_status gd_resnet_config_check(const gd_resnet_config *c)
{
  enum { MOST_PX = 4096, MOST_UNITS = 8192 };
  if (row_of(c->depth) == NULL)
    return gd_fail(GD_ERR_USAGE, "depth %d: there are 18, 34, 50, 101 and 152",
                   c->depth);
  if (row_of(c->depth)->is_basic && !c->stride_on_3x3)
    return gd_fail(GD_ERR_USAGE,
                   "a ResNet-%d has no 1x1 convolution to stride on: its "
                   "profile must say stride=3x3",
                   c->depth);
  if (c->height < 32 || c->height % 32 != 0 || c->height > MOST_PX ||
      c->width < 32 || c->width % 32 != 0 || c->width > MOST_PX)
    return gd_fail(GD_ERR_USAGE,
                   "faces of %dx%d pixels: height and width must be multiples "
                   "of 32, at most %d",
                   c->height, c->width, MOST_PX);
  const int has_head = c->hidden != 0 || c->outputs != 0;
  if (has_head && (c->hidden < 1 || c->hidden > MOST_UNITS))
    return gd_fail(GD_ERR_USAGE, "hidden %d: must be 1 to %d", c->hidden,
                   MOST_UNITS);
  if (has_head && (c->outputs < 1 || c->outputs > MOST_UNITS))
    return gd_fail(GD_ERR_USAGE, "outputs %d: must be 1 to %d", c->outputs,
                   MOST_UNITS);
  if (!(c->bn_epsilon > 0.0 && c->bn_epsilon < 1.0))
    return gd_fail(GD_ERR_USAGE,
                   "batch norm epsilon %g: must lie between 0 and 1",
                   c->bn_epsilon);
  for (int i = 0; i < 3; i++)
    if (!isfinite(c->input.mean[i]) || !isfinite(c->input.deviation[i]) ||
        !(c->input.deviation[i] > 0))
      return gd_fail(GD_ERR_USAGE,
                     "normalisation by mean %g, deviation %g: both must be "
                     "finite, the deviation above 0",
                     c->input.mean[i], c->input.deviation[i]);
  return GD_OK;
}

int gd_unit_out_H(const gd_unit_plan *u)
{
  return gd_conv_out_H(u->shape, u->H);
}

int gd_unit_out_W(const gd_unit_plan *u)
{
  return gd_conv_out_W(u->shape, u->W);
}

static gd_unit_plan *add_unit(gd_blueprint *b, int C, int K, int kernel,
                              int stride, int H, int W)
{
  assert(b->n_units < GD_MOST_UNITS);
  gd_unit_plan *u = &b->units[b->n_units++];
  *u = (gd_unit_plan){
      .shape = {.C = C,
                .K = K,
                .R = kernel,
                .S = kernel,
                .stride = stride,
                .pad = kernel / 2,
                .winograd = b->winograd && kernel == 3 && stride == 1},
      .H = H,
      .W = W};
  return u;
}

static void name_unit(gd_unit_plan *u, int layer, int block, int i)
{
  snprintf(u->conv, sizeof u->conv, "layer%d.%d.conv%d", layer, block, i);
  snprintf(u->bn, sizeof u->bn, "layer%d.%d.bn%d", layer, block, i);
}

/* A block's units, one behind the other: kernels, and the last one's channels
 * as a multiple of the others'. */
typedef struct {
  int n, kernels[3], factor;
} block_shape;

static const block_shape basic = {2, {3, 3}, 1};
static const block_shape bottleneck = {3, {1, 3, 1}, 4};

/* Add a block behind the blueprint's b->C channels of b->H x b->W pixels.
 * Unit number `strided` of it strides. */
static void add_block(gd_blueprint *b, const block_shape *shape, int strided,
                      int layer, int block)
{
  const int width = 32 << layer, K = shape->factor * width;
  const int stride = layer > 1 && block == 0 ? 2 : 1;
  gd_block_plan *plan = &b->blocks[b->n_blocks++];
  *plan = (gd_block_plan){b->n_units, b->n_units + shape->n - 1, -1};

  int C = b->C, H = b->H, W = b->W;
  for (int i = 0; i < shape->n; i++) {
    gd_unit_plan *u =
        add_unit(b, C, i < shape->n - 1 ? width : K, shape->kernels[i],
                 i == strided ? stride : 1, H, W);
    name_unit(u, layer, block, i + 1);
    C = u->shape.K;
    H = gd_unit_out_H(u);
    W = gd_unit_out_W(u);
  }
  if (stride > 1 || b->C != K) {
    plan->downsample = b->n_units;
    gd_unit_plan *u = add_unit(b, b->C, K, 1, stride, b->H, b->W);
    snprintf(u->conv, sizeof u->conv, "layer%d.%d.downsample.0", layer, block);
    snprintf(u->bn, sizeof u->bn, "layer%d.%d.downsample.1", layer, block);
  }
  b->H = H;
  b->W = W;
  b->C = K;
}

void gd_blueprint_draw(const gd_resnet_config *config, gd_blueprint *b)
{
  enum {
    /* Smaller images end in maps of a few pixels.  There batch norm magnifies
     * rounding, and where few positions share a weight its gradient can be
     * exactly zero and must stay so, for Adam divides by it. */
    LEAST_WINOGRAD_PX = 128,
  };
  *b = (gd_blueprint){.winograd = config->height >= LEAST_WINOGRAD_PX &&
                                  config->width >= LEAST_WINOGRAD_PX};
  gd_unit_plan *stem = add_unit(b, 3, 64, 7, 2, config->height, config->width);
  snprintf(stem->conv, sizeof stem->conv, "conv1");
  snprintf(stem->bn, sizeof stem->bn, "bn1");

  if (config->conv1_same) {
    stem->shape.pad = 2;
    stem->shape.pad_behind = 1;
  }

  b->pool = (gd_pool_shape){.size = 3,
                            .stride = 2,
                            .pad = config->pooling == GD_RESNET_POOL_PAD,
                            .ceil = config->pooling == GD_RESNET_POOL_CEIL};
  b->pool_H = gd_unit_out_H(stem);
  b->pool_W = gd_unit_out_W(stem);
  b->H = gd_pool_out(b->pool_H, b->pool);
  b->W = gd_pool_out(b->pool_W, b->pool);

  b->C = stem->shape.K;

  const depth_row *row = row_of(config->depth);
  const block_shape *shape = row->is_basic ? &basic : &bottleneck;
  const int strided = !row->is_basic && config->stride_on_3x3;
  for (int layer = 1; layer <= 4; layer++)
    for (int block = 0; block < row->blocks[layer - 1]; block++)
      add_block(b, shape, strided, layer, block);
}

static gd_status add(gd_tensor_table *t, const char *layer, const char *part,
                     gd_tensor_kind kind, int rank, const int *shape)
{
  char name[GD_TENSOR_NAME + 16];
  snprintf(name, sizeof name, "%s.%s", layer, part);
  return gd_tensor_table_add(t, name, kind, rank, shape);
}

static gd_status add_unit_weights(gd_tensor_table *t, const gd_unit_plan *u)
{
  const gd_conv_shape s = u->shape;
  gd_status st =
      add(t, u->conv, "weight", GD_TENSOR_CONV, 4, (int[]){s.K, s.C, s.R, s.S});
  if (st == GD_OK)
    st = add(t, u->bn, "weight", GD_TENSOR_GAMMA, 1, &s.K);
  if (st == GD_OK)
    st = add(t, u->bn, "bias", GD_TENSOR_BETA, 1, &s.K);
  return st;
}

static gd_status add_dense(gd_tensor_table *t, const char *name, int C,
                           int rows, int K)
{
  gd_status st = add(t, name, "weight", GD_TENSOR_DENSE, 2, (int[]){rows, C});
  return st == GD_OK ? add(t, name, "bias", GD_TENSOR_BIAS, 1, &K) : st;
}

static gd_status list_weights(const gd_blueprint *b,
                              const gd_resnet_config *config,
                              gd_tensor_table *t)
{
  gd_status st = GD_OK;
  for (int i = 0; i < b->n_units && st == GD_OK; i++)
    st = add_unit_weights(t, &b->units[i]);
  if (st != GD_OK || config->outputs == 0)
    return st;
  st = add_dense(t, "fc.0", b->C, config->hidden, config->hidden);
  if (st == GD_OK)
    st =
        add_dense(t, "fc.2", config->hidden,
                  config->shared_output ? 1 : config->outputs, config->outputs);
  return st;
}

static gd_status list_running(const gd_blueprint *b, gd_tensor_table *t)
{
  gd_status st = GD_OK;
  for (int i = 0; i < b->n_units && st == GD_OK; i++) {
    const gd_unit_plan *u = &b->units[i];
    st = add(t, u->bn, "running_mean", GD_TENSOR_MEAN, 1, &u->shape.K);
    if (st == GD_OK)
      st = add(t, u->bn, "running_var", GD_TENSOR_VARIANCE, 1, &u->shape.K);
  }
  return st;
}

gd_status gd_resnet_tables(const gd_resnet_config *config,
                           gd_tensor_table *weights, gd_tensor_table *running)
{
  gd_tensor_table w = {0}, r = {0};
  if (weights != NULL)
    *weights = w;
  if (running != NULL)
    *running = r;
  gd_status st = gd_resnet_config_check(config);
  if (st != GD_OK)
    return st;
  gd_blueprint b;
  gd_blueprint_draw(config, &b);
  if (weights != NULL)
    st = list_weights(&b, config, &w);
  if (st == GD_OK && running != NULL)
    st = list_running(&b, &r);
  if (st != GD_OK) {
    gd_tensor_table_free(&w);
    gd_tensor_table_free(&r);
    return st;
  }
  if (weights != NULL)
    *weights = w;
  if (running != NULL)
    *running = r;
  return GD_OK;
}

/* The norm that ends a block: "layerL.B.bnN", and no bnN+1 is there. */
static int ends_block(const gd_tensor_table *table, const gd_tensor_entry *e)
{
  char next[GD_TENSOR_NAME];
  int layer, block, n;
  if (sscanf(e->name, "layer%d.%d.bn%d.", &layer, &block, &n) != 3)
    return 0;
  snprintf(next, sizeof next, "layer%d.%d.bn%d.weight", layer, block, n + 1);
  return gd_tensor_table_find(table, next) == NULL;
}

static void init_tensor(const gd_tensor_entry *e, int C, float gamma,
                        gd_random *r, float *w)
{
  const double deviation =
      e->rank == 4
          ? sqrt(2.0 / ((double)e->shape[0] * e->shape[2] * e->shape[3]))
          : 0.0;
  const double bound = 1.0 / sqrt((double)C);
  for (int64_t i = 0; i < e->count; i++)
    switch (e->kind) {
    case GD_TENSOR_CONV:
      w[i] = (float)(deviation * gd_random_normal(r));
      break;
    case GD_TENSOR_DENSE:
    case GD_TENSOR_BIAS:
      w[i] = (float)gd_random_between(r, -bound, bound);
      break;
    case GD_TENSOR_GAMMA:
      w[i] = gamma;
      break;
    default:
      w[i] = 0.0f;
    }
}

void gd_resnet_init_weights(const gd_tensor_table *table, uint64_t seed,
                            float *weights)
{
  int C = 1; /* of the dense layer that a bias belongs to: the entry before */
  for (int i = 0; i < table->n_entries; i++) {
    const gd_tensor_entry *e = &table->entries[i];
    if (e->kind == GD_TENSOR_DENSE)
      C = e->shape[1];
    gd_random r = gd_random_of(seed, GD_FOR_WEIGHTS, 0, i);
    const float gamma = ends_block(table, e) ? 0.0f : 1.0f;
    init_tensor(e, C, gamma, &r, weights + e->offset);
  }
}

void gd_resnet_init_running(const gd_tensor_table *table, float *running)
{
  for (int i = 0; i < table->n_entries; i++) {
    const gd_tensor_entry *e = &table->entries[i];
    for (int64_t j = 0; j < e->count; j++)
      running[e->offset + j] = e->kind == GD_TENSOR_VARIANCE ? 1.0f : 0.0f;
  }
}

void gd_resnet_update_running(float *running, const float *statistics,
                              int64_t count, double momentum)
{
  for (int64_t i = 0; i < count; i++)
    running[i] = (float)((1.0 - momentum) * (double)running[i] +
                         momentum * (double)statistics[i]);
}
