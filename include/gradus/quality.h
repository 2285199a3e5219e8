/**
 * The quality of faces: numbers that tell which videos to look at.
 *
 *   tilt       of the line between the eyes, degrees; positive: the head leans
 *              to image right
 *   profile    the nose tip lies beyond an eye, along the line between them:
 *              the head is turned by about 45 degrees or more
 *   partial    the box reaches out of the frame
 *   sharpness  of the aligned face: variance of the Laplacian (four neighbours)
 *              of its grey values.  Falls when the face is out of focus, moves,
 *              or was small and had to be enlarged; compare it for one size
 *   jitter     mean movement of the five landmarks between two neighbouring
 *              frames, in distances between the eyes
 *
 * Source: sharpness: Pech-Pacheco, Cristobal, Chamorro-Martinez,
 *         Fernandez-Valdivia, "Diatom autofocusing in brightfield microscopy",
 *         ICPR 2000
 */
#ifndef GRADUS_QUALITY_H
#define GRADUS_QUALITY_H

#include <stdint.h>

#include "gradus/face.h"
#include "gradus/faces.h"
#include "gradus/text.h"

double gd_face_tilt_deg(const float (*landmarks)[2]);
int gd_face_is_profile(const float (*landmarks)[2]);
int gd_face_is_partial(const float box[4], int width_px, int height_px);
/** @param[in] rgb  (size_px, size_px, 3) uint8; 0 below 3 px */
float gd_face_sharpness(const uint8_t *rgb, int size_px);
/** Landmarks of a face and of the next; 0 where the eyes coincide. */
double gd_face_jitter(const float (*before)[2], const float (*after)[2]);

/** Sums over the frames of one video; starts as {0}. */
typedef struct {
  int64_t n[GD_N_FACE_STATUS];
  int64_t n_several, n_profile, n_partial;
  /* Of faces that were detected; tilts without their sign. */
  double confidence, size_px, sharpness, tilt_deg;
  int64_t n_pairs; /**< of neighbouring frames, both with a detected face */
  double jitter;
} gd_quality;

/**
 * Add a face.
 * @param[in] before  of the frame before; NULL: that has none
 */
void gd_quality_add(gd_quality *q, const gd_face_info *info,
                    const gd_face_info *before);
/** The columns of gd_quality_row(). */
extern const char gd_quality_header[];
/** Append a video's counts and means, separated by commas; a mean of nothing is
 * empty. */
void gd_quality_row(const gd_quality *q, gd_text *out);

#endif
