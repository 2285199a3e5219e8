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

#endif
