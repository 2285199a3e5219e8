/**
 * What moves: where the head is, and what the face does, at one moment.
 *
 * The level enters here and nowhere else.
 */
#ifndef GRADUS_SYNTH_POSE_H
#define GRADUS_SYNTH_POSE_H

#include <stdint.h>

#include "look.h"

typedef struct {
  double x, y;             /**< shift of the head, units of the head */
  double scale;            /**< about 1 */
  double yaw, pitch, roll; /**< radians; yaw right, pitch down, roll clockwise
                            * on the page */
  double lean;             /**< of the shoulders, sideways; no level in it */
  double lids;             /**< opening of the eyes: 0 closed .. about 1.1 */
  double gaze_x, gaze_y;   /**< of the irises, -1 .. 1 */
  double brows;            /**< 0 relaxed .. 1 inner ends high and close */
  double corners;          /**< of the mouth: 1 up .. -1 down */
  double mouth;            /**< opening, 0 .. 1 */
} gd_pose;

/**
 * Return the pose of a video at a time.
 * @param[in] video  names the stream of its motion
 * @param[in] sad    the level's share of the scale, 0 .. 1
 */
gd_pose gd_pose_of(uint64_t seed, int64_t video, const gd_look *look,
                   double sad, double time_s);

#endif
