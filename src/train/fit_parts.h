/* What a fit consists of: samples, network, blocks, and where training is; and
 * how that is set up, saved, and restored.  Private to gd_fit(). */
#ifndef GRADUS_TRAIN_FIT_PARTS_H
#define GRADUS_TRAIN_FIT_PARTS_H

#include "gradus/checkpoint.h"
#include "gradus/file.h"
#include "gradus/fit.h"
#include "gradus/history.h"
#include "gradus/journal.h"
#include "gradus/prefetch.h"
#include "gradus/reduce.h"
#include "gradus/sampler.h"
#include "gradus/samples.h"
#include "saver.h"
#include "update.h"

typedef struct {
  const gd_fit_config *config;
  const gd_fit_hooks *hooks;
  MPI_Comm comm;
  int rank, size;
  char model[GD_PATH_MAX];
  gd_checkpoints files;
  gd_saver *saver;
  const char *face_template;

  gd_samples *train, *dev;
  gd_sampler *sampler;
  gd_prefetch *prefetch; /* of the faces, by their numbers in the set */
  gd_trainer *trainer;
  gd_reduce *reduce;

  int64_t n_weights, n_running;
  float *block;                    /* weights, then running statistics */
  const gd_buckets *buckets;       /* which parts of it this rank steps: */
  gd_range parts[GD_BUCKETS_MOST]; /* of the weights */
  gd_update *update;
  const char *state_names[GD_OPTIMIZER_MOST_STATES + 1]; /* the update's */
  float *states[GD_OPTIMIZER_MOST_STATES + 1];
  float *averaged;       /* (n_weights) gathered, if there is an average */
  float *expected;       /* (dev->n) */
  double *level_weights; /* (K) of the training labels */
  int64_t *step_sizes;   /* samples of an epoch's steps */
  int overlaps;          /* exchange and backward pass: GRADUS_OVERLAP */

  gd_training_state where;
  int64_t step; /* optimiser steps done */
  gd_history history;
  gd_journal *journal; /* of its rows; rank 0; NULL: cannot be written */
  /* Spent since the epoch began: in all, in leaves, on the other ranks. */
  double step_s, leaf_s, exposed_s;
  double waited_s;  /* for faces, likewise; the mean over ranks */
  int64_t n_images; /* of all ranks, likewise */
} gd_fit_parts;

/* Make all parts from config, comm and hooks, which are set.  Collective;
 * ends with gd_fit_parts_end(), also after a failure. */
GD_NODISCARD gd_status gd_fit_parts_begin(gd_fit_parts *f, gd_face_set *faces);
void gd_fit_parts_end(gd_fit_parts *f);
int64_t gd_fit_steps_per_epoch(const gd_fit_parts *f);

/* Have this rank's faces read ahead: those of the epoch's steps that are left,
 * or those of the development partition that are `mine`. */
void gd_fit_parts_prefetch_epoch(gd_fit_parts *f);
void gd_fit_parts_prefetch_dev(gd_fit_parts *f, gd_range mine);

/* Take up the newest checkpoint that can be used, or begin anew if there is
 * none.  Collective. */
GD_NODISCARD gd_status gd_fit_parts_restore(gd_fit_parts *f);
/* Begin the journal with the history's rows, on rank 0.  A journal that cannot
 * be written is said and done without: the next run makes good for it. */
void gd_fit_parts_begin_journal(gd_fit_parts *f);
/* Add a row to the history and to the journal. */
void gd_fit_parts_note(gd_fit_parts *f, const gd_metrics_row *row,
                       const gd_journal_pace *pace);
/* Begin to write a checkpoint and the metrics: see saver.h.  Collective. */
void gd_fit_parts_save(gd_fit_parts *f);
/* Return the weights that are evaluated: the block's, or their average.
 * Collective. */
const float *gd_fit_parts_evaluated(gd_fit_parts *f);
/* Wait for the last checkpoint; if training has ended well, make model.h5 from
 * that of the selected epoch.
 * st: how training went
 * Collective; errors agreed. */
GD_NODISCARD gd_status gd_fit_parts_conclude(gd_fit_parts *f, gd_status st);

#endif
