/**
 * Frame shards: frames of videos, from `extract` to `align`.
 *
 *   format gradus-frames 2, attributes: store, height_px, width_px (of all
 *   frames as displayed), damaged (drop or keep), and with jpeg: quality
 *
 *   store = lossless: planes as decoded, packed (gradus/packing.h)
 *     /bytes         uint8 (B)           all frames, one after the other
 *     /offset        int64 (N + 1)       frame i is bytes offset[i] up to
 *                                        offset[i + 1]
 *     /layout_of     int32 (N)           row of /layout
 *     /layout/...    one row per kind of picture, as in gd_picture_layout:
 *                    width_px, height_px, pixel_format, matrix, range,
 *                    chroma_site, pixel_aspect (L, 2), display (L, 4); and
 *                    packing (ffvhuff or planes), header uint8 (L, M), zeros at
 *                    the end
 *   store = jpeg: displayed frames as JPEG files, in /bytes and /offset
 *   store = raw: /frames uint8 (N, H, W, 3), displayed frames as RGB
 *
 *   /frame_index   int64 (N)           position in presentation order, from 0
 *   /time_s        float64 (N)         presentation time
 *   /status        uint8 (N)           gd_frame_status
 *   /video         int32 (N)           index into the corpus
 *   /videos/...    one row per video of the shard: see gradus/videos.h
 *   /readings/...  one row per piece of a video that was read: gd_frame_reading
 *
 * Rows are in order of (video, frame_index).  A long video may lie in several
 * shards; gd_frame_set puts it together again, and gives RGB whatever the
 * store.
 *
 * Damaged frames are in the shard, with their status.  Whether they are used is
 * the attribute `damaged`: with drop, a set leaves them out.
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

typedef enum {
  GD_FRAMES_LOSSLESS,
  GD_FRAMES_RAW,
  GD_FRAMES_JPEG
} gd_frame_storage;

/** What all frames of a shard have in common. */
typedef struct {
  int height_px, width_px; /**< as displayed */
  gd_frame_storage storage;
  int quality;       /**< 1 .. 100, with GD_FRAMES_JPEG */
  int keeps_damaged; /**< consumers use damaged frames, too */
} gd_frame_format;

/** Return the word for a storage, as in manifests and in the shard. */
const char *gd_frame_storage_name(gd_frame_storage storage);
/** Find a storage by its word. Errors: GD_ERR_USAGE (names those there are) */
GD_NODISCARD gd_status gd_frame_storage_of(const char *name,
                                           gd_frame_storage *out);
/**
 * Return about how many bytes a displayed pixel takes in a shard: 3 for raw,
 * else as measured on 8 bit 4:2:0 camera clips that had been compressed; noise
 * that was not takes up to four times as much.
 * @param[in] quality  with GD_FRAMES_JPEG
 */
double gd_frame_storage_bytes_per_pixel(gd_frame_storage storage, int quality);

typedef struct gd_frame_writer gd_frame_writer;

/**
 * Begin a shard.
 * @param[in] corpus  the table that video indices refer to; rows of the videos
 *                    that are appended are copied into the shard; kept until
 *                    the writer ends
 * Ends with: gd_frame_writer_commit() or gd_frame_writer_abandon()
 * Errors: GD_ERR_IO, GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_frame_writer_create(const char *path,
                                              gd_digest digest,
                                              const gd_frame_format *format,
                                              const gd_video_table *corpus,
                                              gd_frame_writer **out);
/**
 * Append one frame.
 * @param[in] info     its displayed size is that of the format
 * @param[in] picture  borrowed for the call; pictures of another displayed size
 *                     are fitted into it when RGB is made: see gd_converter
 * Errors: GD_ERR_DECODE (a pixel format that cannot be converted to RGB: the
 *         frame is not in the shard), GD_ERR_NOMEM; GD_ERR_IO (disk full): the
 *         writer can then only be abandoned
 */
GD_NODISCARD gd_status gd_frame_writer_append(gd_frame_writer *w, int32_t video,
                                              const gd_frame_info *info,
                                              const gd_picture *picture);
/**
 * Forget the frames that were appended since the last note, skip or create: the
 * piece will be read again from its start.
 * Errors: GD_ERR_IO; the writer can then only be abandoned
 */
GD_NODISCARD gd_status gd_frame_writer_rewind(gd_frame_writer *w);
/** Note how the reading of a piece went, after its frames; note is copied. */
GD_NODISCARD gd_status gd_frame_writer_note(gd_frame_writer *w,
                                            const gd_frame_reading *reading);
/**
 * Note a video that gives no frames here, and why (the last reason); those of
 * the piece that was begun are forgotten.
 */
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

/** Frame shards as one table by video. */
typedef struct gd_frame_set gd_frame_set;

typedef enum {
  GD_FRAMES_TO_USE, /**< without damaged ones, unless their shard keeps them */
  GD_FRAMES_ALL
} gd_frame_choice;

/**
 * Open a shard, or every `frames-*.h5` of a directory (metadata only; pixels
 * are read on demand).
 * Ends with: gd_frame_set_close()
 * Errors: GD_ERR_IO, GD_ERR_FORMAT (which shard, and what is wrong)
 */
GD_NODISCARD gd_status gd_frame_set_open(const char *path,
                                         gd_frame_choice choice,
                                         gd_frame_set **out);
void gd_frame_set_close(gd_frame_set *s);
/** The videos that have frames, in corpus order; borrowed. */
const gd_video_table *gd_frame_set_videos(const gd_frame_set *s);
/** Return how many frames row v of gd_frame_set_videos() has. */
int64_t gd_frame_set_n_frames(const gd_frame_set *s, int64_t v);
/** Describe frame i of row v. */
gd_frame_info gd_frame_set_info(const gd_frame_set *s, int64_t v, int64_t i);
/**
 * Read frame i of row v as RGB, as displayed.
 * @param[out] rgb  (height_px, width_px, 3) uint8
 * Errors: GD_ERR_FORMAT (damaged shard: its path), GD_ERR_IO
 */
GD_NODISCARD gd_status gd_frame_set_read(gd_frame_set *s, int64_t v, int64_t i,
                                         uint8_t *rgb);

#endif
