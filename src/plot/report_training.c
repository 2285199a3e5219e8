#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"
#include "gradus/page.h"
#include "sections.h"

/* A curve never has more points than this: a browser draws it at once, and a
 * pixel has room for no more. */
enum { MOST_POINTS = 300 };

typedef struct {
  double *x, *y;
} points;

/* Means of runs of equal length, so that a long noisy curve stays readable. */
static gd_status thin_curve(int64_t n, const double *x, const double *y,
                            points *memory, gd_series *out)
{
  const int64_t run = (n + MOST_POINTS - 1) / MOST_POINTS;
  const int64_t n_out = run == 0 ? 0 : (n + run - 1) / run;
  memory->x = gd_alloc(n_out, sizeof(double));
  memory->y = gd_alloc(n_out, sizeof(double));
  if (memory->x == NULL || memory->y == NULL)
    return GD_ERR_NOMEM;
  for (int64_t i = 0; i < n_out; i++) {
    const int64_t end = (i + 1) * run < n ? (i + 1) * run : n;
    for (int64_t j = i * run; j < end; j++) {
      memory->x[i] += x[j] / (double)(end - i * run);
      memory->y[i] += y[j] / (double)(end - i * run);
    }
  }
  out->n = n_out;
  out->x = memory->x;
  out->y = memory->y;
  return GD_OK;
}

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
                      const char *x_label, const char *y_label, int n,
                      const gd_series *series)
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
                  .x_label = x_label,
                  .y_label = y_label,
                  .x = gd_axis_of(e.x_low, e.x_high, 6, 1),
                  .y = gd_axis_of(fmin(0, e.y_high), e.y_high, 7, 0),
                  .n_series = n,
                  .series = series});
}

static const char *loss_of(const gd_report_page *p, int model)
{
  return p->comparison->rows[model].scores->info.loss;
}

/* One chart per loss: values of different losses have different units. */
static gd_status add_losses(gd_report_page *p, gd_series *series,
                            points *memory)
{
  for (int first = 0; first < p->n_models; first++) {
    int n = 0, seen = 0;
    for (int m = 0; m < first; m++)
      seen |= strcmp(loss_of(p, m), loss_of(p, first)) == 0;
    for (int m = first; !seen && m < p->n_models; m++) {
      const gd_curve *c = &p->report->curves[m].train;
      if (strcmp(loss_of(p, m), loss_of(p, first)) != 0)
        continue;
      series[n] = p->series[m];
      gd_status st = thin_curve(c->n, c->step, c->loss, &memory[m], &series[n]);
      if (st != GD_OK)
        return st;
      n++;
    }
    char heading[128];
    snprintf(heading, sizeof heading, "Training loss: %s", loss_of(p, first));
    add_lines(p, heading, "step", "loss", n, series);
  }
  return GD_OK;
}

static void add_development(gd_report_page *p, gd_series *series)
{
  for (int m = 0; m < p->n_models; m++) {
    const gd_curve *c = &p->report->curves[m].dev;
    series[m] = p->series[m];
    series[m].n = c->n;
    series[m].x = c->epoch;
    series[m].y = c->mae;
    series[m].notes = NULL;
  }
  add_lines(p, "Development MAE", "epoch", "MAE, levels", p->n_models, series);
}

static double mean_loss(const gd_curve *train, double epoch)
{
  double sum = 0, n = 0;
  for (int64_t i = 0; i < train->n; i++)
    if (train->epoch[i] == epoch) {
      sum += train->loss[i];
      n++;
    }
  return sum / n; /* NaN without any */
}

static void add_table(gd_report_page *p, int model)
{
  static const char *const headers[] = {"epoch", "training loss", "dev loss",
                                        "dev MAE", "dev RMSE"};
  const gd_curves *c = &p->report->curves[model];
  char caption[256];
  if (c->dev.n == 0)
    return;
  snprintf(caption, sizeof caption, "Epochs of %s",
           p->comparison->rows[model].label);
  gd_page_fold_begin(p->out, caption);
  gd_page_table_begin(p->out, caption, 0, 5, headers);
  for (int64_t i = 0; i < c->dev.n; i++) {
    gd_page_row_begin(p->out);
    gd_page_number(p->out, 0, c->dev.epoch[i]);
    gd_page_number(p->out, 4, mean_loss(&c->train, c->dev.epoch[i]));
    gd_page_number(p->out, 4, c->dev.loss[i]);
    gd_page_number(p->out, 3, c->dev.mae[i]);
    gd_page_number(p->out, 3, c->dev.rmse[i]);
    gd_page_row_end(p->out);
  }
  gd_page_table_end(p->out);
  gd_page_fold_end(p->out);
}

gd_status gd_report_training(gd_report_page *p)
{
  gd_series *series = gd_alloc(p->n_models, sizeof *series);
  points *memory = gd_alloc(p->n_models, sizeof *memory);
  gd_status st = series == NULL || memory == NULL ? GD_ERR_NOMEM : GD_OK;
  if (st == GD_OK) {
    gd_page_section_begin(p->out, "training", "Training");
    gd_page_paragraph(p->out,
                      "Training and the choice of an epoch see the training "
                      "and development partitions alone, never the test "
                      "partition.");
    gd_chart_legend(p->out, p->n_models, p->series, GD_CHART_LINES);
    gd_text_add(p->out, "<div class=\"charts\">\n");
    add_development(p, series);
    st = add_losses(p, series, memory);
    gd_text_add(p->out, "</div>\n");
    for (int m = 0; m < p->n_models; m++)
      add_table(p, m);
    gd_page_section_end(p->out);
  }
  for (int m = 0; memory != NULL && m < p->n_models; m++) {
    free(memory[m].x);
    free(memory[m].y);
  }
  free(memory);
  free(series);
  return st;
}
