#include "gradus/canvas.h"

#include <assert.h>
#include <cairo-svg.h>
#include <cairo.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/file.h"

enum { MOST_PX = 16384 };

struct gd_canvas {
  gd_canvas_kind kind;
  int width_px, height_px;
  gd_text document; /**< what the vector surface has written */
  cairo_surface_t *surface;
  cairo_t *cr;
};

static cairo_status_t take_bytes(void *text, const unsigned char *data,
                                 unsigned int size_bytes)
{
  gd_text_bytes(text, data, size_bytes);
  return gd_text_status(text) == GD_OK ? CAIRO_STATUS_SUCCESS
                                       : CAIRO_STATUS_NO_MEMORY;
}

gd_status gd_canvas_new(gd_canvas_kind kind, int width_px, int height_px,
                        gd_canvas **out)
{
  assert(out != NULL);
  *out = NULL;

  if (width_px < 1 || width_px > MOST_PX || height_px < 1 ||
      height_px > MOST_PX)
    return gd_fail(GD_ERR_USAGE, "canvas of %d x %d pixels: 1 to %d each",
                   width_px, height_px, MOST_PX);
  gd_canvas *c = calloc(1, sizeof *c);
  if (c == NULL)
    return gd_fail(GD_ERR_NOMEM, "out of memory for a canvas");
  c->kind = kind;
  c->width_px = width_px;
  c->height_px = height_px;
  c->surface =
      kind == GD_CANVAS_VECTORS
          ? cairo_svg_surface_create_for_stream(take_bytes, &c->document,
                                                width_px, height_px)
          : cairo_image_surface_create(CAIRO_FORMAT_RGB24, width_px, height_px);
  if (kind == GD_CANVAS_VECTORS &&
      cairo_surface_status(c->surface) == CAIRO_STATUS_SUCCESS)
    cairo_svg_surface_set_document_unit(c->surface, CAIRO_SVG_UNIT_PX);
  c->cr = cairo_create(c->surface);
  if (cairo_status(c->cr) != CAIRO_STATUS_SUCCESS) {
    gd_status st =
        gd_fail(GD_ERR_NOMEM, "canvas of %d x %d pixels: %s", width_px,
                height_px, cairo_status_to_string(cairo_status(c->cr)));
    gd_canvas_free(c);
    return st;
  }
  gd_canvas_cover(c, gd_paint_flat(gd_colour_hex(0xffffff)));
  *out = c;
  return GD_OK;
}

void gd_canvas_free(gd_canvas *c)
{
  if (c == NULL)
    return;
  cairo_destroy(c->cr);
  cairo_surface_destroy(c->surface); /* the last bytes go to the document */
  gd_text_free(&c->document);
  free(c);
}

int gd_canvas_width(const gd_canvas *c)
{
  return c->width_px;
}

int gd_canvas_height(const gd_canvas *c)
{
  return c->height_px;
}

gd_colour gd_colour_hex(uint32_t rgb)
{
  return (gd_colour){.r = (double)(rgb >> 16 & 255) / 255.0,
                     .g = (double)(rgb >> 8 & 255) / 255.0,
                     .b = (double)(rgb & 255) / 255.0,
                     .a = 1.0};
}

gd_colour gd_colour_fade(gd_colour colour, double alpha)
{
  colour.a *= alpha;
  return colour;
}

gd_colour gd_colour_mix(gd_colour from, gd_colour to, double share)
{
  const double rest = 1.0 - share;
  return (gd_colour){.r = rest * from.r + share * to.r,
                     .g = rest * from.g + share * to.g,
                     .b = rest * from.b + share * to.b,
                     .a = rest * from.a + share * to.a};
}

gd_paint gd_paint_flat(gd_colour colour)
{
  return (gd_paint){.kind = GD_PAINT_FLAT,
                    .n_stops = 1,
                    .stops = {{.at = 0.0, .colour = colour}}};
}

gd_paint gd_paint_linear(double x0, double y0, double x1, double y1)
{
  return (gd_paint){
      .kind = GD_PAINT_LINEAR, .x0 = x0, .y0 = y0, .x1 = x1, .y1 = y1};
}

gd_paint gd_paint_radial(double x, double y, double r0, double r1)
{
  return (gd_paint){.kind = GD_PAINT_RADIAL,
                    .x0 = x,
                    .y0 = y,
                    .r0 = r0,
                    .x1 = x,
                    .y1 = y,
                    .r1 = r1};
}

