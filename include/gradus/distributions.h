/**
 * Distributions: what a model says of all levels, in the mean over videos of a
 * band of severity, and over the time of one video.
 *
 * A video's distribution is the mean of its frames'; so long videos count as
 * much as short ones.
 */
#ifndef GRADUS_DISTRIBUTIONS_H
#define GRADUS_DISTRIBUTIONS_H

#include <stdint.h>

#include "gradus/scores.h"
#include "gradus/severity.h"
#include "gradus/status.h"

typedef struct {
  int n_bands, n_levels;
  int64_t n[GD_MAX_BANDS]; /**< videos of each band, by their label */
  double *mean;            /**< (n_bands, n_levels); NaN for a band of none */
} gd_band_distributions;

/**
 * Average the distributions of a run's videos by the band of their labels.
 * @param[in]  scores  (n_scores) of the run's members, all with distributions
 *                     over the same levels
 * @param[in]  bands   (n_bands), see gradus/severity.h
 * @param[out] out     ends with gd_band_distributions_free()
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_band_distributions_of(int n_scores,
                                                const gd_scores *const *scores,
                                                int n_bands,
                                                const gd_band *bands,
                                                gd_band_distributions *out);
void gd_band_distributions_free(gd_band_distributions *d);

/** The distribution of one video as time goes by. */
typedef struct {
  double first_frame, frames; /**< where column 0 begins; frames per column */
  int n_columns, n_rows;
  int levels;       /**< per row */
  double *density;  /**< (n_columns, n_rows) mean probability per level; lowest
                     * level first; 0 where no frame falls into a column */
  double *frame;    /**< (n_columns) middle, as a frame index */
  double *expected; /**< (n_columns) mean E, levels; NaN without a frame */
} gd_timeline;

/**
 * Lay the frames of scored video v out over time.
 * @param[in]  most_columns, most_rows  frames or levels beyond that share one
 * @param[out] out                      ends with gd_timeline_free()
 *
 * A column is as wide as the least distance between frames, so that a frame
 * that was left out leaves a gap, or as many such as most_columns asks for.
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_timeline_of(const gd_scores *s, int64_t v,
                                      int most_columns, int most_rows,
                                      gd_timeline *out);
void gd_timeline_free(gd_timeline *t);

/**
 * Choose a video to show by rule, that nobody may choose the prettiest: of the
 * videos with several frames, sorted by absolute error and then by id, the one
 * in the middle (of two, the one of the smaller error).
 * @return an index below s->n_videos, or -1: no video has several frames
 */
int64_t gd_timeline_choose(const gd_scores *s);

#endif
