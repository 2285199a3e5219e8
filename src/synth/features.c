#include "portrait.h"

#include <math.h>

/* A soft spot of colour that fades to nothing at its radius. */
static void soft_spot(gd_canvas *c, gd_spot at, double radius, double flatten,
                      gd_colour colour)
{
  gd_paint p = gd_paint_radial(0.0, 0.0, 0.0, radius);
  gd_paint_stop(&p, 0.0, colour);
  gd_paint_stop(&p, 0.55, gd_colour_fade(colour, 0.55));
  gd_paint_stop(&p, 1.0, gd_colour_fade(colour, 0.0));
  gd_canvas_begin(c);
  gd_canvas_translate(c, at.x, at.y);
  gd_canvas_scale(c, 1.0, flatten);
  gd_canvas_path(c);
  gd_canvas_ellipse(c, 0.0, 0.0, radius, radius);
  gd_canvas_fill(c, p);
  gd_canvas_end(c);
}

static void line(gd_canvas *c, double width, gd_colour colour)
{
  gd_canvas_stroke(c, (gd_stroke){.width = width, .round = 1},
                   gd_paint_flat(colour));
}

/* What is between the lids: white, iris, pupil, highlight, the lid's shadow. */
static void draw_eyeball(gd_canvas *c, const gd_head *h, gd_spot middle)
{
  const double size = h->look->eye_size;
  const double radius = 0.47 * size;
  const double x = middle.x + 0.45 * size * h->pose->gaze_x;
  const double y = middle.y + 0.3 * size * h->pose->gaze_y;
  const gd_colour dark = gd_colour_hex(0x140c08);
  gd_canvas_cover(c, gd_paint_flat(gd_colour_mix(gd_colour_hex(0xefe9e2),
                                                 h->look->shade, 0.12)));
  gd_paint iris = gd_paint_radial(x, y, 0.0, radius);
  gd_paint_stop(&iris, 0.0, gd_colour_mix(h->look->iris, dark, 0.2));
  gd_paint_stop(&iris, 0.75, h->look->iris);
  gd_paint_stop(&iris, 1.0, gd_colour_mix(h->look->iris, dark, 0.75));
  gd_canvas_path(c);
  gd_canvas_ellipse(c, x, y, radius, radius);
  gd_canvas_fill(c, iris);
  gd_canvas_path(c);
  gd_canvas_ellipse(c, x, y, 0.42 * radius, 0.42 * radius);
  gd_canvas_fill(c, gd_paint_flat(dark));
  gd_canvas_path(c);
  gd_canvas_ellipse(c, x - 0.3 * radius, y - 0.38 * radius, 0.22 * radius,
                    0.22 * radius);
  gd_canvas_fill(c,
                 gd_paint_flat(gd_colour_fade(gd_colour_hex(0xffffff), 0.9)));
  gd_paint shadow =
      gd_paint_linear(0.0, middle.y - 0.5 * size, 0.0, middle.y + 0.25 * size);
  gd_paint_stop(&shadow, 0.0, gd_colour_fade(dark, 0.55));
  gd_paint_stop(&shadow, 1.0, gd_colour_fade(dark, 0.0));
  gd_canvas_cover(c, shadow);
}

static void draw_eye(gd_canvas *c, const gd_head *h, const gd_spot p[6],
                     double side)
{
  const gd_look *look = h->look;
  const gd_colour lash = gd_colour_hex(0x1c110c);
  const gd_spot middle = gd_head_at(h, side * look->eye_x, 0.0, 0.0);

  gd_canvas_begin(c);
  gd_canvas_path(c);
  gd_head_spots(c, 6, p, 1);
  gd_canvas_clip(c);
  draw_eyeball(c, h, middle);
  gd_canvas_end(c);

  /* Lower lid, then the heavy line of the upper one with its lashes. */
  const gd_spot lower[4] = {p[3], p[4], p[5], p[0]};
  gd_canvas_path(c);
  gd_head_spots(c, 4, lower, 0);
  line(c, 0.022, gd_colour_fade(look->shade, 0.75));
  gd_canvas_path(c);
  gd_head_spots(c, 4, p, 0);
  line(c, 0.05, gd_colour_fade(lash, 0.85));

  /* The crease stays where the lid folds when the lid comes down. */
  const double fold = -0.78 * look->eye_size;
  const double crease[6] = {side * (look->eye_x - 0.8 * look->eye_size),
                            0.55 * fold,
                            side * look->eye_x,
                            fold,
                            side * (look->eye_x + 0.9 * look->eye_size),
                            0.5 * fold};
  gd_canvas_path(c);
  gd_head_curve(h, c, 3, crease, 0.0, 0);
  line(c, 0.028, gd_colour_fade(look->shade, 0.7));

  const double bag[6] = {side * (look->eye_x - 0.7 * look->eye_size),
                         0.55 * look->eye_size,
                         side * look->eye_x,
                         0.8 * look->eye_size,
                         side * (look->eye_x + 0.8 * look->eye_size),
                         0.5 * look->eye_size};
  gd_canvas_path(c);
  gd_head_curve(h, c, 3, bag, 0.0, 0);
  line(c, 0.03, gd_colour_fade(look->shade, 0.12 + 0.3 * look->age));
}

