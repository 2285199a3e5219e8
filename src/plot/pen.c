#include "pen.h"

#include <math.h>
#include <stdio.h>

#include "gradus/chart.h"
#include "palette.h"

enum { COLOURS = 8 };

/* --------------------------------------------------------------- colours */

/* The class of a series: its colour, and dashes once the colours repeat. */
static const char *class_of(int colour, char out[32])
{
  if (colour == GD_CHART_GREY)
    return "grey";
  if (colour == GD_CHART_PALE)
    return "pale";
  snprintf(out, 32, "s%d d%d", colour % COLOURS, colour / COLOURS % 4);
  return out;
}

static gd_paint paint_of(gd_tint tint, double opacity)
{
  return gd_paint_flat(
      gd_colour_fade(gd_colour_hex(gd_palette_light(tint)), opacity));
}

static gd_tint tint_of(int colour)
{
  return colour == GD_CHART_GREY   ? GD_TINT_GREY
         : colour == GD_CHART_PALE ? GD_TINT_PALE
                                   : (gd_tint)(GD_TINT_S0 + colour % COLOURS);
}

/* On a canvas, the dashes of palette.c's style sheet; a pattern of two lengths
 * is all that it has, so the last two look alike but for their lengths. */
static gd_stroke stroke_of(int colour)
{
  static const double dashes[4][2] = {{0, 0}, {7, 3}, {2, 3}, {9, 5}};
  const int d = colour >= 0 ? colour / COLOURS % 4 : 0;
  if (colour == GD_CHART_GREY)
    return (gd_stroke){.width = 1.8, .on = 4, .off = 3};
  return (gd_stroke){.width = 1.8, .on = dashes[d][0], .off = dashes[d][1]};
}

/* ----------------------------------------------------------------- lines */

void gd_pen_line(gd_pen *p, gd_pen_line_kind kind, double x1, double y1,
                 double x2, double y2)
{
  static const char *const classes[] = {"grid", "axis", "identity"};
  if (p->svg != NULL) {
    gd_text_printf(p->svg,
                   "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" "
                   "y2=\"%.1f\"/>\n",
                   classes[kind], x1, y1, x2, y2);
    return;
  }
  gd_stroke stroke = {.width = 1};
  if (kind == GD_LINE_IDENTITY) {
    stroke.on = 5;
    stroke.off = 4;
  }
  gd_canvas_path(p->canvas);
  gd_canvas_move(p->canvas, x1, y1);
  gd_canvas_line(p->canvas, x2, y2);
  gd_canvas_stroke(
      p->canvas, stroke,
      paint_of(kind == GD_LINE_GRID ? GD_TINT_RULE : GD_TINT_MUTED, 1));
}

void gd_pen_text(gd_pen *p, gd_pen_text_kind kind, double x, double y,
                 double anchor, int turned, const char *text)
{
  if (p->svg != NULL) {
    gd_text_printf(p->svg, "<text class=\"%s\" text-anchor=\"%s\"",
                   kind == GD_TEXT_TICK ? "tick" : "label",
                   anchor == 0   ? "start"
                   : anchor == 1 ? "end"
                                 : "middle");
    if (turned)
      gd_text_printf(p->svg, " transform=\"translate(%.1f %.1f) rotate(-90)\">",
                     x, y);
    else
      gd_text_printf(p->svg, " x=\"%.1f\" y=\"%.1f\">", x, y);
    gd_text_html(p->svg, text);
    gd_text_add(p->svg, "</text>\n");
    return;
  }
  gd_text shown = {0};
  while (*text != '\0')
    text += gd_text_character(&shown, text);
  gd_canvas_begin(p->canvas);
  gd_canvas_translate(p->canvas, x, y);
  if (turned)
    gd_canvas_rotate(p->canvas, -0.5 * acos(-1));
  gd_canvas_text(p->canvas, 0, 0,
                 (gd_font){.size = GD_PEN_FONT, .anchor = anchor},
                 gd_colour_hex(gd_palette_light(
                     kind == GD_TEXT_TICK ? GD_TINT_MUTED : GD_TINT_INK)),
                 gd_text_get(&shown));
  gd_canvas_end(p->canvas);
  gd_text_free(&shown);
}

