#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "gradus/memory.h"
#include "gradus/page.h"
#include "sections.h"

static gd_axis axis_of_levels(const gd_report_page *p)
{
  double low = 0, high = 0;
  for (int i = 0; i < p->n_models; i++) {
    const gd_comparison_row *row = &p->comparison->rows[i];
    for (int64_t v = 0; v < row->n; v++) {
      low = fmin(low, fmin(row->truth[v], row->predicted[v]));
      high = fmax(high, fmax(row->truth[v], row->predicted[v]));
    }
  }
  return gd_axis_of(low, high, 7, 0);
}

/* The videos of a row, one by one. */
static void begin_table(const gd_comparison_row *row, gd_table *table)
{
  static const char *const headers[] = {"video",    "task",      "person",
                                        "true",     "predicted", "error",
                                        "interval", "within",    "between"};
  gd_text name = {0}, caption = {0};
  gd_text_printf(&name, "predictions-%s", row->label);
  gd_text_printf(&caption, "Predictions of %s", row->label);
  gd_table_begin(table, gd_text_get(&name), gd_text_get(&caption), 9, headers,
                 3);
  for (int64_t v = 0; v < row->n; v++) {
    gd_table_text(table, row->videos[v]->id);
    gd_table_text(table, row->videos[v]->task);
    gd_table_text(table, row->videos[v]->subject);
    gd_table_number(table, 2, row->truth[v]);
    gd_table_number(table, 2, row->predicted[v]);
    gd_table_number(table, 2, row->predicted[v] - row->truth[v]);
    gd_table_interval(table, 1, row->low[v], row->high[v]);
    gd_table_number(table, 2, row->within[v]);
    gd_table_number(table, 2, row->between[v]);
  }
  gd_text_free(&name);
  gd_text_free(&caption);
}

/* Compose "id: true 12, predicted 14.20" for every video of a row. */
static gd_status add_scatter(gd_report_page *p, int index, gd_axis levels)
{
  const gd_comparison_row *row = &p->comparison->rows[index];
  gd_text notes = {0};
  size_t *at = gd_alloc(row->n, sizeof *at);
  const char **note = gd_alloc(row->n, sizeof *note);
  gd_status st = at == NULL || note == NULL ? GD_ERR_NOMEM : GD_OK;
  for (int64_t v = 0; st == GD_OK && v < row->n; v++) {
    at[v] = notes.length_bytes;
    gd_text_printf(&notes, "%s: true %g, predicted %.2f", row->videos[v]->id,
                   row->truth[v], row->predicted[v]);
    gd_text_bytes(&notes, "", 1);
    st = gd_text_status(&notes);
  }
  if (st == GD_OK) {
    for (int64_t v = 0; v < row->n; v++)
      note[v] = gd_text_get(&notes) + at[v];
    gd_table t;
    begin_table(row, &t);
    gd_series s = p->series[index];
    s.name = "";
    s.n = row->n;
    s.x = row->truth;
    s.y = row->predicted;
    s.notes = note;
    char title[256];
    snprintf(title, sizeof title, "%s: predicted against true level",
             row->label);
    gd_report_figure(p, row->label, 0,
                     &(gd_chart){.kind = GD_CHART_POINTS,
                                 .width = GD_REPORT_WIDTH,
                                 .height = GD_REPORT_WIDTH - 50,
                                 .title = title,
                                 .x_label = "true level",
                                 .y_label = "predicted level",
                                 .x = levels,
                                 .y = levels,
                                 .identity = 1,
                                 .n_series = 1,
                                 .series = &s},
                     &t);
  }
  free(note);
  free(at);
  gd_text_free(&notes);
  return st;
}

gd_status gd_report_predictions(gd_report_page *p)
{
  const gd_axis levels = axis_of_levels(p);
  gd_status st = GD_OK;
  gd_page_section_begin(p->out, "predictions", "Predicted against true level");
  gd_page_paragraph(p->out,
                    "One point per video; on the dashed line, predicted and "
                    "true level are equal.");
  gd_text_add(p->out, "<div class=\"charts\">\n");
  for (int i = 0; st == GD_OK && i < p->n_models; i++)
    st = add_scatter(p, i, levels);
  gd_text_add(p->out, "</div>\n");
  gd_page_section_end(p->out);
  return st;
}

/* --------------------------------------------------------------- severity */

