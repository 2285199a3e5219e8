/**
 * Alignment: from five landmarks to an upright face of fixed size.
 *
 * A similarity takes the landmarks nearest to a template (least squares), and
 * the face is sampled through it.  The template is stated as fractions of the
 * output's side, so it is one for all sizes; shards and models record it as
 * text, and training, evaluation and prediction use the same code.
 *
 * The template's shape is the mean of detected frontal faces (Procrustes mean
 * of 42 faces in public photographs), made symmetric: with the distance between
 * the eye centres as unit, the nose tip lies 0.58 and the mouth corners 1.07
 * below the eye line, and the corners are 0.89 apart.  The eyes are 0.31 of the
 * side apart at 0.39 of its height: hairline to chin, about 2.9 eye distances
 * of an adult face, and both cheeks (2.2) then fill the square.
 */
#ifndef GRADUS_ALIGNMENT_H
#define GRADUS_ALIGNMENT_H

#include "gradus/face.h"
#include "gradus/image.h"
#include "gradus/similarity.h"
#include "gradus/status.h"

enum { GD_TEMPLATE_TEXT = 256 };

/** Write the template's points for a face of size_px into points, px. */
void gd_template_points(int size_px, float points[GD_N_LANDMARKS][2]);
/** Write the template as text, "gradus-1 x y x y x y x y x y" (fractions of
 * the side), for files that record it. */
void gd_template_text(char out[GD_TEMPLATE_TEXT]);

/**
 * Align one face.
 * @param[in]  landmarks  px of the image, order as in gradus/face.h
 * @param[out] out        (size_px, size_px, 3) uint8
 * Errors: GD_ERR_NUMERIC (landmarks coincide or are not finite)
 */
GD_NODISCARD gd_status gd_face_align(const gd_image *image,
                                     const float (*landmarks)[2], int size_px,
                                     uint8_t *out);

#endif
