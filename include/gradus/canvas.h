/**
 * A canvas: paths, paints and text on a page, for charts and drawn faces.
 *
 * The page is either pixels (GD_CANVAS_PIXELS: RGB out, or a PNG) or vectors
 * (GD_CANVAS_VECTORS: an SVG document); the same calls draw on both.
 *
 *     gd_canvas *c;
 *     st = gd_canvas_new(GD_CANVAS_PIXELS, 320, 240, &c);
 *     gd_canvas_path(c);
 *     gd_canvas_ellipse(c, 160, 120, 60, 80);
 *     gd_canvas_fill(c, gd_paint_flat(gd_colour_hex(0x336699)));
 *     st = gd_canvas_write(c, "oval.png");
 *     gd_canvas_free(c);
 *
 * Coordinates are in pixels of the page, x to the right and y down, origin at
 * the upper left corner, until a transform changes that.  The page starts
 * white.  A path stays until gd_canvas_path() starts the next one, so it can be
 * filled and then stroked.
 *
 * Failure is remembered: after one, drawing does nothing and the call that
 * takes the result out tells.  So a page is drawn without a check per line.
 * Equal calls give equal bytes on one machine; text depends on its fonts.
 */
#ifndef GRADUS_CANVAS_H
#define GRADUS_CANVAS_H

#include <stdint.h>

#include "gradus/status.h"
#include "gradus/text.h"

typedef struct gd_canvas gd_canvas;

typedef enum { GD_CANVAS_PIXELS, GD_CANVAS_VECTORS } gd_canvas_kind;

/**
 * Make a white page.
 * @param[in]  width_px, height_px  1 .. 16384
 * @param[out] out  ends with gd_canvas_free(); NULL on failure
 * Errors: GD_ERR_USAGE (size), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_canvas_new(gd_canvas_kind kind, int width_px,
                                     int height_px, gd_canvas **out);
void gd_canvas_free(gd_canvas *c);
int gd_canvas_width(const gd_canvas *c);
int gd_canvas_height(const gd_canvas *c);

/* Colours and paints are values: nothing to free. */

typedef struct {
  double r, g, b, a; /**< 0 .. 1, sRGB, alpha not premultiplied */
} gd_colour;

/** Return the opaque colour 0xRRGGBB. */
gd_colour gd_colour_hex(uint32_t rgb);
/** Return `colour` with its alpha multiplied. */
gd_colour gd_colour_fade(gd_colour colour, double alpha);
/** Return the mixture: `from` at 0, `to` at 1. */
gd_colour gd_colour_mix(gd_colour from, gd_colour to, double share);

enum { GD_PAINT_STOPS = 6 };

typedef struct {
  enum { GD_PAINT_FLAT, GD_PAINT_LINEAR, GD_PAINT_RADIAL } kind;
  double x0, y0, r0, x1, y1, r1; /**< from and to, in the coordinates in force
                                  * when it is used */
  int n_stops;
  struct {
    double at; /**< 0 .. 1, ascending */
    gd_colour colour;
  } stops[GD_PAINT_STOPS];
} gd_paint;

gd_paint gd_paint_flat(gd_colour colour);
/** Return a gradient along a line, without stops yet. */
gd_paint gd_paint_linear(double x0, double y0, double x1, double y1);
/** Return a gradient from the centre to the radius, without stops yet. */
gd_paint gd_paint_radial(double x, double y, double r0, double r1);
/** Append a stop; at most GD_PAINT_STOPS (assert). */
void gd_paint_stop(gd_paint *p, double at, gd_colour colour);

/**
 * Keep transform and clip, to be restored by the matching gd_canvas_end().
 * Ends with: gd_canvas_end()
 */
void gd_canvas_begin(gd_canvas *c);
void gd_canvas_end(gd_canvas *c);
void gd_canvas_translate(gd_canvas *c, double x, double y);
/** Scale; sizes must not be 0 (the canvas then fails). */
void gd_canvas_scale(gd_canvas *c, double x, double y);
/** Turn clockwise on the page. */
void gd_canvas_rotate(gd_canvas *c, double radians);
/** Tell where a point of the current coordinates lies on the page. */
void gd_canvas_locate(const gd_canvas *c, double *x, double *y);

