#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gradus/audit.h"
#include "gradus/page.h"
#include "sections.h"

enum { MOST_LINES = 500 };

static void say_overlap(gd_report_page *p, const gd_audit *a)
{
  const int64_t n_test = a->part[GD_TEST].n_persons;
  if (a->n_overlap > 0)
    gd_page_notice(p->out,
                   "The partitions are not person-disjoint: %" PRId64
                   " of %" PRId64 " test persons are also in the training or "
                   "development partition. A model can do well on them by "
                   "knowing the face.",
                   a->n_overlap, n_test);
  if (a->n_dev_overlap > 0)
    gd_page_notice(p->out,
                   "The partitions are not person-disjoint: %" PRId64
                   " of %" PRId64 " development persons are also in the "
                   "training partition. The choice of a model and the "
                   "prediction intervals go by faces that it knows, and "
                   "promise too much for new ones.",
                   a->n_dev_overlap, a->part[GD_DEV].n_persons);
  if (a->n_overlap > 0 || a->n_dev_overlap > 0)
    return;
  if (n_test > 0)
    gd_page_paragraph(p->out,
                      "The partitions are person-disjoint: none of the %" PRId64
                      " test persons is in the training or development "
                      "partition.",
                      n_test);
  else
    gd_page_paragraph(p->out, "The partitions are person-disjoint.");
}

static void add_partitions(gd_report_page *p, const gd_audit *a)
{
  static const char *const headers[] = {"partition",   "videos", "persons",
                                        "least label", "mean",   "median",
                                        "most"};
  gd_table t;
  gd_table_begin(&t, "partitions", "Videos with faces, by partition", 7,
                 headers, 1);
  for (int i = 0; i < GD_N_PARTITIONS; i++) {
    const gd_audit_part *part = &a->part[i];
    gd_table_text(&t, gd_partition_name((gd_partition)i));
    gd_table_number(&t, 0, (double)part->n_videos);
    gd_table_number(&t, 0, (double)part->n_persons);
    gd_table_level(&t, part->least);
    gd_table_number(&t, 2, part->mean);
    gd_table_level(&t, part->median);
    gd_table_level(&t, part->most);
  }
  gd_report_show_table(p, &t);
}

static void begin_histogram(const gd_audit *a, const char *const *bins,
                            gd_table *t)
{
  static const char *const headers[] = {"levels", "train", "dev", "test"};
  gd_table_begin(t, "labels", "Videos by label", 4, headers, 1);
  for (int b = 0; b < a->n_bins; b++) {
    gd_table_text(t, bins[b]);
    for (int i = 0; i < GD_N_PARTITIONS; i++)
      gd_table_number(t, 0, (double)a->part[i].histogram[b]);
  }
}

static void add_histogram(gd_report_page *p, const gd_audit *a)
{
  char names[GD_AUDIT_BINS][40];
  const char *bins[GD_AUDIT_BINS];
  double count[GD_N_PARTITIONS][GD_AUDIT_BINS], most = 1;
  gd_series series[GD_N_PARTITIONS];
  gd_table t;
  for (int b = 0; b < a->n_bins; b++) {
    const int first = b * a->bin_levels, last = first + a->bin_levels - 1;
    if (first == last)
      snprintf(names[b], sizeof names[b], "%d", first);
    else
      snprintf(names[b], sizeof names[b], "%d\xe2\x80\x93%d", first, last);
    bins[b] = names[b];
  }
  for (int i = 0; i < GD_N_PARTITIONS; i++) {
    for (int b = 0; b < a->n_bins; b++) {
      count[i][b] = (double)a->part[i].histogram[b];
      most = count[i][b] > most ? count[i][b] : most;
    }
    series[i] = (gd_series){.name = gd_partition_name((gd_partition)i),
                            .colour = i,
                            .n = a->n_bins,
                            .y = count[i]};
  }
  begin_histogram(a, bins, &t);
  gd_chart_legend(p->out, GD_N_PARTITIONS, series, GD_CHART_BARS);
  gd_text_add(p->out, "<div class=\"charts\">\n");
  gd_report_figure(p, "Videos by label", 1,
                   &(gd_chart){.kind = GD_CHART_BARS,
                               .width = GD_REPORT_WIDE,
                               .height = GD_REPORT_HEIGHT,
                               .title = "Histogram of labels by partition",
                               .x_label = "label",
                               .y_label = "videos",
                               .y = gd_axis_of(0, most, 6, 1),
                               .n_categories = a->n_bins,
                               .categories = bins,
                               .n_series = GD_N_PARTITIONS,
                               .series = series},
                   &t);
  gd_text_add(p->out, "</div>\n");
}

