/* The blueprint, and what can be told without a net: configuration, tables,
 * first weights. */
#include "net/blueprint.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "gradus/random.h"

typedef struct {
  int depth;
  int blocks[4];
} depth_row;

static const depth_row depths[] = {
    {50, {3, 4, 6, 3}}, {101, {3, 4, 23, 3}}, {152, {3, 8, 36, 3}}};

static const depth_row *row_of(int depth)
{
  for (size_t i = 0; i < sizeof depths / sizeof *depths; i++)
    if (depths[i].depth == depth)
      return &depths[i];
  return NULL;
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
    return gd_fail(GD_ERR_USAGE, "depth %d: there are 50, 101 and 152",
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
  *u = (gd_unit_plan){.shape = {.C = C,
                                .K = K,
                                .R = kernel,
                                .S = kernel,
                                .stride = stride,
                                .pad = kernel / 2},
                      .H = H,
                      .W = W};
  return u;
}

static void name_unit(gd_unit_plan *u, int layer, int block, int i)
{
  snprintf(u->conv, sizeof u->conv, "layer%d.%d.conv%d", layer, block, i);
  snprintf(u->bn, sizeof u->bn, "layer%d.%d.bn%d", layer, block, i);
}

/* Add a block behind C channels of b->H x b->W pixels. */
static void add_block(gd_blueprint *b, int C, int layer, int block,
                      int stride_on_3x3)
{
  const int width = 32 << layer, K = 4 * width;
  const int stride = layer > 1 && block == 0 ? 2 : 1;
  const int first = stride_on_3x3 ? 1 : stride;
  gd_block_plan *plan = &b->blocks[b->n_blocks++];
  *plan = (gd_block_plan){.first = b->n_units, .downsample = -1};

  gd_unit_plan *u = add_unit(b, C, width, 1, first, b->H, b->W);
  name_unit(u, layer, block, 1);
  u = add_unit(b, width, width, 3, stride / first, gd_unit_out_H(u),
               gd_unit_out_W(u));
  name_unit(u, layer, block, 2);
  u = add_unit(b, width, K, 1, 1, gd_unit_out_H(u), gd_unit_out_W(u));
  name_unit(u, layer, block, 3);
  const int H = gd_unit_out_H(u), W = gd_unit_out_W(u);
  if (block == 0) {
    plan->downsample = b->n_units;
    u = add_unit(b, C, K, 1, stride, b->H, b->W);
    snprintf(u->conv, sizeof u->conv, "layer%d.0.downsample.0", layer);
    snprintf(u->bn, sizeof u->bn, "layer%d.0.downsample.1", layer);
  }
  b->H = H;
  b->W = W;
}

void gd_blueprint_draw(const gd_resnet_config *config, gd_blueprint *b)
{
  *b = (gd_blueprint){0};
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

  const depth_row *row = row_of(config->depth);
  int C = 64;
  for (int layer = 1; layer <= 4; layer++)
    for (int block = 0; block < row->blocks[layer - 1]; block++) {
      add_block(b, C, layer, block, config->stride_on_3x3);
      C = 128 << layer;
    }
  assert(C == GD_LAST_CHANNELS);
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
  st = add_dense(t, "fc.0", GD_LAST_CHANNELS, config->hidden, config->hidden);
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

/* The last factor of a block: "layerL.B.bn3.weight". */
static int ends_block(const gd_tensor_entry *e)
{
  return strncmp(e->name, "layer", 5) == 0 && strstr(e->name, ".bn3.") != NULL;
}

static void init_tensor(const gd_tensor_entry *e, int C, gd_random *r, float *w)
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
      w[i] = ends_block(e) ? 0.0f : 1.0f;
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
    init_tensor(e, C, &r, weights + e->offset);
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
