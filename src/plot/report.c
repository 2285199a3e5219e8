#include "gradus/report.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"
#include "gradus/page.h"
#include "sections.h"

static void add_introduction(gd_report_page *p)
{
  static const char *const sections[][2] = {
      {"results", "Results"},
      {"predictions", "Predictions"},
      {"calibration", "Calibration"},
      {"intervals", "Intervals"},
      {"severity", "Severity"},
      {"attention", "Attention"},
      {"training", "Training"},
      {"corpus", "Corpus"},
      {"job", "Job"},
  };
  gd_page_paragraph(p->out, "A research tool; not a diagnosis. Nothing here "
                            "says anything about a single person.");
  gd_text_add(p->out, "<nav aria-label=\"Sections\"><ul>");
  for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
    if (strcmp(sections[i][0], "attention") != 0 || gd_report_has_attention(p))
      gd_text_printf(p->out, "<li><a href=\"#%s\">%s</a></li>", sections[i][0],
                     sections[i][1]);
  gd_text_add(p->out, "</ul></nav>\n");
}

static void add_job(gd_report_page *p)
{
  static const char *const headers[] = {"what", "value"};
  const gd_report *r = p->report;
  gd_table t;
  gd_page_section_begin(p->out, "job", "Job");
  for (int i = 0; i < r->n_jobs; i++) {
    if (r->n_jobs > 1)
      gd_page_heading(p->out, r->jobs[i].name);
    gd_page_paragraph(p->out, "The manifest with every default filled in:");
    gd_page_verbatim(p->out, r->jobs[i].manifest);
  }
  gd_table_begin(&t, "versions", "What it was computed with", 2, headers, 2);
  for (int i = 0; i < r->n_facts; i++) {
    gd_table_text(&t, r->facts[i][0]);
    gd_table_text(&t, r->facts[i][1]);
  }
  gd_report_show_table(p, &t);
  gd_page_section_end(p->out);
}

static gd_status add_sections(gd_report_page *p)
{
  gd_page_begin(p->out, p->report->title);
  add_introduction(p);
  gd_status st = gd_report_results(p);
  if (st == GD_OK)
    st = gd_report_predictions(p);
  if (st == GD_OK)
    st = gd_report_calibration(p);
  if (st == GD_OK)
    st = gd_report_intervals(p);
  if (st == GD_OK)
    st = gd_report_severity(p);
  if (st == GD_OK)
    st = gd_report_attention(p);
  if (st == GD_OK)
    st = gd_report_training(p);
  if (st == GD_OK)
    st = gd_report_corpus(p);
  add_job(p);
  gd_page_end(p->out);
  if (st == GD_OK)
    st = p->status;
  return st == GD_OK ? gd_text_status(p->out) : st;
}

gd_status gd_report_html(const gd_report *r, gd_text *out,
                         gd_report_files *files)
{
  assert(r != NULL && out != NULL && r->comparison->n_rows > 0);
  assert(r->n_jobs >= 1);

  gd_report_page p = {.report = r,
                      .comparison = r->comparison,
                      .n_rows = r->comparison->n_rows,
                      .n_models = r->comparison->n_models,
                      .out = out,
                      .files = files};
  p.series = gd_alloc(p.n_rows, sizeof *p.series);
  if (p.series == NULL)
    return GD_ERR_NOMEM;
  for (int i = 0; i < p.n_rows; i++) {
    const gd_comparison_row *row = &r->comparison->rows[i];
    p.series[i].name = row->label;
    p.series[i].colour = row->kind == GD_ROW_MODEL  ? i
                         : row->kind == GD_ROW_MEAN ? GD_CHART_GREY
                                                    : GD_CHART_PALE;
  }
  gd_status st = add_sections(&p);
  free(p.series);
  return st;
}
