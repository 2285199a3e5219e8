/**
 * Caffe's model files: protobuf, one list of layers with their blobs.
 *
 *   layer "conv1" with two blobs  -->  conv1.0 (weights), conv1.1 (biases)
 *
 * Shapes of four dimensions that begin with two ones, as old files give them to
 * dense layers and biases, lose these ones.
 */
#ifndef GRADUS_CAFFE_H
#define GRADUS_CAFFE_H

#include "weights/tensor_list.h"

typedef struct gd_caffe gd_caffe;

/**
 * Open a model file and list its blobs; `first_byte` of a place is the blob's
 * number.
 * Ends with: gd_caffe_close()
 * Errors: GD_ERR_FORMAT (no such file, a blob whose shape is not its size),
 *         GD_ERR_IO, GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_caffe_open(const char *path, gd_tensor_list *list,
                                     gd_caffe **out);
/** Copy a listed blob's values. */
void gd_caffe_read(const gd_caffe *c, const gd_tensor_place *t, float *values);
void gd_caffe_close(gd_caffe *c); /**< NULL is allowed */

#endif
