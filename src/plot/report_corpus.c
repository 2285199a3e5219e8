#include <inttypes.h>
#include <stdio.h>

#include "gradus/audit.h"
#include "gradus/page.h"
#include "sections.h"

enum { MOST_SKIPS = 500 };

static void say_overlap(gd_report_page *p, const gd_audit *a)
{
  const int64_t n = a->part[GD_TEST].n_persons;
  if (a->n_overlap > 0)
    gd_page_notice(p->out,
                   "The partitions are not person-disjoint: %" PRId64
                   " of %" PRId64 " test persons are also in the training or "
                   "development partition. A model can do well on them by "
                   "knowing the face.",
                   a->n_overlap, n);
  else
    gd_page_paragraph(p->out,
                      "The partitions are person-disjoint: none of the %" PRId64
                      " test persons is in the training or development "
                      "partition.",
                      n);
}

static void add_partitions(gd_report_page *p, const gd_audit *a)
{
  static const char *const headers[] = {"partition",   "videos", "persons",
                                        "least label", "mean",   "median",
                                        "most"};
  gd_page_table_begin(p->out, "Videos with faces, by partition", 1, 7, headers);
  for (int i = 0; i < GD_N_PARTITIONS; i++) {
    const gd_audit_part *part = &a->part[i];
    gd_page_row_begin(p->out);
    gd_page_cell(p->out, gd_partition_name((gd_partition)i));
    gd_page_number(p->out, 0, (double)part->n_videos);
    gd_page_number(p->out, 0, (double)part->n_persons);
    gd_page_number(p->out, 0, part->least);
    gd_page_number(p->out, 2, part->mean);
    gd_page_number(p->out, 1, part->median);
    gd_page_number(p->out, 0, part->most);
    gd_page_row_end(p->out);
  }
  gd_page_table_end(p->out);
}

static void add_histogram_table(gd_report_page *p, const gd_audit *a,
                                const char *const *bins)
{
  static const char *const headers[] = {"levels", "train", "dev", "test"};
  gd_page_fold_begin(p->out, "Table of labels");
  gd_page_table_begin(p->out, "Videos by label", 1, 4, headers);
  for (int b = 0; b < a->n_bins; b++) {
    gd_page_row_begin(p->out);
    gd_page_cell(p->out, bins[b]);
    for (int i = 0; i < GD_N_PARTITIONS; i++)
      gd_page_number(p->out, 0, (double)a->part[i].histogram[b]);
    gd_page_row_end(p->out);
  }
  gd_page_table_end(p->out);
  gd_page_fold_end(p->out);
}

static void add_histogram(gd_report_page *p, const gd_audit *a)
{
  char names[GD_AUDIT_BINS][40];
  const char *bins[GD_AUDIT_BINS];
  double count[GD_N_PARTITIONS][GD_AUDIT_BINS], most = 1;
  gd_series series[GD_N_PARTITIONS];
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
                               .series = series});
  gd_text_add(p->out, "</div>\n");
  add_histogram_table(p, a, bins);
}

static void add_skips(gd_report_page *p)
{
  static const char *const headers[] = {"stage", "item", "reason"};
  const gd_skips *list = p->report->skips;
  if (list->n == 0) {
    gd_page_paragraph(p->out, "No input was left out.");
    return;
  }
  gd_page_notice(p->out, "%" PRId64 " inputs were left out.", list->n);
  gd_page_fold_begin(p->out, "Inputs left out, and why");
  gd_page_table_begin(p->out, "Inputs left out", 3, 3, headers);
  for (int64_t i = 0; i < list->n && i < MOST_SKIPS; i++) {
    gd_page_row_begin(p->out);
    gd_page_cell(p->out, list->skips[i].stage);
    gd_page_cell(p->out, list->skips[i].item);
    gd_page_cell(p->out, list->skips[i].reason);
    gd_page_row_end(p->out);
  }
  gd_page_table_end(p->out);
  if (list->n > MOST_SKIPS)
    gd_page_paragraph(p->out, "The first %d of %" PRId64 " are shown.",
                      MOST_SKIPS, list->n);
  gd_page_fold_end(p->out);
}

gd_status gd_report_corpus(gd_report_page *p)
{
  const gd_scores *s = p->comparison->rows[0].scores;
  gd_audit audit;
  gd_status st = gd_audit_of(s->videos->n_videos, s->videos->videos,
                             s->info.n_levels, &audit);
  if (st != GD_OK)
    return st;
  gd_page_section_begin(p->out, "corpus", "Corpus");
  say_overlap(p, &audit);
  add_partitions(p, &audit);
  add_histogram(p, &audit);
  add_skips(p);
  gd_page_section_end(p->out);
  return GD_OK;
}
