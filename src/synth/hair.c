#include "portrait.h"

#include <math.h>

static gd_paint hair_paint(const gd_head *h, double light_x)
{
  const gd_colour base = h->look->hair_colour;
  const gd_colour dark = gd_colour_mix(base, gd_colour_hex(0x080504), 0.45);
  const gd_colour lit = gd_colour_mix(base, gd_colour_hex(0xfff0d8), 0.16);
  const double lean = 0.7 * light_x;
  gd_paint p = gd_paint_linear(lean, -1.7, -lean, 0.6);
  gd_paint_stop(&p, 0.0, base);
  gd_paint_stop(&p, 0.25, lit);
  gd_paint_stop(&p, 0.55, base);
  gd_paint_stop(&p, 1.0, dark);
  return p;
}

void gd_draw_hair_behind(gd_canvas *c, const gd_head *h)
{
  const gd_colour back =
      gd_colour_mix(h->look->hair_colour, gd_colour_hex(0x080504), 0.5);
  const double wide = h->look->width;
  gd_canvas_path(c);
  switch (h->look->hair) {
  case GD_HAIR_LONG:
  case GD_HAIR_FRINGE: {
    const double end = h->look->hair == GD_HAIR_LONG ? 2.15 : 1.25;
    const double out[12][2] = {
        {0.0, -1.6},  {0.8, -1.35},       {1.2, -0.6},      {1.28, 0.3},
        {1.25, end},  {0.75, end + 0.15}, {0.0, end - 0.1}, {-0.75, end + 0.15},
        {-1.25, end}, {-1.28, 0.3},       {-1.2, -0.6},     {-0.8, -1.35}};
    gd_spot spots[12];
    for (int i = 0; i < 12; i++)
      spots[i] = gd_head_in(h, wide * out[i][0], out[i][1], -0.3);
    gd_head_spots(c, 12, spots, 1);
    break;
  }
  case GD_HAIR_BUN: {
    const gd_spot at = gd_head_in(h, 0.0, -1.72, -0.4);
    gd_canvas_ellipse(c, at.x, at.y, 0.4, 0.34);
    break;
  }
  default:
    return;
  }
  gd_canvas_fill(c, gd_paint_flat(back));
}

/* A head of curls: overlapping rings along the crown and above the brow. */
static void draw_curls(gd_canvas *c, const gd_head *h)
{
  gd_random r = {.start = h->look->curls};
  const gd_colour base = h->look->hair_colour;
  for (int i = 0; i < 54; i++) {
    const double along = gd_random_uniform(&r);
    const double angle = 3.34 + 2.75 * along + 0.10 * gd_random_normal(&r);
    const double out = gd_random_between(&r, 0.86, 1.12);
    const double x = h->look->width * 1.02 * out * cos(angle);
    const double y = -0.2 + (0.2 - h->look->top_y) * out * sin(angle);
    const double radius = gd_random_between(&r, 0.14, 0.21);
    const double tone = gd_random_uniform(&r);
    const gd_spot at = gd_head_in(h, x, y, 0.1);
    gd_canvas_path(c);
    gd_canvas_ellipse(c, at.x, at.y, radius, radius);
    gd_canvas_fill(c, gd_paint_flat(gd_colour_mix(
                          base, gd_colour_hex(tone < 0.6 ? 0x060403 : 0xd8b890),
                          tone < 0.6 ? 0.35 * tone : 0.12 * tone)));
    gd_canvas_path(c);
    gd_canvas_arc(c, at.x, at.y, 0.7 * radius, angle - 1.0, angle + 1.2);
    gd_canvas_stroke(
        c, (gd_stroke){.width = 0.03, .round = 1},
        gd_paint_flat(gd_colour_fade(
            gd_colour_mix(base, gd_colour_hex(0xffe8c8), 0.25), 0.5)));
  }
}

/* Where hair meets the face, from the right ear up and over to the left one:
 * how far down it grows at the ear, and the line above the brow. */
typedef struct {
  double ear_y, temple_y, line_y, part_y, thick;
} hairline;

