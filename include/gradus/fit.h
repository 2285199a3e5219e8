/**
 * Fitting: training over all ranks, epoch by epoch, from where it was left.
 *
 *   model.h5     weights and running statistics of the selected epoch, when
 *                training has ended
 *   checkpoint-<steps done>.h5
 *                after every epoch, every so many steps, and when asked to
 *                stop: the last few, and that at the end of the selected epoch
 *                (and when training has ended, only the last and this one)
 *   metrics.csv  epoch,step,split,loss,mae,rmse,rate: a row per epoch for the
 *                training (frames, as they were trained on) and one for the
 *                development partition (videos)
 *   steps.csv    epoch,step,loss,mae,rmse,rate: a row per step
 *   metrics.jsonl, events.out.tfevents.gradus
 *                both, and how fast it went: see gradus/journal.h
 *
 * Killed at any moment and called again, on any number of ranks, it ends with
 * the same files, bit for bit.  How fast it was goes to the log.
 *
 * A checkpoint is written while training goes on; it stands still for a copy of
 * the state.  One that is damaged is named, and the one before is used.  One
 * that cannot be written (disk full) is named, training goes on, and in the end
 * the call fails with GD_ERR_IO: called again it goes on from the last one that
 * could.
 */
#ifndef GRADUS_FIT_H
#define GRADUS_FIT_H

#include <mpi.h>
#include <stdint.h>

#include "gradus/digest.h"
#include "gradus/faces.h"
#include "gradus/optimizer.h"
#include "gradus/schedule.h"
#include "gradus/status.h"
#include "gradus/trainer.h"

/** Which groups of training faces get equally many places in an epoch. */
typedef enum {
  GD_BALANCE_NONE,  /**< no groups: every face once */
  GD_BALANCE_LEVEL, /**< labels, to the nearest level */
  GD_BALANCE_VIDEO
} gd_balance;

/** Find a balance by name. Errors: GD_ERR_USAGE (names those there are) */
GD_NODISCARD gd_status gd_balance_of(const char *name, gd_balance *out);

typedef struct {
  gd_trainer_config trainer;
  gd_optimizer optimizer; /**< its rate is the schedule's base */
  double clip;            /**< largest norm of a step's gradient; 0: any */
  double average; /**< decay of a moving average of the weights, which is then
                     what is evaluated and kept as model.h5; 0: none */
  const char *freeze;   /**< names of tensors, or what they begin with up to a
                           dot, that stay as they are: "stem, layer1"; "": none.
                           Their batch norm still sees the microbatch, so running
                           statistics go on */
  gd_schedule schedule; /**< its epochs are how long training goes */
  gd_balance balance;
  int batch, microbatch; /**< samples; microbatch <= batch */
  int select_dev;   /**< keep the epoch with the least development MAE, not the
                       last one */
  int64_t patience; /**< with select_dev: end after so many epochs without a
                       lower development MAE; 0: after the last epoch */
  int64_t checkpoint_every; /**< steps; 0: only after epochs */
  int64_t keep_checkpoints; /**< so many of the last, >= 1 */
  const char *init;         /**< model file to start from; "": random, as is a
                               head that the file lacks or has otherwise */
  const char *directory;    /**< for the files; exists */
  const char *made_with;    /**< how the faces were made, shorter than
                               GD_MODEL_MADE_WITH; "": not known */
  const char *detector; /**< digest of what found them, as hexadecimal; "" */
  gd_digest digest;     /**< of the stage instance */
} gd_fit_config;

/** What the caller wants to know meanwhile. */
typedef struct {
  void *context;
  /** How many samples all ranks together will tick. */
  void (*expect)(void *context, int64_t n_samples);
  /**
   * This rank has done n more samples (or 0).  GD_ERR_STOPPED: a checkpoint is
   * written after the step, on all ranks.
   */
  gd_status (*tick)(void *context, int64_t n_samples);
  /** What holds the training up, in a few words; "": nothing.  NULL: nobody
   * wants to know. */
  void (*note)(void *context, const char *text);
} gd_fit_hooks;

/**
 * Train.
 * @param[in] rank, size  in comm
 * @param[in] faces       borrowed for the call
 * Collective: yes, same arguments on all ranks
 * Errors:     GD_ERR_USAGE (no faces to train on, or to select by; a label out
 *             of range; an initial model of another shape), GD_ERR_NUMERIC (a
 *             loss or gradient is not finite: step, tensor and faces are
 *             named; the last checkpoint stays), GD_ERR_STOPPED (checkpoint is
 *             written), GD_ERR_IO, GD_ERR_FORMAT, GD_ERR_NOMEM, GD_ERR_PEER
 */
GD_NODISCARD gd_status gd_fit(MPI_Comm comm, int rank, int size,
                              const gd_fit_config *config, gd_face_set *faces,
                              const gd_fit_hooks *hooks);

#endif
