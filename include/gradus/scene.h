/**
 * Scenes: single drawn pictures with zero to several faces whose boxes and
 * landmarks are exact, to train and to judge a detector by.
 *
 * Persons, rooms and light are the drawn corpus's (gradus/synth.h), but of
 * other subjects, and what varies, varies strongly:
 *
 *   size        box from 12 px to nearly the whole picture, as many of each
 *               octave
 *   pose        yaw to 35, pitch to 20, roll to 28 degrees; any expression
 *   occlusion   bars and hands over a face, cuts by the border
 *   light       a second lamp, shadow over a part, exposure, contrast, tint,
 *               grey
 *   camera      noise, blur, JPEG
 *   background  rooms, clutter, and decoys, which look like a face and are
 *               none: dolls without features, balls, wheels, dots, skin
 *
 * A scene is a pure function of (seed, index), on one machine's libraries.
 */
#ifndef GRADUS_SCENE_H
#define GRADUS_SCENE_H

#include <stdint.h>

#include "gradus/labelled_image.h"

/**
 * Draw a scene.
 * @param[out] out  ends with gd_image_free(&out->image); empty on failure
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_scene_draw(uint64_t seed, int64_t index,
                                     gd_labelled_image *out);

#endif
