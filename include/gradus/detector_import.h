/**
 * Import of MTCNN's weights, from the files that groups have.
 *
 *   facenet-pytorch   pnet.pt rnet.pt onet.pt      conv1.weight, dense4.bias
 * ... original Caffe    det1 det2 det3 .caffemodel   conv1.0, conv4.1 ... one
 * file          safetensors or HDF5          pnet.conv1.weight ...
 *
 * All are the same numbers in different orders; the result has the last form,
 * as HDF5.
 */
#ifndef GRADUS_DETECTOR_IMPORT_H
#define GRADUS_DETECTOR_IMPORT_H

#include "gradus/status.h"

/**
 * Read a detector and write it as one HDF5 file, which gd_mtcnn_open() reads.
 * @param[in] paths   n_paths: 1 (all nets) or 3 (P-, R-, O-Net in this order)
 * @param[in] to      path of the result, which appears when it is complete
 * Errors: GD_ERR_USAGE (neither 1 nor 3 files), GD_ERR_IO, GD_ERR_FORMAT (a
 *         tensor is missing, or of another shape; which, in which file),
 *         GD_ERR_NOMEM
 * Source: facenet-pytorch 787da06 (layout of its dense layers); in Caffe's
 *         files kernels are transposed, because that network was fed transposed
 *         images
 */
GD_NODISCARD gd_status gd_detector_import(int n_paths, const char *const *paths,
                                          const char *to);

#endif
