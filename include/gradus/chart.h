/**
 * Charts: lines, points, bars and maps of density on axes with a grid, as SVG
 * within a page, and as SVG and PNG files.
 *
 *        y label
 *   12 |----------------      The plot area, ticks and labels are laid out
 *    8 |------*---------      from the texts they hold, so that nothing
 *    4 |---*-----*------      overlaps; the caller chooses the axes, so that
 *    0 +----------------      charts beside one another can share them.
 *       0   10   20   30
 *            x label
 *
 * Colours are the style sheet's (gradus/page.h): classes `s0` to `s7`, and
 * `grey` and `pale` for what is only there to compare with; so a chart follows
 * the page into dark mode and onto paper.  The colours repeat after eight
 * series; lines then change their dashes.  On a page the legend is HTML beside
 * the chart; a file has it below the chart, and the light colours.
 */
#ifndef GRADUS_CHART_H
#define GRADUS_CHART_H

#include <stdint.h>

#include "gradus/axis.h"
#include "gradus/text.h"

typedef enum {
  GD_CHART_LINES,
  GD_CHART_POINTS,
  GD_CHART_BARS,
  GD_CHART_HEAT, /**< cells, and its series as lines upon them */
} gd_chart_kind;

enum { GD_CHART_GREY = -1, GD_CHART_PALE = -2 };

/** One set of values.  All is borrowed for the call. */
typedef struct {
  const char *name;
  int colour;               /**< 0, 1, ... or GD_CHART_GREY, _PALE */
  int64_t n;                /**< values; for bars, one per category */
  const double *x;          /**< (n); NULL for bars */
  const double *y;          /**< (n); not finite: a gap */
  const char *const *notes; /**< (n) shown on pointing at; NULL: none */
  const double *low, *high; /**< (n) ends of an interval, NaN: none; or NULL */
} gd_series;

/** Cells of equal size that fill a rectangle in the axes' units. */
typedef struct {
  int n_columns, n_rows;
  double x_low, x_high, y_low, y_high; /**< of the rectangle */
  const double *value; /**< (n_columns, n_rows), >= 0; lowest row first */
} gd_heat;

typedef struct {
  gd_chart_kind kind;
  int width, height; /**< of the drawing, before it is scaled to the page */
  const char *title; /**< what it shows, for screen readers */
  const char *x_label, *y_label;
  gd_axis x, y;                  /**< x is not used by bars */
  int identity;                  /**< draw the line of y = x */
  int n_categories;              /**< bars only */
  const char *const *categories; /**< (n_categories); '\n' breaks the line */
  gd_heat heat;                  /**< GD_CHART_HEAT only */
  int n_series;
  const gd_series *series;
} gd_chart;

/** Append the chart as one <svg> element of a page. */
void gd_chart_svg(gd_text *out, const gd_chart *chart);

/** Append the chart as an SVG document of its own, with a legend.  It is made
 * to be published: points' notes, which name persons, are left out. */
void gd_chart_svg_file(gd_text *out, const gd_chart *chart);
/**
 * Append the chart as a PNG file's bytes, two pixels to a unit, with a legend.
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_chart_png(gd_text *out, const gd_chart *chart);

/** Append the legend of some series as an HTML list. */
void gd_chart_legend(gd_text *out, int n_series, const gd_series *series,
                     gd_chart_kind kind);

#endif
