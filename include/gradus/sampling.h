/**
 * Sampling: which frames of a video are kept.
 *
 *   frame      0   1   2   3   4   5   6   7   8   9  10  11 ...
 *   every 4    *               *               *
 *   rate 8/s   *           *           *           *           *     (at 25/s)
 *
 * By count: the frames whose number `every` divides, counted from the video's
 * first frame, wherever sampling starts: what `ffmpeg -vf select=not(mod(n\,N))
 * -vsync 0` keeps.  By time: the first frame at or behind each tick start_s +
 * k / rate; a tick that has no frame of its own (a rate above the video's, a
 * hole in it) adds none.
 *
 * `start_s` and `stop_s` bound the presentation time, counted from the video's
 * first frame.  `most` thins what is left evenly, from its first frame on.
 *
 * The one idea: the choice is a pure function of the frames' numbers and times.
 * Where an index knows these the list is there before anything is decoded, and
 * is the same for a video that is read whole or in pieces.
 */
#ifndef GRADUS_SAMPLING_H
#define GRADUS_SAMPLING_H

#include <stdint.h>

#include "gradus/status.h"
#include "gradus/video_index.h"

typedef struct {
  int64_t every;  /**< >= 1: each so many frames; 0: by `rate` */
  double rate;    /**< > 0: frames per second; 0: by `every` */
  double start_s; /**< >= 0: frames before it are left out */
  double stop_s;  /**< frames from it on are left out; 0: none */
  int64_t most;   /**< >= 1: at most so many per video; 0: any number */
} gd_sampling;

/** Return whether the values are in range, and one of every and rate is set. */
int gd_sampling_is_valid(const gd_sampling *s);

/**
 * List the frames of a video that are kept.
 * @param[in]  index   with GD_ORDER_EXACT
 * @param[out] frames  ascending frame numbers; ends with free(); NULL on
 * failure
 * @param[out] n       how many, perhaps 0
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_sampling_select(const gd_sampling *s,
                                          const gd_video_index *index,
                                          int64_t **frames, int64_t *n);

/**
 * The same choice while frames go by, for a video whose frames are not known
 * beforehand.  `most` needs their number: without it all are counted first.
 */
typedef struct {
  gd_sampling sampling;
  int64_t last_tick; /**< of the frame that was kept last; -1: none */
  int64_t n_seen;    /**< frames chosen so far, before thinning */
  int64_t n_all;     /**< chosen in all, before thinning; INT64_MAX: not known,
                        nothing is thinned */
} gd_sampling_walk;

gd_sampling_walk gd_sampling_begin(const gd_sampling *s);
/**
 * Say whether the next frame is kept.
 * @param[in] frame   its number, above that of the call before
 * @param[in] time_s  behind the video's first frame, not below the call before
 */
int gd_sampling_takes(gd_sampling_walk *s, int64_t frame, double time_s);
/** Say whether no frame from this time on can be kept. */
int gd_sampling_is_past(const gd_sampling_walk *s, double time_s);

#endif
