/**
 * Reference detections: JSON files beside images and clips, with lists of boxes
 * (x0 y0 x1 y1), probabilities and landmarks (5 x 2), and the SHA-256 of the
 * decoded pixels.
 */
#ifndef GRADUS_REFERENCE_FACES_H
#define GRADUS_REFERENCE_FACES_H

#include "gradus/face.h"
#include "gradus/image.h"

enum { GD_REFERENCE_FACES = 128 };

/**
 * Read the faces that stand behind `at` in a JSON text.
 * @param[in]  at     the text, from the object with boxes, probs, landmarks
 * @param[out] faces  room for GD_REFERENCE_FACES
 * @return how many
 */
int gd_reference_faces(const char *at, gd_face *faces);
/** Say whether the pixels' SHA-256 is the first "rgb_sha256" behind `at`. */
int gd_reference_pixels(const char *at, const gd_image *image);
/** Return the largest distance of boxes and landmarks, px. */
double gd_reference_distance(const gd_face *a, const gd_face *b);
/** Return the face that overlaps `face` most, or -1. */
int gd_reference_match(const gd_face *face, const gd_face *faces, int n);

#endif
