/**
 * From the frames of a video to the aligned faces of its subject.
 *
 * Two passes: the first finds the faces of the frames (by MTCNN, from frame to
 * frame as in gradus/tracker.h, or in the landmark CSV beside the video), the
 * second draws the chosen one.  Between them the whole video is known, so the
 * choice of the subject and what stands in for frames without a face never
 * depend on shards or ranks.
 */
#ifndef GRADUS_ALIGNER_H
#define GRADUS_ALIGNER_H

#include <stdint.h>

#include "gradus/alignment.h"
#include "gradus/faces.h"
#include "gradus/frames.h"
#include "gradus/mtcnn.h"
#include "gradus/status.h"
#include "gradus/subject.h"

typedef struct {
  const char *detector;  /**< weights of MTCNN, "drawn": the program's own, or
                              "landmarks": the CSV */
  gd_mtcnn_config mtcnn; /**< unused with "landmarks" */
  int64_t search_every;  /**< frames from one full search to the next, 1: all;
                              unused with "landmarks" */
  int64_t max_gap;       /**< so many frames without a face, between two with
                              one, are interpolated */
  gd_missing_policy missing; /**< for the other frames without a face */
  gd_alignment alignment;
  int size_px; /**< S */
} gd_aligner_config;

typedef struct gd_aligner gd_aligner;

/**
 * Open the detector.
 * @param[in] config  copied
 * Ends with: gd_aligner_close()
 * Errors: as gd_mtcnn_open(), but GD_ERR_USAGE where the file is no detector's
 */
GD_NODISCARD gd_status gd_aligner_open(const gd_aligner_config *config,
                                       gd_aligner **out);
void gd_aligner_close(gd_aligner *a); /**< NULL is allowed */

/**
 * Align one video and append its faces to a shard.  A video that gives none
 * (no landmark CSV, a broken one, no face in any frame that can be aligned) is
 * noted in the shard as skipped, with the reason; that is no error.
 * @param[in] v     row of gd_frame_set_videos()
 * @param[in] tick  called after every frame that is searched or drawn; its
 *                  failure ends the work and is returned
 * Errors: GD_ERR_FORMAT, GD_ERR_IO (frames cannot be read, faces cannot be
 *         written; the shard can then only be abandoned), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_aligner_video(gd_aligner *a, gd_frame_set *frames,
                                        int64_t v, gd_face_writer *w,
                                        gd_status (*tick)(void *context),
                                        void *context);

#endif
