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

#endif