/** Start a new path; the old one is dropped. */
void gd_canvas_path(gd_canvas *c);
void gd_canvas_move(gd_canvas *c, double x, double y);
void gd_canvas_line(gd_canvas *c, double x, double y);
/** Add a cubic Bezier curve to (x, y) with control points 1 and 2. */
void gd_canvas_curve(gd_canvas *c, double x1, double y1, double x2, double y2,
                     double x, double y);
/** Add a line back to the start of this part of the path. */
void gd_canvas_close(gd_canvas *c);
/** Add a closed rectangle; x, y is its upper left corner. */
void gd_canvas_rectangle(gd_canvas *c, double x, double y, double width,
                         double height);
/** Add a closed ellipse around (x, y). */
void gd_canvas_ellipse(gd_canvas *c, double x, double y, double radius_x,
                       double radius_y);
/** Add an arc, clockwise on the page from angle `from` (0: right) to `to`. */
void gd_canvas_arc(gd_canvas *c, double x, double y, double radius, double from,
                   double to);
/**
 * Add a smooth curve through points.
 * @param[in] xy      (n, 2) x and y; n >= 2
 * @param[in] closed  join the last point to the first, smoothly
 * Source: Catmull and Rom 1974, uniform, as cubic Bezier curves
 */
void gd_canvas_smooth(gd_canvas *c, int n, const double *xy, int closed);

void gd_canvas_fill(gd_canvas *c, gd_paint paint);

typedef struct {
  double width;   /**< in the coordinates in force when it is used */
  int round;      /**< round ends and corners, else square-cut and mitred */
  double on, off; /**< dashes: drawn and left out; 0, 0: one line */
} gd_stroke;

void gd_canvas_stroke(gd_canvas *c, gd_stroke stroke, gd_paint paint);
/** Let only the inside of the path be drawn on, until gd_canvas_end(). */
void gd_canvas_clip(gd_canvas *c);
/** Paint the whole page (within the clip). */
void gd_canvas_cover(gd_canvas *c, gd_paint paint);

typedef struct {
  double size; /**< of the em, in the coordinates in force */
  int bold;
  double anchor; /**< which part of the width lies at x: 0 the left end, 0.5
                  * the middle, 1 the right end */
} gd_font;

/**
 * Write one line of UTF-8 text in a sans-serif face; y is its baseline.  Drops
 * the path.  Other bytes than UTF-8 make the canvas fail.
 */
void gd_canvas_text(gd_canvas *c, double x, double y, gd_font font,
                    gd_colour colour, const char *text);
/** Return the width that gd_canvas_text() would need. */
double gd_canvas_text_width(gd_canvas *c, gd_font font, const char *text);

/**
 * Draw an image, scaled into a rectangle.  Drops the path.
 * @param[in] rgb  (height_px, width_px, 3) uint8, borrowed for the call
 */
void gd_canvas_image(gd_canvas *c, const uint8_t *rgb, int width_px,
                     int height_px, double x, double y, double width,
                     double height);

/**
 * Copy the page out.
 * @param[out] rgb  (height, width, 3) uint8
 * Errors: GD_ERR_USAGE (a page of vectors), and what drawing met
 */
GD_NODISCARD gd_status gd_canvas_rgb(gd_canvas *c, uint8_t *rgb);
/**
 * Append the page as a file's bytes: PNG of pixels, SVG of vectors.  A page of
 * vectors is finished by this: draw nothing more on it.  Two SVG documents use
 * the same ids: embed them in HTML as images, not inline.
 * Errors: GD_ERR_NOMEM, GD_ERR_USAGE: what drawing met
 */
GD_NODISCARD gd_status gd_canvas_encode(gd_canvas *c, gd_text *out);
/**
 * Write gd_canvas_encode()'s bytes as a file, complete or not at all.
 * Errors: GD_ERR_IO, and those of gd_canvas_encode()
 */
GD_NODISCARD gd_status gd_canvas_write(gd_canvas *c, const char *path);

#endif
