/**
 * A roofline: how fast pieces of work run beside what the machine allows.
 *
 *   GFLOP/s            _________ peak: multiply-adds on registers
 *     64 |            /
 *     32 |          /  o  o O     o: a piece of work, larger the longer it
 *     16 |        /   o              takes
 *      8 |      /
 *        +--------------------    Left of the bend memory holds work up,
 *         1   4   16   64         right of it the arithmetic.
 *           FLOP for each byte
 *
 * Both axes are logarithmic.  Source: Williams, Waterman and Patterson,
 * "Roofline: an insightful visual performance model", 2009.
 */
#ifndef GRADUS_ROOFLINE_H
#define GRADUS_ROOFLINE_H

#include "gradus/status.h"

enum { GD_ROOFLINE_SERIES = 4 };

/** Pieces of one kind.  All is borrowed for the call. */
typedef struct {
  const char *name;
  int n;
  const double *intensity; /**< (n) FLOP for each byte moved, > 0 */
  const double *flops;     /**< (n) FLOP/s, > 0 */
  const double *seconds;   /**< (n) that the piece takes, >= 0 */
} gd_roofline_series;

typedef struct {
  const char *title, *subtitle;
  double peak_flops; /**< FLOP/s, > 0 */
  double bandwidth;  /**< bytes/s between memory and registers, > 0 */
  int n_series;      /**< at most GD_ROOFLINE_SERIES */
  const gd_roofline_series *series;
} gd_roofline;

/**
 * Draw the chart and write it, complete or not at all.
 * @param[in] path  ends in .png or .svg
 * Errors: GD_ERR_USAGE (another ending), GD_ERR_IO, GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_roofline_write(const gd_roofline *roofline,
                                         const char *path);

#endif