static hairline hairline_of(const gd_look *look)
{
  switch (look->hair) {
  case GD_HAIR_CROPPED:
    return (hairline){-0.02, -0.62, -0.93, -0.93, 0.07};
  case GD_HAIR_SIDE_PART:
    return (hairline){0.0, -0.55, -0.80, -1.02, 0.17};
  case GD_HAIR_CURLS:
    return (hairline){-0.1, -0.60, -0.90, -0.90, 0.10};
  case GD_HAIR_LONG:
    return (hairline){0.55, -0.25, -0.78, -1.1, 0.16};
  case GD_HAIR_FRINGE:
    return (hairline){0.6, -0.30, -0.50, -0.50, 0.17};
  case GD_HAIR_BUN:
    return (hairline){-0.15, -0.66, -0.96, -0.99, 0.08};
  default: /* GD_HAIR_RECEDING */
    return (hairline){-0.02, -0.75, -1.18, -1.12, 0.04};
  }
}

/* The path of the hair on top: over the skull and back along the hairline. */
static void cap_path(gd_canvas *c, const gd_head *h, hairline l)
{
  const gd_look *look = h->look;
  const double wide = look->width, top = look->top_y, t = l.thick;
  const double part = look->part;
  const gd_spot cap[18] = {
      gd_head_in(h, -wide * (1.02 + 0.4 * t), l.ear_y, 0.0),
      gd_head_in(h, -wide * (1.03 + t), -0.35, 0.0),
      gd_head_in(h, -wide * (0.99 + t), -0.8, 0.0),
      gd_head_in(h, -wide * (0.78 + 0.8 * t), 0.84 * top - 0.8 * t, 0.0),
      gd_head_in(h, -wide * 0.40, 0.985 * top - t, 0.0),
      gd_head_in(h, 0.0, top - 1.15 * t, 0.0),
      gd_head_in(h, wide * 0.40, 0.985 * top - t, 0.0),
      gd_head_in(h, wide * (0.78 + 0.8 * t), 0.84 * top - 0.8 * t, 0.0),
      gd_head_in(h, wide * (0.99 + t), -0.8, 0.0),
      gd_head_in(h, wide * (1.03 + t), -0.35, 0.0),
      gd_head_in(h, wide * (1.02 + 0.4 * t), l.ear_y, 0.0),
      gd_head_in(h, wide * 0.93, fmin(l.ear_y, l.temple_y + 0.3), 0.2),
      gd_head_in(h, wide * 0.84, l.temple_y, 0.45),
      gd_head_at(h, wide * 0.52, l.line_y + 0.03, 0.0),
      gd_head_at(h, wide * part, l.part_y, 0.0),
      gd_head_at(h, -wide * 0.52, l.line_y + 0.03, 0.0),
      gd_head_in(h, -wide * 0.84, l.temple_y, 0.45),
      gd_head_in(h, -wide * 0.93, fmin(l.ear_y, l.temple_y + 0.3), 0.2)};
  gd_canvas_path(c);
  gd_head_spots(c, 18, cap, 1);
}

/* Strands from the part down to both sides, clipped to the hair. */
static void draw_strands(gd_canvas *c, const gd_head *h)
{
  gd_random r = {.start = h->look->curls};
  const gd_colour base = h->look->hair_colour;
  for (int i = 0; i < 40; i++) {
    const double side = gd_random_uniform(&r) < 0.5 ? -1.0 : 1.0;
    const double spread = gd_random_between(&r, 0.1, 1.15);
    const double tone = gd_random_uniform(&r);
    const double from[2] = {h->look->part + 0.5 * side * spread, -1.62};
    const double to[2] = {side * (0.35 + 0.8 * spread), -1.1 + 1.5 * spread};
    gd_canvas_path(c);
    gd_canvas_move(c, from[0], from[1]);
    gd_canvas_curve(c, from[0] + 0.35 * side * spread, from[1] - 0.02,
                    side * 0.95 * (0.4 + 0.7 * spread), -1.2 + 0.2 * spread,
                    to[0], to[1]);
    const gd_colour colour = gd_colour_mix(
        base, gd_colour_hex(tone < 0.5 ? 0x050302 : 0xffeccc), 0.3);
    gd_canvas_stroke(c, (gd_stroke){.width = 0.022, .round = 1},
                     gd_paint_flat(gd_colour_fade(colour, 0.3)));
  }
}

