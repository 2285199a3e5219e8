#include "gradus/chart.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"
#include "palette.h"
#include "pen.h"

/* In units of the drawing. */
#define LINE   (1.3 * GD_PEN_FONT)
#define TICK   4.0
#define DROP   (TICK + GD_PEN_FONT + 3) /* of labels below the plot */
#define MARGIN 8.0
#define SWATCH 22.0 /* of a legend */

enum { SHADES = 16, PNG_SCALE = 2 };

typedef struct {
  double left, right, top, bottom; /* of the plot area */
} area;

static area lay_out(const gd_chart *c)
{
  size_t widest = 1;
  for (int i = 0; i < c->y.n_ticks; i++) {
    char label[GD_AXIS_LABEL];
    gd_axis_label(&c->y, i, label);
    if (strlen(label) > widest)
      widest = strlen(label);
  }
  int lines = 1;
  for (int i = 0; i < c->n_categories; i++)
    if (strchr(c->categories[i], '\n') != NULL)
      lines = 2;
  return (area){
      .left = MARGIN + LINE + GD_PEN_DIGIT * (double)widest + TICK + 4,
      .right = c->width - MARGIN - GD_PEN_DIGIT, /* half of the last label */
      .top = MARGIN,
      .bottom = c->height - MARGIN - LINE * (lines + 1) - TICK - 4,
  };
}

/* ------------------------------------------------------------------- axes */

static void draw_y_axis(gd_pen *p, const gd_chart *c, area a)
{
  for (int i = 0; i < c->y.n_ticks; i++) {
    char label[GD_AXIS_LABEL];
    gd_axis_label(&c->y, i, label);
    const double y =
        gd_axis_place(&c->y, gd_axis_tick(&c->y, i), a.bottom, a.top);
    gd_pen_line(p, GD_LINE_GRID, a.left, y, a.right, y);
    gd_pen_text(p, GD_TEXT_TICK, a.left - TICK, y + 0.35 * GD_PEN_FONT, 1, 0,
                label);
  }
  gd_pen_text(p, GD_TEXT_LABEL, MARGIN + 0.8 * GD_PEN_FONT,
              (a.top + a.bottom) / 2, 0.5, 1, c->y_label);
}

static void draw_numbers(gd_pen *p, const gd_chart *c, area a)
{
  for (int i = 0; i < c->x.n_ticks; i++) {
    char label[GD_AXIS_LABEL];
    gd_axis_label(&c->x, i, label);
    const double x =
        gd_axis_place(&c->x, gd_axis_tick(&c->x, i), a.left, a.right);
    gd_pen_line(p, GD_LINE_GRID, x, a.top, x, a.bottom);
    gd_pen_text(p, GD_TEXT_TICK, x, a.bottom + DROP, 0.5, 0, label);
  }
}

static void draw_categories(gd_pen *p, const gd_chart *c, area a)
{
  const double width = (a.right - a.left) / c->n_categories;
  for (int i = 0; i < c->n_categories; i++) {
    char first[128];
    snprintf(first, sizeof first, "%s", c->categories[i]);
    char *second = strchr(first, '\n');
    if (second != NULL)
      *second++ = '\0';
    const double x = a.left + (i + 0.5) * width;
    const double y = a.bottom + DROP;
    gd_pen_text(p, GD_TEXT_TICK, x, y, 0.5, 0, first);
    if (second != NULL)
      gd_pen_text(p, GD_TEXT_TICK, x, y + LINE, 0.5, 0, second);
  }
}

static void draw_identity(gd_pen *p, const gd_chart *c, area a)
{
  const double low = fmax(c->x.low, c->y.low);
  const double high = fmin(c->x.high, c->y.high);
  gd_pen_line(p, GD_LINE_IDENTITY, gd_axis_place(&c->x, low, a.left, a.right),
              gd_axis_place(&c->y, low, a.bottom, a.top),
              gd_axis_place(&c->x, high, a.left, a.right),
              gd_axis_place(&c->y, high, a.bottom, a.top));
}

