/* metrics_of -- print what gradus computes of pairs that are read from stdin,
 * "truth predicted person" a line, for a comparison with another program. */
#include <stdio.h>

#include "gradus/bootstrap.h"
#include "gradus/conformal.h"
#include "gradus/metrics.h"
#include "gradus/severity.h"

enum { MOST = 10000 };

static int print_all(int64_t n, const double *truth, const double *predicted)
{
  gd_band bands[GD_MAX_BANDS];
  const int n_bands = gd_severity_bands(64, bands);
  const gd_metrics m = gd_metrics_of(n, truth, predicted);
  const gd_confusion c =
      gd_severity_confusion(n_bands, bands, n, truth, predicted);
  double spearman, width;
  if (gd_metrics_spearman(n, truth, predicted, &spearman) != GD_OK ||
      gd_conformal_half_width(n, truth, predicted, 0.9, &width) != GD_OK)
    return 1;
  printf("mae %.17g\nrmse %.17g\nbias %.17g\npearson %.17g\nccc %.17g\n"
         "spearman %.17g\naccuracy %.17g\nhalf_width %.17g\n",
         m.mae, m.rmse, m.bias, m.pearson, m.ccc, spearman, c.accuracy, width);
  return 0;
}

static int print_intervals(int64_t n, const double *truth,
                           const double *predicted, const int64_t *person,
                           int64_t n_persons)
{
  const gd_bootstrap b = {.seed = 1, .draws = 20000, .level = 0.95};
  gd_metrics_interval i;
  if (gd_bootstrap_metrics(&b, n, truth, predicted, person, n_persons, &i) !=
      GD_OK)
    return 1;
  printf("mae_low %.17g\nmae_high %.17g\nrmse_low %.17g\nrmse_high %.17g\n"
         "ccc_low %.17g\nccc_high %.17g\n",
         i.mae.low, i.mae.high, i.rmse.low, i.rmse.high, i.ccc.low, i.ccc.high);
  return 0;
}

int main(void)
{
  static double truth[MOST], predicted[MOST];
  static int64_t person[MOST];
  int64_t n = 0, n_persons = 0;
  long p;
  while (n < MOST && scanf("%lf %lf %ld", &truth[n], &predicted[n], &p) == 3) {
    person[n++] = p;
    n_persons = p >= n_persons ? p + 1 : n_persons;
  }
  return print_all(n, truth, predicted) ||
         print_intervals(n, truth, predicted, person, n_persons);
}
