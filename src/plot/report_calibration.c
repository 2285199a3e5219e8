/* Whether predicted levels mean what they say, and what is behind them. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "gradus/distributions.h"
#include "gradus/memory.h"
#include "gradus/page.h"
#include "gradus/reliability.h"
#include "sections.h"

enum { MOST_SHOWN = 12, MOST_COLUMNS = 60, MOST_ROWS = 64 };

/* ------------------------------------------------------- what is drawn */

/* Whether a model's charts are drawn: of many models, one of each method, that
 * with the least development error, or the first. */
static int is_shown(const gd_report_page *p, int row)
{
  const gd_comparison *c = p->comparison;
  if (p->n_models <= MOST_SHOWN)
    return 1;
  for (int i = 0; i < p->n_models; i++) {
    const double d = c->rows[i].dev_mae - c->rows[row].dev_mae;
    if (i != row && c->rows[i].method == c->rows[row].method &&
        (d < 0 || (!(d > 0) && i < row)))
      return 0;
  }
  return 1;
}

static int has_distribution(const gd_comparison_row *row)
{
  return row->scores->distribution != NULL;
}

/* ------------------------------------------------------------ reliability */

static void draw_reliability(gd_report_page *p, int index,
                             const gd_reliability *r, gd_axis levels)
{
  const gd_comparison_row *row = &p->comparison->rows[index];
  double x[GD_RELIABILITY_BINS], y[GD_RELIABILITY_BINS];
  double low[GD_RELIABILITY_BINS], high[GD_RELIABILITY_BINS];
  for (int i = 0; i < r->n_bins; i++) {
    x[i] = r->bins[i].predicted;
    y[i] = r->bins[i].label;
    low[i] = r->bins[i].label_interval.low;
    high[i] = r->bins[i].label_interval.high;
  }
  gd_text title = {0};
  gd_text_printf(&title, "%s: reliability", row->label);
  const gd_series s = {.name = row->label,
                       .colour = p->series[index].colour,
                       .n = r->n_bins,
                       .x = x,
                       .y = y,
                       .low = low,
                       .high = high};
  gd_report_figure(p, row->label, 0,
                   &(gd_chart){.kind = GD_CHART_POINTS,
                               .width = GD_REPORT_WIDTH,
                               .height = GD_REPORT_WIDTH - 50,
                               .title = gd_text_get(&title),
                               .x_label = "mean predicted level",
                               .y_label = "mean true level",
                               .x = levels,
                               .y = levels,
                               .identity = 1,
                               .n_series = 1,
                               .series = &s},
                   NULL);
  gd_text_free(&title);
}

/* The levels that any mark of the shown charts has. */
static gd_axis axis_of_bins(const gd_report_page *p, const gd_reliability *r)
{
  double low = 0, high = 0;
  for (int i = 0; i < p->n_models; i++)
    for (int b = 0; b < r[i].n_bins; b++) {
      const gd_reliability_bin *bin = &r[i].bins[b];
      low = fmin(
          low, fmin(fmin(bin->predicted, bin->label), bin->label_interval.low));
      high = fmax(high, fmax(fmax(bin->predicted, bin->label),
                             bin->label_interval.high));
    }
  return gd_axis_of(low, high, 7, 0);
}

static void add_reliability_table(gd_report_page *p, const gd_reliability *r)
{
  static const char *const headers[] = {"model",     "bins",  "distance",
                                        "intercept", "slope", "bias"};
  gd_table t;
  gd_table_begin(&t, "reliability", "Reliability of predicted levels", 6,
                 headers, 1);
  for (int i = 0; i < p->n_models; i++) {
    gd_table_text(&t, p->comparison->rows[i].label);
    gd_table_number(&t, 0, r[i].n_bins);
    gd_table_number(&t, 2, r[i].distance);
    gd_table_number(&t, 2, r[i].intercept);
    gd_table_number(&t, 3, r[i].slope);
    gd_table_number(&t, 2, p->comparison->rows[i].slices[0].metrics.bias);
  }
  gd_report_show_table(p, &t);
}

static gd_status add_reliability(gd_report_page *p)
{
  const gd_comparison *c = p->comparison;
  gd_reliability *r = gd_alloc(p->n_models, sizeof *r);
  gd_status st = r == NULL ? GD_ERR_NOMEM : GD_OK;
  for (int i = 0; st == GD_OK && i < p->n_models; i++)
    st = gd_reliability_of(&c->bootstrap, c->rows[i].n, c->rows[i].truth,
                           c->rows[i].predicted, c->rows[i].videos, &r[i]);
  if (st == GD_OK) {
    gd_page_paragraph(
        p->out,
        "Reliability: videos in bins of about equal count by their predicted "
        "level; on the dashed line, the mean label of a bin is its mean "
        "prediction. Bars: %g %% intervals of the mean label, over persons.",
        100 * c->bootstrap.level);
    const gd_axis levels = axis_of_bins(p, r);
    gd_text_add(p->out, "<div class=\"charts\">\n");
    for (int i = 0; i < p->n_models; i++)
      if (is_shown(p, i))
        draw_reliability(p, i, &r[i], levels);
    gd_text_add(p->out, "</div>\n");
    add_reliability_table(p, r);
    gd_page_paragraph(
        p->out,
        "Distance: mean distance of the bins from the line, in levels, "
        "weighted by videos; noise alone makes it larger than 0. Intercept and "
        "slope: of the line through label against prediction, 0 and 1 where "
        "predictions are reliable; a slope below 1 means that they are spread "
        "too widely.");
  }
  free(r);
  return st;
}

