#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gradus/page.h"
#include "gradus/published.h"
#include "sections.h"

static const gd_metrics *per_video(const gd_comparison_row *row)
{
  return &row->slices[0].metrics;
}

int gd_report_named_row(const gd_report_page *p)
{
  const gd_comparison *c = p->comparison;
  int best = c->chosen_row < 0 ? 0 : c->chosen_row;
  for (int i = 1; c->chosen_row < 0 && i < p->n_models; i++)
    if (per_video(&c->rows[i])->mae < per_video(&c->rows[best])->mae)
      best = i;
  return best;
}

/* How many models have no smaller MAE than a constant on the same videos. */
static int count_beaten(const gd_report_page *p)
{
  const gd_comparison_row *rows = p->comparison->rows;
  int n = 0;
  for (int m = 0; m < p->n_models; m++) {
    int is_beaten = 0;
    for (int k = 0; k < 2; k++) {
      const int own = rows[m].constants[k];
      is_beaten |=
          own >= 0 && per_video(&rows[m])->mae >= per_video(&rows[own])->mae;
    }
    n += is_beaten;
  }
  return n;
}

/* What to think of the error of one of several models. */
static void add_choice(const gd_report_page *p, const gd_comparison_row *row,
                       gd_text *out)
{
  const gd_comparison *c = p->comparison;
  const gd_comparison_method *m = &c->methods[row->method];
  const int is_new = row->scores->info.partition == GD_TEST;
  if (p->n_models == 1)
    return;
  if (c->chosen_row < 0)
    gd_text_printf(out,
                   " It is the smallest of %d models on these very videos, so "
                   "it flatters: not all of them have an error on the same "
                   "development videos, by which one could have been chosen.",
                   p->n_models);
  else
    gd_text_printf(out,
                   " It was chosen among %d models by the error on the "
                   "development videos (%.2f levels)%s.",
                   p->n_models, row->dev_mae,
                   is_new ? "; the test videos had no part in that"
                          : ", not on new ones, so it flatters");
  if (m->n_runs > 1)
    gd_text_printf(out,
                   " Over its method\xe2\x80\x99s %d seeds the error is %.2f "
                   "\xc2\xb1 %.2f levels.",
                   m->n_runs, m->slices[0].mae.mean,
                   m->slices[0].mae.deviation);
}

/* How many models a constant predictor leaves behind. */
static void say_beaten(gd_report_page *p)
{
  const int n = count_beaten(p);
  if (p->n_rows == p->n_models)
    gd_page_notice(p->out, "The corpus has no training partition, so there is "
                           "no constant predictor to compare with.");
  else if (n > 0)
    gd_page_notice(p->out,
                   "%d of %d models do not beat a constant predictor, which "
                   "says the mean or the median training label for every "
                   "video.",
                   n, p->n_models);
}

/* Sentences that a reader may quote, and what limits them. */
static void say_result(gd_report_page *p)
{
  const gd_comparison_row *row = &p->comparison->rows[gd_report_named_row(p)];
  const gd_metrics *m = per_video(row);
  const gd_interval *i = &row->slices[0].interval.mae;
  const char *partition = gd_partition_name(row->scores->info.partition);
  if (m->n == 0) {
    gd_page_notice(p->out, "No video of the %s partition has a score.",
                   partition);
    return;
  }
  gd_text said = {0};
  gd_text_printf(&said,
                 "Mean absolute error of %s over %" PRId64
                 " %s videos: %.2f levels",
                 row->label, m->n, partition, m->mae);
  if (isfinite(i->low))
    gd_text_printf(&said, "; %g %% interval over persons %.2f\xe2\x80\x93%.2f",
                   100 * p->comparison->bootstrap.level, i->low, i->high);
  gd_text_add(&said, ".");
  add_choice(p, row, &said);
  gd_page_paragraph(p->out, "%s", gd_text_get(&said));
  if (said.status != GD_OK)
    p->out->status = said.status;
  gd_text_free(&said);
  say_beaten(p);
}

/* Whether the rows are of several partitions: then each says its own. */
static int partitions_vary(const gd_comparison *c)
{
  for (int i = 1; i < c->n_rows; i++)
    if (c->rows[i].scores->info.partition != c->rows[0].scores->info.partition)
      return 1;
  return 0;
}