void gd_draw_eyes(gd_canvas *c, const gd_head *h)
{
  const gd_colour socket = gd_colour_fade(h->look->shade, 0.55);
  for (int side = -1; side <= 1; side += 2) {
    soft_spot(c, gd_head_at(h, side * (h->look->eye_x - 0.05), -0.1, 0.0), 0.36,
              0.6, socket);
    /* The lid itself catches some light. */
    soft_spot(c, gd_head_at(h, side * h->look->eye_x, -0.04, 0.02),
              0.9 * h->look->eye_size, 0.55,
              gd_colour_fade(h->look->skin, 0.7));
  }
  draw_eye(c, h, h->point + 36, -1.0);
  draw_eye(c, h, h->point + 42, 1.0);
}

/* A brow: a band around its landmarks, thick inside, thin at its outer end.
 * p runs from the outer end to the inner one. */
static void draw_brow(gd_canvas *c, const gd_head *h, const gd_spot p[5])
{
  static const double share[5] = {0.12, 0.34, 0.48, 0.54, 0.42};
  const double thick = h->look->brow_thick;
  gd_spot band[10];
  for (int i = 0; i < 5; i++) {
    band[i] = (gd_spot){p[i].x, p[i].y - share[i] * thick};
    band[9 - i] = (gd_spot){p[i].x, p[i].y + share[i] * thick};
  }
  const gd_colour colour =
      gd_colour_mix(h->look->hair_colour, gd_colour_hex(0x2a1a12), 0.45);
  gd_canvas_path(c);
  gd_head_spots(c, 10, band, 1);
  gd_canvas_fill(c, gd_paint_flat(gd_colour_fade(colour, 0.82)));
  line(c, 0.02, gd_colour_fade(colour, 0.35));
}

void gd_draw_brows(gd_canvas *c, const gd_head *h)
{
  gd_spot right[5];
  for (int i = 0; i < 5; i++)
    right[i] = h->point[26 - i];
  draw_brow(c, h, h->point + 17);
  draw_brow(c, h, right);

  /* Two lines between brows that are drawn together. */
  const double frown = fmax(0.0, fmin(1.0, h->pose->brows));
  for (int side = -1; side <= 1; side += 2) {
    const double fold[6] = {side * 0.09, -0.20,       side * 0.075,
                            -0.30,       side * 0.10, -0.42};
    gd_canvas_path(c);
    gd_head_curve(h, c, 3, fold, 0.05, 0);
    line(c, 0.03, gd_colour_fade(h->look->shade, 0.65 * frown));
  }
  for (int i = 0; i < 3; i++) {
    const double y = -0.56 - 0.12 * i;
    const double crease[10] = {-0.42, y + 0.03, -0.2, y - 0.01, 0.0, y + 0.01,
                               0.2,   y - 0.01, 0.42, y + 0.03};
    gd_canvas_path(c);
    gd_head_curve(h, c, 5, crease, 0.0, 0);
    line(c, 0.022, gd_colour_fade(h->look->shade, 0.30 * h->look->age));
  }
}

void gd_draw_nose(gd_canvas *c, const gd_head *h, double light_x)
{
  const gd_look *look = h->look;
  const double wide = look->nose_width, y = look->nose_y;
  const double dark = light_x > 0.0 ? -1.0 : 1.0; /* the side in shade */

  /* Shade down one side of the bridge, light along its ridge. */
  const double side[12] = {dark * 0.09,       -0.22,    dark * 0.10, 0.1,
                           dark * 0.17,       y - 0.08, dark * wide, y + 0.04,
                           dark * 0.4 * wide, y - 0.02, dark * 0.05, 0.05};
  gd_canvas_path(c);
  gd_head_curve(h, c, 6, side, 0.1, 1);
  gd_canvas_fill(c, gd_paint_flat(gd_colour_fade(look->shade, 0.30)));
  soft_spot(c, gd_head_at(h, -0.02 * dark, 0.45 * y, 0.2), 0.10, 2.6,
            gd_colour_fade(look->light, 0.55));
  soft_spot(c, gd_head_at(h, 0.0, y + 0.16, 0.1), 0.30, 0.40,
            gd_colour_fade(look->shade, 0.6));

  /* The ball and the wings, then the nostrils. */
  soft_spot(c, gd_head_at(h, 0.0, y + 0.01, 0.3), 0.19, 0.85,
            gd_colour_fade(look->skin, 0.9));
  soft_spot(c, gd_head_at(h, -0.03 * dark, y - 0.03, 0.33), 0.10, 0.8,
            gd_colour_fade(look->light, 0.75));
  const gd_colour edge = gd_colour_fade(look->shade, 0.85);
  for (int s = -1; s <= 1; s += 2) {
    const double wing[8] = {s * 0.78 * wide, y - 0.09,        s * 1.02 * wide,
                            y + 0.02,        s * 0.93 * wide, y + 0.09,
                            s * 0.62 * wide, y + 0.1};
    gd_canvas_path(c);
    gd_head_curve(h, c, 4, wing, 0.08, 0);
    line(c, 0.03, edge);
    const gd_spot hole = gd_head_at(h, s * 0.45 * wide, y + 0.085, 0.17);
    gd_canvas_path(c);
    gd_canvas_ellipse(c, hole.x, hole.y, 0.33 * wide, 0.038);
    gd_canvas_fill(
        c, gd_paint_flat(gd_colour_fade(
               gd_colour_mix(look->shade, gd_colour_hex(0x180804), 0.6), 0.9)));
  }
}

