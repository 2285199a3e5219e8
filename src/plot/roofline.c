#include "gradus/roofline.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "gradus/canvas.h"
#include "gradus/file.h"

/* The page, and the plot area on it, in pixels. */
enum { WIDTH = 960, HEIGHT = 600 };
static const double LEFT = 76, RIGHT = 930, TOP = 84, BOTTOM = 520;
static const double SMALL = 13, LARGE = 19;

static const uint32_t COLOURS[GD_ROOFLINE_SERIES] = {0x1f77b4, 0xd95f02,
                                                     0x1b9e77, 0x7570b3};
enum { INK = 0x222222, GRID = 0xdddddd, ROOF = 0x555555 };

/* Both axes run between powers of two. */
typedef struct {
  gd_canvas *canvas;
  const gd_roofline *of;
  int x_low, x_high, y_low, y_high; /* exponents; y of GFLOP/s */
} sheet;

static double place_x(const sheet *s, double intensity)
{
  const double share = (log2(intensity) - s->x_low) / (s->x_high - s->x_low);
  return LEFT + share * (RIGHT - LEFT);
}

static double place_y(const sheet *s, double flops)
{
  const double share = (log2(1e-9 * flops) - s->y_low) / (s->y_high - s->y_low);
  return BOTTOM + share * (TOP - BOTTOM);
}

static void choose_axes(sheet *s)
{
  const gd_roofline *r = s->of;
  const double bend = r->peak_flops / r->bandwidth;
  double x_low = bend / 4, x_high = 4 * bend;
  double y_low = r->peak_flops / 16, y_high = r->peak_flops;
  for (int i = 0; i < r->n_series; i++)
    for (int j = 0; j < r->series[i].n; j++) {
      x_low = fmin(x_low, r->series[i].intensity[j]);
      x_high = fmax(x_high, r->series[i].intensity[j]);
      y_low = fmin(y_low, r->series[i].flops[j]);
      y_high = fmax(y_high, r->series[i].flops[j]);
    }
  s->x_low = (int)floor(log2(x_low));
  s->x_high = (int)ceil(log2(x_high));
  s->y_low = (int)floor(log2(1e-9 * y_low));
  s->y_high = (int)ceil(log2(1e-9 * y_high) + 0.25);
}

static void write_text(const sheet *s, double x, double y, double size,
                       double anchor, const char *text)
{
  gd_canvas_text(s->canvas, x, y, (gd_font){.size = size, .anchor = anchor},
                 gd_colour_hex(INK), text);
}

static void draw_line(const sheet *s, double x0, double y0, double x1,
                      double y1, double width, uint32_t colour)
{
  gd_canvas_path(s->canvas);
  gd_canvas_move(s->canvas, x0, y0);
  gd_canvas_line(s->canvas, x1, y1);
  gd_canvas_stroke(s->canvas, (gd_stroke){.width = width},
                   gd_paint_flat(gd_colour_hex(colour)));
}

static void draw_axes(const sheet *s)
{
  char label[32];
  for (int e = s->x_low; e <= s->x_high; e++) {
    const double x = place_x(s, exp2(e));
    draw_line(s, x, TOP, x, BOTTOM, 1, GRID);
    snprintf(label, sizeof label, "%.6g", exp2(e));
    write_text(s, x, BOTTOM + 20, SMALL, 0.5, label);
  }
  for (int e = s->y_low; e <= s->y_high; e++) {
    const double y = place_y(s, 1e9 * exp2(e));
    draw_line(s, LEFT, y, RIGHT, y, 1, GRID);
    snprintf(label, sizeof label, "%.6g", exp2(e));
    write_text(s, LEFT - 8, y + 0.35 * SMALL, SMALL, 1, label);
  }
  write_text(s, (LEFT + RIGHT) / 2, BOTTOM + 44, SMALL, 0.5,
             "FLOP for each byte of a layer's input, output and weights");
  gd_canvas_begin(s->canvas);
  gd_canvas_translate(s->canvas, 22, (TOP + BOTTOM) / 2);
  gd_canvas_rotate(s->canvas, -acos(0));
  write_text(s, 0, 0, SMALL, 0.5, "GFLOP/s");
  gd_canvas_end(s->canvas);
}

