/**
 * Fitting a detector: P-, R- and O-Net of gradus/mtcnn.h, one after the other,
 * from labelled images.
 *
 *   mtcnn.h5      the three nets, as gd_mtcnn_open() reads them
 *   last.h5       checkpoint: every so many steps, after each net, and when
 *                 asked to stop
 *   metrics.csv   net,step,images,loss,class,box,landmarks,rate: a row per step
 *
 * A step takes the next `batch` images of the source.  A microbatch of them is
 * the unit of arithmetic: its crops are chosen (for R-Net and O-Net among what
 * the nets before it leave over, too), judged, and the hardest counted within
 * it; the step's loss is the mean of its microbatches'.  So the result is the
 * same, bit for bit, on any number of ranks and threads, and after being killed
 * at any moment and called again.  The crops of some steps are collected
 * together: ranks that waited for one another in every step would wait for
 * long.  No image is kept.
 *
 * Source: Zhang et al. 2016 (see gradus/mtcnn.h)
 */
#ifndef GRADUS_DETECTOR_FIT_H
#define GRADUS_DETECTOR_FIT_H

#include <mpi.h>
#include <stdint.h>

#include "gradus/digest.h"
#include "gradus/fit.h"
#include "gradus/labelled_image.h"

typedef struct {
  uint64_t seed;         /**< initial weights, and the choice of crops */
  int64_t n_images[3];   /**< that P-, R- and O-Net see */
  int batch, microbatch; /**< images; microbatch <= batch */
  double min_face_px;    /**< smallest face that is looked for */
  double rates[3];       /**< of Adam; they fall along a cosine over each net */
  int64_t checkpoint_every; /**< steps; 0: only after nets */
  const char *directory;    /**< for the files; exists */
  gd_digest digest;         /**< of the stage instance */
} gd_detector_fit_config;

/**
 * Train.
 * @param[in] rank    in comm
 * @param[in] source  asked for images 0, 1, 2, ...: each is seen once
 * @param[in] hooks   count images
 * Collective: yes, same arguments on all ranks
 * Errors:     GD_ERR_NUMERIC (a loss or gradient is not finite: net, step and
 *             tensor are named), GD_ERR_STOPPED (checkpoint is written),
 *             GD_ERR_IO, GD_ERR_NOMEM, GD_ERR_PEER, those of the source
 */
GD_NODISCARD gd_status gd_detector_fit(MPI_Comm comm, int rank,
                                       const gd_detector_fit_config *config,
                                       const gd_labelled_source *source,
                                       const gd_fit_hooks *hooks);

#endif
