/**
 * Alignment: from a face found in a frame to an upright face of fixed size.
 *
 *   similarity   a similarity takes the five landmarks nearest to a template
 *                (least squares), and the face is sampled through it
 *   crop         the square about the centre of the face's box, `margin` times
 *                its longer side, scaled: how the faces of VGGFace2 were cut
 *                (margin 1.3), for weights that were trained on such
 *
 * Shards and models record the alignment as text, and training, evaluation and
 * prediction use the same code.  Both are stated as fractions of the output's
 * side, so they are one for all sizes.
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

enum { GD_ALIGNMENT_TEXT = 256 };

typedef enum { GD_ALIGN_SIMILARITY, GD_ALIGN_CROP } gd_alignment_mode;

typedef struct {
  gd_alignment_mode mode;
  double margin; /**< crop: side in sides of the box, 0.5 .. 4 */
} gd_alignment;

/** Find a mode by its name: similarity, crop. Errors: GD_ERR_USAGE */
GD_NODISCARD gd_status gd_alignment_mode_of(const char *name,
                                            gd_alignment_mode *out);
/**
 * Write an alignment as text, for files that record it: "gradus-1 x y x y x y
 * x y x y" (template, fractions of the side), or "crop 1.3".
 */
void gd_alignment_text(const gd_alignment *a, char out[GD_ALIGNMENT_TEXT]);

/** Write the template's points for a face of size_px into points, px. */
void gd_template_points(int size_px, float points[GD_N_LANDMARKS][2]);
/** Return the face that aligns to the centred square of a frame; its landmarks
 * are the template's. */
gd_face gd_alignment_centred(const gd_alignment *a, int width_px,
                             int height_px);

/**
 * Align one face.  Where the face is made smaller, its pixels are means of the
 * areas that they cover: see gd_image_warp().
 * @param[in]  face  box and landmarks, px of the image
 * @param[out] out   (size_px, size_px, 3) uint8
 * Errors: GD_ERR_NUMERIC (landmarks coincide, the box is empty, or they are not
 *         finite)
 * Source: crop: Cao, Shen, Xie, Parkhi, Zisserman, "VGGFace2: A Dataset for
 *         Recognising Faces across Pose and Age", 2018, section IV: the box is
 *         extended by a factor of 0.3
 */
GD_NODISCARD gd_status gd_face_align(const gd_image *image,
                                     const gd_alignment *a, const gd_face *face,
                                     int size_px, uint8_t *out);

#endif