static void begin_bands(gd_report_page *p, gd_table *t)
{
  const gd_comparison *c = p->comparison;
  char names[GD_MAX_BANDS][64];
  const char *headers[GD_MAX_BANDS + 2] = {"model"};
  for (int b = 0; b < c->n_bands; b++) {
    snprintf(names[b], sizeof names[b], "%s %d\xe2\x80\x93%d", c->bands[b].name,
             c->bands[b].first, c->bands[b].last);
    headers[b + 1] = names[b];
  }
  headers[c->n_bands + 1] = "band right";
  gd_table_begin(t, "bands", "Mean absolute error by band, in levels",
                 c->n_bands + 2, headers, 1);
  for (int i = 0; i < c->n_rows; i++) {
    gd_table_text(t, c->rows[i].label);
    for (int b = 0; b < c->n_bands; b++)
      gd_table_number(t, 2, c->rows[i].band[b].mae);
    gd_table_number(t, 3, c->rows[i].confusion.accuracy);
  }
}

/* Which band is taken for which; a table for each model. */
static void add_confusion(gd_report_page *p, const gd_comparison_row *row)
{
  const gd_comparison *c = p->comparison;
  const char *headers[GD_MAX_BANDS + 2] = {"true band"};
  gd_text name = {0}, caption = {0};
  gd_table t;
  for (int b = 0; b < c->n_bands; b++)
    headers[b + 1] = c->bands[b].name;
  headers[c->n_bands + 1] = "right";
  gd_text_printf(&name, "confusion-%s", row->label);
  gd_text_printf(&caption, "Videos of each band by predicted band: %s",
                 row->label);
  gd_page_fold_begin(p->out, gd_text_get(&caption));
  gd_table_begin(&t, gd_text_get(&name), gd_text_get(&caption), c->n_bands + 2,
                 headers, 1);
  for (int b = 0; b < c->n_bands; b++) {
    int64_t n = 0;
    gd_table_text(&t, c->bands[b].name);
    for (int k = 0; k < c->n_bands; k++) {
      gd_table_number(&t, 0, (double)row->confusion.count[b][k]);
      n += row->confusion.count[b][k];
    }
    gd_table_number(
        &t, 3, n > 0 ? (double)row->confusion.count[b][b] / (double)n : NAN);
  }
  gd_report_show_table(p, &t);
  gd_page_fold_end(p->out);
  gd_text_free(&name);
  gd_text_free(&caption);
}

/* Fill in the series: a bar per band. */
static gd_axis fill_series(gd_report_page *p, double *mae)
{
  const gd_comparison *c = p->comparison;
  double most = 0;
  for (int i = 0; i < p->n_rows; i++) {
    gd_series *s = &p->series[i];
    *s = (gd_series){.name = s->name,
                     .colour = s->colour,
                     .n = c->n_bands,
                     .y = mae + i * GD_MAX_BANDS};
    for (int b = 0; b < c->n_bands; b++) {
      mae[i * GD_MAX_BANDS + b] = c->rows[i].band[b].mae;
      most = fmax(most, mae[i * GD_MAX_BANDS + b]);
    }
  }
  return gd_axis_of(0, most, 6, 0);
}

gd_status gd_report_severity(gd_report_page *p)
{
  const gd_comparison *c = p->comparison;
  char names[GD_MAX_BANDS][96];
  const char *categories[GD_MAX_BANDS];
  for (int b = 0; b < c->n_bands; b++) {
    snprintf(names[b], sizeof names[b], "%s\n%d\xe2\x80\x93%d, n = %" PRId64,
             c->bands[b].name, c->bands[b].first, c->bands[b].last,
             c->rows[0].band[b].n);
    categories[b] = names[b];
  }
  double *mae = gd_alloc((int64_t)p->n_rows * GD_MAX_BANDS, sizeof *mae);
  if (mae == NULL)
    return GD_ERR_NOMEM;
  const gd_axis y = fill_series(p, mae);
  gd_page_section_begin(p->out, "severity", "Error by severity");
  gd_chart_legend(p->out, p->n_rows, p->series, GD_CHART_BARS);
  gd_table t;
  begin_bands(p, &t);
  gd_text_add(p->out, "<div class=\"charts\">\n");
  gd_report_figure(p, "Mean absolute error by band of the true level", 1,
                   &(gd_chart){.kind = GD_CHART_BARS,
                               .width = GD_REPORT_WIDE,
                               .height = GD_REPORT_HEIGHT,
                               .title = "Mean absolute error by severity",
                               .x_label = "true level",
                               .y_label = "MAE, levels",
                               .y = y,
                               .n_categories = c->n_bands,
                               .categories = categories,
                               .n_series = p->n_rows,
                               .series = p->series},
                   &t);
  gd_text_add(p->out, "</div>\n");
  for (int i = 0; i < p->n_models; i++)
    add_confusion(p, &c->rows[i]);
  gd_page_section_end(p->out);
  free(mae);
  return GD_OK;
}
