#include "portrait.h"

#include <math.h>

/* Head units on a page: the head is about 3 units high and takes two thirds
 * of the page's height. */
static const double UNIT_OF_HEIGHT = 0.215;

static void rectangle(gd_canvas *c, double x, double y, double width,
                      double height, gd_colour colour)
{
  gd_canvas_path(c);
  gd_canvas_rectangle(c, x, y, width, height);
  gd_canvas_fill(c, gd_paint_flat(colour));
}

/* Things behind the person, in a page of height 1 and width w, a little out of
 * focus: low contrast, edges drawn twice. */
static void draw_things(gd_canvas *c, const gd_room *room, double w)
{
  const double x = room->thing_x * w;
  const gd_colour dark =
      gd_colour_mix(room->wall, gd_colour_hex(0x14100e), 0.4);
  switch (room->kind) {
  case GD_ROOM_WINDOW: {
    gd_paint sky = gd_paint_linear(0.0, 0.0, 0.0, 0.6);
    gd_paint_stop(&sky, 0.0, gd_colour_hex(0xdfe8ee));
    gd_paint_stop(&sky, 1.0, gd_colour_hex(0xb4c3c4));
    gd_canvas_path(c);
    gd_canvas_rectangle(c, x - 0.3, 0.04, 0.6, 0.6);
    gd_canvas_fill(c, sky);
    gd_canvas_stroke(
        c, (gd_stroke){.width = 0.03},
        gd_paint_flat(gd_colour_mix(room->wall, gd_colour_hex(0xffffff), 0.5)));
    rectangle(c, x - 0.012, 0.04, 0.024, 0.6,
              gd_colour_mix(room->wall, gd_colour_hex(0xffffff), 0.4));
    break;
  }
  case GD_ROOM_SHELF:
    rectangle(c, x - 0.5, 0.0, 1.0, 0.66, dark);
    for (int row = 0; row < 2; row++) {
      gd_random r = {.start = gd_random_mix((uint64_t)(room->thing_x * 1e9) +
                                            (uint64_t)row)};
      double at = x - 0.47;
      while (at < x + 0.43) {
        const double width = gd_random_between(&r, 0.03, 0.07);
        const double high = gd_random_between(&r, 0.18, 0.26);
        const double darkness = gd_random_between(&r, 0.1, 0.6);
        const gd_colour paper = gd_colour_mix(
            room->thing, gd_colour_hex(0xb8a080), gd_random_uniform(&r));
        const gd_colour cover = gd_colour_mix(paper, dark, darkness);
        rectangle(c, at, 0.31 * (row + 1) - high, width - 0.006, high, cover);
        at += width;
      }
    }
    break;
  case GD_ROOM_PICTURE:
    rectangle(c, x - 0.2, 0.08, 0.4, 0.3, dark);
    rectangle(c, x - 0.18, 0.1, 0.36, 0.26,
              gd_colour_mix(room->thing, gd_colour_hex(0xe8e0d0), 0.45));
    gd_canvas_path(c);
    gd_canvas_ellipse(c, x - 0.04, 0.27, 0.11, 0.07);
    gd_canvas_fill(c, gd_paint_flat(gd_colour_fade(room->thing, 0.7)));
    break;
  default:
    break;
  }
}

void gd_room_draw(gd_canvas *c, const gd_room *room)
{
  const double high = gd_canvas_height(c), w = gd_canvas_width(c) / high;
  gd_canvas_begin(c);
  gd_canvas_scale(c, high, high);
  gd_canvas_cover(c, gd_paint_flat(room->wall));
  draw_things(c, room, w);
  /* The lamp lights one side of the wall more. */
  const double from = room->light_x > 0.0 ? w : 0.0;
  gd_paint lamp = gd_paint_radial(from, 0.2, 0.0, 1.5 * w);
  gd_paint_stop(&lamp, 0.0, gd_colour_fade(gd_colour_hex(0xfff6e4), 0.28));
  gd_paint_stop(&lamp, 0.45, gd_colour_fade(room->floor, 0.10));
  gd_paint_stop(&lamp, 1.0, gd_colour_fade(room->floor, 0.75));
  gd_canvas_cover(c, lamp);
  gd_canvas_end(c);
}

/* Neck, shoulders and clothes.  They follow the lean, not the head, so nothing
 * of the level is in them; only the neck's top hides behind the chin. */