static void add_remarks(gd_report_page *p, const gd_report_job *r)
{
  static const char *const headers[] = {"remark"};
  if (r->n_remarks == 0) {
    gd_page_paragraph(p->out, "Reading the corpus gave no remark.");
    return;
  }
  gd_table t;
  gd_page_notice(p->out, "Reading the corpus gave %" PRId64 " remarks.",
                 r->n_remarks);
  gd_page_fold_begin(p->out, "What was odd about the corpus");
  gd_table_begin(&t, "remarks", "Remarks on the corpus", 1, headers, 1);
  for (int64_t i = 0; i < r->n_remarks && i < MOST_LINES; i++)
    gd_table_text(&t, r->remarks[i]);
  gd_report_show_table(p, &t);
  if (r->n_remarks > MOST_LINES)
    gd_page_paragraph(p->out, "The first %d of %" PRId64 " are shown.",
                      MOST_LINES, r->n_remarks);
  gd_page_fold_end(p->out);
}

static void add_skips(gd_report_page *p, const gd_report_job *r)
{
  static const char *const headers[] = {"stage", "item", "reason"};
  const gd_skips *list = r->skips;
  if (list->n == 0) {
    gd_page_paragraph(p->out, "No input was left out.");
    return;
  }
  gd_table t;
  gd_page_notice(p->out, "%" PRId64 " inputs were left out.", list->n);
  gd_page_fold_begin(p->out, "Inputs left out, and why");
  gd_table_begin(&t, "left-out", "Inputs left out", 3, headers, 3);
  for (int64_t i = 0; i < list->n && i < MOST_LINES; i++) {
    gd_table_text(&t, list->skips[i].stage);
    gd_table_text(&t, list->skips[i].item);
    gd_table_text(&t, list->skips[i].reason);
  }
  gd_report_show_table(p, &t);
  if (list->n > MOST_LINES)
    gd_page_paragraph(p->out, "The first %d of %" PRId64 " are shown.",
                      MOST_LINES, list->n);
  gd_page_fold_end(p->out);
}

static int same_corpus(const gd_video_table *a, const gd_video_table *b)
{
  if (a->n_videos != b->n_videos)
    return 0;
  for (int64_t i = 0; i < a->n_videos; i++)
    if (strcmp(a->videos[i].id, b->videos[i].id) != 0 ||
        strcmp(a->videos[i].subject, b->videos[i].subject) != 0 ||
        a->videos[i].partition != b->videos[i].partition ||
        a->videos[i].label != b->videos[i].label)
      return 0;
  return 1;
}

/* The audit of one job's corpus; that of an earlier one is not repeated. */
static gd_status add_audit(gd_report_page *p, int index)
{
  const gd_report *r = p->report;
  const gd_report_job *job = &r->jobs[index];
  const gd_scores *s = job->scores;
  gd_audit audit;
  gd_status st = gd_audit_of(s->videos->n_videos, s->videos->videos,
                             s->info.n_levels, &audit);
  if (st != GD_OK)
    return st;
  if (r->n_jobs > 1)
    gd_page_heading(p->out, job->name);
  for (int i = 0; i < index; i++)
    if (same_corpus(r->jobs[i].scores->videos, s->videos)) {
      gd_page_paragraph(p->out, "The same videos, persons and labels as %s.",
                        r->jobs[i].name);
      add_skips(p, job);
      return GD_OK;
    }
  say_overlap(p, &audit);
  add_partitions(p, &audit);
  add_histogram(p, &audit);
  add_remarks(p, job);
  add_skips(p, job);
  return GD_OK;
}

/* The partitions are others in every fold: all are looked at. */
static gd_status say_folds(gd_report_page *p)
{
  const gd_comparison *c = p->comparison;
  int n_overlapping = 0, n_dev_overlapping = 0;
  for (int i = 0; i < c->n_parts; i++) {
    const gd_scores *s = c->parts[i].scores;
    gd_audit audit;
    const gd_status st = gd_audit_of(s->videos->n_videos, s->videos->videos,
                                     s->info.n_levels, &audit);
    if (st != GD_OK)
      return st;
    n_overlapping += audit.n_overlap > 0;
    n_dev_overlapping += audit.n_dev_overlap > 0;
  }
  if (n_overlapping > 0)
    gd_page_notice(p->out,
                   "Cross-validation: %d of %d models have test persons in "
                   "their training or development partition.",
                   n_overlapping, c->n_parts);
  else
    gd_page_paragraph(p->out, "Cross-validation: no model has a test person in "
                              "its training or development partition.");
  if (n_dev_overlapping > 0)
    gd_page_notice(p->out,
                   "%d of %d models have development persons in their training "
                   "partition.",
                   n_dev_overlapping, c->n_parts);
  gd_page_paragraph(p->out,
                    "The partitions below are those of the first fold.");
  return GD_OK;
}

gd_status gd_report_corpus(gd_report_page *p)
{
  gd_status st = GD_OK;
  gd_page_section_begin(p->out, "corpus", "Corpus");
  if (p->comparison->has_folds)
    st = say_folds(p);
  for (int i = 0; st == GD_OK && i < p->report->n_jobs; i++)
    st = add_audit(p, i);
  gd_page_section_end(p->out);
  return st;
}