void gd_draw_hair(gd_canvas *c, const gd_head *h, double light_x)
{
  if (h->look->hair == GD_HAIR_BALD)
    return;
  gd_canvas_begin(c);
  cap_path(c, h, hairline_of(h->look));
  const double cover = h->look->hair == GD_HAIR_RECEDING ? 0.85 : 1.0;
  gd_paint p = hair_paint(h, light_x);
  for (int i = 0; i < p.n_stops; i++)
    p.stops[i].colour = gd_colour_fade(p.stops[i].colour, cover);
  gd_canvas_fill(c, p);
  /* Its edge is not a cut: a thin translucent rim. */
  gd_canvas_stroke(c, (gd_stroke){.width = 0.05, .round = 1},
                   gd_paint_flat(gd_colour_fade(h->look->hair_colour, 0.35)));
  gd_canvas_clip(c);
  if (h->look->hair != GD_HAIR_CURLS)
    draw_strands(c, h);
  gd_canvas_end(c);
  if (h->look->hair == GD_HAIR_CURLS)
    draw_curls(c, h);
}

void gd_draw_beard(gd_canvas *c, const gd_head *h)
{
  const gd_look *look = h->look;
  if (look->beard == GD_BEARD_NONE)
    return;
  const gd_colour colour =
      gd_colour_mix(look->hair_colour, gd_colour_hex(0x120a06), 0.2);
  const double y = look->mouth_y, wide = look->mouth_width;
  gd_canvas_begin(c);
  gd_canvas_path(c);
  gd_head_outline(h, c);
  gd_canvas_clip(c);
  gd_canvas_path(c);
  if (look->beard == GD_BEARD_STUBBLE || look->beard == GD_BEARD_FULL) {
    const double full[24] = {-0.99, 0.15,     -1.1,  1.0,     -0.6,  1.8,
                             0.0,   1.9,      0.6,   1.8,     1.1,   1.0,
                             0.99,  0.15,     0.84,  0.55,    0.55,  y - 0.2,
                             0.0,   y - 0.24, -0.55, y - 0.2, -0.84, 0.55};
    const double strong = look->beard == GD_BEARD_FULL ? 0.85 : 0.28;
    gd_spot spots[12];
    for (int i = 0; i < 12; i++)
      spots[i] = i < 7 ? gd_head_in(h, full[2 * i], full[2 * i + 1], 0.2)
                       : gd_head_at(h, full[2 * i], full[2 * i + 1], 0.0);
    gd_head_spots(c, 12, spots, 1);
    gd_canvas_fill(c, gd_paint_flat(gd_colour_fade(colour, strong)));
    gd_canvas_stroke(c, (gd_stroke){.width = 0.07, .round = 1},
                     gd_paint_flat(gd_colour_fade(colour, 0.35 * strong)));
  }
  if (look->beard == GD_BEARD_GOATEE) {
    const double chin[12] = {-0.24, y + 0.2,  0.0, y + 0.24, 0.24,  y + 0.2,
                             0.28,  y + 0.52, 0.0, y + 0.66, -0.28, y + 0.52};
    gd_head_curve(h, c, 6, chin, 0.0, 1);
    gd_canvas_fill(c, gd_paint_flat(gd_colour_fade(colour, 0.8)));
  }
  if (look->beard == GD_BEARD_MOUSTACHE || look->beard == GD_BEARD_GOATEE) {
    const double lip[16] = {
        -wide - 0.03, y - 0.0, -0.22, y - 0.19, 0.0, y - 0.20, 0.22, y - 0.19,
        wide + 0.03,  y - 0.0, 0.2,   y - 0.08, 0.0, y - 0.09, -0.2, y - 0.08};
    gd_canvas_path(c);
    gd_head_curve(h, c, 8, lip, 0.1, 1);
    gd_canvas_fill(c, gd_paint_flat(gd_colour_fade(colour, 0.85)));
  }
  gd_canvas_end(c);
}
