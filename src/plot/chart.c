#include "gradus/chart.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* In units of the drawing.  A digit of the page's sans-serif face is about
 * 0.56 of its size wide; margins are made for that. */
#define FONT   11.0
#define DIGIT  (0.56 * FONT)
#define LINE   (1.3 * FONT)
#define TICK   4.0
#define MARGIN 8.0

enum { COLOURS = 8 };

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
      .left = MARGIN + LINE + DIGIT * (double)widest + TICK + 4,
      .right = c->width - MARGIN - DIGIT, /* half of the last tick's label */
      .top = MARGIN,
      .bottom = c->height - MARGIN - LINE * (lines + 1) - TICK - 4,
  };
}

static void open_svg(gd_text *out, const gd_chart *c)
{
  gd_text_printf(out,
                 "<svg class=\"chart\" viewBox=\"0 0 %d %d\" role=\"img\" "
                 "aria-label=\"",
                 c->width, c->height);
  gd_text_html(out, c->title);
  gd_text_add(out, "\">\n");
}

static void write_text(gd_text *out, double x, double y, const char *anchor,
                       const char *class, const char *text)
{
  gd_text_printf(out,
                 "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" "
                 "text-anchor=\"%s\">",
                 class, x, y, anchor);
  gd_text_html(out, text);
  gd_text_add(out, "</text>\n");
}

static void draw_line(gd_text *out, const char *class, double x1, double y1,
                      double x2, double y2)
{
  gd_text_printf(out,
                 "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" "
                 "y2=\"%.1f\"/>\n",
                 class, x1, y1, x2, y2);
}

static void draw_y_axis(gd_text *out, const gd_chart *c, area a)
{
  for (int i = 0; i < c->y.n_ticks; i++) {
    char label[GD_AXIS_LABEL];
    gd_axis_label(&c->y, i, label);
    const double y =
        gd_axis_place(&c->y, gd_axis_tick(&c->y, i), a.bottom, a.top);
    draw_line(out, "grid", a.left, y, a.right, y);
    write_text(out, a.left - TICK, y + 0.35 * FONT, "end", "tick", label);
  }
  const double x = MARGIN + 0.8 * FONT, y = (a.top + a.bottom) / 2;
  gd_text_printf(out,
                 "<text class=\"label\" text-anchor=\"middle\" "
                 "transform=\"translate(%.1f %.1f) rotate(-90)\">",
                 x, y);
  gd_text_html(out, c->y_label);
  gd_text_add(out, "</text>\n");
}

static void draw_numbers(gd_text *out, const gd_chart *c, area a)
{
  for (int i = 0; i < c->x.n_ticks; i++) {
    char label[GD_AXIS_LABEL];
    gd_axis_label(&c->x, i, label);
    const double x =
        gd_axis_place(&c->x, gd_axis_tick(&c->x, i), a.left, a.right);
    draw_line(out, "grid", x, a.top, x, a.bottom);
    write_text(out, x, a.bottom + TICK + FONT, "middle", "tick", label);
  }
}

static void draw_categories(gd_text *out, const gd_chart *c, area a)
{
  const double width = (a.right - a.left) / c->n_categories;
  for (int i = 0; i < c->n_categories; i++) {
    char first[128];
    snprintf(first, sizeof first, "%s", c->categories[i]);
    char *second = strchr(first, '\n');
    if (second != NULL)
      *second++ = '\0';
    const double x = a.left + (i + 0.5) * width;
    write_text(out, x, a.bottom + TICK + FONT, "middle", "tick", first);
    if (second != NULL)
      write_text(out, x, a.bottom + TICK + FONT + LINE, "middle", "tick",
                 second);
  }
}

/* The class of a series: its colour, and dashes once the colours repeat. */
static const char *class_of(const gd_series *s, char out[32])
{
  if (s->colour == GD_CHART_GREY)
    return "grey";
  if (s->colour == GD_CHART_PALE)
    return "pale";
  snprintf(out, 32, "s%d d%d", s->colour % COLOURS, s->colour / COLOURS % 4);
  return out;
}

static void add_note(gd_text *out, const gd_series *s, int64_t i)
{
  if (s->notes == NULL)
    return;
  gd_text_add(out, "<title>");
  gd_text_html(out, s->notes[i]);
  gd_text_add(out, "</title>");
}

static int is_drawn(const gd_series *s, int64_t i)
{
  return isfinite(s->y[i]) && (s->x == NULL || isfinite(s->x[i]));
}

static void draw_curve(gd_text *out, const gd_chart *c, area a,
                       const gd_series *s)
{
  char class[32];
  gd_text_printf(out, "<path class=\"curve %s\" d=\"", class_of(s, class));
  int drawing = 0;
  for (int64_t i = 0; i < s->n; i++) {
    if (is_drawn(s, i))
      gd_text_printf(out, "%s%.1f %.1f", drawing ? "L" : "M",
                     gd_axis_place(&c->x, s->x[i], a.left, a.right),
                     gd_axis_place(&c->y, s->y[i], a.bottom, a.top));
    drawing = is_drawn(s, i);
  }
  gd_text_add(out, "\"/>\n");
}

