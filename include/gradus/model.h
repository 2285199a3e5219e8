/**
 * Model files: weights, running statistics, optimiser state, and where in
 * training they were taken.
 *
 *   format gradus-model 1, attributes: the network's configuration (depth,
 *   height_px, width_px, hidden, outputs, stride_on_3x3, bn_epsilon, ...),
 *   loss, n_levels, normalisation, template, gemm, epoch, step, dev_mae
 *   /weights/<torchvision name>   float32 (O, I, R, S) or (O, I) or (O)
 *   /running/<torchvision name>   float32 (C)
 *   /optimizer/<state 0..>        float32 (all weights); checkpoints only
 *
 * A model is read by anything that reads HDF5, and is the same file, bit for
 * bit, for any number of ranks.
 */
#ifndef GRADUS_MODEL_H
#define GRADUS_MODEL_H

#include <stdint.h>

#include "gradus/digest.h"
#include "gradus/loss.h"
#include "gradus/resnet.h"
#include "gradus/status.h"

/** What a model is, beside its numbers. */
typedef struct {
  gd_resnet_config network;
  gd_loss_kind loss;
  int n_levels;
  char face_template[256]; /**< alignment its faces were made with */
  int64_t epoch, step;     /**< completed */
  double dev_mae;          /**< of these weights; < 0: not evaluated */
} gd_model_info;

typedef struct {
  gd_model_info info;
  float *weights; /**< all weights, by gd_resnet_tables() */
  float *running;
} gd_model;

/**
 * Read a model for evaluation.
 * Ends with: gd_model_free()
 * Errors: GD_ERR_IO, GD_ERR_FORMAT (which tensor, found and expected shape)
 */
GD_NODISCARD gd_status gd_model_read(const char *path, gd_model **out);
void gd_model_free(gd_model *m);

#endif
