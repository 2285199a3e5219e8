/**
 * Export of a model, for other programs.
 *
 *   safetensors    PyTorch's names; __metadata__ has the depth and the profile
 *   pytorch-keys   the same names as datasets of an HDF5 file, for h5py
 *   keras          HDF5 in the layout of Keras-VGGFace: `conv1/7x7_s2` ...,
 * each twice as group, kernels (R, S, C, K), dense ones (C, K); attributes
 * layer_names and weight_names, as Keras asks for
 *
 * A head, where the model has one, is fc.0 and fc.2: a dense layer, ReLU, a
 * dense layer.  The network that takes the tensors must have the model's
 * profile (gradus/profile.h): the HDF5 files have it as an attribute.
 */
#ifndef GRADUS_MODEL_EXPORT_H
#define GRADUS_MODEL_EXPORT_H

#include "gradus/status.h"
#include "gradus/text.h"

/**
 * Write a model in another format.
 * @param[in]  path    a model file, with or without a head, or a checkpoint
 * @param[in]  format  "safetensors", "pytorch-keys", "keras"
 * @param[in]  to      path of the result, which appears when it is complete
 * @param[out] said    lines for people: what it is, which profile
 * Errors: GD_ERR_USAGE (no such format), as gd_model_read(), GD_ERR_IO
 * Source: https://github.com/huggingface/safetensors, README, "Format"; Keras
 *         2, hdf5_format.py, load_weights_from_hdf5_group_by_name()
 */
GD_NODISCARD gd_status gd_model_export(const char *path, const char *format,
                                       const char *to, gd_text *said);

#endif