static void draw_points(gd_text *out, const gd_chart *c, area a,
                        const gd_series *s, double radius)
{
  char class[32];
  gd_text_printf(out, "<g class=\"point %s\">", class_of(s, class));
  for (int64_t i = 0; i < s->n; i++) {
    if (!is_drawn(s, i))
      continue;
    gd_text_printf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\">",
                   gd_axis_place(&c->x, s->x[i], a.left, a.right),
                   gd_axis_place(&c->y, s->y[i], a.bottom, a.top), radius);
    add_note(out, s, i);
    gd_text_add(out, "</circle>");
  }
  gd_text_add(out, "</g>\n");
}

/* Bars of one series, one in each category's group. */
static void draw_bars(gd_text *out, const gd_chart *c, area a, int index)
{
  const gd_series *s = &c->series[index];
  const double group = (a.right - a.left) / c->n_categories;
  const double gap = c->n_series == 1 ? 0.1 * group : 0.15 * group;
  const double width = (group - gap) / c->n_series;
  const double base = gd_axis_place(&c->y, fmax(0, c->y.low), a.bottom, a.top);
  char class[32];
  gd_text_printf(out, "<g class=\"bar %s\">", class_of(s, class));
  for (int64_t i = 0; i < s->n && i < c->n_categories; i++) {
    if (!is_drawn(s, i))
      continue;
    const double x = a.left + (double)i * group + gap / 2 + index * width;
    const double y = gd_axis_place(&c->y, s->y[i], a.bottom, a.top);
    gd_text_printf(out,
                   "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" "
                   "height=\"%.1f\">",
                   x, fmin(y, base), 0.92 * width, fabs(base - y));
    add_note(out, s, i);
    gd_text_add(out, "</rect>");
  }
  gd_text_add(out, "</g>\n");
}

static void draw_series(gd_text *out, const gd_chart *c, area a)
{
  for (int i = 0; i < c->n_series; i++)
    switch (c->kind) {
    case GD_CHART_LINES:
      draw_curve(out, c, a, &c->series[i]);
      /* Few values: show where they are; one value has no line at all. */
      if (c->series[i].n <= 30)
        draw_points(out, c, a, &c->series[i], 2.2);
      break;
    case GD_CHART_POINTS:
      draw_points(out, c, a, &c->series[i], 3.2);
      break;
    case GD_CHART_BARS:
      draw_bars(out, c, a, i);
      break;
    }
}

void gd_chart_svg(gd_text *out, const gd_chart *c)
{
  assert(out != NULL && c != NULL && c->width > 0 && c->height > 0);
  assert(c->kind != GD_CHART_BARS || c->n_categories > 0);

  const area a = lay_out(c);
  open_svg(out, c);
  draw_y_axis(out, c, a);
  if (c->kind == GD_CHART_BARS)
    draw_categories(out, c, a);
  else
    draw_numbers(out, c, a);
  write_text(out, (a.left + a.right) / 2, c->height - MARGIN, "middle", "label",
             c->x_label);
  if (c->identity) {
    const double low = fmax(c->x.low, c->y.low);
    const double high = fmin(c->x.high, c->y.high);
    draw_line(out, "identity", gd_axis_place(&c->x, low, a.left, a.right),
              gd_axis_place(&c->y, low, a.bottom, a.top),
              gd_axis_place(&c->x, high, a.left, a.right),
              gd_axis_place(&c->y, high, a.bottom, a.top));
  }
  draw_series(out, c, a);
  draw_line(out, "axis", a.left, a.bottom, a.right, a.bottom);
  gd_text_add(out, "</svg>\n");
}

void gd_chart_legend(gd_text *out, int n_series, const gd_series *series,
                     gd_chart_kind kind)
{
  gd_text_add(out, "<ul class=\"legend\">");
  for (int i = 0; i < n_series; i++) {
    char class[32];
    gd_text_add(out, "<li><svg viewBox=\"0 0 22 12\" aria-hidden=\"true\">");
    if (kind == GD_CHART_LINES)
      gd_text_printf(out, "<path class=\"curve %s\" d=\"M1 6L21 6\"/>",
                     class_of(&series[i], class));
    else
      gd_text_printf(out,
                     "<g class=\"bar %s\"><rect x=\"5\" y=\"1\" width=\"12\" "
                     "height=\"10\"/></g>",
                     class_of(&series[i], class));
    gd_text_add(out, "</svg>");
    gd_text_html(out, series[i].name);
    gd_text_add(out, "</li>");
  }
  gd_text_add(out, "</ul>\n");
}
