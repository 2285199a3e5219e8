/**
 * Looks at a face: squares about it, turned so that it stands upright in them,
 * each also seen as in a mirror.
 *
 * A net that tells landmarks knows upright faces best, as most are; and it is
 * off in another direction in each of several squares that lie a little beside
 * one another, so the mean of what it tells is nearer than any.
 *
 * Source: Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep
 * Convolutional Neural Networks" (NIPS 2012), section 4.1: the mean over five
 * crops and their mirror images; there of classes, and of crops not turned.
 */
#ifndef GRADUS_LOOKS_H
#define GRADUS_LOOKS_H

#include "face/boxes.h"

enum { GD_N_LOOKS = 5 };
enum { GD_LOOK_PX = 48 /* side of a look's crop */ };

/** A square, about its centre turned by `roll` from its x to its y axis. */
typedef struct {
  double x, y, side; /**< px */
  double roll;       /**< radians */
} gd_look;

/** Return the square as long as the longer side of a box, about its centre, in
 * which eyes and mouth of its landmarks are level. */
gd_look gd_look_at(const gd_box *face);
/** Tell whether a look can be taken: it is finite, and neither tiny nor far
 * larger than any image, which damaged weights may tell of. */
int gd_look_is_sane(gd_look look);
/** Return one of GD_N_LOOKS squares: this one, and four that are moved to its
 * corners by 3 % of its side and are 4 % smaller or larger. */
gd_look gd_look_beside(gd_look look, int k);

/**
 * Take a look's crop, as nets are fed.
 * @param[out] crop  (GD_LOOK_PX, GD_LOOK_PX, 3): (pixel - offset) * factor
 */
void gd_look_take(gd_look look, const gd_image *image, float offset,
                  float factor, float *crop);
/** Mirror a crop, left to right. @param[out] to  like `from`, not the same */
void gd_look_mirror(const float *from, float *to);

/**
 * Add to a sum what was told of a look: corners of the face's box as if it were
 * not turned about its centre, and landmarks; all px of the image.
 * @param[in]     offset    of the box's corners: x1, y1, x2, y2, in sides
 * @param[in]     points    x1 .. x5, y1 .. y5, in sides from the look's corner
 * @param[in]     mirrored  of its mirror image: left and right are the other's
 */
void gd_look_add(gd_look look, const float offset[4], const float *points,
                 int mirrored, gd_box *sum);
/** Say what would have to be told of a look for that to be this face. */
void gd_look_want(gd_look look, const gd_box *face, float offset[4],
                  float points[2 * GD_N_LANDMARKS]);

#endif
