/**
 * Import of a ResNet's weights, from the files that groups have.
 *
 *   PyTorch       layer1.0.conv1.weight ...   .pth, .pt, .safetensors, HDF5
 *   Keras         conv1/7x7_s2 ... kernel:0   HDF5, kernels (R, S, C, K)
 *   Caffe         conv1/7x7_s2 ... blobs      .caffemodel
 *
 * ResNet-18 and 34 have names of PyTorch's alone.
 *
 * The result is a model file without a head (gradus/model.h), for training to
 * start from.  The layout of the file tells the names and the depth; nothing in
 * it tells the profile, which must be said.
 *
 * A tensor that is missing, of another shape, not finite, or that has no place
 * in the network is an error: squeeze-and-excitation layers, say, would be
 * missed.  Heads and counters are left out, and named.
 */
#ifndef GRADUS_BACKBONE_IMPORT_H
#define GRADUS_BACKBONE_IMPORT_H

#include "gradus/status.h"
#include "gradus/text.h"

typedef struct {
  const char *profile; /**< a name, see gradus/profile.h */
  const char *const *settings;
  int n_settings;     /**< that differ from that profile */
  const char *prefix; /**< of the tensors' names; NULL: the only one there is */
  const char *const *ignored;
  int n_ignored; /**< beginnings of the names of tensors to leave out */
} gd_backbone_wish;

/**
 * Read a backbone and write it as a model file.
 * @param[in]  to    path of the result, which appears when it is complete
 * @param[out] said  lines for people: what it is, what was left out
 * Errors: GD_ERR_USAGE (no such profile, or not of this depth; a model of
 *         gradus; several networks in the file: which prefixes), GD_ERR_IO,
 *         GD_ERR_FORMAT (which tensor), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_backbone_import(const char *path,
                                          const gd_backbone_wish *wish,
                                          const char *to, gd_text *said);

#endif
