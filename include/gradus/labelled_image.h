/**
 * Labelled images: pictures whose faces are known, to train and to judge a
 * detector by.
 *
 * A face's box bounds its 68 landmarks: from ear to ear, from the brows to the
 * chin, without the forehead, as in landmark files (gradus/landmarks.h).  Its
 * `confidence` is the share of the box that is to be seen, neither covered nor
 * outside the image; a face of which little is seen is neither a face nor
 * background.
 *
 * A source may know places where something looks like a face and is none: they
 * are worth a look without a search for them.
 */
#ifndef GRADUS_LABELLED_IMAGE_H
#define GRADUS_LABELLED_IMAGE_H

#include "gradus/face.h"
#include "gradus/image.h"

enum { GD_LABELLED_MOST = 8 };

/** Less of a face than this share: nothing is trained on it. */
#define GD_LABELLED_VISIBLE 0.6f

typedef struct {
  gd_image image;
  gd_face faces[GD_LABELLED_MOST];
  int n_faces;
  float decoys[GD_LABELLED_MOST][4]; /**< boxes: left, top, right, bottom, px */
  int n_decoys;
} gd_labelled_image; /**< ends with gd_image_free(&l.image) */

/** A source of labelled images, the same on every rank. */
typedef struct {
  void *context;
  /**
   * Make image `index`, a pure function of it, for any index >= 0.
   * @param[out] out  owned by the caller; empty on failure
   */
  gd_status (*read)(void *context, int64_t index, gd_labelled_image *out);
} gd_labelled_source;

#endif
