/**
 * The plan of an extraction: which pieces of which videos lie in which shard.
 *
 *   indices --cut--> pieces --group--> shards
 *
 *   piece   frames first .. end - 1 of one video: a whole one, or a segment
 *           between two cuts of its index
 *   shard   pieces of one frame size, in order of (video, first frame)
 *
 * The one idea: the plan follows from the corpus and the parameters alone,
 * never from who makes it or how many there are.  Shards grow to about
 * `shard_bytes`; a small corpus is spread over some dozens, so that several
 * ranks have work.  Pure arithmetic: no files, no ranks.
 */
#ifndef GRADUS_EXTRACTION_H
#define GRADUS_EXTRACTION_H

#include <stdint.h>

#include "gradus/range.h"
#include "gradus/status.h"
#include "gradus/video_index.h"

/** Plain data: ranks send it to one another as bytes. */
typedef struct {
  int32_t video; /**< index into the corpus */
  int32_t height_px, width_px;
  int32_t is_last; /**< the video ends with it */
  gd_range frames;
  int64_t n_kept; /**< of them */
} gd_piece;

/** Return how many of the frames a .. b - 1 every N-th is. */
int64_t gd_piece_kept(gd_range frames, int64_t every);
/** Return the bytes of the frames that a piece keeps, as RGB. */
int64_t gd_piece_bytes(const gd_piece *p);

/**
 * Return how large shards become.
 * @param[in] total_bytes  of all kept frames of the corpus
 * @param[in] shard_bytes  as asked for
 */
int64_t gd_extraction_target(int64_t total_bytes, int64_t shard_bytes);
/**
 * Cut a video into pieces of at most `target_bytes` where its index allows it.
 * @param[out] pieces  room for index->n_cuts pieces
 * @return their number, >= 1; together they are the whole video
 */
int64_t gd_extraction_cut(const gd_video_index *index, int32_t video,
                          int64_t every, int64_t target_bytes,
                          gd_piece *pieces);

typedef struct {
  int64_t n_shards;
  const int64_t *first;   /**< (n_shards + 1): first piece of each shard */
  const gd_piece *pieces; /**< in order; neighbours of a video are joined */
  const double *cost;     /**< (n_shards): pixels to decode */
} gd_extraction;

/**
 * Group the pieces of all videos into shards.
 * @param[in]  pieces  (n), in any order; copied
 * @param[out] out     ends with gd_extraction_free(); NULL on failure
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_extraction_plan(const gd_piece *pieces, int64_t n,
                                          int64_t target_bytes,
                                          gd_extraction **out);
void gd_extraction_free(gd_extraction *e); /**< NULL is allowed */

#endif
