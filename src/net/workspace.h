/**
 * The scratch memory of the kernels and the sizes they share.
 *
 * A panel is GD_PANEL_ROWS pixels of at most GD_PANEL_DEPTH patch elements: 288
 * KiB, so that it stays in a 1 MiB L2 beside the 144 KiB of weights that one
 * block of GD_BLOCK columns needs.
 */
#ifndef GRADUS_NET_WORKSPACE_H
#define GRADUS_NET_WORKSPACE_H

#include "gradus/conv.h"

enum {
  GD_PANEL_ROWS = 128,
  GD_PANEL_DEPTH = 576, /**< 3 x 3 x 64 */
  GD_BLOCK = 64,        /**< columns of a product's tile */
  GD_MOST_CHANNELS = 8192,
  GD_MOST_SUM_ROWS = 512, /**< rows of `sums` */
};

/** One thread's part. */
typedef struct {
  float *panel; /**< (GD_PANEL_ROWS, GD_PANEL_DEPTH) */
  float *tile;  /**< 16 * GD_MOST_CHANNELS floats: results on their way */
  float *sums;  /**< (GD_MOST_SUM_ROWS, GD_PANEL_DEPTH): sums not yet placed */
} gd_scratch;

enum { GD_TILE_FLOATS = 16 * GD_MOST_CHANNELS };

/** Return the number of threads that the workspace has room for. */
int gd_workspace_threads(const gd_workspace *ws);
/** Return the calling OpenMP thread's part; borrowed. */
gd_scratch gd_workspace_scratch(const gd_workspace *ws);

#endif
