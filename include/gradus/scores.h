/**
 * Scores: what a model says of every face and every video of a partition.
 *
 *   format gradus-scores 1, attributes: partition, loss, n_levels, model,
 *   member
 *   /frame/video         int32 (F)       index into the corpus
 *   /frame/frame_index   int64 (F)
 *   /frame/expected      float64 (F)     E, level
 *   /frame/sigma         float64 (F)     standard deviation of the distribution
 *   /frame/distribution  float32 (F, K)  none for the Euclidean loss
 *   /video/predicted     float64 (V)     mean of E over its frames, in order
 *   /videos/...          see gradus/videos.h
 *
 * predictions.csv beside it holds the same per video, for people.
 */
#ifndef GRADUS_SCORES_H
#define GRADUS_SCORES_H

#include <stdint.h>

#include "gradus/digest.h"
#include "gradus/status.h"
#include "gradus/videos.h"

typedef struct {
  char partition[16];
  char loss[32];
  char member[256]; /**< sweep values, "" outside a sweep */
  int n_levels;
  int64_t n_frames, n_videos;
  int has_distribution;
  gd_video_table *videos;   /**< those of the partition; owned */
  double *predicted;        /**< (V) */
  int64_t *n_video_frames;  /**< (V) frames that were averaged */
  int32_t *frame_video;     /**< (F) */
  int64_t *frame_index;     /**< (F) */
  double *expected, *sigma; /**< (F) */
  float *distribution;      /**< (F, K), or NULL */
} gd_scores;

GD_NODISCARD gd_status gd_scores_write(const gd_scores *s, const char *path,
                                       gd_digest digest);
/** Ends with: gd_scores_free(). Errors: GD_ERR_IO, GD_ERR_FORMAT */
GD_NODISCARD gd_status gd_scores_read(const char *path, gd_scores **out);
void gd_scores_free(gd_scores *s);

#endif
