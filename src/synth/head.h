/**
 * The head as a shape: where each point of the face lies on the page.
 *
 * The face is a part of an ellipsoid, turned by yaw and pitch and seen from far
 * away.  Roll, shift and scale are left to the canvas.  What is drawn passes
 * through the 68 landmarks, so they are exact.
 */
#ifndef GRADUS_SYNTH_HEAD_H
#define GRADUS_SYNTH_HEAD_H

#include "gradus/synth.h"
#include "look.h"
#include "pose.h"

typedef struct {
  double x, y;
} gd_spot;

typedef struct {
  const gd_look *look;
  const gd_pose *pose;
  double sin_yaw, cos_yaw, sin_pitch, cos_pitch;
  gd_spot point[GD_SYNTH_POINTS]; /**< numbered as in iBUG 300-W */
} gd_head;

/** Turn the head. @param[in] look, pose  kept as long as the head is used */
void gd_head_turn(const gd_look *look, const gd_pose *pose, gd_head *out);

/** Return where the point (x, y) of the face is seen, lifted off its surface.
 */
gd_spot gd_head_at(const gd_head *h, double x, double y, double lift);
/** Return where a point at depth z is seen; 0 is the plane of the ears. */
gd_spot gd_head_in(const gd_head *h, double x, double y, double z);
/** Add a smooth curve through face points xy (n, 2) to the canvas's path. */
void gd_head_curve(const gd_head *h, gd_canvas *c, int n, const double *xy,
                   double lift, int closed);
/** Add a smooth curve through spots to the canvas's path. */
void gd_head_spots(gd_canvas *c, int n, const gd_spot *spots, int closed);
/** Add the outline of face and skull, a closed path. */
void gd_head_outline(const gd_head *h, gd_canvas *c);

#endif
