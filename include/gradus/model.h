/**
 * Model files: a network's weights and running statistics, with everything
 * that must be known to use them.
 *
 *   format gradus-model 2, attributes: depth, height_px, width_px, hidden,
 *   outputs, profile: the network and what its weights were trained with, as
 *   gradus/profile.h has it; loss, n_levels, template: what its output (how
 *   many rows its last layer has, and how a level and a distribution follow)
 *   and its faces are; gemm: what multiplied; epoch, step, dev_mae
 *
 *   /weights/<torchvision name>  float32 (K, C, R, S), (K, C) or (K)
 *   /running/<torchvision name>  float32 (K)
 *
 *   precision: bf16, where activations were kept so in training; absent: fp32
 *   settings, detector: how its frames and faces were made, for
 *   `gradus predict`; models of earlier versions lack them
 *
 * One that `gradus import` made has no head: hidden and outputs are 0, fc.* and
 * the attributes from `loss` on are not there.  It is for training to start
 * from.
 *
 * A model is read by anything that reads HDF5, and is the same file, bit for
 * bit, for any number of ranks.  A checkpoint (gradus/checkpoint.h) is a model
 * file with more in it.
 */
#ifndef GRADUS_MODEL_H
#define GRADUS_MODEL_H

#include <stdint.h>

#include "gradus/digest.h"
#include "gradus/gemm.h"
#include "gradus/loss.h"
#include "gradus/resnet.h"
#include "gradus/status.h"
#include "gradus/store.h"

enum { GD_MODEL_MADE_WITH = 2048 };

/** What a model is, beside its numbers. */
typedef struct {
  gd_resnet_config network;
  gd_loss loss;
  int n_levels;            /**< K: levels are 0 .. K-1 */
  char face_template[256]; /**< alignment its faces were made with */
  int64_t epoch, step;     /**< completed */
  double dev_mae;          /**< of these weights; < 0: not evaluated */
  /** What multiplied, as gd_gemm_describe(); when it is written, what does. */
  char gemm[GD_GEMM_TEXT];
  /** How its frames and faces were made: gd_instance_parameters() of extract
   * and align; "": not known.  The file's attribute is called `settings`. */
  char made_with[GD_MODEL_MADE_WITH];
  /** Digest of the detector's weights; "": there are none, or not known. */
  char detector[GD_DIGEST_HEX];
} gd_model_info;

typedef struct {
  gd_model_info info;
  float *weights; /**< block as listed by gd_resnet_tables() */
  float *running;
} gd_model;

/**
 * Read a model for evaluation.
 * Ends with: gd_model_free()
 * Errors: GD_ERR_IO, GD_ERR_FORMAT (no model; which attribute makes no sense;
 *         which tensor is missing or of another shape: found and expected;
 *         which tensor has a value that is not finite), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_model_read(const char *path, gd_model **out);
void gd_model_free(gd_model *m); /**< NULL is allowed */

/** Read only what a model is. Errors: GD_ERR_IO, GD_ERR_FORMAT */
GD_NODISCARD gd_status gd_model_read_info(const char *path, gd_model_info *out);

/**
 * Read the tensors of a model into the blocks of a network, to go on from them.
 * @param[in]     config   the network; depth and profile must be the file's
 *                         own, the input size may differ
 * @param[in,out] weights  block as listed by gd_resnet_tables(config); a head
 *                         that does not fit, or is not there, is left alone
 * @param[out]    running  likewise
 * @param[out]    found    what the file is
 * Errors: as gd_model_read(); GD_ERR_USAGE (the file is of another network:
 *         which property, found and wanted)
 */
GD_NODISCARD gd_status gd_model_load(const char *path,
                                     const gd_resnet_config *config,
                                     float *weights, float *running,
                                     gd_model_info *found);
/** Say whether a model's head is one of the network: as wide, with as many
 * outputs. */
int gd_model_fits(const gd_model_info *info, const gd_resnet_config *config);

/**
 * Write a model; it appears under its name when it is complete.
 * @param[in] digest  of the stage instance that made it
 * Errors: GD_ERR_IO (disk full), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_model_write(const char *path, gd_digest digest,
                                      const gd_model_info *info,
                                      const float *weights,
                                      const float *running);

/**
 * Put a model's attributes into a store that is being written, and reserve its
 * tensors; for files that hold a model among other things.
 * gd_store_expect_blocks() comes first.
 * @param[in]  weights, running  as listed by gd_resnet_tables()
 * @param[out] places            of the weights' tensors, then of the running
 *                               statistics'
 */
GD_NODISCARD gd_status gd_model_reserve(gd_store_writer *w,
                                        const gd_model_info *info,
                                        const gd_tensor_table *weights,
                                        const gd_tensor_table *running,
                                        gd_store_place *places);
/** Read them back from an open store. Errors: as gd_model_read() */
GD_NODISCARD gd_status gd_model_get_info(gd_store *s, gd_model_info *out);
GD_NODISCARD gd_status gd_model_get(gd_store *s, const gd_resnet_config *config,
                                    float *weights, float *running);

#endif
