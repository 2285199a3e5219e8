#include "gradus/severity.h"

#include <assert.h>
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
