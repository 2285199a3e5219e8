/**
 * The subject of a video: which face is the person, and what stands in for
 * frames without a face.
 *
 * A video shows one subject.  Each frame offers the faces that were found in
 * it; the subject is the chain of faces, at most one per frame, with the
 * largest sum of
 *
 *     confidence x size / (largest size in the video)
 *                x (1 + overlap with the chain's face before)   for each face
 *   - 1/4   for each frame with faces that the chain passes over
 *   - 4     where the chain goes on elsewhere with a face of less than half or
 *           more than twice the size: another person's
 *
 * (size: the root of the box's area; overlap: intersection over union).  So a
 * passer-by who is larger for a moment does not take over, and a face in the
 * background is not taken for that of a person who looks away for a moment.
 * The chain depends on the whole video and on nothing else.
 *
 * Between two faces of the chain, up to `max_gap` frames without one get the
 * interpolated face (GD_FACE_TRACKED), unless the two are farther apart than a
 * size for each frame, or another person's as above.  What is left follows the
 * policy.
 */
#ifndef GRADUS_SUBJECT_H
#define GRADUS_SUBJECT_H

#include <stdint.h>

#include "gradus/face.h"
#include "gradus/faces.h"
#include "gradus/status.h"

/** What stands in for a frame without a face. */
typedef enum {
  GD_MISSING_DROP,     /**< nothing: the frame is left out */
  GD_MISSING_PREVIOUS, /**< the last face before; before the first: the first */
  GD_MISSING_CENTRE    /**< the frame's centred square */
} gd_missing_policy;

/** Find a policy by its name: drop, previous, centre. Errors: GD_ERR_USAGE */
GD_NODISCARD gd_status gd_missing_policy_of(const char *name,
                                            gd_missing_policy *out);

/** The faces offered by the frames of one video, in order. */
typedef struct gd_subject gd_subject;

/** Begin an empty video. Ends with: gd_subject_free(). Errors: GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_subject_new(gd_subject **out);
/** Forget all frames, to begin another video with the same memory. */
void gd_subject_clear(gd_subject *s);
/**
 * Append a frame with the faces found in it; n may be 0.
 * @param[in] faces  borrowed for the call
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_subject_append(gd_subject *s, const gd_face *faces,
                                         int n);

/** What becomes of frames without a face. */
typedef struct {
  int64_t max_gap;           /**< so many between two faces are interpolated */
  gd_missing_policy missing; /**< the others */
  gd_face stand_in;          /**< what GD_MISSING_CENTRE puts there */
} gd_subject_rules;

/**
 * Choose the chain and fill the frames without a face; their confidence is 0.
 * With `previous`, a video without any face has all its frames missing.
 * @param[out] out  one per appended frame: box, landmarks, confidence, status,
 *                  and of the flags GD_FACE_SEVERAL; all else is zero
 */
void gd_subject_choose(gd_subject *s, const gd_subject_rules *rules,
                       gd_face_info *out);
void gd_subject_free(gd_subject *s);

#endif
