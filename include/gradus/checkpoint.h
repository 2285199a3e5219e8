/**
 * Checkpoints: a training that can go on exactly where it was.
 *
 * A checkpoint is a model file (gradus/model.h) that also holds
 *
 *   attributes: optimizer, next_epoch, next_step, best_epoch, best_mae
 *   /optimizer/<m, v, momentum, average>  float32 (all weights, as one block)
 *   /metrics                      float64 (rows, 7): gd_metrics_row
 *
 * It is written by one process, which is given the optimiser's state piece by
 * piece: no process holds all of it.  Any process reads any part.  The order of
 * samples, augmentation and rate follow from epoch and step.
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

typedef struct gd_checkpoint_writer gd_checkpoint_writer;

/**
 * Begin a checkpoint.
 * @param[in] optimizer  name, as gd_optimizer_name()
 * @param[in] rows       n_rows rows of metrics so far
 * Ends with: gd_checkpoint_finish() or gd_checkpoint_abandon()
 * Errors:    GD_ERR_IO (disk full), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_checkpoint_create(
    const char *path, gd_digest digest, const gd_model_info *info,
    const float *weights, const float *running, const gd_training_state *where,
    const char *optimizer, const gd_metrics_row *rows, int64_t n_rows,
    gd_checkpoint_writer **out);
/** Begin the next state array: `m`, `v`, ... Errors: GD_ERR_IO */
GD_NODISCARD gd_status gd_checkpoint_begin_state(gd_checkpoint_writer *w,
                                                 const char *name);
/** Append n values to the state array begun last. Errors: GD_ERR_IO */
GD_NODISCARD gd_status gd_checkpoint_append(gd_checkpoint_writer *w, int64_t n,
                                            const float *values);
/** Complete the file under its temporary name, for a gd_publisher.  Frees `w`
 * either way. */
GD_NODISCARD gd_status gd_checkpoint_finish(gd_checkpoint_writer *w);
void gd_checkpoint_abandon(gd_checkpoint_writer *w); /**< NULL is allowed */

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
