/**
 * The scratch memory of the kernels, the tasks that work in it, and the sizes
 * they share.
 *
 * A piece's slab of at most 440 KiB, its results in a block of columns, and the
 * weights of a part of a sum stay in an L2 of 1 MiB.
 */
#ifndef GRADUS_NET_WORKSPACE_H
#define GRADUS_NET_WORKSPACE_H

#include "gradus/conv.h"

enum {
  GD_BLOCK = 64,     /**< columns of a product's tile, channels of a block */
  GD_MOST_TILE = 32, /**< rows of a product's tile */
  GD_LEAST_TILE = 7,
  GD_PIECE = 224, /**< positions of a piece, at most */
  GD_STRIP = 4,   /**< blocks that leave the cache together */
  GD_MOST_CHANNELS = 8192,
  GD_SLAB_FLOATS = 1 << 20,
  GD_CACHE_FLOATS = 110 * 1024, /**< of a slab that stays in the L2 */
  GD_SUM_FLOATS = 80 * 1024,    /**< of a task of the weight gradient */
  GD_MOST_PARTS = 16,           /**< tasks whose sums are added in the end */
  GD_PART_TERMS = 192,          /**< of a sum, in one go */
};

/** One thread's part. */
typedef struct {
  float *slab, *other_slab; /**< GD_SLAB_FLOATS each */
  float *tile;    /**< (GD_STRIP, GD_LEAST_TILE * GD_PIECE, GD_BLOCK) results */
  float *part;    /**< (GD_MOST_TILE, GD_BLOCK) a part of their sums */
  float *sums;    /**< GD_SUM_FLOATS of the weight gradient, or the products
                     of a piece's points */
  float *weights; /**< (GD_PART_TERMS, GD_BLOCK) of a part, as floats */
} gd_scratch;

/** Return the number of threads that the workspace has room for. */
int gd_workspace_threads(const gd_workspace *ws);
/** One of the tasks of a loop. */
typedef void gd_task(const void *context, gd_scratch scratch, int i);
/**
 * Run tasks 0..n on the workspace's threads.  Each begins with its own part in
 * order, near memory that it touched first, as a static schedule would have it;
 * then it takes what other threads have not begun, so that none waits while
 * another is held up.  Which thread runs a task must not change its results.
 */
void gd_workspace_run(const gd_workspace *ws, int n, gd_task *f,
                      const void *context);
/** Return the sums of all tasks: GD_MOST_PARTS * GD_SUM_FLOATS. */
float *gd_workspace_parts(const gd_workspace *ws);

#endif
