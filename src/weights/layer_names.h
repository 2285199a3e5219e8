/**
 * Names that other programs give to the tensors of a ResNet.
 *
 *   PyTorch  layer1.0.conv2.weight   layer1.0.bn2.running_var
 *   Keras    conv2_1_3x3 / kernel:0  conv2_1_3x3/bn / moving_variance:0
 *   Caffe    conv2_1_3x3, blob 0     conv2_1_3x3/bn, blob 1
 *
 * gradus has PyTorch's.  Keras and Caffe share the names of layers.
 */
#ifndef GRADUS_WEIGHTS_LAYER_NAMES_H
#define GRADUS_WEIGHTS_LAYER_NAMES_H

#include "gradus/tensor.h"

enum { GD_LAYER_NAME = 64 };

/**
 * Write the layer that a tensor belongs to: "conv1/7x7_s2/bn".
 * @param[in] e  a tensor of gd_resnet_tables(); one of the head keeps its name
 */
void gd_layer_name(const gd_tensor_entry *e, char out[GD_LAYER_NAME]);
/** Return what Keras calls the tensor in its layer: "kernel:0". */
const char *gd_layer_keras_part(gd_tensor_kind kind);

#endif
