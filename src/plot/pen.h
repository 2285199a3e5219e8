/**
 * A pen: the marks of a chart, as SVG elements or as pixels, by the same calls.
 *
 * In SVG each mark has the class that the style sheet colours (palette.h); on a
 * canvas the pen looks the light colour up itself.
 */
#ifndef GRADUS_PLOT_PEN_H
#define GRADUS_PLOT_PEN_H

#include <stdint.h>

#include "gradus/canvas.h"
#include "gradus/text.h"

typedef struct {
  gd_text *svg; /* one of the two, the other is NULL */
  gd_canvas *canvas;
  int is_silent;  /* marks have no notes */
  gd_paint paint; /* of the marks that have begun */
} gd_pen;

/* Text of this size; a digit is about so wide. */
#define GD_PEN_FONT  11.0
#define GD_PEN_DIGIT (0.56 * GD_PEN_FONT)

typedef enum { GD_LINE_GRID, GD_LINE_AXIS, GD_LINE_IDENTITY } gd_pen_line_kind;
typedef enum { GD_TEXT_TICK, GD_TEXT_LABEL } gd_pen_text_kind;
typedef enum { GD_MARK_POINT, GD_MARK_BAR, GD_MARK_HEAT } gd_pen_mark_kind;

void gd_pen_line(gd_pen *p, gd_pen_line_kind kind, double x1, double y1,
                 double x2, double y2);
/** Write a line of text about x (anchor 0: from it, 0.5: around it, 1: up to
 * it); `turned`: upwards along the y axis. */
void gd_pen_text(gd_pen *p, gd_pen_text_kind kind, double x, double y,
                 double anchor, int turned, const char *text);
/** Draw a curve in a series' colour (gradus/chart.h) through (n, 2) points; not
 * finite: a gap. */
void gd_pen_curve(gd_pen *p, int colour, int64_t n, const double *xy);
/** Draw an upright line with a short bar at both ends. */
void gd_pen_whisker(gd_pen *p, int colour, double x, double y1, double y2);

/**
 * Begin marks of one colour.
 * @param[in] opacity  of all of them, for GD_MARK_HEAT
 * Ends with: gd_pen_marks_end()
 */
void gd_pen_marks_begin(gd_pen *p, gd_pen_mark_kind kind, int colour,
                        double opacity);
/** Add a filled circle; `note` is shown on pointing at it, NULL: none. */
void gd_pen_circle(gd_pen *p, double x, double y, double radius,
                   const char *note);
void gd_pen_rectangle(gd_pen *p, double x, double y, double width,
                      double height, const char *note);
void gd_pen_marks_end(gd_pen *p);

#endif
