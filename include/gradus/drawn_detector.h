/**
 * The detector that ships with gradus: weights for gradus/mtcnn.h that
 * jobs/detector.yaml trained on drawn faces (gradus/scene.h), and on nothing
 * else.  They find drawn faces, so that the demo and the tests need no file
 * from elsewhere.  They are not made for photographs of people.
 *
 * models/mtcnn-drawn.h5 is part of the library: it is there wherever the
 * program is.
 */
#ifndef GRADUS_DRAWN_DETECTOR_H
#define GRADUS_DRAWN_DETECTOR_H

#include "gradus/digest.h"
#include "gradus/weights.h"

/** What names it where a weights file could be named. */
#define GD_DETECTOR_DRAWN "drawn"

/** Open the weights. Ends with: gd_weights_close(). Errors: GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_drawn_detector_open(gd_weights **out);
/** Return the digest of the file. */
gd_digest gd_drawn_detector_digest(void);

#endif
