#include "gradus/report.h"

#include <assert.h>
#include <stdlib.h>

#include "gradus/memory.h"
#include "gradus/page.h"
#include "sections.h"

void gd_report_figure(gd_report_page *p, const char *heading, int wide,
                      const gd_chart *chart)
{
  gd_text_printf(p->out, "<figure%s><h3>",
                 wide ? " class=\"wide\" tabindex=\"0\"" : "");
  gd_text_html(p->out, heading);
  gd_text_add(p->out, "</h3>\n");
  gd_chart_svg(p->out, chart);
  gd_text_add(p->out, "</figure>\n");
}

static void add_introduction(gd_report_page *p)
{
  static const char *const sections[][2] = {
      {"results", "Results"},   {"predictions", "Predictions"},
      {"severity", "Severity"}, {"training", "Training"},
      {"corpus", "Corpus"},     {"job", "Job"},
  };
  gd_page_paragraph(p->out, "A research tool; not a diagnosis. Nothing here "
                            "says anything about a single person.");
  gd_text_add(p->out, "<nav aria-label=\"Sections\"><ul>");
  for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
    gd_text_printf(p->out, "<li><a href=\"#%s\">%s</a></li>", sections[i][0],
                   sections[i][1]);
  gd_text_add(p->out, "</ul></nav>\n");
}

static void add_job(gd_report_page *p)
{
  static const char *const headers[] = {"what", "value"};
  const gd_report *r = p->report;
  gd_page_section_begin(p->out, "job", "Job");
  gd_page_paragraph(p->out, "The manifest with every default filled in:");
  gd_page_verbatim(p->out, r->manifest);
  gd_page_table_begin(p->out, "What it was computed with", 2, 2, headers);
  for (int i = 0; i < r->n_facts; i++) {
    gd_page_row_begin(p->out);
    gd_page_cell(p->out, r->facts[i][0]);
    gd_page_cell(p->out, r->facts[i][1]);
    gd_page_row_end(p->out);
  }
  gd_page_table_end(p->out);
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
    st = gd_report_severity(p);
  if (st == GD_OK)
    st = gd_report_training(p);
  if (st == GD_OK)
    st = gd_report_corpus(p);
  add_job(p);
  gd_page_end(p->out);
  return st == GD_OK ? gd_text_status(p->out) : st;
}

gd_status gd_report_html(const gd_report *r, gd_text *out)
{
  assert(r != NULL && out != NULL && r->comparison->n_rows > 0);

  gd_report_page p = {.report = r,
                      .comparison = r->comparison,
                      .n_rows = r->comparison->n_rows,
                      .out = out};
  p.series = gd_alloc(p.n_rows, sizeof *p.series);
  if (p.series == NULL)
    return GD_ERR_NOMEM;
  for (int i = 0; i < p.n_rows; i++) {
    const gd_comparison_row *row = &r->comparison->rows[i];
    p.series[i].name = row->label;
    p.series[i].colour = row->is_constant ? GD_CHART_GREY : p.n_models;
    p.n_models += !row->is_constant;
  }
  gd_status st = add_sections(&p);
  free(p.series);
  return st;
}
