/**
 * Samples of a labelled image to train one net of the detector on: crops, taken
 * as the detector itself takes them, and what is wanted of each.
 *
 * A crop is judged by how much it overlaps the nearest face (intersection over
 * union): 0.65 or more is a positive, 0.4 to 0.65 a part face, below 0.3 a
 * negative.  What is nearest to a face of which too little is seen is left out.
 *
 *   P-Net          cells of the pyramid, at scales about the faces' own and at
 *                  a random one
 *   R-Net, O-Net   what the nets before leave over, which is full of mistakes
 *                  (for O-Net, of a tenth of the images); and boxes shifted and
 *                  scaled about each face and decoy
 *   O-Net          looks at each face (face/looks.h), as detection ends with
 *
 * Wanted offsets and points are the inverse of what detection does with them,
 * so that its final boxes are the labels'.  R-Net's and O-Net's are relative to
 * the pixels of the crop: see GD_MTCNN_FRAMED.
 *
 * Source: Zhang et al. 2016 (see gradus/mtcnn.h), section III.A
 */
#ifndef GRADUS_TRAIN_DETECTOR_SAMPLES_H
#define GRADUS_TRAIN_DETECTOR_SAMPLES_H

#include "face/cascade_net.h"
#include "face/mtcnn_parts.h"
#include "gradus/labelled_image.h"
#include "gradus/random.h"
#include "train/detector_loss.h"

enum { GD_PNET, GD_RNET, GD_ONET, GD_N_DETECTOR_NETS };

typedef struct {
  int size_px; /**< side of a crop: 12, 24 or 48 */
  int n;
  float *x;                    /**< (n, size_px, size_px, 3) */
  gd_detector_target *targets; /**< (n) */
  gd_floats level;             /**< of the pyramid */
  uint32_t *scratch;           /**< of resizing */
  int64_t scratch_room;
  int64_t room; /**< samples */
} gd_detector_samples;

/** Return the crops from sample i on. */
static inline const float *gd_detector_samples_x(const gd_detector_samples *s,
                                                 int64_t i)
{
  return s->x + i * 3 * s->size_px * s->size_px;
}
/** Return the side of a net's crops, px. */
int gd_detector_crop_px(int net);
/** Return the samples that a net gets of one image, at most. */
int gd_detector_most_samples(int net);

/**
 * Make room for the samples of `n_images` images; for those of more it grows.
 * Ends with: gd_detector_samples_end(), on failure too
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_detector_samples_begin(gd_detector_samples *s,
                                                 int net, int n_images);
void gd_detector_samples_end(gd_detector_samples *s);

/**
 * Append samples of an image.
 * @param[in] before  the nets before this one; NULL for P-Net
 * @param[in] r       chooses
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_detector_samples_add(gd_detector_samples *s, int net,
                                               gd_mtcnn *before,
                                               const gd_labelled_image *image,
                                               gd_random *r);

#endif
