/** The report's sections: each writes itself onto the page. */
#ifndef GRADUS_PLOT_SECTIONS_H
#define GRADUS_PLOT_SECTIONS_H

#include "gradus/chart.h"
#include "gradus/report.h"
#include "gradus/table.h"

/* Sizes of charts: two or three stand side by side, or one fills the page. */
enum { GD_REPORT_WIDTH = 380, GD_REPORT_HEIGHT = 270, GD_REPORT_WIDE = 720 };

typedef struct {
  const gd_report *report;
  const gd_comparison *comparison;
  int n_rows, n_models; /* the models come first */
  gd_series *series;    /* (n_rows) name and colour, the same in all charts */
  gd_text *out;
  gd_report_files *files; /* NULL: not wanted */
  gd_status status;       /* of the files */
} gd_report_page;

gd_status gd_report_results(gd_report_page *p);
gd_status gd_report_predictions(gd_report_page *p);
gd_status gd_report_calibration(gd_report_page *p);
gd_status gd_report_intervals(gd_report_page *p);
gd_status gd_report_severity(gd_report_page *p);
gd_status gd_report_attention(gd_report_page *p); /* nothing without maps */
int gd_report_has_attention(const gd_report_page *p);
gd_status gd_report_training(gd_report_page *p);
gd_status gd_report_corpus(gd_report_page *p);

/* Index of the model that the report names: the one that development chose, or
 * without a choice the one of the smallest error. */
int gd_report_named_row(const gd_report_page *p);

/* A chart with its heading and, folded, the table behind it; `wide` ones are
 * scrolled on small screens.  The table is freed; NULL: the chart's own
 * numbers. Its title names the files. */
void gd_report_figure(gd_report_page *p, const char *heading, int wide,
                      const gd_chart *chart, gd_table *table);

/* Put a complete table on the page and into the list of tables; frees it. */
void gd_report_show_table(gd_report_page *p, gd_table *t);

#endif
