#include "gradus/axis.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>

/* The smallest round number that is not below `least`. */
static double round_step(double least)
{
  static const double round[] = {1, 2, 5, 10};
  const double power = pow(10, floor(log10(least)));
  for (size_t i = 0; i < sizeof round / sizeof *round; i++)
    if (round[i] * power >= least * (1 - 1e-9))
      return round[i] * power;
  return 10 * power;
}

gd_axis gd_axis_of(double low, double high, int most, double least_step)
{
  assert(most >= 3 && most <= GD_AXIS_TICKS);

  if (!isfinite(low) || !isfinite(high)) {
    low = isfinite(low) ? low : isfinite(high) ? high : 0;
    high = low;
  }
  if (low > high) {
    const double swap = low;
    low = high;
    high = swap;
  }
  /* A width below a float's resolution has no ticks of its own. */
  const double least_width = 1e-9 * fmax(fabs(low), fabs(high));
  if (high - low <= least_width) {
    const double room = low == 0 ? 0.5 : 0.1 * fabs(low);
    low -= room;
    high += room;
  }

  gd_axis axis;
  double step = fmax(round_step((high - low) / (most - 1)), least_step);
  for (;;) {
    const double first = floor(low / step + 1e-9);
    const double last = ceil(high / step - 1e-9);
    axis.low = first * step;
    axis.high = last * step;
    axis.step = step;
    axis.n_ticks = (int)(last - first) + 1;
    if (axis.n_ticks <= most)
      break;
    step = round_step(1.01 * step);
  }
  return axis;
}

double gd_axis_tick(const gd_axis *axis, int i)
{
  assert(axis != NULL && i >= 0 && i < axis->n_ticks);
  return (round(axis->low / axis->step) + i) * axis->step;
}

void gd_axis_label(const gd_axis *axis, int i, char out[GD_AXIS_LABEL])
{
  const double tick = gd_axis_tick(axis, i);
  const double most = fmax(fabs(axis->low), fabs(axis->high));
  if (most >= 1e6 || axis->step < 1e-4) {
    snprintf(out, GD_AXIS_LABEL, "%g", tick);
    return;
  }
  const int decimals = (int)fmax(0, ceil(-log10(axis->step) - 1e-9));
  snprintf(out, GD_AXIS_LABEL, "%.*f", decimals, tick);
}

double gd_axis_place(const gd_axis *axis, double value, double from, double to)
{
  assert(axis != NULL);
  return from + (value - axis->low) / (axis->high - axis->low) * (to - from);
}