static void name_slice(const gd_comparison *c, const gd_slice *s, gd_text *name,
                       gd_text *caption)
{
  gd_text_printf(name, "errors-per-%s", gd_protocol_name(s->protocol));
  gd_text_printf(caption, "Errors per %s", gd_protocol_name(s->protocol));
  if (s->task[0] != '\0') {
    gd_text_printf(name, "-%s", s->task);
    gd_text_printf(caption, " of the task %s", s->task);
  }
  if (!partitions_vary(c))
    gd_text_printf(caption, ", %s partition",
                   gd_partition_name(c->rows[0].scores->info.partition));
  gd_text_add(caption, ", in levels");
}

static void add_errors(gd_report_page *p, int slice)
{
  const gd_comparison *c = p->comparison;
  char level[24];
  snprintf(level, sizeof level, "%g %%", 100 * c->bootstrap.level);
  const char *const headers[] = {"partition", "model", "n",        "MAE",
                                 level,       "RMSE",  level,      "CCC",
                                 level,       "r",     "\xcf\x81", "bias"};
  const int left_out = partitions_vary(c) ? 0 : 1;
  gd_text name = {0}, caption = {0};
  gd_table t;
  name_slice(c, &c->slices[slice], &name, &caption);
  gd_table_begin(&t, gd_text_get(&name), gd_text_get(&caption), 12 - left_out,
                 headers + left_out, 2 - left_out);
  for (int i = 0; i < p->n_rows; i++) {
    const gd_comparison_row *row = &c->rows[i];
    const gd_measured *m = &row->slices[slice];
    if (!left_out)
      gd_table_text(&t, gd_partition_name(row->scores->info.partition));
    gd_table_text(&t, row->label);
    gd_table_number(&t, 0, (double)m->metrics.n);
    gd_table_number(&t, 2, m->metrics.mae);
    gd_table_interval(&t, 2, m->interval.mae.low, m->interval.mae.high);
    gd_table_number(&t, 2, m->metrics.rmse);
    gd_table_interval(&t, 2, m->interval.rmse.low, m->interval.rmse.high);
    gd_table_number(&t, 3, m->metrics.ccc);
    gd_table_interval(&t, 2, m->interval.ccc.low, m->interval.ccc.high);
    gd_table_number(&t, 3, m->metrics.pearson);
    gd_table_number(&t, 3, m->spearman);
    gd_table_number(&t, 2, m->metrics.bias);
  }
  gd_report_show_table(p, &t);
  gd_text_free(&name);
  gd_text_free(&caption);
}

static void add_all_errors(gd_report_page *p)
{
  const gd_comparison *c = p->comparison;
  add_errors(p, 0);
  if (c->has_sessions) {
    gd_page_paragraph(p->out, "The same predictions, averaged over the tasks "
                              "of each session before the error is taken:");
    add_errors(p, 1);
    gd_page_fold_begin(p->out, "Errors of each task");
    for (int s = 2; s < c->n_slices; s++)
      add_errors(p, s);
    gd_page_fold_end(p->out);
  }
  gd_page_paragraph(
      p->out,
      "MAE: mean absolute error. RMSE: root mean squared error. CCC: "
      "Lin\xe2\x80\x99s concordance correlation coefficient. r: "
      "Pearson\xe2\x80\x99s, "
      "\xcf\x81: Spearman\xe2\x80\x99s correlation. Bias: mean of predicted "
      "minus "
      "true. %g %%: bootstrap interval, resampling the %" PRId64 " persons %d "
      "times. The constant predictor says the mean training label for every "
      "video, the median predictor the median one.",
      100 * c->bootstrap.level, c->rows[0].slices[0].n_persons,
      c->bootstrap.draws);
}