void gd_paint_stop(gd_paint *p, double at, gd_colour colour)
{
  assert(p->n_stops < GD_PAINT_STOPS && at >= 0.0 && at <= 1.0);
  p->stops[p->n_stops].at = at;
  p->stops[p->n_stops].colour = colour;
  p->n_stops++;
}

static void set_paint(gd_canvas *c, const gd_paint *p)
{
  if (p->kind == GD_PAINT_FLAT) {
    const gd_colour flat = p->stops[0].colour;
    cairo_set_source_rgba(c->cr, flat.r, flat.g, flat.b, flat.a);
    return;
  }
  cairo_pattern_t *pattern =
      p->kind == GD_PAINT_LINEAR
          ? cairo_pattern_create_linear(p->x0, p->y0, p->x1, p->y1)
          : cairo_pattern_create_radial(p->x0, p->y0, p->r0, p->x1, p->y1,
                                        p->r1);
  for (int i = 0; i < p->n_stops; i++) {
    const gd_colour stop = p->stops[i].colour;
    cairo_pattern_add_color_stop_rgba(pattern, p->stops[i].at, stop.r, stop.g,
                                      stop.b, stop.a);
  }
  cairo_set_source(c->cr, pattern);
  cairo_pattern_destroy(pattern);
}

void gd_canvas_begin(gd_canvas *c)
{
  cairo_save(c->cr);
}

void gd_canvas_end(gd_canvas *c)
{
  cairo_restore(c->cr);
}

void gd_canvas_translate(gd_canvas *c, double x, double y)
{
  cairo_translate(c->cr, x, y);
}

void gd_canvas_scale(gd_canvas *c, double x, double y)
{
  cairo_scale(c->cr, x, y);
}

void gd_canvas_rotate(gd_canvas *c, double radians)
{
  cairo_rotate(c->cr, radians);
}

void gd_canvas_locate(const gd_canvas *c, double *x, double *y)
{
  cairo_user_to_device(c->cr, x, y);
}

void gd_canvas_path(gd_canvas *c)
{
  cairo_new_path(c->cr);
}

void gd_canvas_move(gd_canvas *c, double x, double y)
{
  cairo_move_to(c->cr, x, y);
}

void gd_canvas_line(gd_canvas *c, double x, double y)
{
  cairo_line_to(c->cr, x, y);
}

void gd_canvas_curve(gd_canvas *c, double x1, double y1, double x2, double y2,
                     double x, double y)
{
  cairo_curve_to(c->cr, x1, y1, x2, y2, x, y);
}

void gd_canvas_close(gd_canvas *c)
{
  cairo_close_path(c->cr);
}

void gd_canvas_rectangle(gd_canvas *c, double x, double y, double width,
                         double height)
{
  cairo_rectangle(c->cr, x, y, width, height);
}

void gd_canvas_ellipse(gd_canvas *c, double x, double y, double radius_x,
                       double radius_y)
{
  /* Four Bezier curves; the error of this handle length is below 0.03 %. */
  const double handle = 0.5522847498;
  const double hx = handle * radius_x, hy = handle * radius_y;
  cairo_move_to(c->cr, x + radius_x, y);
  cairo_curve_to(c->cr, x + radius_x, y + hy, x + hx, y + radius_y, x,
                 y + radius_y);
  cairo_curve_to(c->cr, x - hx, y + radius_y, x - radius_x, y + hy,
                 x - radius_x, y);
  cairo_curve_to(c->cr, x - radius_x, y - hy, x - hx, y - radius_y, x,
                 y - radius_y);
  cairo_curve_to(c->cr, x + hx, y - radius_y, x + radius_x, y - hy,
                 x + radius_x, y);
  cairo_close_path(c->cr);
}

void gd_canvas_arc(gd_canvas *c, double x, double y, double radius, double from,
                   double to)
{
  cairo_arc(c->cr, x, y, radius, from, to);
}

