/* What the fit of a detector consists of: nets, blocks, and where training is;
 * and how that is set up, saved, and restored.  Private to gd_detector_fit().
 */
#ifndef GRADUS_TRAIN_DETECTOR_PARTS_H
#define GRADUS_TRAIN_DETECTOR_PARTS_H

#include "gradus/detector_fit.h"
#include "gradus/file.h"
#include "gradus/optimizer.h"
#include "gradus/reduce.h"
#include "train/cascade_trainer.h"
#include "train/detector_samples.h"

extern const gd_cascade_spec *const gd_detector_specs[GD_N_DETECTOR_NETS];

/* A row of metrics; GD_COLUMN_PARTS: class, box and landmarks. */
enum {
  GD_COLUMN_NET,
  GD_COLUMN_STEP,
  GD_COLUMN_IMAGES,
  GD_COLUMN_LOSS,
  GD_COLUMN_PARTS,
  GD_COLUMN_RATE = GD_COLUMN_PARTS + 3,
  GD_N_COLUMNS
};
typedef struct {
  double value[GD_N_COLUMNS];
} gd_detector_row;

/* Samples of this rank's leaves, for some steps together: images differ in
 * work, so a rank that waited for the others in every step would wait for long.
 */
enum { GD_DETECTOR_STOCK = 16 /* steps */ };
typedef struct {
  int64_t first, end; /* steps */
  gd_range run;       /* leaves of each */
  int64_t *ends;      /* of the leaves, one after the other, in the samples */
} gd_detector_stock;

typedef struct {
  const gd_detector_fit_config *config;
  const gd_labelled_source *source;
  const gd_fit_hooks *hooks;
  MPI_Comm comm;
  int rank;
  char last[GD_PATH_MAX];
  gd_cascade_trainer *trainers[GD_N_DETECTOR_NETS];
  float *weights[GD_N_DETECTOR_NETS]; /* blocks */
  gd_detector_row *rows;              /* of all steps so far */
  int64_t n_rows;

  int net;      /* in training; GD_N_DETECTOR_NETS: all are done */
  int64_t step; /* of it: done */

  /* Of the net in training. */
  gd_mtcnn *before; /* the nets before it; NULL for P-Net */
  gd_reduce *reduce;
  float *states[GD_OPTIMIZER_MOST_STATES]; /* as long as the block; this rank's
                                              parts are up to date */
  gd_optimizer optimizer;
  gd_detector_samples samples; /* of the steps in stock */
  gd_detector_stock stock;
  float *dy;
  double *scratch;
} gd_detector_parts;

/* Return the steps of a net, and the floats of its block. */
int64_t gd_detector_n_steps(const gd_detector_parts *f, int net);
int64_t gd_detector_n_weights(const gd_detector_parts *f, int net);

/* Make all nets from config, which is set; ends with gd_detector_end(), also
 * after a failure. */
GD_NODISCARD gd_status gd_detector_begin(gd_detector_parts *f);
void gd_detector_end(gd_detector_parts *f);

/* Prepare the training of f->net; the nets before it are in the checkpoint.
 * Collective; ends with gd_detector_end_net(), also after a failure. */
GD_NODISCARD gd_status gd_detector_begin_net(gd_detector_parts *f);
void gd_detector_end_net(gd_detector_parts *f);

/* Write the checkpoint and the metrics.  Collective. */
GD_NODISCARD gd_status gd_detector_save(gd_detector_parts *f);
/* Take up the checkpoint, up to the states, or begin anew if rank 0 finds none
 * that can be used.  Collective. Errors: GD_ERR_IO: it cannot be read now */
GD_NODISCARD gd_status gd_detector_restore(gd_detector_parts *f);
/* Read the states of the net in training. */
GD_NODISCARD gd_status gd_detector_read_states(gd_detector_parts *f);
/* Write the detector when all nets are trained; and the metrics again, which a
 * kill behind the last checkpoint leaves short. */
GD_NODISCARD gd_status gd_detector_write(const gd_detector_parts *f);

#endif
