#include "gradus/average.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"

static const char *const NAMES[GD_N_AVERAGES] = {"mean", "median", "trimmed"};

const char *gd_average_name(gd_average kind)
{
  assert(kind >= 0 && kind < GD_N_AVERAGES);
  return NAMES[kind];
}

gd_status gd_average_of(const char *name, gd_average *out)
{
  assert(name != NULL && out != NULL);

  for (int i = 0; i < GD_N_AVERAGES; i++)
    if (strcmp(name, NAMES[i]) == 0) {
      *out = (gd_average)i;
      return GD_OK;
    }
  return gd_fail(GD_ERR_USAGE,
                 "\"%s\" is no average: mean, median and trimmed are", name);
}

int gd_average_order(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double mean_of(int64_t first, int64_t end, const double *x)
{
  double sum = 0;
  for (int64_t i = first; i < end; i++)
    sum += x[i];
  return sum / (double)(end - first);
}

gd_status gd_average_take(gd_average kind, int64_t n, const double *x,
                          double *out)
{
  assert(n >= 1 && x != NULL && out != NULL);

  if (kind == GD_AVERAGE_MEAN) {
    *out = mean_of(0, n, x);
    return GD_OK;
  }
  double *sorted = gd_alloc(n, sizeof *sorted);
  if (sorted == NULL)
    return GD_ERR_NOMEM;
  memcpy(sorted, x, (size_t)n * sizeof *sorted);
  qsort(sorted, (size_t)n, sizeof *sorted, gd_average_order);
  const int64_t left = kind == GD_AVERAGE_MEDIAN ? (n - 1) / 2 : n / 10;
  *out = mean_of(left, n - left, sorted);
  free(sorted);
  return GD_OK;
}