static void draw_body(gd_canvas *c, const gd_look *look, const gd_room *room)
{
  const double s = look->shoulder, n = look->neck_width;
  const double torso[22] = {-s,       4.2,  -s,        2.95, -0.85 * s, 2.5,
                            -1.0,     2.22, -n - 0.05, 2.02, 0.0,       2.25,
                            n + 0.05, 2.02, 1.0,       2.22, 0.85 * s,  2.5,
                            s,        2.95, s,         4.2};
  gd_paint cloth =
      gd_paint_linear(s * room->light_x, 2.0, -s * room->light_x - 0.1, 3.6);
  gd_paint_stop(&cloth, 0.0, gd_colour_mix(room->cloth, look->light, 0.1));
  gd_paint_stop(&cloth, 0.5, room->cloth);
  gd_paint_stop(&cloth, 1.0, room->cloth_dark);

  const double neck[16] = {-n,    0.9,  -n,   1.6,  -n - 0.06, 2.0,
                           -0.35, 2.42, 0.35, 2.42, n + 0.06,  2.0,
                           n,     1.6,  n,    0.9};
  gd_paint skin = gd_paint_linear(0.0, 1.3, 0.0, 2.4);
  const gd_colour deep =
      gd_colour_mix(look->shade, gd_colour_hex(0x1c0c06), 0.35);
  gd_paint_stop(&skin, 0.0, deep);
  gd_paint_stop(&skin, 0.3, gd_colour_mix(deep, look->shade, 0.5));
  gd_paint_stop(&skin, 0.65, gd_colour_mix(look->skin, look->shade, 0.75));
  gd_paint_stop(&skin, 1.0, gd_colour_mix(look->skin, look->shade, 0.35));

  if (room->top == GD_TOP_HOOD) {
    gd_canvas_path(c);
    gd_canvas_ellipse(c, 0.0, 2.0, n + 0.4, 0.42);
    gd_canvas_fill(c, gd_paint_flat(room->cloth_dark));
  }
  gd_canvas_path(c);
  gd_canvas_smooth(c, 11, torso, 1);
  gd_canvas_fill(c, cloth);
  gd_canvas_path(c);
  gd_canvas_smooth(c, 8, neck, 1);
  if (room->top == GD_TOP_V || room->top == GD_TOP_COLLAR) {
    gd_canvas_move(c, -n - 0.1, 2.04);
    gd_canvas_line(c, 0.0, room->top == GD_TOP_V ? 3.1 : 2.75);
    gd_canvas_line(c, n + 0.1, 2.04);
    gd_canvas_close(c);
  }
  gd_canvas_fill(c, skin);

  const gd_paint dark = gd_paint_flat(room->cloth_dark);
  if (room->top == GD_TOP_ROUND) {
    const double collar[10] = {-n - 0.1, 1.98, -0.4, 2.36,    0.0,
                               2.47,     0.4,  2.36, n + 0.1, 1.98};
    gd_canvas_path(c);
    gd_canvas_smooth(c, 5, collar, 0);
    gd_canvas_stroke(c, (gd_stroke){.width = 0.12, .round = 1}, dark);
  } else if (room->top == GD_TOP_COLLAR) {
    for (int side = -1; side <= 1; side += 2) {
      gd_canvas_path(c);
      gd_canvas_move(c, side * (n + 0.02), 1.86);
      gd_canvas_line(c, side * (n + 0.3), 2.2);
      gd_canvas_line(c, side * 0.42, 2.85);
      gd_canvas_line(c, side * 0.02, 2.72);
      gd_canvas_close(c);
      gd_canvas_fill(c, gd_paint_flat(gd_colour_mix(
                            room->cloth, gd_colour_hex(0xffffff), 0.18)));
      gd_canvas_stroke(c, (gd_stroke){.width = 0.035, .round = 1}, dark);
    }
  } else if (room->top == GD_TOP_HOOD) {
    const double rim[10] = {-n - 0.3, 1.9, -0.6, 2.5,     0.0,
                            2.66,     0.6, 2.5,  n + 0.3, 1.9};
    gd_canvas_path(c);
    gd_canvas_smooth(c, 5, rim, 0);
    gd_canvas_stroke(c, (gd_stroke){.width = 0.22, .round = 1}, dark);
    gd_canvas_stroke(c, (gd_stroke){.width = 0.15, .round = 1},
                     gd_paint_flat(room->cloth));
    for (int side = -1; side <= 1; side += 2) {
      gd_canvas_path(c);
      gd_canvas_move(c, side * 0.22, 2.72);
      gd_canvas_line(c, side * 0.26, 3.3);
      gd_canvas_stroke(c, (gd_stroke){.width = 0.05, .round = 1},
                       gd_paint_flat(gd_colour_hex(0xd8d4ca)));
    }
  }
  for (int side = -1; side <= 1; side += 2) {
    gd_canvas_path(c);
    gd_canvas_move(c, side * 1.25, 2.55);
    gd_canvas_curve(c, side * 1.2, 2.9, side * 1.1, 3.2, side * 1.15, 3.6);
    gd_canvas_stroke(c, (gd_stroke){.width = 0.05, .round = 1},
                     gd_paint_flat(gd_colour_fade(room->cloth_dark, 0.6)));
  }
}

