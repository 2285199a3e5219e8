/**
 * Forecasts: what an extraction will read, keep and store, before it runs.
 *
 * A forecast is a sum over videos whose index is known.  Where only some of a
 * corpus were looked at, their sum stands for the others: it is scaled, and
 * says from how many videos it is.
 */
#ifndef GRADUS_FORECAST_H
#define GRADUS_FORECAST_H

#include <stdint.h>

#include "gradus/frames.h"
#include "gradus/sampling.h"
#include "gradus/status.h"
#include "gradus/text.h"
#include "gradus/video_index.h"

/** Sums over videos; starts as {0}. */
typedef struct {
  int64_t n_seen;       /**< videos looked at */
  int64_t n_unreadable; /**< of them */
  double seconds;       /**< of video */
  double n_frames, n_decoded, n_kept;
  double kept_pixels; /**< of the frames that are kept */
  double core_s;      /**< of decoding */
} gd_forecast;

/** Add a video. Errors: GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_forecast_add(gd_forecast *f,
                                       const gd_sampling *sampling,
                                       const gd_video_index *index);
/** Add a video that cannot be read. */
void gd_forecast_add_unreadable(gd_forecast *f);
/** Add a sum that stands for `n_videos` of its kind. */
void gd_forecast_add_scaled(gd_forecast *f, const gd_forecast *part,
                            int64_t n_videos);
/**
 * Compose three lines, with a margin of `indent` blanks before all but the
 * first:
 *
 *     150 videos, 48.2 hours: 28,800 of 2,880,000 frames kept, 612,000 decoded
 *     26.5 GB raw, 3.2 GB lossless (as `store` says), 2.1 GB jpeg
 *     about 1.3 core-hours; 512 GB free in runs
 *
 * @param[in] n_videos    of the corpus; more than n_seen: "about", and from how
 *                        many videos
 * @param[in] storage     as the manifest says; quality of jpeg
 * @param[in] free_bytes  in `place`; -1: not known
 */
void gd_forecast_compose(const gd_forecast *f, int64_t n_videos,
                         gd_frame_storage storage, int quality,
                         int64_t free_bytes, const char *place, int indent,
                         gd_text *out);
/** Write a number of bytes for people: "4.6 GB". */
void gd_forecast_bytes(double bytes, char out[32]);

#endif