/* ----------------------------------------------------------------- series */

static int is_drawn(const gd_series *s, int64_t i)
{
  return isfinite(s->y[i]) && (s->x == NULL || isfinite(s->x[i]));
}

static double x_of(const gd_chart *c, area a, double x)
{
  return gd_axis_place(&c->x, x, a.left, a.right);
}

static double y_of(const gd_chart *c, area a, double y)
{
  return gd_axis_place(&c->y, y, a.bottom, a.top);
}

static gd_status draw_curve(gd_pen *p, const gd_chart *c, area a,
                            const gd_series *s)
{
  double *xy = gd_alloc(2 * s->n, sizeof *xy);
  if (xy == NULL)
    return GD_ERR_NOMEM;
  for (int64_t i = 0; i < s->n; i++) {
    xy[2 * i] = x_of(c, a, s->x[i]);
    xy[2 * i + 1] = y_of(c, a, s->y[i]);
  }
  gd_pen_curve(p, s->colour, s->n, xy);
  free(xy);
  return GD_OK;
}

static void draw_points(gd_pen *p, const gd_chart *c, area a,
                        const gd_series *s, double radius)
{
  for (int64_t i = 0; s->low != NULL && i < s->n; i++)
    if (is_drawn(s, i) && isfinite(s->low[i]) && isfinite(s->high[i]))
      gd_pen_whisker(p, s->colour, x_of(c, a, s->x[i]), y_of(c, a, s->low[i]),
                     y_of(c, a, s->high[i]));
  gd_pen_marks_begin(p, GD_MARK_POINT, s->colour, 1);
  for (int64_t i = 0; i < s->n; i++)
    if (is_drawn(s, i))
      gd_pen_circle(p, x_of(c, a, s->x[i]), y_of(c, a, s->y[i]), radius,
                    s->notes == NULL ? NULL : s->notes[i]);
  gd_pen_marks_end(p);
}

/* Bars of one series, one in each category's group. */
static void draw_bars(gd_pen *p, const gd_chart *c, area a, int index)
{
  const gd_series *s = &c->series[index];
  const double group = (a.right - a.left) / c->n_categories;
  const double gap = c->n_series == 1 ? 0.1 * group : 0.15 * group;
  const double width = (group - gap) / c->n_series;
  const double base = y_of(c, a, fmax(0, c->y.low));
  gd_pen_marks_begin(p, GD_MARK_BAR, s->colour, 1);
  for (int64_t i = 0; i < s->n && i < c->n_categories; i++) {
    if (!is_drawn(s, i))
      continue;
    const double x = a.left + (double)i * group + gap / 2 + index * width;
    const double y = y_of(c, a, s->y[i]);
    gd_pen_rectangle(p, x, fmin(y, base), 0.92 * width, fabs(base - y),
                     s->notes == NULL ? NULL : s->notes[i]);
  }
  gd_pen_marks_end(p);
}

/* ------------------------------------------------------------------- heat */

static int shade_of(double value, double most)
{
  return (int)lround((SHADES - 1) * value / most);
}

/* All cells of a shade together; neighbours in a column are one rectangle, so a
 * page of many cells stays small. */
static void draw_shade(gd_pen *p, const gd_chart *c, area a, int shade,
                       double most)
{
  const gd_heat *h = &c->heat;
  const double width =
      (x_of(c, a, h->x_high) - x_of(c, a, h->x_low)) / h->n_columns;
  const double height =
      (y_of(c, a, h->y_low) - y_of(c, a, h->y_high)) / h->n_rows;
  gd_pen_marks_begin(p, GD_MARK_HEAT, 0, (double)shade / (SHADES - 1));
  for (int i = 0; i < h->n_columns; i++)
    for (int first = 0, end; first < h->n_rows; first = end) {
      const double *column = h->value + (int64_t)i * h->n_rows;
      const int same = shade_of(column[first], most) == shade;
      for (end = first + 1;
           end < h->n_rows && (shade_of(column[end], most) == shade) == same;
           end++)
        ;
      if (same)
        gd_pen_rectangle(p, x_of(c, a, h->x_low) + i * width,
                         y_of(c, a, h->y_low) - end * height, width,
                         (end - first) * height, NULL);
    }
  gd_pen_marks_end(p);
}