static void draw_ears(gd_canvas *c, const gd_head *h)
{
  const gd_look *look = h->look;
  for (int side = -1; side <= 1; side += 2) {
    const gd_spot at = gd_head_in(h, side * 1.02 * look->width, 0.16, -0.1);
    const double wide = 0.45 * look->ear_size, high = look->ear_size;
    gd_canvas_path(c);
    gd_canvas_ellipse(c, at.x, at.y, wide + 0.04, high + 0.06);
    gd_canvas_fill(c,
                   gd_paint_flat(gd_colour_mix(look->skin, look->shade, 0.4)));
    gd_canvas_path(c);
    gd_canvas_ellipse(c, at.x + 0.01 * side, at.y, 0.55 * wide, 0.65 * high);
    gd_canvas_stroke(c, (gd_stroke){.width = 0.035, .round = 1},
                     gd_paint_flat(gd_colour_fade(look->shade, 0.8)));
  }
}

/* Light or shade around a spot that fades before the face's edge. */
static void veil(gd_canvas *c, gd_spot at, double radius, gd_colour colour)
{
  gd_paint p = gd_paint_radial(at.x, at.y, 0.0, radius);
  gd_paint_stop(&p, 0.0, colour);
  gd_paint_stop(&p, 0.5, gd_colour_fade(colour, 0.6));
  gd_paint_stop(&p, 1.0, gd_colour_fade(colour, 0.0));
  gd_canvas_path(c);
  gd_canvas_ellipse(c, at.x, at.y, radius, radius);
  gd_canvas_fill(c, p);
}

/* The skin, light from one side: base colour, turning away into shade at the
 * edges, light on brow, cheekbones and chin, some red in the cheeks. */
static void draw_skin(gd_canvas *c, const gd_head *h, const gd_room *room)
{
  const gd_look *look = h->look;
  const double lx = room->light_x, depth = room->contrast;
  gd_paint edge = gd_paint_radial(0.25 * lx, -0.15, 0.5, 1.8);
  gd_paint_stop(&edge, 0.0, gd_colour_fade(look->shade, 0.0));
  gd_paint_stop(&edge, 0.35, gd_colour_fade(look->shade, 0.4 * depth));
  gd_paint_stop(&edge, 0.8, gd_colour_fade(look->shade, 0.75));
  gd_paint_stop(&edge, 1.0, gd_colour_fade(look->shade, 1.0));
  gd_paint side = gd_paint_linear(lx > 0.0 ? -1.05 : 1.05, 0.0,
                                  lx > 0.0 ? 0.65 : -0.65, -0.15);
  gd_paint_stop(&side, 0.0,
                gd_colour_fade(look->shade, 1.5 * depth * fabs(lx)));
  gd_paint_stop(&side, 0.5,
                gd_colour_fade(look->shade, 0.5 * depth * fabs(lx)));
  gd_paint_stop(&side, 1.0, gd_colour_fade(look->shade, 0.0));
  gd_canvas_path(c);
  gd_head_outline(h, c);
  gd_canvas_fill(c, gd_paint_flat(look->skin));
  gd_canvas_fill(c, edge);
  gd_canvas_fill(c, side);
  gd_canvas_stroke(c, (gd_stroke){.width = 0.04},
                   gd_paint_flat(gd_colour_fade(look->shade, 0.4)));

  const gd_colour shine = gd_colour_fade(look->light, 0.35 + 0.3 * depth);
  const gd_colour blush = gd_colour_fade(
      gd_colour_mix(look->skin, gd_colour_hex(0xb84a40), 0.5), 0.30);
  veil(c, gd_head_at(h, 0.25 * lx, -0.72, 0.0), 0.6, shine);
  for (int s = -1; s <= 1; s += 2) {
    veil(c, gd_head_at(h, s * 0.58, 0.55, 0.0), 0.38, blush);
    veil(c, gd_head_at(h, s * 0.53 + 0.05 * lx, 0.36, 0.0), 0.34,
         gd_colour_fade(shine, s * lx > 0.0 ? 0.95 : 0.45));
  }
  veil(c, gd_head_at(h, 0.05 * lx, look->chin_y - 0.2, 0.0), 0.22,
       gd_colour_fade(shine, 0.6));
}

/* What the hair throws onto the forehead. */
static void draw_hair_shadow(gd_canvas *c, const gd_head *h)
{
  if (h->look->hair == GD_HAIR_BALD)
    return;
  const double line = h->look->hair == GD_HAIR_FRINGE ? -0.42 : -0.78;
  gd_paint p = gd_paint_linear(0.0, line - 0.25, 0.0, line + 0.22);
  gd_paint_stop(&p, 0.0, gd_colour_fade(h->look->shade, 0.75));
  gd_paint_stop(&p, 1.0, gd_colour_fade(h->look->shade, 0.0));
  gd_canvas_path(c);
  gd_head_outline(h, c);
  gd_canvas_fill(c, p);
}

