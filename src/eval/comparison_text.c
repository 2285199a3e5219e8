/* A comparison as results.csv and as tables for a terminal. */
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gradus/comparison.h"

static void add_field(gd_text *out, double value)
{
  if (isfinite(value))
    gd_text_printf(out, ",%.6f", value);
  else
    gd_text_add(out, ",");
}

static void add_fields(gd_text *out, double value, gd_interval interval)
{
  add_field(out, value);
  add_field(out, interval.low);
  add_field(out, interval.high);
}

static void add_line(const gd_comparison *c, const gd_comparison_row *row,
                     int slice, gd_text *out)
{
  const gd_slice *of = &c->slices[slice];
  const gd_measured *m = &row->slices[slice];
  gd_text_csv(out, row->label);
  gd_text_printf(out, ",%s,%s,", gd_partition_name(row->scores->info.partition),
                 gd_protocol_name(of->protocol));
  gd_text_csv(out, of->task);
  gd_text_printf(out, ",%" PRId64 ",%" PRId64, m->metrics.n, m->n_persons);
  add_fields(out, m->metrics.mae, m->interval.mae);
  add_fields(out, m->metrics.rmse, m->interval.rmse);
  add_fields(out, m->metrics.ccc, m->interval.ccc);
  add_field(out, m->metrics.pearson);
  add_field(out, m->spearman);
  add_field(out, m->metrics.bias);
  /* Known for the videos together only. */
  add_field(out, slice == 0 ? row->confusion.accuracy : NAN);
  add_field(out, slice == 0 ? row->coverage : NAN);
  add_field(out, slice == 0 ? row->width : NAN);
  gd_text_add(out, "\n");
}

void gd_comparison_csv(const gd_comparison *c, gd_text *out)
{
  assert(c != NULL && out != NULL);

  gd_text_add(out, "label,partition,protocol,task,n,persons,mae,mae_low,"
                   "mae_high,rmse,rmse_low,rmse_high,ccc,ccc_low,ccc_high,"
                   "pearson,spearman,bias,accuracy,coverage,width\n");
  for (int s = 0; s < c->n_slices; s++)
    for (int i = 0; i < c->n_rows; i++)
      add_line(c, &c->rows[i], s, out);
}

static void add_column(gd_text *out, int decimals, double value)
{
  if (isfinite(value))
    gd_text_printf(out, " %8.*f", decimals, value);
  else
    gd_text_printf(out, " %8s", "-");
}

static void add_interval(gd_text *out, gd_interval i)
{
  char text[48] = "-";
  if (isfinite(i.low) && isfinite(i.high))
    snprintf(text, sizeof text, "%.2f-%.2f", i.low, i.high);
  gd_text_printf(out, "  %-11s", text);
}

static void add_slice(const gd_comparison *c, int slice, int width,
                      gd_text *out)
{
  char level[24];
  snprintf(level, sizeof level, "%g %%", 100 * c->bootstrap.level);
  gd_text_printf(out, "%sper %s\n", slice == 0 ? "" : "\n",
                 gd_protocol_name(c->slices[slice].protocol));
  gd_text_printf(out, "%-*s  %-9s %6s %8s  %-11s %8s  %-11s %8s %8s\n", width,
                 "label", "partition", "n", "MAE", level, "RMSE", level, "CCC",
                 "bias");
  for (int i = 0; i < c->n_rows; i++) {
    const gd_comparison_row *row = &c->rows[i];
    const gd_measured *m = &row->slices[slice];
    gd_text_printf(out, "%-*s  %-9s %6" PRId64, width, row->label,
                   gd_partition_name(row->scores->info.partition),
                   m->metrics.n);
    add_column(out, 2, m->metrics.mae);
    add_interval(out, m->interval.mae);
    add_column(out, 2, m->metrics.rmse);
    add_interval(out, m->interval.rmse);
    add_column(out, 3, m->metrics.ccc);
    add_column(out, 2, m->metrics.bias);
    gd_text_add(out, "\n");
  }
}

static void add_seeds(const gd_comparison *c, int width, gd_text *out)
{
  gd_text_printf(out,
                 "\nmean and standard deviation over seeds, per video\n"
                 "%-*s  %-5s %8s %8s %8s %8s\n",
                 width, "label", "seeds", "MAE", "+-", "RMSE", "+-");
  for (int i = 0; i < c->n_methods; i++) {
    const gd_comparison_method *m = &c->methods[i];
    if (m->kind != GD_ROW_MODEL)
      continue;
    gd_text_printf(out, "%-*s  %5d", width, m->label, m->n_runs);
    add_column(out, 2, m->slices[0].mae.mean);
    add_column(out, 2, m->slices[0].mae.deviation);
    add_column(out, 2, m->slices[0].rmse.mean);
    add_column(out, 2, m->slices[0].rmse.deviation);
    gd_text_add(out, "\n");
  }
}

static void add_coverage(const gd_comparison *c, int width, gd_text *out)
{
  gd_text_printf(out,
                 "\nprediction intervals, per video\n"
                 "%-*s  %8s %8s %8s\n",
                 width, "label", "asked", "covered", "width");
  for (int i = 0; i < c->n_models; i++) {
    gd_text_printf(out, "%-*s ", width, c->rows[i].label);
    add_column(out, 3, c->rows[i].interval > 0 ? c->rows[i].interval : NAN);
    add_column(out, 3, c->rows[i].coverage);
    add_column(out, 2, c->rows[i].width);
    gd_text_add(out, "\n");
  }
}

void gd_comparison_table(const gd_comparison *c, gd_text *out)
{
  assert(c != NULL && out != NULL);

  int width = (int)strlen("label"), has_intervals = 0;
  for (int i = 0; i < c->n_rows; i++) {
    if ((int)strlen(c->rows[i].label) > width)
      width = (int)strlen(c->rows[i].label);
    has_intervals |= c->rows[i].interval > 0;
  }
  /* Tasks by themselves are for results.csv and the page. */
  for (int s = 0; s < (c->has_sessions ? GD_N_PROTOCOLS : 1); s++)
    add_slice(c, s, width, out);
  if (c->has_seeds)
    add_seeds(c, width, out);
  if (has_intervals)
    add_coverage(c, width, out);
}