void gd_pen_curve(gd_pen *p, int colour, int64_t n, const double *xy)
{
  char class[32];
  int drawing = 0;
  if (p->svg != NULL)
    gd_text_printf(p->svg, "<path class=\"curve %s\" d=\"",
                   class_of(colour, class));
  else
    gd_canvas_path(p->canvas);
  for (int64_t i = 0; i < n; i++) {
    const double x = xy[2 * i], y = xy[2 * i + 1];
    const int there = isfinite(x) && isfinite(y);
    if (there && p->svg != NULL)
      gd_text_printf(p->svg, "%s%.1f %.1f", drawing ? "L" : "M", x, y);
    else if (there && drawing)
      gd_canvas_line(p->canvas, x, y);
    else if (there)
      gd_canvas_move(p->canvas, x, y);
    drawing = there;
  }
  if (p->svg != NULL)
    gd_text_add(p->svg, "\"/>\n");
  else
    gd_canvas_stroke(p->canvas, stroke_of(colour),
                     paint_of(tint_of(colour), 1));
}

void gd_pen_whisker(gd_pen *p, int colour, double x, double y1, double y2)
{
  const double half = 3.5;
  char class[32];
  if (p->svg != NULL) {
    gd_text_printf(p->svg,
                   "<path class=\"whisker %s\" d=\"M%.1f %.1fH%.1fM%.1f "
                   "%.1fV%.1fM%.1f %.1fH%.1f\"/>\n",
                   class_of(colour, class), x - half, y1, x + half, x, y1, y2,
                   x - half, y2, x + half);
    return;
  }
  gd_canvas_path(p->canvas);
  gd_canvas_move(p->canvas, x - half, y1);
  gd_canvas_line(p->canvas, x + half, y1);
  gd_canvas_move(p->canvas, x, y1);
  gd_canvas_line(p->canvas, x, y2);
  gd_canvas_move(p->canvas, x - half, y2);
  gd_canvas_line(p->canvas, x + half, y2);
  gd_canvas_stroke(p->canvas, (gd_stroke){.width = 1.2},
                   paint_of(tint_of(colour), 1));
}

/* ----------------------------------------------------------------- marks */

void gd_pen_marks_begin(gd_pen *p, gd_pen_mark_kind kind, int colour,
                        double opacity)
{
  static const char *const classes[] = {"point", "bar"};
  char class[32];
  p->paint = paint_of(kind == GD_MARK_HEAT ? GD_TINT_S0 : tint_of(colour),
                      kind == GD_MARK_HEAT ? opacity : 1);
  if (p->svg != NULL && kind == GD_MARK_HEAT)
    gd_text_printf(p->svg, "<g class=\"heat\" fill-opacity=\"%.2f\">", opacity);
  else if (p->svg != NULL)
    gd_text_printf(p->svg, "<g class=\"%s %s\">", classes[kind],
                   class_of(colour, class));
}

/* End an element, with its note if it has one that may be told. */
static void end_element(gd_pen *p, const char *name, const char *note)
{
  if (note == NULL || p->is_silent) {
    gd_text_add(p->svg, "/>");
    return;
  }
  gd_text_add(p->svg, "><title>");
  gd_text_html(p->svg, note);
  gd_text_printf(p->svg, "</title></%s>", name);
}

void gd_pen_circle(gd_pen *p, double x, double y, double radius,
                   const char *note)
{
  if (p->svg != NULL) {
    gd_text_printf(p->svg, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"", x, y,
                   radius);
    end_element(p, "circle", note);
    return;
  }
  gd_canvas_path(p->canvas);
  gd_canvas_ellipse(p->canvas, x, y, radius, radius);
  gd_canvas_fill(p->canvas, p->paint);
  gd_canvas_stroke(p->canvas, (gd_stroke){.width = 0.6},
                   paint_of(GD_TINT_PAGE, 1));
}

void gd_pen_rectangle(gd_pen *p, double x, double y, double width,
                      double height, const char *note)
{
  if (p->svg != NULL) {
    gd_text_printf(p->svg,
                   "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" "
                   "height=\"%.1f\"",
                   x, y, width, height);
    end_element(p, "rect", note);
    return;
  }
  gd_canvas_path(p->canvas);
  gd_canvas_rectangle(p->canvas, x, y, width, height);
  gd_canvas_fill(p->canvas, p->paint);
}

void gd_pen_marks_end(gd_pen *p)
{
  if (p->svg != NULL)
    gd_text_add(p->svg, "</g>\n");
}
