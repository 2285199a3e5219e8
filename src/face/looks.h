/**
 * Several looks at a face: crops a little beside one another, each also as in a
 * mirror.  A net is off in another direction in each of them; the mean of what
 * it tells of landmarks is nearer than any.
 *
 * Source: Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep
 * Convolutional Neural Networks" (NIPS 2012), section 4.1: the mean over five
 * crops and their mirror images; there of classes.
 */
#ifndef GRADUS_LOOKS_H
#define GRADUS_LOOKS_H

#include "face/boxes.h"

enum { GD_N_LOOKS = 5 };

/** Return square k of the squares about a box: itself, and four that are moved
 * to the corners by a twentieth of its side and are a bit smaller or larger. */
gd_box gd_look_at(const gd_box *box, int k);

/** Mirror a crop, left to right. @param[out] to  (side, side, 3), as `from` */
void gd_look_mirror(int side, const float *from, float *to);

/**
 * Add landmarks that were told of the pixels of a window to a sum.
 * @param[in]     points    x1 .. x5, y1 .. y5, in sides of the window
 * @param[in]     mirrored  of its mirror image: left and right are the other's
 * @param[in,out] sum       px of the image
 */
void gd_look_add(const float *points, gd_window window, int mirrored,
                 float sum[GD_N_LANDMARKS][2]);

#endif
