#include "gradus/audit.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"

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
