/**
 * The detector's loss: is it a face, where exactly is its box, where are its
 * landmarks.
 *
 * A sample takes part in some of the three:
 *
 *              class   box   landmarks
 *   negative     x
 *   part face           x       x
 *   positive     x      x       x
 *
 *   class       cross-entropy of the softmax over (no face, face); the mean
 *               over the hardest 70 % of the samples: the others have no
 *               gradient
 *   box         |offset - wanted|^2, the mean over its samples
 *   landmarks   sqrt(|point - wanted|^2 + e^2) - e, e = 0.01 boxes, the sum
 * over the points, the mean over the samples
 *
 * Source: Zhang et al. 2016 (see gradus/mtcnn.h), equations 1 to 4 and section
 * II.C (online hard sample mining).  There landmarks come from a set of their
 * own, and their loss is squared, which the few points that are covered rule;
 * the smooth distance is Charbonnier et al., "Two deterministic half-quadratic
 * regularization algorithms for computed imaging" (ICIP 1994), table 1.
 */
#ifndef GRADUS_TRAIN_DETECTOR_LOSS_H
#define GRADUS_TRAIN_DETECTOR_LOSS_H

#include "gradus/face.h"
#include "gradus/status.h"

/** What a sample is, and what is wanted of it. */
typedef struct {
  enum { GD_SAMPLE_NEGATIVE, GD_SAMPLE_PART, GD_SAMPLE_POSITIVE } kind;
  float box[4];                     /**< offsets, in box sizes */
  float points[2 * GD_N_LANDMARKS]; /**< x1 .. x5, y1 .. y5, likewise */
} gd_detector_target;

/** Class, box, landmarks: losses, or their weights in the sum. */
typedef struct {
  double part[3];
} gd_detector_losses;

enum { GD_DETECTOR_CLASS, GD_DETECTOR_BOX, GD_DETECTOR_POINTS };

/**
 * Compute the losses of n samples and the gradient of their weighted sum.
 * @param[in]  channels  6: class and box; 16: landmarks too
 * @param[in]  y         (n, channels)
 * @param[in]  scale     the gradient is multiplied with it
 * @param[out] scratch   (n)
 * @param[out] dy        (n, channels)
 * @return the three losses; 0 where no sample takes part
 */
gd_detector_losses gd_detector_loss(int n, int channels, const float *y,
                                    const gd_detector_target *targets,
                                    const gd_detector_losses *weights,
                                    double scale, double *scratch, float *dy);

#endif
