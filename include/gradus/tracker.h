/**
 * Searching the frames of a video: some of them whole, the others where the
 * faces were.
 *
 * Every so many frames one is searched whole.  In the others, its faces are
 * followed: see gd_mtcnn_follow(); one that is hidden is looked for where it
 * was seen last.  Where the main face is not found so (intersection over union
 * with where it was at least a half), or there are more than sixteen faces, the
 * whole frame is searched.  (Main is the largest face of a whole search, then
 * what goes on with it; a face of less than half its size does not take its
 * place before the main face has been away for as long as from one search to
 * the next.)  What the frames offer then goes to gd_subject, which chooses over
 * the whole video; so the result depends on its frames alone.
 */
#ifndef GRADUS_TRACKER_H
#define GRADUS_TRACKER_H

#include <stdint.h>

#include "gradus/face.h"
#include "gradus/status.h"
#include "gradus/subject.h"

/** How a frame is searched. */
typedef struct {
  /**
   * Find the faces of a frame.
   * @param[in]  before  (n_before) faces to follow; NULL: search it whole
   * @param[out] faces   borrowed until the next call
   */
  gd_status (*search)(void *context, int64_t frame, const gd_face *before,
                      int n_before, const gd_face **faces, int *n);
  void *context;
} gd_tracker_search;

/**
 * Search the frames of one video.
 * @param[in]     search_every  1: every frame is searched whole, once
 * @param[in,out] out           empty; gets every frame, in order
 * Allocates nothing but what `out` needs.
 * Errors: those of the search; GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_tracker_run(int64_t n_frames, int64_t search_every,
                                      const gd_tracker_search *search,
                                      gd_subject *out);

#endif