/* What differs and what does not, in sentences. */
static void say_findings(gd_report_page *p)
{
  gd_text said = {0};
  gd_comparison_findings(p->comparison, &said);
  const char *rest = gd_text_get(&said);
  if (*rest != '\0')
    gd_page_heading(p->out, "What differs, and what is within noise");
  for (size_t n; *rest != '\0'; rest += n + 1) {
    n = strcspn(rest, "\n");
    gd_text one = {0};
    gd_text_bytes(&one, rest, n);
    gd_text_add(p->out, "<p>");
    gd_text_html(p->out, gd_text_get(&one));
    gd_text_add(p->out, "</p>\n");
    gd_text_free(&one);
  }
  if (said.status != GD_OK)
    p->out->status = said.status;
  gd_text_free(&said);
}

/* ------------------------------------------------------------ over members */

static void add_seeds(gd_report_page *p)
{
  static const char *const headers[] = {"method", "seeds", "dev MAE",
                                        "MAE",    "RMSE",  "CCC"};
  const gd_comparison *c = p->comparison;
  gd_page_paragraph(p->out, "Over seeds: mean and standard deviation of the "
                            "errors of models that differ in their seed "
                            "alone.");
  for (int s = 0; s < (c->has_sessions ? 2 : 1); s++) {
    gd_text name = {0}, caption = {0};
    gd_table t;
    gd_text_printf(&name, "seeds-per-%s",
                   gd_protocol_name(c->slices[s].protocol));
    gd_text_printf(&caption, "Errors per %s over seeds",
                   gd_protocol_name(c->slices[s].protocol));
    gd_table_begin(&t, gd_text_get(&name), gd_text_get(&caption), 6, headers,
                   1);
    for (int i = 0; i < c->n_methods; i++) {
      const gd_comparison_method *m = &c->methods[i];
      gd_table_text(&t, m->label);
      gd_table_number(&t, 0, m->kind == GD_ROW_MODEL ? m->n_runs : NAN);
      gd_table_spread(&t, 2, m->dev_mae.mean, m->dev_mae.deviation);
      gd_table_spread(&t, 2, m->slices[s].mae.mean, m->slices[s].mae.deviation);
      gd_table_spread(&t, 2, m->slices[s].rmse.mean,
                      m->slices[s].rmse.deviation);
      gd_table_spread(&t, 3, m->slices[s].ccc.mean, m->slices[s].ccc.deviation);
    }
    gd_report_show_table(p, &t);
    gd_text_free(&name);
    gd_text_free(&caption);
  }
}

static void add_folds(gd_report_page *p)
{
  static const char *const headers[] = {"fold", "n",   "MAE",
                                        "RMSE", "CCC", "bias"};
  const gd_comparison *c = p->comparison;
  gd_table t;
  gd_page_paragraph(p->out,
                    "Rows above pool the folds: every video is predicted by "
                    "the model of the fold that it was held out of.");
  gd_page_fold_begin(p->out, "Errors of each fold");
  gd_table_begin(&t, "folds", "Errors per video by fold, in levels", 6, headers,
                 1);
  for (int i = 0; i < c->n_parts; i++) {
    const gd_comparison_part *part = &c->parts[i];
    gd_table_text(&t, part->label);
    gd_table_number(&t, 0, (double)part->metrics.n);
    gd_table_number(&t, 2, part->metrics.mae);
    gd_table_number(&t, 2, part->metrics.rmse);
    gd_table_number(&t, 3, part->metrics.ccc);
    gd_table_number(&t, 2, part->metrics.bias);
  }
  gd_report_show_table(p, &t);
  gd_page_fold_end(p->out);
}

static const char *verdict_of(const gd_comparison_pair *pair)
{
  static const char *const verdicts[] = {
      [GD_VERDICT_UNKNOWN] = "?",
      [GD_VERDICT_CLEAR] = "yes",
      [GD_VERDICT_PERSONS] = "within noise (persons)",
      [GD_VERDICT_SEEDS] = "within noise (seeds)"};
  return verdicts[pair->verdict];
}

