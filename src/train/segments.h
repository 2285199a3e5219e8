/* Segments: a block of weights, cut where tensors begin and at multiples of
 * GD_BUCKETS_ALIGN.
 *
 * A rank's part of a bucket is a run of whole segments, for any number of
 * ranks.  So a sum over a tensor that adds up its segments' sums in order has
 * the same bits on all of them, and no segment has two owners. */
#ifndef GRADUS_TRAIN_SEGMENTS_H
#define GRADUS_TRAIN_SEGMENTS_H

#include "gradus/range.h"
#include "gradus/tensor.h"

typedef struct {
  int64_t n;
  int64_t *first; /* (n + 1) first float of each, and the block's length */
  int *tensor;    /* (n) the tensor that each is a part of */
  int n_tensors;
  unsigned char *frozen; /* (n_tensors) */
  int any_frozen;
} gd_segments;

/* Cut the block of a table.
 * freeze: as gd_resnet_freeze() takes it
 * Ends with: gd_segments_end(), also after a failure
 * Errors:    as gd_resnet_freeze(), GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_segments_begin(const gd_tensor_table *table,
                                         const char *freeze, gd_segments *out);
void gd_segments_end(gd_segments *s);

/* Return the segments that make up floats first .. end - 1; both are edges. */
gd_range gd_segments_within(const gd_segments *s, int64_t first, int64_t end);
/* Say whether segment i may change. */
int gd_segments_move(const gd_segments *s, int64_t i);
/* Return the sum of n squares, in double and in a fixed order. */
double gd_segments_square(const float *x, int64_t n);
/* Add up what the segments (n) have to what the tensors (n_tensors) have. */
void gd_segments_add(const gd_segments *s, const double *sums,
                     double *by_tensor);

#endif
