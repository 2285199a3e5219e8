#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "gradus/page.h"
#include "sections.h"

/* What the models' intervals were read off. */
typedef struct {
  int n, n_whole;        /* models with intervals; with the whole scale */
  int64_t fewest, most;  /* development videos */
  double least, highest; /* level, % */
} origin;

static origin origin_of(const gd_comparison *c)
{
  origin o = {.fewest = INT64_MAX, .least = INFINITY};
  for (int i = 0; i < c->n_parts; i++) {
    const gd_scores_info *info = &c->parts[i].scores->info;
    if (info->interval == 0)
      continue;
    o.n++;
    o.n_whole += isinf(info->half_width) != 0;
    o.fewest = info->n_calibration < o.fewest ? info->n_calibration : o.fewest;
    o.most = info->n_calibration > o.most ? info->n_calibration : o.most;
    o.least = fmin(o.least, 100 * info->interval);
    o.highest = fmax(o.highest, 100 * info->interval);
  }
  return o;
}

static void say_origin(gd_report_page *p)
{
  const gd_comparison *c = p->comparison;
  const origin o = origin_of(c);
  char videos[48], level[64];
  if (o.n == 0) {
    gd_page_paragraph(p->out,
                      "No prediction intervals: they are given to test videos, "
                      "where there are development videos to read them off.");
    return;
  }
  if (o.fewest == o.most)
    snprintf(videos, sizeof videos, "%" PRId64, o.most);
  else
    snprintf(videos, sizeof videos, "%" PRId64 " to %" PRId64, o.fewest,
             o.most);
  if (o.least == o.highest)
    snprintf(level, sizeof level, "a level of %g", o.highest);
  else
    snprintf(level, sizeof level, "levels of %g to %g", o.least, o.highest);
  gd_page_paragraph(
      p->out,
      "Each prediction plus and minus the distance that was kept by enough of "
      "the %s development videos for %s %% (split-conformal%s). For new videos "
      "like these the level holds on average; the checkpoint was chosen on the "
      "same videos and persons have several, so the coverage that was found on "
      "test is what counts.",
      videos, level, c->has_folds ? ", for each fold by itself" : "");
  if (o.n < c->n_parts)
    gd_page_paragraph(p->out, "%d of %d models have no intervals.",
                      c->n_parts - o.n, c->n_parts);
  if (o.n_whole == c->n_parts)
    gd_page_notice(p->out,
                   "%s development videos are too few for %s %%: the intervals "
                   "are the whole scale.",
                   videos, level);
  else if (o.n_whole > 0)
    gd_page_notice(p->out,
                   "%d of %d models have too few development videos for their "
                   "level: their intervals are the whole scale.",
                   o.n_whole, c->n_parts);
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
  say_origin(p);
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
