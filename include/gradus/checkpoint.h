/**
 * Checkpoints: a training that can go on exactly where it was.
 *
 * A checkpoint is a model file (gradus/model.h) that also holds
 *
 *   attributes: optimizer, next_epoch, next_step, best_epoch, best_mae
 *   /optimizer/<m, v, momentum, average>  float32 (all weights, as one block)
 *   /metrics                      float64 (rows, 7): gd_metrics_row
 *
 * One process writes its frame: all but the weights, the running statistics and
 * the states, for which there is only room.  Then each process writes its share
 * of these at their places, with plain writes: none holds all of the state, and
 * no thread of theirs needs MPI or HDF5.  The bytes do not depend on how it was
 * shared out.  Any process reads any part.  The order of samples, augmentation
 * and rate follow from epoch and step.
 */
#ifndef GRADUS_CHECKPOINT_H
#define GRADUS_CHECKPOINT_H

#include <stdint.h>

#include "gradus/digest.h"
#include "gradus/model.h"
#include "gradus/status.h"

/** What a row of metrics is about. */
typedef enum {
  GD_METRICS_BATCH, /**< the frames of one step, as they were trained on */
  GD_METRICS_TRAIN, /**< the mean of an epoch's batches, by frames */
  GD_METRICS_DEV,   /**< the development partition, per video */
} gd_metrics_split;

/** One row of metrics.csv; what a split has not is NaN. */
typedef struct {
  double epoch; /**< from 1 */
  double step;  /**< steps done, over all epochs */
  double split; /**< gd_metrics_split */
  double loss;
  double mae, rmse; /**< level */
  double rate;      /**< learning rate of the step */
} gd_metrics_row;

/** Where a training is. */
typedef struct {
  int64_t next_epoch; /**< epoch to go on in, from 0 */
  int64_t next_step;  /**< its next step, from 0 */
  int64_t best_epoch; /**< epoch whose weights were selected, -1: none yet */
  double best_mae;    /**< level; of that epoch */
} gd_training_state;

/** All of a checkpoint but its arrays of floats. */
typedef struct {
  gd_model_info info;
  const gd_tensor_table *weights, *running; /**< of info.network */
  gd_training_state where;
  const char *optimizer; /**< name, as gd_optimizer_name() */
  int n_states;
  const char *const *states; /**< names: `m`, `v`, ... */
  const gd_metrics_row *rows;
  int64_t n_rows;
} gd_checkpoint_frame;

/**
 * Write a checkpoint under its temporary name, and tell where its arrays are to
 * be filled in, by gd_store_fill(), before a gd_publisher gives it its name.
 * @param[out] places  one for each tensor of the weights, of the running
 *                     statistics, and for each state
 * Collective: no: one process does it for all
 * Errors:     GD_ERR_IO (disk full), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_checkpoint_write_frame(
    const char *path, gd_digest digest, const gd_checkpoint_frame *frame,
    gd_store_place *places);

typedef struct gd_checkpoint gd_checkpoint;

/**
 * Open a checkpoint.
 * @param[in] digest     it must be of this stage instance
 * @param[in] optimizer  it must be of this optimiser
 * Ends with: gd_checkpoint_close()
 * Errors:    GD_ERR_IO, GD_ERR_FORMAT (truncated, of another instance, ...)
 */
GD_NODISCARD gd_status gd_checkpoint_open(const char *path, gd_digest digest,
                                          const char *optimizer,
                                          gd_checkpoint **out);
void gd_checkpoint_close(gd_checkpoint *c); /**< NULL is allowed */
/** Return what the model is, and where the training was; borrowed. */
const gd_model_info *gd_checkpoint_info(const gd_checkpoint *c);
const gd_training_state *gd_checkpoint_where(const gd_checkpoint *c);
int64_t gd_checkpoint_n_rows(const gd_checkpoint *c);

/** Read all rows of metrics. Errors: GD_ERR_FORMAT, GD_ERR_IO */
GD_NODISCARD gd_status gd_checkpoint_read_rows(gd_checkpoint *c,
                                               gd_metrics_row *rows);
/** Read the model's blocks. Errors: as gd_model_read() */
GD_NODISCARD gd_status gd_checkpoint_read_model(gd_checkpoint *c,
                                                float *weights, float *running);
/** Read n values of a state array. Errors: GD_ERR_FORMAT, GD_ERR_IO */
GD_NODISCARD gd_status gd_checkpoint_read_state(gd_checkpoint *c,
                                                const char *name, int64_t first,
                                                int64_t n, float *values);

#endif
