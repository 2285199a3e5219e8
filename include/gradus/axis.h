/**
 * Axes: round tick values, their labels, and the map from values to pixels.
 *
 * Ticks are multiples of 1, 2 or 5 times a power of ten, as people expect on
 * paper; the axis begins and ends at a tick, so no mark lies outside the grid.
 */
#ifndef GRADUS_AXIS_H
#define GRADUS_AXIS_H

enum { GD_AXIS_TICKS = 16, GD_AXIS_LABEL = 32 };

typedef struct {
  double low, high; /**< of the axis: the first and the last tick */
  double step;      /**< between ticks */
  int n_ticks;      /**< 2 .. GD_AXIS_TICKS */
} gd_axis;

/**
 * Choose the ticks for values in low .. high.
 * @param[in] low, high   any order; not finite or equal: a range around them
 * @param[in] most        ticks at most, 3 .. GD_AXIS_TICKS
 * @param[in] least_step  of values that cannot be divided (1 for epochs), or 0
 */
gd_axis gd_axis_of(double low, double high, int most, double least_step);

/** Return the value of tick i; ticks near 0 are exactly 0. */
double gd_axis_tick(const gd_axis *axis, int i);

/** Write tick i with as many decimals as its step needs. */
void gd_axis_label(const gd_axis *axis, int i, char out[GD_AXIS_LABEL]);

/** Return where a value lies between pixel `from` (low) and `to` (high). */
double gd_axis_place(const gd_axis *axis, double value, double from, double to);

#endif
