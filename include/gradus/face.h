/** A face found in an image: box, five landmarks, and how sure it is. */
#ifndef GRADUS_FACE_H
#define GRADUS_FACE_H

enum { GD_N_LANDMARKS = 5 };

typedef struct {
  float box[4]; /**< x0 y0 x1 y1, px; may reach out of the image */
  /** x y, px: eye at image left, eye at image right, nose, mouth corner at
   * image left, at image right. */
  float landmarks[GD_N_LANDMARKS][2];
  float confidence; /**< 0 .. 1 */
} gd_face;

/** Return intersection over union of the boxes, 0 .. 1. */
double gd_face_overlap(const gd_face *a, const gd_face *b);
/** Return the root of a box's area, px. */
double gd_face_size_px(const gd_face *face);
/** Say whether two faces, by size and place, are those of different persons:
 * boxes apart, one more than twice as large as the other. */
int gd_face_is_stranger(const gd_face *a, const gd_face *b);

#endif
