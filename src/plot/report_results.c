#include <inttypes.h>
#include <stdio.h>

#include "gradus/page.h"
#include "sections.h"

static const gd_comparison_row *best_model(const gd_report_page *p)
{
  const gd_comparison_row *best = &p->comparison->rows[0];
  for (int i = 1; i < p->n_models; i++) {
    const gd_comparison_row *row = &p->comparison->rows[i];
    if (row->metrics[GD_PER_VIDEO].mae < best->metrics[GD_PER_VIDEO].mae)
      best = row;
  }
  return best;
}

/* One sentence that a reader may quote, and what limits it. */
static void say_result(gd_report_page *p)
{
  const gd_comparison_row *best = best_model(p);
  const gd_metrics *m = &best->metrics[GD_PER_VIDEO];
  if (m->n == 0) {
    gd_page_notice(p->out, "No video of the %s partition has a score.",
                   gd_partition_name(best->scores->info.partition));
    return;
  }
  gd_page_paragraph(p->out,
                    "Smallest mean absolute error over %" PRId64
                    " %s videos: %.2f levels (%s).",
                    m->n, gd_partition_name(best->scores->info.partition),
                    m->mae, best->label);
  if (p->n_models == p->n_rows) {
    gd_page_notice(p->out, "The corpus has no training partition, so there is "
                           "no constant predictor to compare with.");
    return;
  }
  int n_beaten = 0;
  for (int i = 0; i < p->n_models; i++) {
    const double mae = p->comparison->rows[i].metrics[GD_PER_VIDEO].mae;
    const gd_comparison_row *constant = &p->comparison->rows[p->n_models];
    n_beaten += mae < constant->metrics[GD_PER_VIDEO].mae;
  }
  if (n_beaten < p->n_models)
    gd_page_notice(p->out,
                   "%d of %d models do not beat the constant predictor, which "
                   "says the mean training label for every video.",
                   p->n_models - n_beaten, p->n_models);
}

static void add_metrics_table(gd_report_page *p, gd_protocol protocol)
{
  static const char *const headers[] = {
      "model", "partition", "n", "MAE", "RMSE", "CCC", "Pearson r", "bias"};
  char caption[64];
  snprintf(caption, sizeof caption, "Errors per %s, in levels",
           gd_protocol_name(protocol));
  gd_page_table_begin(p->out, caption, 2, 8, headers);
  for (int i = 0; i < p->n_rows; i++) {
    const gd_comparison_row *row = &p->comparison->rows[i];
    const gd_metrics *m = &row->metrics[protocol];
    gd_page_row_begin(p->out);
    gd_page_cell(p->out, row->label);
    gd_page_cell(p->out, gd_partition_name(row->scores->info.partition));
    gd_page_number(p->out, 0, (double)m->n);
    gd_page_number(p->out, 2, m->mae);
    gd_page_number(p->out, 2, m->rmse);
    gd_page_number(p->out, 3, m->ccc);
    gd_page_number(p->out, 3, m->pearson);
    gd_page_number(p->out, 2, m->bias);
    gd_page_row_end(p->out);
  }
  gd_page_table_end(p->out);
}

gd_status gd_report_results(gd_report_page *p)
{
  gd_page_section_begin(p->out, "results", "Results");
  say_result(p);
  add_metrics_table(p, GD_PER_VIDEO);
  if (p->comparison->has_sessions) {
    gd_page_paragraph(p->out, "The same predictions, averaged over the tasks "
                              "of each session before the error is taken:");
    add_metrics_table(p, GD_PER_SESSION);
  }
  gd_page_paragraph(
      p->out,
      "MAE: mean absolute error. RMSE: root mean squared error. CCC: "
      "Lin\xe2\x80\x99s concordance correlation coefficient. Bias: mean "
      "of predicted minus true. The constant predictor says the mean "
      "training label for every video.");
  gd_page_section_end(p->out);
  return GD_OK;
}