/* From the nose's wings past the mouth: deep in old faces and in smiles. */
static void draw_cheek_folds(gd_canvas *c, const gd_head *h)
{
  const gd_look *look = h->look;
  const double up = h->pose->corners;
  for (int side = -1; side <= 1; side += 2) {
    const double wide = look->mouth_width + 0.1 + 0.04 * up;
    const double fold[8] = {side * (look->nose_width + 0.05),
                            look->nose_y + 0.0,
                            side * (look->nose_width + 0.15),
                            look->nose_y + 0.16,
                            side * wide,
                            look->mouth_y - 0.1 * (1.0 + up),
                            side * (wide + 0.02),
                            look->mouth_y + 0.1 - 0.1 * up};
    gd_canvas_path(c);
    gd_head_curve(h, c, 4, fold, 0.0, 0);
    line(c, 0.035,
         gd_colour_fade(look->shade, 0.22 + 0.3 * look->age + 0.12 * fabs(up)));
  }
}

void gd_draw_mouth(gd_canvas *c, const gd_head *h)
{
  const gd_look *look = h->look;
  const gd_spot *p = h->point;
  const double y = look->mouth_y;
  draw_cheek_folds(c, h);
  soft_spot(c, gd_head_at(h, 0.0, y + 0.27 + 0.1 * h->pose->mouth, 0.05), 0.32,
            0.38, gd_colour_fade(look->shade, 0.5));
  soft_spot(c, gd_head_at(h, 0.0, y - 0.2, 0.08), 0.07, 1.6,
            gd_colour_fade(look->shade, 0.3));

  /* Inside: dark, with the upper teeth behind an open mouth. */
  gd_canvas_path(c);
  gd_head_spots(c, 12, p + 48, 1);
  gd_canvas_fill(c, gd_paint_flat(gd_colour_mix(look->lips, look->shade, 0.3)));
  gd_canvas_begin(c);
  gd_canvas_path(c);
  gd_head_spots(c, 8, p + 60, 1);
  gd_canvas_fill(c, gd_paint_flat(gd_colour_hex(0x35110f)));
  gd_canvas_clip(c);
  gd_canvas_path(c);
  gd_canvas_ellipse(c, p[62].x, p[62].y - 0.02, 0.72 * look->mouth_width, 0.06);
  gd_canvas_fill(c, gd_paint_flat(gd_colour_hex(0xd9d2c6)));
  gd_canvas_end(c);

  /* Lips: the upper one lies in shade, the lower one shines. */
  const gd_spot upper[12] = {p[48], p[49], p[50], p[51], p[52], p[53],
                             p[54], p[64], p[63], p[62], p[61], p[60]};
  const gd_spot lower[12] = {p[54], p[55], p[56], p[57], p[58], p[59],
                             p[48], p[60], p[67], p[66], p[65], p[64]};
  gd_canvas_path(c);
  gd_head_spots(c, 12, upper, 1);
  gd_canvas_fill(c,
                 gd_paint_flat(gd_colour_mix(look->lips, look->shade, 0.35)));
  gd_canvas_path(c);
  gd_head_spots(c, 12, lower, 1);
  gd_canvas_fill(c, gd_paint_flat(look->lips));
  const gd_spot shine = {0.5 * (p[57].x + p[66].x), 0.5 * (p[57].y + p[66].y)};
  soft_spot(c, shine, 0.15, 0.3, gd_colour_fade(look->light, 0.5));

  /* The line between them, drawn out into the corners. */
  const gd_spot between[5] = {p[48], p[61], p[62], p[63], p[54]};
  gd_canvas_path(c);
  gd_head_spots(c, 5, between, 0);
  line(c, 0.035, gd_colour_fade(gd_colour_hex(0x3a1512), 0.85));
  for (int i = 48; i <= 54; i += 6)
    soft_spot(c, p[i], 0.07, 1.0, gd_colour_fade(look->shade, 0.75));
}
