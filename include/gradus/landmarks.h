/**
 * Landmark files: a CSV beside a video, in the layout that OpenFace 2 writes.
 *
 *   frame, face_id, timestamp, confidence, success, ..., x_0 .. x_67, ...,
 *   y_0 .. y_67, ...
 *
 * Columns are found by name, in any order; blanks around names and numbers and
 * further columns are ignored; face_id, confidence and success may be absent
 * (0, 1 and 1).  Coordinates are pixels.  Frames count from 1, as OpenFace
 * does; in a file whose first frame is 0 they count from 0.  Rows come in order
 * of frame; several faces of a frame follow one another.  A row without success
 * is no face.
 *
 * The pixels are those of the picture as it is displayed: square, and turned
 * upright.  A tool that reads pictures as they are stored, as OpenFace may,
 * gives others where a video has a pixel aspect or is to be turned.
 *
 * Of the 68 points five are kept: eye centres (means of 36..41 and 42..47),
 * nose tip (30), mouth corners (48, 54).  The box bounds all 68.
 */
#ifndef GRADUS_LANDMARKS_H
#define GRADUS_LANDMARKS_H

#include <stdint.h>

#include "gradus/face.h"
#include "gradus/status.h"

typedef struct gd_landmarks gd_landmarks;

/**
 * Read a landmark file.
 * Ends with: gd_landmarks_free()
 * Errors: GD_ERR_IO (missing), GD_ERR_FORMAT (`path:line: what`: a column is
 *         missing, a row is short, a value is no number, frames out of order)
 */
GD_NODISCARD gd_status gd_landmarks_read(const char *path, gd_landmarks **out);
/**
 * Look up the faces of a frame.
 * @param[in]  frame_index  from 0
 * @param[out] faces        borrowed from `l`
 * @return how many; 0: the file has none for this frame
 */
int gd_landmarks_at(const gd_landmarks *l, int64_t frame_index,
                    const gd_face **faces);
void gd_landmarks_free(gd_landmarks *l);

#endif