void gd_canvas_smooth(gd_canvas *c, int n, const double *xy, int closed)
{
  assert(n >= 2 && xy != NULL);
  const int n_curves = closed ? n : n - 1;
  cairo_move_to(c->cr, xy[0], xy[1]);
  for (int i = 0; i < n_curves; i++) {
    const int last = closed ? (i + n - 1) % n : (i > 0 ? i - 1 : 0);
    const int next = (i + 1) % n;
    const int after = closed ? (i + 2) % n : (i + 2 < n ? i + 2 : n - 1);
    const double *p = xy + 2 * i, *q = xy + 2 * next;
    cairo_curve_to(c->cr, p[0] + (q[0] - xy[2 * last]) / 6.0,
                   p[1] + (q[1] - xy[2 * last + 1]) / 6.0,
                   q[0] - (xy[2 * after] - p[0]) / 6.0,
                   q[1] - (xy[2 * after + 1] - p[1]) / 6.0, q[0], q[1]);
  }
  if (closed)
    cairo_close_path(c->cr);
}

void gd_canvas_fill(gd_canvas *c, gd_paint paint)
{
  set_paint(c, &paint);
  cairo_fill_preserve(c->cr);
}

void gd_canvas_stroke(gd_canvas *c, gd_stroke stroke, gd_paint paint)
{
  const double dashes[2] = {stroke.on, stroke.off};
  set_paint(c, &paint);
  cairo_set_line_width(c->cr, stroke.width);
  cairo_set_line_cap(c->cr,
                     stroke.round ? CAIRO_LINE_CAP_ROUND : CAIRO_LINE_CAP_BUTT);
  cairo_set_line_join(c->cr, stroke.round ? CAIRO_LINE_JOIN_ROUND
                                          : CAIRO_LINE_JOIN_MITER);
  cairo_set_dash(c->cr, dashes, stroke.on > 0.0 ? 2 : 0, 0.0);
  cairo_stroke_preserve(c->cr);
}

void gd_canvas_clip(gd_canvas *c)
{
  cairo_clip_preserve(c->cr);
}

void gd_canvas_cover(gd_canvas *c, gd_paint paint)
{
  set_paint(c, &paint);
  cairo_paint(c->cr);
}

