/**
 * The picture: a head with its hair and clothes in a room.
 *
 *   portrait.c   room, body, skin, glasses, and the order of all parts
 *   features.c   eyes, brows, nose, mouth
 *   hair.c       hair behind and before the head, beard
 */
#ifndef GRADUS_SYNTH_PORTRAIT_H
#define GRADUS_SYNTH_PORTRAIT_H

#include "head.h"

/**
 * Draw a person in a room over the whole page.
 * @param[out] points  (68, 2) landmarks in pixels of the page
 */
void gd_portrait_draw(gd_canvas *c, const gd_look *look, const gd_room *room,
                      const gd_pose *pose, double points[GD_SYNTH_POINTS][2]);

/** Draw a room over the whole page. */
void gd_room_draw(gd_canvas *c, const gd_room *room);

typedef enum {
  GD_PERSON_WHOLE,
  GD_PERSON_HEAD,    /**< without neck and clothes */
  GD_PERSON_FACELESS /**< a doll: skin where the face would be */
} gd_person_parts;

/**
 * Draw a person, in head units: the origin of the coordinates in force is
 * between the eyes of a head that sits straight.
 * @param[out] points  (68, 2) landmarks in pixels of the page
 */
void gd_person_draw(gd_canvas *c, const gd_look *look, const gd_room *room,
                    const gd_pose *pose, gd_person_parts parts,
                    double points[GD_SYNTH_POINTS][2]);

/* The parts, in head units, with the head's transform in force. */
void gd_draw_eyes(gd_canvas *c, const gd_head *h);
void gd_draw_brows(gd_canvas *c, const gd_head *h);
void gd_draw_nose(gd_canvas *c, const gd_head *h, double light_x);
void gd_draw_mouth(gd_canvas *c, const gd_head *h);
void gd_draw_hair_behind(gd_canvas *c, const gd_head *h);
void gd_draw_hair(gd_canvas *c, const gd_head *h, double light_x);
void gd_draw_beard(gd_canvas *c, const gd_head *h);

#endif
