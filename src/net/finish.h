/**
 * What is done to a convolution's results on their way out of the cache: see
 * gd_conv_sink.
 */
#ifndef GRADUS_NET_FINISH_H
#define GRADUS_NET_FINISH_H

#include "net/product.h"

/** The results of a piece in some blocks of columns. */
typedef struct {
  gd_precision precision; /**< of the sink */
  float *values;          /**< (block, row of the grid, row_pitch, GD_BLOCK) */
  int row_pitch;          /**< positions from one row of the grid to the next */
  int64_t block_floats;   /**< from one block to the next */
  gd_piece piece;
  gd_target target;
  int N;         /**< samples of all pieces */
  int K;         /**< columns of all blocks */
  int k0, width; /**< these columns; at most GD_STRIP blocks */
} gd_results;

/** Finish the results of piece number `i`; values may be
 * overwritten. */
void gd_finish(const gd_conv_sink *sink, const gd_results *r, int i);

#endif
