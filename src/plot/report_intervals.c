#include <inttypes.h>
#include <math.h>

#include "gradus/page.h"
#include "sections.h"

static void say_origin(gd_report_page *p, const gd_comparison_row *row)
{
  const gd_scores_info *info = &row->scores->info;
  if (row->interval == 0) {
    gd_page_paragraph(p->out,
                      "No prediction intervals: they are given to test videos, "
                      "where there are development videos to read them off.");
    return;
  }
  gd_page_paragraph(
      p->out,
      "Each prediction plus and minus the distance that was kept by enough of "
      "the %" PRId64 " development videos for a level of %g %% (split-conformal"
      "%s). For new videos like these the level holds on average; the "
      "checkpoint was chosen on the same videos and persons have several, so "
      "the coverage that was found on test is what counts.",
      info->n_calibration, 100 * row->interval,
      p->comparison->has_folds ? ", for each fold by itself" : "");
  if (isinf(info->half_width))
    gd_page_notice(p->out,
                   "%" PRId64 " development videos are too few for a level of "
                   "%g %%: the intervals are the whole scale.",
                   info->n_calibration, 100 * row->interval);
}

static double mean_of(int64_t n, const double *x)
{
  double sum = 0;
  for (int64_t i = 0; i < n; i++)
    sum += x[i];
  return n > 0 ? sum / (double)n : NAN;
}

gd_status gd_report_intervals(gd_report_page *p)
{
  static const char *const headers[] = {"model", "n",      "asked",  "covered",
                                        "width", "within", "between"};
  gd_table t;
  gd_page_section_begin(p->out, "intervals", "Prediction intervals and spread");
  say_origin(p, &p->comparison->rows[0]);
  gd_table_begin(&t, "intervals",
                 "Coverage and width of intervals, and spread, per video", 7,
                 headers, 1);
  for (int i = 0; i < p->n_models; i++) {
    const gd_comparison_row *row = &p->comparison->rows[i];
    gd_table_text(&t, row->label);
    gd_table_number(&t, 0, (double)row->n);
    gd_table_number(&t, 3, row->interval > 0 ? row->interval : NAN);
    gd_table_number(&t, 3, row->coverage);
    gd_table_number(&t, 2, row->width);
    gd_table_number(&t, 2, mean_of(row->n, row->within));
    gd_table_number(&t, 2, mean_of(row->n, row->between));
  }
  gd_report_show_table(p, &t);
  gd_page_paragraph(
      p->out,
      "Width: mean, in levels. Within: how wide the distribution of a frame "
      "is, its standard deviation (root mean square over the frames of a "
      "video); 0 for the Euclidean loss, which has none. Between: how far the "
      "frames of a video disagree, the standard deviation of their expected "
      "levels. Both are means over videos.");
  gd_page_section_end(p->out);
  return GD_OK;
}
