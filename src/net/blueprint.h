/**
 * The blueprint of a ResNet: its convolutions in the order of the weights, and
 * how they form blocks.  Pure data; the tables and the net are both built from
 * it.
 */
#ifndef GRADUS_NET_BLUEPRINT_H
#define GRADUS_NET_BLUEPRINT_H

#include "gradus/conv.h"
#include "gradus/pool.h"
#include "gradus/resnet.h"

enum {
  GD_MOST_BLOCKS = 50,                        /**< ResNet-152 */
  GD_MOST_UNITS = 1 + 3 * GD_MOST_BLOCKS + 4, /**< with 4 downsamples */
};

/** One convolution and the batch norm behind it. */
typedef struct {
  char conv[GD_TENSOR_NAME], bn[GD_TENSOR_NAME]; /**< "layer1.0.conv1", ... */
  gd_conv_shape shape;
  int H, W; /**< of its input */
} gd_unit_plan;

/** One block: units first .. last, one behind the other, and a downsample or
 * -1. */
typedef struct {
  int first, last, downsample;
} gd_block_plan;

typedef struct {
  int winograd; /**< asked of 3 x 3 convolutions of stride 1 */
  int n_units, n_blocks;
  gd_unit_plan units[GD_MOST_UNITS]; /**< unit 0 is conv1 */
  gd_block_plan blocks[GD_MOST_BLOCKS];
  gd_pool_shape pool;
  int pool_H, pool_W; /**< of the pool's input */
  int H, W, C;        /**< of the last block's output */
} gd_blueprint;

/** Draw the blueprint of a checked configuration. */
void gd_blueprint_draw(const gd_resnet_config *config, gd_blueprint *out);

/** Return the output rows (columns) of a unit. */
int gd_unit_out_H(const gd_unit_plan *u);
int gd_unit_out_W(const gd_unit_plan *u);

#endif