static void draw_glasses(gd_canvas *c, const gd_head *h)
{
  const gd_look *look = h->look;
  if (look->glasses == GD_GLASSES_NONE)
    return;
  const int is_round = look->glasses == GD_GLASSES_ROUND;
  const double wide = is_round ? 0.32 : 0.36, high = is_round ? 0.31 : 0.24;
  const gd_paint frame =
      gd_paint_flat(gd_colour_fade(look->frame_colour, 0.92));
  const gd_stroke rim = {.width = 0.048, .round = 1};
  for (int s = -1; s <= 1; s += 2) {
    const double x = s * (look->eye_x + 0.01), y = 0.05;
    const double corner = is_round ? 0.7071 : 0.88;
    const double lens[16] = {
        x - wide, y,        x - corner * wide, y - corner * high,
        x,        y - high, x + corner * wide, y - corner * high,
        x + wide, y,        x + corner * wide, y + corner * high,
        x,        y + high, x - corner * wide, y + corner * high};
    gd_canvas_path(c);
    gd_head_curve(h, c, 8, lens, 0.18, 1);
    gd_canvas_fill(
        c, gd_paint_flat(gd_colour_fade(gd_colour_hex(0xe8f0ff), 0.08)));
    gd_canvas_stroke(c, rim, frame);
    const gd_spot hinge = gd_head_at(h, s * (look->eye_x + wide), 0.0, 0.18);
    const gd_spot ear = gd_head_in(h, s * 1.03 * look->width, 0.02, 0.0);
    gd_canvas_path(c);
    gd_canvas_move(c, hinge.x, hinge.y);
    gd_canvas_line(c, ear.x, ear.y);
    gd_canvas_stroke(c, rim, frame);
  }
  const double inner = look->eye_x - wide;
  const double bridge[6] = {-inner, 0.0, 0.0, -0.05, inner, 0.0};
  gd_canvas_path(c);
  gd_head_curve(h, c, 3, bridge, 0.2, 0);
  gd_canvas_stroke(c, rim, frame);
}

/* The head turns about the neck. */
static void begin_head(gd_canvas *c, const gd_pose *pose)
{
  gd_canvas_begin(c);
  gd_canvas_translate(c, pose->x, pose->y + 1.2);
  gd_canvas_rotate(c, pose->roll);
  gd_canvas_scale(c, pose->scale, pose->scale);
  gd_canvas_translate(c, 0.0, -1.2);
}

void gd_person_draw(gd_canvas *c, const gd_look *look, const gd_room *room,
                    const gd_pose *pose, gd_person_parts parts,
                    double points[GD_SYNTH_POINTS][2])
{
  gd_head head;
  gd_head_turn(look, pose, &head);

  begin_head(c, pose);
  gd_draw_hair_behind(c, &head);
  gd_canvas_end(c);

  if (parts != GD_PERSON_HEAD) {
    gd_canvas_begin(c);
    gd_canvas_translate(c, pose->lean, 0.0);
    draw_body(c, look, room);
    gd_canvas_end(c);
  }

  begin_head(c, pose);
  draw_ears(c, &head);
  draw_skin(c, &head, room);
  draw_hair_shadow(c, &head);
  if (parts != GD_PERSON_FACELESS) {
    gd_draw_beard(c, &head);
    gd_draw_nose(c, &head, room->light_x);
    gd_draw_eyes(c, &head);
    gd_draw_brows(c, &head);
    gd_draw_mouth(c, &head);
  }
  gd_draw_hair(c, &head, room->light_x);
  if (parts != GD_PERSON_FACELESS)
    draw_glasses(c, &head);
  for (int i = 0; i < GD_SYNTH_POINTS; i++) {
    points[i][0] = head.point[i].x;
    points[i][1] = head.point[i].y;
    gd_canvas_locate(c, &points[i][0], &points[i][1]);
  }
  gd_canvas_end(c);
}

void gd_portrait_draw(gd_canvas *c, const gd_look *look, const gd_room *room,
                      const gd_pose *pose, double points[GD_SYNTH_POINTS][2])
{
  const double unit = UNIT_OF_HEIGHT * gd_canvas_height(c);
  const double x0 = 0.5 * gd_canvas_width(c), y0 = 0.47 * gd_canvas_height(c);

  gd_room_draw(c, room);
  gd_canvas_begin(c);
  gd_canvas_translate(c, x0, y0);
  gd_canvas_scale(c, unit, unit);
  gd_person_draw(c, look, room, pose, GD_PERSON_WHOLE, points);
  gd_canvas_end(c);
}
