/**
 * The plan of an extraction: which pieces of which videos lie in which shard.
 *
 *   index --spans--> spans --cut--> pieces of all videos --plan--> shards
 *
 *   span    the least that is worth a file of its own: frames between two cuts
 *           of a video's index
 *   piece   neighbouring spans of a video: a unit's share of it
 *   shard   pieces of one frame size, in order of (video, first frame)
 *
 * Two limits end a piece and a shard: about `unit_us` of decoding, so that one
 * long video keeps all ranks busy and none works alone at the end; and about
 * `shard_bytes` as stored.
 *
 * The one idea: the plan follows from the corpus and the parameters alone,
 * never from who makes it or how many there are; costs are whole numbers, whose
 * sum does not depend on the order.  Pure arithmetic: no files, no ranks.
 */
#ifndef GRADUS_EXTRACTION_H
#define GRADUS_EXTRACTION_H

#include <stdint.h>

#include "gradus/range.h"
#include "gradus/sampling.h"
#include "gradus/status.h"
#include "gradus/video_index.h"

/** A span, or several that follow one another.  Plain data: ranks send it to
 * one another as bytes. */
typedef struct {
  int32_t video; /**< index into the corpus */
  int32_t height_px, width_px;
  int32_t is_last; /**< the video ends with it */
  gd_range frames;
  int64_t n_kept;  /**< of them; an estimate with GD_ORDER_DECODE */
  int64_t cost_us; /**< of reading it, about: microseconds of one core */
} gd_piece;

typedef struct {
  int64_t unit_us;        /**< decoding of a unit, about */
  int64_t shard_bytes;    /**< of a unit's file, about */
  double bytes_per_pixel; /**< as frames are stored */
} gd_extraction_limits;

/** Return how many bytes a piece's frames take, about. */
int64_t gd_piece_bytes(const gd_piece *p, const gd_extraction_limits *limits);
/** Return how long a unit should take, of a corpus that takes total_us. */
int64_t gd_extraction_unit_us(int64_t total_us);

/**
 * Choose the frames of a video that are kept.
 * @param[out] frames  as gd_sampling_select(); NULL with GD_ORDER_DECODE, where
 *                     only decoding tells them
 * @param[out] n       how many; an estimate with GD_ORDER_DECODE
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_extraction_select(const gd_sampling *sampling,
                                            const gd_video_index *index,
                                            int64_t **frames, int64_t *n);
/**
 * Part a video into spans.
 * @param[in]  frames  (n) as gd_extraction_select()
 * @param[in]  limits  shard_bytes and bytes_per_pixel are used
 * @param[out] spans   room for index->n_cuts
 * @return their number, >= 1; together they are the whole video
 */
int64_t gd_extraction_spans(const gd_video_index *index, int32_t video,
                            const int64_t *frames, int64_t n,
                            const gd_extraction_limits *limits,
                            gd_piece *spans);
/**
 * Join the spans of a video to pieces within the limits.
 * @param[in,out] spans  (n) in order; the pieces take their place
 * @return the number of pieces; 0 where no frame of the video is kept
 */
int64_t gd_extraction_cut(gd_piece *spans, int64_t n,
                          const gd_extraction_limits *limits);

typedef struct {
  int64_t n_shards;
  const int64_t *first;   /**< (n_shards + 1): first piece of each shard */
  const gd_piece *pieces; /**< in order; neighbours of a video are joined */
  const double *cost;     /**< (n_shards): microseconds */
} gd_extraction;

/**
 * Group the pieces of all videos into shards.
 * @param[in]  pieces  (n), in any order; copied
 * @param[out] out     ends with gd_extraction_free(); NULL on failure
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_extraction_plan(const gd_piece *pieces, int64_t n,
                                          const gd_extraction_limits *limits,
                                          gd_extraction **out);
void gd_extraction_free(gd_extraction *e); /**< NULL is allowed */

/**
 * Check that frames find room on disk, with a tenth to spare: sizes of what is
 * packed are estimates.
 * Errors: GD_ERR_IO (what is needed, what is free, what can be done)
 */
GD_NODISCARD gd_status gd_extraction_check_room(int64_t needed_bytes,
                                                int64_t free_bytes,
                                                const char *directory);

#endif
