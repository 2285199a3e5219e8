/**
 * Scores: what a model says of every face and every video of a partition.
 *
 *   format gradus-scores 2, attributes: partition, loss, n_levels, average;
 *   interval, half_width, n_calibration: see gradus/conformal.h
 *   /frame/video         int32 (F)       index into the corpus
 *   /frame/frame_index   int64 (F)
 *   /frame/expected      float64 (F)     E, level
 *   /frame/sigma         float64 (F)     standard deviation of the distribution
 *   /frame/distribution  float32 (F, K)  none for losses of a single output
 *   /video/video         int32 (V)       index into the corpus, ascending
 *   /video/predicted     float64 (V)     average of E over its frames
 *   /video/low, high     float64 (V)     prediction interval, in 0 .. K-1; NaN
 *                                        where none was asked for
 *   /video/within        float64 (V)     root of the mean over its frames of
 *                                        sigma squared
 *   /video/between       float64 (V)     standard deviation of E over its
 *                                        frames
 *   /video/frames        int64 (V)       how many those are
 *   /video/map           float32 (V, P, Q)  mean over its frames of their
 *                                        attention maps (gradus/attention.h),
 *                                        levels; not there where none were
 *                                        asked for
 *   /videos/...          the whole corpus: see gradus/videos.h
 *
 * The table of videos is that of all partitions, so that the constant
 * predictor (mean of the training labels) and the audit of persons need no
 * other file.  A part of the videos is a file of the same format; parts are
 * joined by appending their videos to one writer, in order.
 *
 * predictions.csv beside it holds the same per video, for people.
 */
#ifndef GRADUS_SCORES_H
#define GRADUS_SCORES_H

#include <stdint.h>

#include "gradus/average.h"
#include "gradus/corpus.h"
#include "gradus/digest.h"
#include "gradus/status.h"
#include "gradus/text.h"
#include "gradus/videos.h"

enum { GD_SCORES_MAP_SIDE = 1024 }; /**< most rows, or columns, of a map */

typedef struct {
  gd_partition partition;
  char loss[32]; /**< name of the loss that the model was trained with */
  int n_levels;  /**< K */
  int has_distribution;
  gd_average average; /**< of a video's frames */
  double interval;    /**< level of the prediction intervals; 0: none */
  double half_width;  /**< of them, levels; INFINITY: too few videos for it */
  int64_t n_calibration;     /**< videos it was read off */
  int map_rows, map_columns; /**< P, Q of the videos' maps; 0, 0: none */
} gd_scores_info;

typedef struct gd_scores_writer gd_scores_writer;

/**
 * Begin a scores file.
 * @param[in]  videos  of the corpus; kept until commit or abandon
 * Ends with: gd_scores_writer_commit() or gd_scores_writer_abandon()
 * Errors: GD_ERR_IO, GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_scores_writer_create(const char *path,
                                               gd_digest digest,
                                               const gd_scores_info *info,
                                               const gd_video_table *videos,
                                               gd_scores_writer **out);
/**
 * Append one video: its score is the average of `expected`.
 * @param[in] video         index into the corpus; above that of the last call
 * @param[in] n             frames, >= 1
 * @param[in] frame_index   (n)
 * @param[in] expected      (n) levels
 * @param[in] sigma         (n) levels
 * @param[in] distribution  (n, K); NULL without has_distribution
 * Errors: GD_ERR_IO (disk full), GD_ERR_NOMEM; the writer can then only be
 *         abandoned
 */
GD_NODISCARD gd_status gd_scores_writer_append(
    gd_scores_writer *w, int32_t video, int64_t n, const int64_t *frame_index,
    const double *expected, const double *sigma, const float *distribution);
/**
 * Append the map of the video that was appended last; each has one, or none.
 * @param[in] map  (P, Q) levels
 * Errors: GD_ERR_IO (disk full); the writer can then only be abandoned
 */
GD_NODISCARD gd_status gd_scores_writer_map(gd_scores_writer *w,
                                            const float *map);
GD_NODISCARD gd_status gd_scores_writer_commit(gd_scores_writer *w);
void gd_scores_writer_abandon(gd_scores_writer *w); /**< NULL is allowed */

typedef struct {
  gd_scores_info info;
  gd_video_table *videos; /**< of the whole corpus */
  int64_t n_videos;       /**< V: those that have a score */
  int64_t *row;           /**< (V) row in `videos` */
  double *predicted;      /**< (V) levels */
  double *low, *high;     /**< (V) levels, or NaN */
  double *within;         /**< (V) levels */
  double *between;        /**< (V) levels */
  float *map;             /**< (V, P, Q) levels, or NULL */
  int64_t *first_frame;   /**< (V + 1) where each video's frames begin */
  int64_t n_frames;       /**< F */
  int64_t *frame_index;   /**< (F) */
  double *expected;       /**< (F) levels */
  double *sigma;          /**< (F) levels */
  float *distribution;    /**< (F, K), or NULL */
} gd_scores;

/**
 * Read a scores file.
 * @param[out] out  ends with gd_scores_free(); NULL on failure
 * Errors: GD_ERR_IO, GD_ERR_FORMAT (what does not fit together), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_scores_read(const char *path, gd_scores **out);
/**
 * Likewise, without what belongs to single frames (frame_index, expected, sigma
 * and distribution are NULL): a thousandth of it, for those who compare many.
 */
GD_NODISCARD gd_status gd_scores_read_videos(const char *path, gd_scores **out);
void gd_scores_free(gd_scores *s); /**< NULL is allowed */

/** Return the v-th scored video, v < n_videos; borrowed. */
const gd_video *gd_scores_video(const gd_scores *s, int64_t v);

/**
 * Compose predictions.csv: video, task, subject, partition, label, predicted,
 * low, high, within, between (six decimals; empty where there is none) and
 * frames, one line per scored video.
 */
void gd_scores_csv(const gd_scores *s, gd_text *out);

#endif