/* ---------------------------------------------------------- distributions */

/* Gather the scores of a row's members; returns how many there are. */
static int list_scores(const gd_comparison *c, int row, const gd_scores **out)
{
  int n = 0;
  for (int i = 0; i < c->n_parts; i++)
    if (c->parts[i].row == row)
      out[n++] = c->parts[i].scores;
  return n;
}

static void draw_bands(gd_report_page *p, int row,
                       const gd_band_distributions *d, const double *levels)
{
  const gd_comparison *c = p->comparison;
  gd_series series[GD_MAX_BANDS];
  char names[GD_MAX_BANDS][96];
  double most = 0;
  for (int b = 0; b < d->n_bands; b++) {
    snprintf(names[b], sizeof names[b], "%s %d\xe2\x80\x93%d (n = %" PRId64 ")",
             c->bands[b].name, c->bands[b].first, c->bands[b].last, d->n[b]);
    series[b] = (gd_series){.name = names[b],
                            .colour = b,
                            .n = d->n_levels,
                            .x = levels,
                            .y = d->mean + (int64_t)b * d->n_levels};
    for (int k = 0; k < d->n_levels; k++)
      most = fmax(most, series[b].y[k]); /* a NaN is passed over */
  }
  gd_text title = {0};
  gd_text_printf(&title, "%s: mean distribution by band", c->rows[row].label);
  gd_report_figure(p, c->rows[row].label, 0,
                   &(gd_chart){.kind = GD_CHART_LINES,
                               .width = GD_REPORT_WIDTH,
                               .height = GD_REPORT_HEIGHT,
                               .title = gd_text_get(&title),
                               .x_label = "level",
                               .y_label = "mean probability",
                               .x = gd_axis_of(0, d->n_levels - 1, 8, 1),
                               .y = gd_axis_of(0, most, 6, 0),
                               .n_series = d->n_bands,
                               .series = series},
                   NULL);
  gd_text_free(&title);
}

static gd_status add_bands_of(gd_report_page *p, int row,
                              const gd_scores **scores, double *levels)
{
  const gd_comparison *c = p->comparison;
  gd_band_distributions d;
  const int n = list_scores(c, row, scores);
  const gd_status st =
      gd_band_distributions_of(n, scores, c->n_bands, c->bands, &d);
  if (st != GD_OK)
    return st;
  for (int k = 0; k < d.n_levels; k++)
    levels[k] = k;
  draw_bands(p, row, &d, levels);
  gd_band_distributions_free(&d);
  return GD_OK;
}

/* The legend of all the charts: bands have the same colours everywhere. */
static void add_band_legend(gd_report_page *p)
{
  const gd_comparison *c = p->comparison;
  gd_series series[GD_MAX_BANDS];
  char names[GD_MAX_BANDS][96];
  for (int b = 0; b < c->n_bands; b++) {
    snprintf(names[b], sizeof names[b], "%s %d\xe2\x80\x93%d", c->bands[b].name,
             c->bands[b].first, c->bands[b].last);
    series[b] = (gd_series){.name = names[b], .colour = b};
  }
  gd_chart_legend(p->out, c->n_bands, series, GD_CHART_LINES);
}

static gd_status add_distributions(gd_report_page *p)
{
  const gd_comparison *c = p->comparison;
  const gd_scores **scores = gd_alloc(c->n_parts, sizeof *scores);
  double *levels = gd_alloc(c->rows[0].scores->info.n_levels, sizeof *levels);
  gd_status st = scores == NULL || levels == NULL ? GD_ERR_NOMEM : GD_OK;
  gd_page_paragraph(p->out,
                    "The distribution over levels that a model says, in the "
                    "mean over the videos of each band of the true level. "
                    "Losses of a single output have none, and a report of "
                    "many models draws none.");
  add_band_legend(p);
  gd_text_add(p->out, "<div class=\"charts\">\n");
  for (int i = 0; st == GD_OK && i < p->n_models; i++)
    if (is_shown(p, i) && has_distribution(&c->rows[i]))
      st = add_bands_of(p, i, scores, levels);
  gd_text_add(p->out, "</div>\n");
  free(scores);
  free(levels);
  return st;
}

