/** Samples: the faces of one partition with their labels, in order. */
#ifndef GRADUS_SAMPLES_H
#define GRADUS_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

#include "gradus/corpus.h"
#include "gradus/faces.h"
#include "gradus/loss.h"
#include "gradus/status.h"

/** Sample i is a face; metadata only, the pixels stay in the shards. */
typedef struct {
  int64_t n;
  int64_t *face;      /**< (n) index into the set of faces, ascending */
  float *label;       /**< (n) level of its video */
  int64_t *video;     /**< (n) row in gd_face_set_videos(), ascending */
  gd_face_set *faces; /**< borrowed */
} gd_samples;

/**
 * List a partition's samples.
 * @param[in]  faces     kept until gd_samples_free()
 * @param[in]  loss      says whether labels must be whole
 * @param[in]  n_levels  K: labels must be in 0 .. K-1
 * Ends with: gd_samples_free()
 * Errors:    GD_ERR_USAGE (a label that the loss cannot take: which video),
 *            GD_ERR_NOMEM; a partition without faces gives n = 0
 */
GD_NODISCARD gd_status gd_samples_of(gd_face_set *faces, gd_partition partition,
                                     gd_loss loss, int n_levels,
                                     gd_samples **out);
void gd_samples_free(gd_samples *s); /**< NULL is allowed */

/** Write the names of n samples, `video#frame, ...`, as far as they fit. */
void gd_samples_name(const gd_samples *s, const int64_t *samples, int64_t n,
                     char *out, size_t out_bytes);

#endif
