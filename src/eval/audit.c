#include "gradus/audit.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"

enum { MOST_REMARKS = 200 };

static int by_subject(const void *a, const void *b)
{
  const gd_video *const *x = a, *const *y = b;
  return strcmp((*x)->subject, (*y)->subject);
}

/* Videos in order of their person: each run is one person. */
static gd_status count_persons(int64_t n, const gd_video *videos, gd_audit *out)
{
  const gd_video **order = gd_alloc(n, sizeof *order);
  if (order == NULL)
    return GD_ERR_NOMEM;
  for (int64_t v = 0; v < n; v++)
    order[v] = &videos[v];
  if (n > 0)
    qsort(order, (size_t)n, sizeof *order, by_subject);

  for (int64_t first = 0, end; first < n; first = end) {
    int in[GD_N_PARTITIONS] = {0};
    for (end = first; end < n && by_subject(&order[first], &order[end]) == 0;
         end++)
      in[order[end]->partition] = 1;
    out->n_persons++;
    for (int p = 0; p < GD_N_PARTITIONS; p++)
      out->part[p].n_persons += in[p];
    out->n_overlap += in[GD_TEST] && (in[GD_TRAIN] || in[GD_DEV]);
    out->n_dev_overlap += in[GD_DEV] && in[GD_TRAIN];
  }
  free(order);
  return GD_OK;
}

static int by_value(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static int bin_of(const gd_audit *audit, double label)
{
  const int bin = (int)(label / audit->bin_levels);
  return bin < 0 ? 0 : bin >= audit->n_bins ? audit->n_bins - 1 : bin;
}

/* Summarise the labels of one partition; `sorted` is room for all labels. */
static void describe_labels(int64_t n, const gd_video *videos, gd_partition p,
                            double *sorted, gd_audit *out)
{
  gd_audit_part *part = &out->part[p];
  double sum = 0;
  for (int64_t v = 0; v < n; v++)
    if (videos[v].partition == p) {
      sum += videos[v].label;
      sorted[part->n_videos++] = videos[v].label;
      part->histogram[bin_of(out, videos[v].label)]++;
    }
  const int64_t count = part->n_videos;
  if (count == 0) {
    part->least = part->mean = part->median = part->most = NAN;
    return;
  }
  qsort(sorted, (size_t)count, sizeof *sorted, by_value);
  part->least = sorted[0];
  part->mean = sum / (double)count;
  part->median = 0.5 * (sorted[(count - 1) / 2] + sorted[count / 2]);
  part->most = sorted[count - 1];
}

gd_status gd_audit_of(int64_t n, const gd_video *videos, int n_levels,
                      gd_audit *out)
{
  assert(n >= 0 && n_levels >= 1 && out != NULL);

  *out = (gd_audit){0};
  out->bin_levels = (n_levels + GD_AUDIT_BINS - 1) / GD_AUDIT_BINS;
  out->n_bins = (n_levels + out->bin_levels - 1) / out->bin_levels;
  double *sorted = gd_alloc(n, sizeof *sorted);
  if (sorted == NULL)
    return GD_ERR_NOMEM;
  for (int p = 0; p < GD_N_PARTITIONS; p++)
    describe_labels(n, videos, (gd_partition)p, sorted, out);
  free(sorted);
  return count_persons(n, videos, out);
}

static void add_remarks(const gd_corpus *c, gd_text *out)
{
  if (c->n_warnings > 0)
    gd_text_printf(out, "         %" PRId64 " remark%s:\n", c->n_warnings,
                   c->n_warnings == 1 ? "" : "s");
  for (int64_t i = 0; i < c->n_warnings && i < MOST_REMARKS; i++)
    gd_text_printf(out, "           %s\n", c->warnings[i]);
  if (c->n_warnings > MOST_REMARKS)
    gd_text_printf(out, "           and %" PRId64 " more\n",
                   c->n_warnings - MOST_REMARKS);
}

static void add_partition(const gd_audit *a, gd_partition p, gd_text *out)
{
  const gd_audit_part *part = &a->part[p];
  gd_text_printf(out, "         %s: %" PRId64 " video%s, %" PRId64 " person%s",
                 gd_partition_name(p), part->n_videos,
                 part->n_videos == 1 ? "" : "s", part->n_persons,
                 part->n_persons == 1 ? "" : "s");
  if (part->n_videos > 0)
    gd_text_printf(out, ", labels %g to %g, mean %.1f, median %g", part->least,
                   part->most, part->mean, part->median);
  gd_text_add(out, "\n");
}

static void add_histogram(const gd_audit *a, gd_text *out)
{
  gd_text_add(out, "         label    train    dev   test\n");
  for (int b = 0; b < a->n_bins; b++) {
    char bin[32];
    const int first = b * a->bin_levels, last = first + a->bin_levels - 1;
    snprintf(bin, sizeof bin, first == last ? "%d" : "%d-%d", first, last);
    gd_text_printf(out,
                   "         %-7s %6" PRId64 " %6" PRId64 " %6" PRId64 "\n",
                   bin, a->part[GD_TRAIN].histogram[b],
                   a->part[GD_DEV].histogram[b], a->part[GD_TEST].histogram[b]);
  }
}

gd_status gd_audit_compose(const char *layout, const gd_corpus *c, int n_levels,
                           gd_text *out)
{
  assert(layout != NULL && c != NULL && out != NULL);

  if (c->n_videos > 0 && isnan(c->videos[0].label)) {
    gd_text_printf(out, "corpus   %s: %" PRId64 " video%s without labels\n",
                   layout, c->n_videos, c->n_videos == 1 ? "" : "s");
    add_remarks(c, out);
    return gd_text_status(out);
  }
  gd_audit a;
  gd_status st = gd_audit_of(c->n_videos, c->videos, n_levels, &a);
  if (st != GD_OK)
    return st;
  gd_text_printf(out,
                 "corpus   %s: %" PRId64 " videos of %" PRId64 " persons\n",
                 layout, c->n_videos, a.n_persons);
  for (int p = 0; p < GD_N_PARTITIONS; p++)
    add_partition(&a, (gd_partition)p, out);
  if (a.part[GD_TEST].n_persons > 0)
    gd_text_printf(out,
                   "         %" PRId64 " of %" PRId64
                   " test persons are also in train or dev\n",
                   a.n_overlap, a.part[GD_TEST].n_persons);
  add_histogram(&a, out);
  add_remarks(c, out);
  return gd_text_status(out);
}
