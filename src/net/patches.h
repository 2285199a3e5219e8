/**
 * Patches: what a convolution sees at each position of a grid, as the rows of a
 * matrix.
 *
 * The row of position (n, i, j) holds, tap by tap, the C channels of source
 * pixel (n, i * step + tap.row, j * step + tap.column), zeros outside the
 * image.  Forward, the grid is the output and the source the input; backward,
 * the grid is one residue class of the input and the source the output's
 * gradient.
 *
 * The matrix is never stored whole.  It is cut into panels of rows, and across
 * into chunks of channels: a chunk's columns are tap-major, (tap, channel).
 */
#ifndef GRADUS_NET_PATCHES_H
#define GRADUS_NET_PATCHES_H

#include <stdint.h>

typedef struct {
  int row, column;
} gd_tap;

typedef struct {
  int N, rows, columns; /**< the grid */
  int H, W, C;          /**< the source, (N, H, W, C) */
  int step;             /**< source pixels from one position to the next */
  int n_taps;
  const gd_tap *taps; /**< borrowed */
} gd_patches;

/** Return the channels of a chunk, so that a panel's depth suffices. */
int gd_patches_chunk(int n_taps, int C);

/** Say whether the source itself is the matrix: one tap, each pixel once. */
int gd_patches_are_source(const gd_patches *p);

/**
 * Copy rows `first`..+n of the chunk of channels c0..c1-1.
 * @param[in]  source  (N, H, W, C)
 * @param[out] panel   (n, n_taps * (c1 - c0)) with row stride GD_PANEL_DEPTH
 */
void gd_patches_gather(const gd_patches *p, const float *source, int64_t first,
                       int n, int c0, int c1, float *panel);

#endif