static double set_font(gd_canvas *c, gd_font font, const char *text)
{
  cairo_text_extents_t extents;
  cairo_select_font_face(c->cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                         font.bold ? CAIRO_FONT_WEIGHT_BOLD
                                   : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(c->cr, font.size);
  cairo_text_extents(c->cr, text, &extents);
  return extents.x_advance;
}

void gd_canvas_text(gd_canvas *c, double x, double y, gd_font font,
                    gd_colour colour, const char *text)
{
  const double width = set_font(c, font, text);
  cairo_set_source_rgba(c->cr, colour.r, colour.g, colour.b, colour.a);
  cairo_new_path(c->cr);
  cairo_move_to(c->cr, x - font.anchor * width, y);
  cairo_show_text(c->cr, text);
  cairo_new_path(c->cr);
}

double gd_canvas_text_width(gd_canvas *c, gd_font font, const char *text)
{
  return set_font(c, font, text);
}

void gd_canvas_image(gd_canvas *c, const uint8_t *rgb, int width_px,
                     int height_px, double x, double y, double width,
                     double height)
{
  assert(rgb != NULL && width_px > 0 && height_px > 0);
  cairo_surface_t *image =
      cairo_image_surface_create(CAIRO_FORMAT_RGB24, width_px, height_px);
  if (cairo_surface_status(image) == CAIRO_STATUS_SUCCESS) {
    unsigned char *data = cairo_image_surface_get_data(image);
    const int stride = cairo_image_surface_get_stride(image);
    for (int row = 0; row < height_px; row++) {
      uint32_t *to = (uint32_t *)(void *)(data + (size_t)row * (size_t)stride);
      for (int i = 0; i < width_px; i++, rgb += 3)
        to[i] = (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];
    }
    cairo_surface_mark_dirty(image);
  }
  cairo_save(c->cr);
  cairo_translate(c->cr, x, y);
  cairo_scale(c->cr, width / width_px, height / height_px);
  /* A surface that could not be made leaves its error in the canvas. */
  cairo_set_source_surface(c->cr, image, 0.0, 0.0);
  /* Beyond the border, its pixels again: else the edges are half transparent.
   */
  cairo_pattern_set_extend(cairo_get_source(c->cr), CAIRO_EXTEND_PAD);
  cairo_new_path(c->cr);
  cairo_rectangle(c->cr, 0.0, 0.0, width_px, height_px);
  cairo_fill(c->cr);
  cairo_restore(c->cr);
  cairo_surface_destroy(image);
}

/* Fail with what drawing has met, if anything. */
static gd_status drawing_status(const gd_canvas *c)
{
  cairo_status_t status = cairo_status(c->cr);
  if (status == CAIRO_STATUS_SUCCESS)
    status = cairo_surface_status(c->surface);
  if (status == CAIRO_STATUS_SUCCESS)
    return GD_OK;
  return gd_fail(status == CAIRO_STATUS_NO_MEMORY ? GD_ERR_NOMEM : GD_ERR_USAGE,
                 "drawing failed: %s", cairo_status_to_string(status));
}

gd_status gd_canvas_rgb(gd_canvas *c, uint8_t *rgb)
{
  assert(c != NULL && rgb != NULL);

  if (c->kind != GD_CANVAS_PIXELS)
    return gd_fail(GD_ERR_USAGE, "a canvas of vectors has no pixels");
  gd_status st = drawing_status(c);
  if (st != GD_OK)
    return st;
  cairo_surface_flush(c->surface);
  const unsigned char *data = cairo_image_surface_get_data(c->surface);
  const int stride = cairo_image_surface_get_stride(c->surface);
  for (int row = 0; row < c->height_px; row++) {
    const uint32_t *from =
        (const uint32_t *)(const void *)(data + (size_t)row * (size_t)stride);
    for (int i = 0; i < c->width_px; i++, rgb += 3) {
      rgb[0] = (uint8_t)(from[i] >> 16);
      rgb[1] = (uint8_t)(from[i] >> 8);
      rgb[2] = (uint8_t)from[i];
    }
  }
  return GD_OK;
}

/* If `at` starts a reference to a numbered surface, return where its number
 * starts, else NULL. */
static const char *surface_number(const char *at)
{
  static const char *const names[] = {"\"surface", "\"image", "#surface",
                                      "#image"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    const size_t length = strlen(names[i]);
    if (strncmp(at, names[i], length) == 0 && at[length] >= '0' &&
        at[length] <= '9')
      return at + length;
  }
  return NULL;
}

/* Append the SVG document.  Cairo numbers its surfaces through the whole
 * process: count from this page instead, so that equal drawings are equal
 * files whatever was drawn before. */
static void add_document(const char *svg, gd_text *out)
{
  const char *root = strstr(svg, "<g id=\"surface");
  const long first = root == NULL ? 0 : strtol(root + 14, NULL, 10);
  for (const char *at = svg; *at != '\0';) {
    const char *digits = surface_number(at);
    if (digits == NULL) {
      /* Up to the next quote or hash, where a reference could start. */
      const size_t plain = 1 + strcspn(at + 1, "\"#");
      gd_text_bytes(out, at, plain);
      at += plain;
    } else {
      char *end;
      const long number = strtol(digits, &end, 10);
      gd_text_bytes(out, at, (size_t)(digits - at));
      gd_text_printf(out, "%ld", number - first);
      at = end;
    }
  }
}

gd_status gd_canvas_encode(gd_canvas *c, gd_text *out)
{
  assert(c != NULL && out != NULL);

  gd_status st = drawing_status(c);
  if (st != GD_OK)
    return st;
  if (c->kind == GD_CANVAS_PIXELS) {
    cairo_surface_flush(c->surface);
    const cairo_status_t status =
        cairo_surface_write_to_png_stream(c->surface, take_bytes, out);
    if (status != CAIRO_STATUS_SUCCESS)
      return gd_fail(GD_ERR_NOMEM, "PNG of a canvas: %s",
                     cairo_status_to_string(status));
    return gd_text_status(out);
  }
  /* Finishing twice is harmless; it completes the document. */
  cairo_surface_finish(c->surface);
  if ((st = gd_text_status(&c->document)) != GD_OK)
    return st;
  add_document(gd_text_get(&c->document), out);
  return gd_text_status(out);
}

gd_status gd_canvas_write(gd_canvas *c, const char *path)
{
  gd_text bytes = {0};
  gd_status st = gd_canvas_encode(c, &bytes);
  if (st == GD_OK)
    st = gd_file_write(path, gd_text_get(&bytes), bytes.length_bytes);
  gd_text_free(&bytes);
  return st;
}