/* ------------------------------------------------------------ one video */

static void begin_frames(const gd_scores *s, int64_t v, gd_table *t)
{
  static const char *const headers[] = {"frame", "expected level", "sigma"};
  gd_table_begin(t, "distribution-over-time", "Frames of one video", 3, headers,
                 0);
  for (int64_t f = s->first_frame[v]; f < s->first_frame[v + 1]; f++) {
    gd_table_number(t, 0, (double)s->frame_index[f]);
    gd_table_number(t, 2, s->expected[f]);
    gd_table_number(t, 2, s->sigma[f]);
  }
}

static void draw_timeline(gd_report_page *p, const char *label,
                          const gd_scores *s, int64_t v, const gd_timeline *t)
{
  const gd_video *video = gd_scores_video(s, v);
  const double last = t->first_frame + t->n_columns * t->frames;
  const double ends[2] = {t->first_frame, last};
  const double truth[2] = {video->label, video->label};
  const gd_series series[] = {{.name = "expected level",
                               .colour = 1,
                               .n = t->n_columns,
                               .x = t->frame,
                               .y = t->expected},
                              {.name = "true level",
                               .colour = GD_CHART_GREY,
                               .n = 2,
                               .x = ends,
                               .y = truth}};
  /* Half a cell of many may lie below the axis; it hides nothing. */
  const double low = s->info.n_levels > 20 ? 0 : -0.5;
  gd_text heading = {0};
  gd_table table;
  gd_text_printf(&heading, "%s: %s, true level %g, predicted %.2f", label,
                 video->id, video->label, s->predicted[v]);
  begin_frames(s, v, &table);
  gd_chart_legend(p->out, 2, series, GD_CHART_LINES);
  gd_text_add(p->out, "<div class=\"charts\">\n");
  gd_report_figure(
      p, gd_text_get(&heading), 1,
      &(gd_chart){.kind = GD_CHART_HEAT,
                  .width = GD_REPORT_WIDE,
                  .height = GD_REPORT_HEIGHT,
                  .title = "Distribution over the time of one video",
                  .x_label = "frame",
                  .y_label = "level",
                  .x = gd_axis_of(t->first_frame, last, 10, 0),
                  .y = gd_axis_of(low, s->info.n_levels - 0.5, 8, 1),
                  .heat = {.n_columns = t->n_columns,
                           .n_rows = t->n_rows,
                           .x_low = t->first_frame,
                           .x_high = last,
                           .y_low = -0.5,
                           .y_high = t->n_rows * t->levels - 0.5,
                           .value = t->density},
                  .n_series = 2,
                  .series = series},
      &table);
  gd_text_add(p->out, "</div>\n");
  gd_text_free(&heading);
}

/* The model that is named above, or the first that has a distribution. */
static int choose_part(const gd_report_page *p)
{
  const gd_comparison *c = p->comparison;
  const int named = gd_report_named_row(p);
  for (int i = 0; i < c->n_parts; i++)
    if (c->parts[i].row == named && has_distribution(&c->rows[named]))
      return i;
  for (int i = 0; i < c->n_parts; i++)
    if (c->parts[i].scores->distribution != NULL)
      return i;
  return -1;
}

static gd_status add_timeline(gd_report_page *p)
{
  const gd_comparison *c = p->comparison;
  const int part = choose_part(p);
  const gd_scores *s = part < 0 ? NULL : c->parts[part].scores;
  const int64_t v = s == NULL ? -1 : gd_timeline_choose(s);
  gd_timeline t;
  if (v < 0)
    return GD_OK;
  const gd_status st = gd_timeline_of(s, v, MOST_COLUMNS, MOST_ROWS, &t);
  if (st != GD_OK)
    return st;
  gd_page_paragraph(p->out,
                    "The distribution over the time of one video; the "
                    "stronger the colour, the more probable. Not chosen by "
                    "eye: of the %" PRId64
                    " videos of %s, the one of the median absolute error.",
                    s->n_videos, c->parts[part].label);
  draw_timeline(p, c->parts[part].label, s, v, &t);
  gd_timeline_free(&t);
  return GD_OK;
}

gd_status gd_report_calibration(gd_report_page *p)
{
  gd_page_section_begin(p->out, "calibration", "Calibration and distributions");
  if (p->n_models > MOST_SHOWN)
    gd_page_paragraph(p->out,
                      "Of %d models, one of each method is drawn here, that of "
                      "the least development error; the table has all.",
                      p->n_models);
  gd_status st = add_reliability(p);
  if (st == GD_OK && choose_part(p) >= 0)
    st = add_distributions(p);
  if (st == GD_OK)
    st = add_timeline(p);
  gd_page_section_end(p->out);
  return st;
}