static void draw_heat(gd_pen *p, const gd_chart *c, area a)
{
  const gd_heat *h = &c->heat;
  double most = 0;
  for (int64_t i = 0; i < (int64_t)h->n_columns * h->n_rows; i++)
    most = fmax(most, h->value[i]);
  for (int shade = 1; most > 0 && shade < SHADES; shade++)
    draw_shade(p, c, a, shade, most);
}

/* ------------------------------------------------------------------ whole */

static gd_status draw_series(gd_pen *p, const gd_chart *c, area a)
{
  gd_status st = GD_OK;
  if (c->kind == GD_CHART_HEAT)
    draw_heat(p, c, a);
  for (int i = 0; st == GD_OK && i < c->n_series; i++)
    switch (c->kind) {
    case GD_CHART_LINES:
    case GD_CHART_HEAT:
      st = draw_curve(p, c, a, &c->series[i]);
      /* Few values: show where they are; one value has no line at all. */
      if (st == GD_OK && c->series[i].n <= 30)
        draw_points(p, c, a, &c->series[i], 2.2);
      break;
    case GD_CHART_POINTS:
      draw_points(p, c, a, &c->series[i], 3.2);
      break;
    case GD_CHART_BARS:
      draw_bars(p, c, a, i);
      break;
    }
  return st;
}

static gd_status draw(gd_pen *p, const gd_chart *c)
{
  assert(c->width > 0 && c->height > 0);
  assert(c->kind != GD_CHART_BARS || c->n_categories > 0);

  const area a = lay_out(c);
  draw_y_axis(p, c, a);
  if (c->kind == GD_CHART_BARS)
    draw_categories(p, c, a);
  else
    draw_numbers(p, c, a);
  gd_pen_text(p, GD_TEXT_LABEL, (a.left + a.right) / 2, c->height - MARGIN, 0.5,
              0, c->x_label);
  if (c->identity)
    draw_identity(p, c, a);
  const gd_status st = draw_series(p, c, a);
  gd_pen_line(p, GD_LINE_AXIS, a.left, a.bottom, a.right, a.bottom);
  return st;
}

void gd_chart_svg(gd_text *out, const gd_chart *c)
{
  assert(out != NULL && c != NULL);

  gd_pen pen = {.svg = out};
  gd_text_printf(out,
                 "<svg class=\"chart\" viewBox=\"0 0 %d %d\" role=\"img\" "
                 "aria-label=\"",
                 c->width, c->height);
  gd_text_html(out, c->title);
  gd_text_add(out, "\">\n");
  const gd_status st = draw(&pen, c);
  if (st != GD_OK)
    out->status = st;
  gd_text_add(out, "</svg>\n");
}

/* ------------------------------------------------------------------- files */

/* Characters of UTF-8, for the width of a text. */
static int count_characters(const char *text)
{
  int n = 0;
  for (; *text != '\0'; text++)
    n += (*text & 0xc0) != 0x80;
  return n;
}

/* Draw the legend, or only say how high it is; a single series that has no name
 * needs none. */
