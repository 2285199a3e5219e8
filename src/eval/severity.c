#include "gradus/severity.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

int gd_severity_bands(int n_levels, gd_band bands[GD_MAX_BANDS])
{
  assert(n_levels >= 1 && bands != NULL);

  if (n_levels == 64) {
    static const gd_band beck[GD_MAX_BANDS] = {
        {"none", 0, 13},
        {"mild", 14, 19},
        {"moderate", 20, 28},
        {"severe", 29, 63},
    };
    for (int b = 0; b < GD_MAX_BANDS; b++)
      bands[b] = beck[b];
    return GD_MAX_BANDS;
  }
  static const char *const quarters[GD_MAX_BANDS] = {"lowest", "low", "high",
                                                     "highest"};
  const int n = n_levels < GD_MAX_BANDS ? n_levels : GD_MAX_BANDS;
  for (int b = 0; b < n; b++)
    bands[b] = (gd_band){
        .name = quarters[b],
        .first = (int)((long)n_levels * b / n),
        .last = (int)((long)n_levels * (b + 1) / n) - 1,
    };
  return n;
}

int gd_severity_of(int n_bands, const gd_band *bands, double level)
{
  assert(n_bands >= 1 && bands != NULL);

  int b = 0;
  while (b + 1 < n_bands && floor(level + 0.5) > bands[b].last)
    b++;
  return b;
}

gd_confusion gd_severity_confusion(int n_bands, const gd_band *bands, int64_t n,
                                   const double *truth, const double *predicted)
{
  assert(n >= 0);

  gd_confusion c = {.n = n, .accuracy = NAN};
  int64_t right = 0;
  for (int64_t i = 0; i < n; i++) {
    const int t = gd_severity_of(n_bands, bands, truth[i]);
    const int p = gd_severity_of(n_bands, bands, predicted[i]);
    c.count[t][p]++;
    right += t == p;
  }
  if (n > 0)
    c.accuracy = (double)right / (double)n;
  return c;
}
