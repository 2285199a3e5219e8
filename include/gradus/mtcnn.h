/**
 * MTCNN: a cascade of three small networks that finds faces and five landmarks.
 *
 *   pyramid --P-Net--> candidates --R-Net--> fewer --O-Net--> faces, landmarks
 *
 * P-Net runs fully convolutionally over a pyramid of sizes; R-Net (24 x 24) and
 * O-Net (48 x 48) judge and correct crops, in batches.  After each net come
 * suppression of overlapping boxes and calibration.
 *
 * Source: Zhang, Zhang, Li, Qiao, "Joint Face Detection and Alignment Using
 * Multitask Cascaded Convolutional Networks", IEEE SPL 23(10), 2016, computed
 * as facenet-pytorch 787da06 does it, to the last rounding that decides which
 * box survives.  Two differences: an image smaller than min_face_px has no face
 * instead of failing, and a box wholly outside the image is dropped.  Weights
 * that train-detector made say of themselves that what R- and O-Net tell is
 * relative to the pixels of their crops; with these a face's landmarks and its
 * probability are the mean over five crops of it and their mirror images.
 */
#ifndef GRADUS_MTCNN_H
#define GRADUS_MTCNN_H

#include "gradus/face.h"
#include "gradus/image.h"
#include "gradus/status.h"

typedef struct {
  double min_face_px;   /**< smallest face, >= 12 */
  double factor;        /**< from one pyramid level to the next, 0.1 .. 0.95 */
  double thresholds[3]; /**< of the nets' probabilities, 0 .. 1 */
} gd_mtcnn_config;

/** Return 20 px, 0.709, (0.6, 0.7, 0.7). */
gd_mtcnn_config gd_mtcnn_defaults(void);

typedef struct gd_mtcnn gd_mtcnn;

/**
 * Read the weights and prepare the nets.
 * @param[in] path  safetensors or HDF5: see gradus/weights.h; tensors
 *                  `pnet.conv1.weight`, ... as in facenet-pytorch; or
 *                  GD_DETECTOR_DRAWN: see gradus/drawn_detector.h
 * Ends with: gd_mtcnn_close()
 * Errors: GD_ERR_IO, GD_ERR_FORMAT (a tensor is missing or has another shape;
 *         which one, found and expected), GD_ERR_USAGE (config out of range),
 *         GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_mtcnn_open(const char *path,
                                     const gd_mtcnn_config *config,
                                     gd_mtcnn **out);
void gd_mtcnn_close(gd_mtcnn *m);

/**
 * Find all faces of an image.
 * @param[out] faces  largest area first; borrowed until the next call
 * @param[out] n      how many; 0 is no error
 * Memory grows with the largest image so far; then nothing is allocated.
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_mtcnn_detect(gd_mtcnn *m, const gd_image *image,
                                       const gd_face **faces, int *n);

/**
 * Find faces that have hardly moved since another image: O-Net looks where each
 * was, moves the box, and looks again.  A face that it does not find so, or
 * that is smaller than `factor` of the smallest, is not looked for elsewhere;
 * of two that have become one the surer is left.  O-Net sees other crops than
 * in gd_mtcnn_detect(): landmarks differ by about 2 % of the distance between
 * the eyes, and boxes are about 3 % smaller.
 * @param[in]  before  (n_before); may lie in `faces` of the call before
 * All else as gd_mtcnn_detect().
 */
GD_NODISCARD gd_status gd_mtcnn_follow(gd_mtcnn *m, const gd_image *image,
                                       const gd_face *before, int n_before,
                                       const gd_face **faces, int *n);

/** Return the multiplications and additions that the last image took, as the
 * definition of a convolution counts them. */
double gd_mtcnn_flop(const gd_mtcnn *m);

#endif