static double draw_legend(gd_pen *p, const gd_chart *c, int wanted)
{
  double x = MARGIN, y = c->height + 0.5 * LINE;
  int n = 0;
  for (int i = 0; i < c->n_series; i++) {
    const gd_series *s = &c->series[i];
    if (s->name == NULL || s->name[0] == '\0')
      continue;
    const double width =
        SWATCH + 6 + 0.62 * GD_PEN_FONT * count_characters(s->name) + 14;
    if (x > MARGIN && x + width > c->width) {
      x = MARGIN;
      y += LINE + 3;
    }
    if (wanted && (c->kind == GD_CHART_LINES || c->kind == GD_CHART_HEAT)) {
      gd_pen_curve(p, s->colour, 2,
                   (const double[]){x + 1, y, x + SWATCH - 1, y});
    } else if (wanted) {
      gd_pen_marks_begin(p, GD_MARK_BAR, s->colour, 1);
      gd_pen_rectangle(p, x + 5, y - 5, 12, 10, NULL);
      gd_pen_marks_end(p);
    }
    if (wanted)
      gd_pen_text(p, GD_TEXT_LABEL, x + SWATCH + 6, y + 0.35 * GD_PEN_FONT, 0,
                  0, s->name);
    x += width;
    n++;
  }
  return n == 0 ? 0 : y - c->height + LINE;
}

static int height_of(gd_pen *p, const gd_chart *c)
{
  return c->height + (int)ceil(draw_legend(p, c, 0));
}

void gd_chart_svg_file(gd_text *out, const gd_chart *c)
{
  assert(out != NULL && c != NULL);

  gd_pen pen = {.svg = out, .is_silent = 1};
  const int height = height_of(&pen, c);
  gd_text_printf(out,
                 "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg "
                 "xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" "
                 "width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n<title>",
                 c->width, height, c->width, height);
  gd_text_html(out, c->title);
  gd_text_add(out, "</title>\n<style>text{font-family:\"DejaVu Sans\",Arial,"
                   "sans-serif}");
  gd_palette_chart_style(out, 1);
  gd_text_printf(out,
                 "</style>\n<rect width=\"%d\" height=\"%d\" "
                 "fill=\"#ffffff\"/>\n",
                 c->width, height);
  const gd_status st = draw(&pen, c);
  if (st != GD_OK)
    out->status = st;
  draw_legend(&pen, c, 1);
  gd_text_add(out, "</svg>\n");
}

gd_status gd_chart_png(gd_text *out, const gd_chart *c)
{
  assert(out != NULL && c != NULL);

  gd_pen pen = {0};
  const int height = height_of(&pen, c);
  gd_status st = gd_canvas_new(GD_CANVAS_PIXELS, PNG_SCALE * c->width,
                               PNG_SCALE * height, &pen.canvas);
  if (st != GD_OK)
    return st;
  gd_canvas_scale(pen.canvas, PNG_SCALE, PNG_SCALE);
  st = draw(&pen, c);
  draw_legend(&pen, c, 1);
  if (st == GD_OK)
    st = gd_canvas_encode(pen.canvas, out);
  gd_canvas_free(pen.canvas);
  return st;
}

/* On a page, the swatches of HTML's legend. */
static void add_swatch(gd_text *out, const gd_series *s, gd_chart_kind kind)
{
  gd_pen pen = {.svg = out};
  gd_text_add(out, "<svg viewBox=\"0 0 22 12\" aria-hidden=\"true\">");
  if (kind == GD_CHART_LINES || kind == GD_CHART_HEAT) {
    gd_pen_curve(&pen, s->colour, 2, (const double[]){1, 6, 21, 6});
  } else {
    gd_pen_marks_begin(&pen, GD_MARK_BAR, s->colour, 1);
    gd_pen_rectangle(&pen, 5, 1, 12, 10, NULL);
    gd_pen_marks_end(&pen);
  }
  gd_text_add(out, "</svg>");
}

void gd_chart_legend(gd_text *out, int n_series, const gd_series *series,
                     gd_chart_kind kind)
{
  gd_text_add(out, "<ul class=\"legend\">");
  for (int i = 0; i < n_series; i++) {
    gd_text_add(out, "<li>");
    add_swatch(out, &series[i], kind);
    gd_text_html(out, series[i].name);
    gd_text_add(out, "</li>");
  }
  gd_text_add(out, "</ul>\n");
}
