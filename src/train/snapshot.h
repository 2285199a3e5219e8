/* Snapshots: this rank's share of a checkpoint's floats, copied while training
 * stands still, and written on a thread while it goes on.
 *
 * The weights and running statistics, which all ranks hold, are shared out by
 * blocks of the file; of the optimiser's state each rank has its parts. */
#ifndef GRADUS_TRAIN_SNAPSHOT_H
#define GRADUS_TRAIN_SNAPSHOT_H

#include "gradus/range.h"
#include "gradus/store.h"
#include "gradus/tensor.h"

/* What there is to copy.  The tables and parts are borrowed for the call, the
 * arrays are read at each gd_snapshot_take(). */
typedef struct {
  const gd_tensor_table *weights, *running;
  const float *block; /* weights, then running statistics */
  /* Floats of the weights whose states are here, in rising order; each begins
   * at a block, and ends at one or at the weights' end. */
  int n_parts;
  const gd_range *parts;
  int n_states;
  float *const *states; /* the parts of each, one after another */
} gd_snapshot_source;

typedef struct gd_snapshot gd_snapshot;

/* Make room for the copy.  Ends with: gd_snapshot_free(). Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_snapshot_new(const gd_snapshot_source *source,
                                       int rank, int size, gd_snapshot **out);
void gd_snapshot_free(gd_snapshot *s); /* waits; NULL is allowed */
/* Return how many places a checkpoint has: tensors and states. */
int64_t gd_snapshot_n_places(const gd_snapshot *s);
/* Return the bytes of the copy. */
int64_t gd_snapshot_bytes(const gd_snapshot *s);

/* Copy this rank's share. */
void gd_snapshot_take(gd_snapshot *s);
/* Begin to write the copy into the file whose final name is `path`.
 * places: of the weights' tensors, the running statistics' and the states
 * Errors: GD_ERR_NOMEM (no thread) */
GD_NODISCARD gd_status gd_snapshot_start(gd_snapshot *s, const char *path,
                                         const gd_store_place *places);
int gd_snapshot_is_written(gd_snapshot *s); /* or failed; never waits */
/* Wait until it is on the disk.
 * Errors: GD_ERR_IO, GD_ERR_NUMERIC (a value is not finite: nothing is written)
 */
GD_NODISCARD gd_status gd_snapshot_wait(gd_snapshot *s);

#endif
