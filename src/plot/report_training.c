#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"
#include "gradus/page.h"
#include "sections.h"

typedef struct {
  double x_low, x_high, y_high;
} extent;

static extent measure(int n, const gd_series *series)
{
  extent e = {INFINITY, -INFINITY, -INFINITY};
  for (int s = 0; s < n; s++)
    for (int64_t i = 0; i < series[s].n; i++) {
      e.x_low = fmin(e.x_low, series[s].x[i]);
      e.x_high = fmax(e.x_high, series[s].x[i]);
      e.y_high = fmax(e.y_high, series[s].y[i]);
    }
  return e;
}

static void add_lines(gd_report_page *p, const char *heading,
                      const char *y_label, int n, const gd_series *series)
{
  const extent e = measure(n, series);
  if (!isfinite(e.y_high))
    return;
  gd_report_figure(
      p, heading, 0,
      &(gd_chart){.kind = GD_CHART_LINES,
                  .width = GD_REPORT_WIDTH,
                  .height = GD_REPORT_HEIGHT,
                  .title = heading,
                  .x_label = "epoch",
                  .y_label = y_label,
                  .x = gd_axis_of(e.x_low, e.x_high, 6, 1),
                  .y = gd_axis_of(fmin(0, e.y_high), e.y_high, 7, 0),
                  .n_series = n,
                  .series = series},
      NULL);
}

/* Folds of a run have the colour of its row. */
static gd_series curve_of(const gd_report_page *p, int part, int64_t n,
                          const double *x, const double *y)
{
  const gd_comparison_part *of = &p->comparison->parts[part];
  return (gd_series){.name = of->label,
                     .colour = p->series[of->row].colour,
                     .n = n,
                     .x = x,
                     .y = y};
}

static const char *loss_of(const gd_report_page *p, int part)
{
  return p->comparison->parts[part].scores->info.loss;
}

/* One chart per loss: values of different losses have different units. */
static void add_losses(gd_report_page *p, gd_series *series)
{
  for (int first = 0; first < p->comparison->n_parts; first++) {
    int n = 0, seen = 0;
    for (int m = 0; m < first; m++)
      seen |= strcmp(loss_of(p, m), loss_of(p, first)) == 0;
    for (int m = first; !seen && m < p->comparison->n_parts; m++)
      if (strcmp(loss_of(p, m), loss_of(p, first)) == 0) {
        const gd_curve *c = &p->report->curves[m].train;
        series[n++] = curve_of(p, m, c->n, c->epoch, c->loss);
      }
    char heading[128];
    snprintf(heading, sizeof heading, "Training loss: %s", loss_of(p, first));
    add_lines(p, heading, "loss", n, series);
  }
}

static void add_development(gd_report_page *p, gd_series *series)
{
  for (int m = 0; m < p->comparison->n_parts; m++) {
    const gd_curve *c = &p->report->curves[m].dev;
    series[m] = curve_of(p, m, c->n, c->epoch, c->mae);
  }
  add_lines(p, "Development MAE", "MAE, levels", p->comparison->n_parts,
            series);
}

static double loss_at(const gd_curve *train, double epoch)
{
  for (int64_t i = 0; i < train->n; i++)
    if (train->epoch[i] == epoch)
      return train->loss[i];
  return NAN;
}

static void add_table(gd_report_page *p, int part)
{
  static const char *const headers[] = {"epoch", "training loss", "dev loss",
                                        "dev MAE", "dev RMSE"};
  const gd_curves *c = &p->report->curves[part];
  gd_text name = {0}, caption = {0};
  gd_table t;
  if (c->dev.n == 0)
    return;
  gd_text_printf(&name, "epochs-%s", p->comparison->parts[part].label);
  gd_text_printf(&caption, "Epochs of %s", p->comparison->parts[part].label);
  gd_page_fold_begin(p->out, gd_text_get(&caption));
  gd_table_begin(&t, gd_text_get(&name), gd_text_get(&caption), 5, headers, 0);
  for (int64_t i = 0; i < c->dev.n; i++) {
    gd_table_number(&t, 0, c->dev.epoch[i]);
    gd_table_number(&t, 4, loss_at(&c->train, c->dev.epoch[i]));
    gd_table_number(&t, 4, c->dev.loss[i]);
    gd_table_number(&t, 3, c->dev.mae[i]);
    gd_table_number(&t, 3, c->dev.rmse[i]);
  }
  gd_report_show_table(p, &t);
  gd_page_fold_end(p->out);
  gd_text_free(&name);
  gd_text_free(&caption);
}

gd_status gd_report_training(gd_report_page *p)
{
  gd_series *series = gd_alloc(p->comparison->n_parts, sizeof *series);
  if (series == NULL)
    return GD_ERR_NOMEM;
  gd_page_section_begin(p->out, "training", "Training");
  gd_page_paragraph(p->out,
                    "Training and the choice of an epoch see the training and "
                    "development partitions alone, never the test partition.");
  gd_chart_legend(p->out, p->n_models, p->series, GD_CHART_LINES);
  gd_text_add(p->out, "<div class=\"charts\">\n");
  add_development(p, series);
  add_losses(p, series);
  gd_text_add(p->out, "</div>\n");
  for (int m = 0; m < p->comparison->n_parts; m++)
    add_table(p, m);
  gd_page_section_end(p->out);
  free(series);
  return GD_OK;
}
