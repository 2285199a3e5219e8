#include "weights/layer_names.h"

#include <stdio.h>
#include <string.h>

const char *gd_layer_keras_part(gd_tensor_kind kind)
{
  static const char *const parts[] = {[GD_TENSOR_CONV] = "kernel:0",
                                      [GD_TENSOR_GAMMA] = "gamma:0",
                                      [GD_TENSOR_BETA] = "beta:0",
                                      [GD_TENSOR_DENSE] = "kernel:0",
                                      [GD_TENSOR_BIAS] = "bias:0",
                                      [GD_TENSOR_MEAN] = "moving_mean:0",
                                      [GD_TENSOR_VARIANCE] =
                                          "moving_variance:0"};
  return parts[kind];
}

void gd_layer_name(const gd_tensor_entry *e, char out[GD_LAYER_NAME])
{
  static const char *const units[] = {"1x1_reduce", "3x3", "1x1_increase"};
  const int is_dense = e->kind == GD_TENSOR_DENSE || e->kind == GD_TENSOR_BIAS;
  const char *bn = e->kind == GD_TENSOR_CONV ? "" : "/bn";
  int layer = 0, block = 0, unit = 0;
  if (is_dense)
    snprintf(out, GD_LAYER_NAME, "%.*s", (int)(strrchr(e->name, '.') - e->name),
             e->name);
  else if (sscanf(e->name, "layer%d.%d.conv%d", &layer, &block, &unit) == 3 ||
           sscanf(e->name, "layer%d.%d.bn%d", &layer, &block, &unit) == 3)
    snprintf(out, GD_LAYER_NAME, "conv%d_%d_%s%s", layer + 1, block + 1,
             units[unit - 1], bn);
  else if (sscanf(e->name, "layer%d.%d", &layer, &block) == 2)
    snprintf(out, GD_LAYER_NAME, "conv%d_%d_1x1_proj%s", layer + 1, block + 1,
             bn);
  else
    snprintf(out, GD_LAYER_NAME, "conv1/7x7_s2%s", bn);
}