static void add_pairs(gd_report_page *p)
{
  const gd_comparison *c = p->comparison;
  char level[24];
  snprintf(level, sizeof level, "%g %%", 100 * c->bootstrap.level);
  const char *const headers[] = {"first",      "second", "MAE", level,
                                 "over seeds", "RMSE",   level, "differ"};
  gd_table t;
  gd_page_paragraph(
      p->out,
      "In pairs, over the same videos: the error of the first minus that of "
      "the second, below 0 where the first is better%s. An interval that holds "
      "0 means that other persons%s could have turned the order; the intervals "
      "are not corrected for how many pairs there are.",
      c->has_seeds ? "; errors are means over seeds" : "",
      c->has_seeds ? " (or, over seeds, other seeds)" : "");
  gd_table_begin(&t, "pairs", "Differences of errors per video, in levels", 8,
                 headers, 2);
  for (int i = 0; i < c->n_pairs; i++) {
    const gd_comparison_pair *pair = &c->pairs[i];
    const gd_difference *d = &pair->difference;
    gd_table_text(&t, c->methods[pair->first].label);
    gd_table_text(&t, c->methods[pair->second].label);
    gd_table_number(&t, 2, d->mae);
    gd_table_interval(&t, 2, d->mae_interval.low, d->mae_interval.high);
    gd_table_interval(&t, 2, pair->seeds_interval.low,
                      pair->seeds_interval.high);
    gd_table_number(&t, 2, d->rmse);
    gd_table_interval(&t, 2, d->rmse_interval.low, d->rmse_interval.high);
    gd_table_text(&t, verdict_of(pair));
  }
  gd_report_show_table(p, &t);
}

/* --------------------------------------------------------------- published */

static void add_own(gd_report_page *p, gd_table *t, int slice)
{
  const gd_comparison *c = p->comparison;
  for (int i = 0; i < c->n_methods; i++) {
    const gd_comparison_method *m = &c->methods[i];
    gd_text source = {0};
    gd_text_printf(&source, "this job, per %s",
                   gd_protocol_name(c->slices[slice].protocol));
    gd_table_text(t, m->label);
    gd_table_text(t, gd_text_get(&source));
    gd_table_spread(t, 2, m->slices[slice].rmse.mean,
                    m->slices[slice].rmse.deviation);
    gd_table_spread(t, 2, m->slices[slice].mae.mean,
                    m->slices[slice].mae.deviation);
    gd_text_free(&source);
  }
}

/* The layout of the corpus, if it is the same in all jobs. */
static const char *common_layout(const gd_report *r)
{
  for (int i = 1; i < r->n_jobs; i++)
    if (strcmp(r->jobs[i].layout, r->jobs[0].layout) != 0)
      return "";
  return r->jobs[0].layout;
}

static int any_is_drawn(const gd_report *r)
{
  int any = 0;
  for (int i = 0; i < r->n_jobs; i++)
    any |= r->jobs[i].is_drawn;
  return any;
}

static void add_published(gd_report_page *p)
{
  static const char *const headers[] = {"method", "source", "RMSE", "MAE"};
  const gd_comparison *c = p->comparison;
  const char *layout = common_layout(p->report);
  int n;
  const gd_published *rows = gd_published_of(layout, &n);
  gd_table t;
  if (n == 0)
    return;
  gd_page_paragraph(p->out,
                    "Beside what has been published on %s. Published rows are "
                    "as their authors printed them, by protocols that were not "
                    "always stated; none was computed here.",
                    layout);
  if (any_is_drawn(p->report))
    gd_page_notice(p->out, "The videos of this report are drawn: its rows say "
                           "nothing about how they would compare on the "
                           "corpus.");
  gd_table_begin(&t, "published", "Errors beside published results", 4, headers,
                 2);
  for (int i = 0; i < n; i++) {
    gd_table_text(&t, rows[i].method);
    gd_table_text(&t, "published");
    gd_table_number(&t, 2, rows[i].rmse);
    gd_table_number(&t, 2, rows[i].mae);
  }
  for (int s = 0; s < (c->has_sessions ? 2 : 1); s++)
    add_own(p, &t, s);
  gd_report_show_table(p, &t);
}

gd_status gd_report_results(gd_report_page *p)
{
  gd_page_section_begin(p->out, "results", "Results");
  say_result(p);
  say_findings(p);
  add_all_errors(p);
  if (p->comparison->has_seeds)
    add_seeds(p);
  if (p->comparison->has_folds)
    add_folds(p);
  if (p->comparison->n_pairs > 0)
    add_pairs(p);
  add_published(p);
  gd_page_section_end(p->out);
  return GD_OK;
}