static void draw_roofs(const sheet *s)
{
  const gd_roofline *r = s->of;
  const double bend = r->peak_flops / r->bandwidth;
  const double peak_y = place_y(s, r->peak_flops);
  const double left = exp2(s->x_low), floor_flops = 1e9 * exp2(s->y_low);
  /* The slope enters through the plot's left side or through its floor. */
  const double x = fmax(left, floor_flops / r->bandwidth);
  draw_line(s, place_x(s, x), place_y(s, x * r->bandwidth), place_x(s, bend),
            peak_y, 2, ROOF);
  draw_line(s, place_x(s, bend), peak_y, RIGHT, peak_y, 2, ROOF);
  char label[96];
  snprintf(label, sizeof label, "peak of multiply-adds: %.1f GFLOP/s",
           1e-9 * r->peak_flops);
  write_text(s, place_x(s, bend), peak_y - 7, SMALL, 0, label);
  snprintf(label, sizeof label, "memory: %.1f GB/s", 1e-9 * r->bandwidth);
  gd_canvas_begin(s->canvas);
  const double x0 = place_x(s, x), y0 = place_y(s, x * r->bandwidth);
  gd_canvas_translate(s->canvas, (x0 + place_x(s, bend)) / 2,
                      (y0 + peak_y) / 2);
  gd_canvas_rotate(s->canvas, atan2(peak_y - y0, place_x(s, bend) - x0));
  write_text(s, 0, -7, SMALL, 0.5, label);
  gd_canvas_end(s->canvas);
}

/* Circles of an area like the time: the longest has a radius of 16 pixels. */
static void draw_pieces(const sheet *s)
{
  double longest_s = 0;
  for (int i = 0; i < s->of->n_series; i++)
    for (int j = 0; j < s->of->series[i].n; j++)
      longest_s = fmax(longest_s, s->of->series[i].seconds[j]);
  for (int i = 0; i < s->of->n_series; i++) {
    const gd_roofline_series *of = &s->of->series[i];
    const gd_colour colour = gd_colour_hex(COLOURS[i]);
    for (int j = 0; j < of->n; j++) {
      const double radius =
          longest_s > 0 ? fmax(2.5, 16 * sqrt(of->seconds[j] / longest_s)) : 4;
      gd_canvas_path(s->canvas);
      gd_canvas_ellipse(s->canvas, place_x(s, of->intensity[j]),
                        place_y(s, of->flops[j]), radius, radius);
      gd_canvas_fill(s->canvas, gd_paint_flat(gd_colour_fade(colour, 0.35)));
      gd_canvas_stroke(s->canvas, (gd_stroke){.width = 1.2},
                       gd_paint_flat(colour));
    }
  }
}

static void draw_legend(const sheet *s)
{
  double x = LEFT;
  for (int i = 0; i < s->of->n_series; i++) {
    const char *name = s->of->series[i].name;
    gd_canvas_path(s->canvas);
    gd_canvas_ellipse(s->canvas, x + 6, HEIGHT - 20, 6, 6);
    gd_canvas_fill(s->canvas, gd_paint_flat(gd_colour_hex(COLOURS[i])));
    write_text(s, x + 18, HEIGHT - 20 + 0.35 * SMALL, SMALL, 0, name);
    x += 18 + 28 +
         gd_canvas_text_width(s->canvas, (gd_font){.size = SMALL}, name);
  }
  write_text(s, RIGHT, HEIGHT - 20 + 0.35 * SMALL, SMALL, 1,
             "a circle's area is the layer's share of the time");
}

gd_status gd_roofline_write(const gd_roofline *roofline, const char *path)
{
  assert(roofline != NULL && path != NULL && roofline->peak_flops > 0 &&
         roofline->bandwidth > 0 && roofline->n_series <= GD_ROOFLINE_SERIES);
  const int is_vectors = gd_path_ends_with(path, ".svg");
  if (!is_vectors && !gd_path_ends_with(path, ".png"))
    return gd_fail(GD_ERR_USAGE, "%s: a chart is a .png or an .svg", path);
  sheet s = {.of = roofline};
  gd_status st =
      gd_canvas_new(is_vectors ? GD_CANVAS_VECTORS : GD_CANVAS_PIXELS, WIDTH,
                    HEIGHT, &s.canvas);
  if (st != GD_OK)
    return st;
  choose_axes(&s);
  gd_canvas_text(s.canvas, LEFT, 34, (gd_font){.size = LARGE, .bold = 1},
                 gd_colour_hex(INK), roofline->title);
  write_text(&s, LEFT, 58, SMALL, 0, roofline->subtitle);
  draw_axes(&s);
  draw_roofs(&s);
  draw_pieces(&s);
  draw_legend(&s);
  st = gd_canvas_write(s.canvas, path);
  gd_canvas_free(s.canvas);
  return st;
}
