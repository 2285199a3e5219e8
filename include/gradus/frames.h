/**
 * Frame shards: decoded frames of one size, from `extract` to `align`.
 *
 *   format gradus-frames 1, attributes: store (raw), height_px, width_px
 *   /frames        uint8 (N, H, W, 3)  RGB, displayed orientation
 *   /frame_index   int64 (N)           position in presentation order, from 0
 *   /time_s        float64 (N)         presentation time
 *   /status        uint8 (N)           gd_frame_status
 *   /video         int32 (N)           index into the corpus
 *   /videos/...    one row per video of the shard: see gradus/videos.h
 *   /readings/...  one row per piece of a video that was read: gd_frame_reading
 *
 * Rows are in order of (video, frame_index).  A long video may lie in several
 * shards; gd_frame_set puts it together again.
 */
#ifndef GRADUS_FRAMES_H
#define GRADUS_FRAMES_H

#include <stdint.h>

#include "gradus/digest.h"
#include "gradus/picture.h"
#include "gradus/status.h"
#include "gradus/videos.h"

typedef enum { GD_FRAME_WHOLE, GD_FRAME_DAMAGED } gd_frame_status;

typedef struct {
  int64_t frame_index;
  double time_s;
  gd_frame_status status;
  int height_px, width_px;
} gd_frame_info;

/** How the reading of a video, or of a segment of one, went. */
typedef struct {
  int32_t video;       /**< index into the corpus */
  int64_t first_frame; /**< of the piece */
  int64_t n_decoded;   /**< pictures that came out of the decoder */
  int64_t n_lost;      /**< announced, but did not come out */
  int64_t n_kept;      /**< pictures that were given out */
  int64_t n_damaged;   /**< of those given out */
  const char *note;    /**< what is wrong with it, for people; "": nothing */
} gd_frame_reading;

typedef struct gd_frame_writer gd_frame_writer;

/**
 * Begin a shard of frames of one size.
 * @param[in] corpus  the table that video indices refer to; rows of the videos
 *                    that are appended are copied into the shard
 * Ends with: gd_frame_writer_commit() or gd_frame_writer_abandon()
 * Errors: GD_ERR_IO, GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_frame_writer_create(const char *path,
                                              gd_digest digest, int height_px,
                                              int width_px,
                                              const gd_video_table *corpus,
                                              gd_frame_writer **out);
/**
 * Append one frame.
 * @param[in] picture  borrowed for the call; its displayed size should be that
 *                     of the shard, else it is fitted into it (gd_converter)
 * Errors: GD_ERR_DECODE (a pixel format that cannot be converted to RGB: the
 *         frame is not in the shard), GD_ERR_NOMEM; GD_ERR_IO (disk full): the
 *         writer can then only be abandoned
 */
GD_NODISCARD gd_status gd_frame_writer_append(gd_frame_writer *w, int32_t video,
                                              const gd_frame_info *info,
                                              const gd_picture *picture);
/** Note how the reading of a piece went, after its frames; note is copied. */
GD_NODISCARD gd_status gd_frame_writer_note(gd_frame_writer *w,
                                            const gd_frame_reading *reading);
/** Note a video that gives no frames here, and why (the last reason). */
GD_NODISCARD gd_status gd_frame_writer_skip(gd_frame_writer *w, int32_t video);
GD_NODISCARD gd_status gd_frame_writer_commit(gd_frame_writer *w);
void gd_frame_writer_abandon(gd_frame_writer *w);

/**
 * Call `visit` for every reading that a shard notes, in order, with the id of
 * its video.  The first status other than GD_OK ends the walk and is returned.
 * Errors: GD_ERR_IO, GD_ERR_FORMAT
 */
GD_NODISCARD gd_status gd_frame_shard_readings(
    const char *path,
    gd_status (*visit)(void *context, const gd_frame_reading *reading,
                       const char *video_id),
    void *context);

/** All frame shards of one extract directory, as one table by video. */
typedef struct gd_frame_set gd_frame_set;

/**
 * Open every `frames-*.h5` of a directory (metadata only; pixels are read on
 * demand).
 * Ends with: gd_frame_set_close()
 * Errors: GD_ERR_IO, GD_ERR_FORMAT (which shard, and what is wrong)
 */
GD_NODISCARD gd_status gd_frame_set_open(const char *directory,
                                         gd_frame_set **out);
void gd_frame_set_close(gd_frame_set *s);
/** The videos that have frames, in corpus order; borrowed. */
const gd_video_table *gd_frame_set_videos(const gd_frame_set *s);
/** Return how many frames row v of gd_frame_set_videos() has. */
int64_t gd_frame_set_n_frames(const gd_frame_set *s, int64_t v);
/** Describe frame i of row v. */
gd_frame_info gd_frame_set_info(const gd_frame_set *s, int64_t v, int64_t i);
/**
 * Read frame i of row v as RGB.
 * @param[out] rgb  (height_px, width_px, 3) uint8
 * Errors: GD_ERR_FORMAT (damaged shard: its path), GD_ERR_IO
 */
GD_NODISCARD gd_status gd_frame_set_read(gd_frame_set *s, int64_t v, int64_t i,
                                         uint8_t *rgb);

#endif
