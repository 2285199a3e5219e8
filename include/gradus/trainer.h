/**
 * Trainers: the arithmetic of one rank, without the other ranks.
 *
 * A trainer owns a network and the buffers of one microbatch.  It turns a
 * microbatch of samples into a leaf of the step's sum (gradus/reduce.h),
 *
 *   leaf = [ gradient of the weights | batch statistics / number of leaves ]
 *
 * and predicts faces in evaluation mode.  Nothing is allocated per call.
 */
#ifndef GRADUS_TRAINER_H
#define GRADUS_TRAINER_H

#include <stdint.h>

#include "gradus/augment.h"
#include "gradus/prefetch.h"
#include "gradus/range.h"
#include "gradus/resnet.h"
#include "gradus/samples.h"
#include "gradus/status.h"

typedef struct {
  gd_resnet_config network; /**< outputs, shared_output: as the loss says */
  gd_loss loss;
  gd_loss_options loss_options;
  int n_levels;
  gd_augment augment;
  double dropout; /**< share left out before each dense layer; 0 <= it < 1 */
  uint64_t seed;
} gd_trainer_config;

/** Sums over a leaf: of the samples, or of seconds. */
enum {
  GD_TALLY_LOSS,     /**< this leaf's part of the batch's mean loss */
  GD_TALLY_ABSOLUTE, /**< sum of |E - y| */
  GD_TALLY_SQUARED,  /**< sum of (E - y)^2 */
  GD_TALLY_WAITED,   /**< seconds that were waited for faces */
  GD_N_TALLIES
};

typedef struct gd_trainer gd_trainer;

/**
 * @param[in] most  samples of the largest microbatch
 * @param[in] prefetch  gives faces, (S, S, 3) uint8, by their numbers in the
 * set; its list names them in the order in which samples come here; borrowed
 * Ends with: gd_trainer_free()
 * Errors:    GD_ERR_USAGE (network, or GEMM backend), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_trainer_new(const gd_trainer_config *config, int most,
                                      gd_prefetch *prefetch, gd_trainer **out);
void gd_trainer_free(gd_trainer *t); /**< NULL is allowed */

/** Return the tables of the network's blocks; borrowed. */
const gd_tensor_table *gd_trainer_weights(const gd_trainer *t);
const gd_tensor_table *gd_trainer_running(const gd_trainer *t);
/** Return the bytes of the network and its images. */
int64_t gd_trainer_bytes(const gd_trainer *t);

/** Take new weights: once per optimiser step. */
void gd_trainer_pack(gd_trainer *t, const float *weights);

/** A microbatch of a step of an epoch. */
typedef struct {
  int64_t epoch;          /**< from 0: for augmentation and dropout */
  const int64_t *samples; /**< (n) indices of samples */
  const int64_t *turns;   /**< (n) how often each came before in the epoch */
  int n;
  int64_t batch;    /**< samples of the whole step */
  int64_t n_leaves; /**< of the whole step */
} gd_microbatch;

/**
 * Begin a leaf: read, augment, forward, loss.
 * @param[out] leaf     (weights + running) floats, of which this sets the
 *                      statistics
 * @param[out] tallies  (GD_N_TALLIES)
 * Errors: GD_ERR_NUMERIC (loss is not finite), GD_ERR_IO, GD_ERR_FORMAT (a face
 *         cannot be read), GD_ERR_USAGE (batch norm over a single value); the
 *         samples are named
 */
GD_NODISCARD gd_status gd_trainer_forward(gd_trainer *t,
                                          const gd_samples *samples,
                                          const gd_microbatch *microbatch,
                                          float *leaf, double *tallies);
/**
 * End it: the gradient, which cannot fail.
 * @param[in] hear  called as the gradient grows; NULL: nobody
 */
void gd_trainer_backward(gd_trainer *t, float *leaf, gd_resnet_hear *hear,
                         void *context);

/**
 * Predict samples in evaluation mode, at most `most` of them.
 * @param[in]  places    the first of them, and one past the last
 * @param[in]  running   block of running statistics
 * @param[out] expected  (places.end - places.first) levels
 * Errors: as gd_trainer_forward()
 */
GD_NODISCARD gd_status gd_trainer_predict(gd_trainer *t,
                                          const gd_samples *samples,
                                          gd_range places, const float *running,
                                          float *expected);

#endif
