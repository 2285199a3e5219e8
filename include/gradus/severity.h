/**
 * Severity bands: the ranges of levels that errors are reported by.
 *
 * With 64 levels they are those of the BDI-II: 0-13 none, 14-19 mild, 20-28
 * moderate, 29-63 severe.  Any other scale is cut into quarters.
 *
 * Source: Beck, Steer, Brown, "Manual for the Beck Depression Inventory-II"
 * (1996), as used by de Melo, Granger, Hadid (ICIP 2019).
 */
#ifndef GRADUS_SEVERITY_H
#define GRADUS_SEVERITY_H

#include <stdint.h>

enum { GD_MAX_BANDS = 4 };

typedef struct {
  const char *name; /**< "mild"; static */
  int first, last;  /**< levels, both included */
} gd_band;

/**
 * Write the bands of a scale, lowest first.
 * @param[in]  n_levels  K >= 1: levels are 0 .. K-1
 * @param[out] bands     room for GD_MAX_BANDS
 * @return how many there are; they cover 0 .. K-1 without gap or overlap
 */
int gd_severity_bands(int n_levels, gd_band bands[GD_MAX_BANDS]);

/** Return the band of a level: that of the nearest whole one, halves up; below
 * and above the scale, the first and the last. */
int gd_severity_of(int n_bands, const gd_band *bands, double level);

/** How often which band was taken for which. */
typedef struct {
  int64_t n;
  int64_t count[GD_MAX_BANDS][GD_MAX_BANDS]; /**< [true][predicted] */
  double accuracy; /**< share of videos in their own band; NaN for n = 0 */
} gd_confusion;

/**
 * Count the bands of n predictions.
 * @param[in] truth, predicted  (n) levels
 */
gd_confusion gd_severity_confusion(int n_bands, const gd_band *bands, int64_t n,
                                   const double *truth,
                                   const double *predicted);

#endif
