/**
 * The index of a video: what one pass over its packets tells, undecoded.
 *
 *   packets in file order      I0  P4  B2  b1  b3  P8 ...
 *   their frame numbers         0   4   2   1   3   8 ...   (rank of the pts)
 *
 * A frame's number is its place in presentation order, from 0: the order in
 * which a decoder gives pictures out.  Packets that show nothing (empty AVI
 * chunks, the pre-roll of an edit list) have no number.
 *
 * The one idea: a container's own words (frame count, duration, key flags)
 * are not trusted.  Frames are counted; a picture is an access point when its
 * bitstream says that decoding may begin there, and droppable when it says that
 * no other picture is made from it.  Where the container does not determine the
 * order (time stamps missing, doubled, restarting; a codec that is not known
 * here), the verdict is GD_ORDER_DECODE and the reason says why: such a video
 * can only be read from its start.
 *
 * An index can be packed into bytes, to be stored beside the results or sent to
 * other ranks; unpacked it is the same to the last bit.
 *
 * Opening is safe: regular files only, ordinary containers only (no playlist,
 * no script, no network), limits on size and streams.
 */
#ifndef GRADUS_VIDEO_INDEX_H
#define GRADUS_VIDEO_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "gradus/patience.h"
#include "gradus/range.h"
#include "gradus/status.h"

enum {
  GD_VIDEO_MAX_STREAMS = 64,
  GD_VIDEO_MAX_PACKETS = 1 << 23,    /**< of a video: three days at 30 per s */
  GD_VIDEO_MAX_PIXELS = 8192 * 8192, /**< of one picture */
  GD_VIDEO_INDEX_VERSION = 2         /**< of packed indices */
};

typedef enum {
  GD_ORDER_EXACT, /**< every picture's frame number is known */
  GD_ORDER_DECODE /**< only decoding tells: read from the start */
} gd_video_order;

typedef struct {
  int64_t frame; /**< number in presentation order; -1: shows nothing */
  double time_s; /**< presentation time; NAN with `is_timed` 0 */
  int64_t position_bytes; /**< in the file; -1: not known */
  uint8_t is_access;      /**< decoding may begin here */
  uint8_t is_droppable;   /**< no other picture is made from it */
} gd_video_packet;

/** All texts and tables are owned by the index. */
typedef struct {
  const char *path;
  char container[32];    /**< FFmpeg's name: "mov", "avi", "matroska" */
  char codec[32];        /**< FFmpeg's name: "h264", "mpeg4" */
  char pixel_format[32]; /**< FFmpeg's name: "yuv420p"; "" when not known */
  /** Size as displayed: turned, pixels square; see gradus/picture.h. */
  int width_px, height_px;
  int rotation_deg;    /**< clockwise, to display: 0, 90, 180, 270 */
  int is_mirrored;     /**< left and right exchanged after the rotation */
  int is_interlaced;   /**< a picture's even and odd rows differ in time */
  int pixel_aspect[2]; /**< of a pixel as decoded; 1 : 1 when unknown */
  double fps;          /**< mean frames per second */
  double duration_s;   /**< n_frames at that rate */
  /** Frames that are presented; with GD_ORDER_DECODE the number of packets
   * that can hold one, which decoding may correct. */
  int64_t n_frames;
  int64_t n_announced; /**< frames that the container tells; 0: it does not */
  gd_video_order order;
  const char *reason; /**< why GD_ORDER_DECODE; else "" */
  /** What is wrong with the file as far as packets tell ("only 30 of 90
   * announced frames are there"); "" when nothing is. */
  const char *warning;
  int64_t n_packets; /**< of the video stream, in file order */
  const gd_video_packet *packets;
  const int64_t *shown_by; /**< of each frame, its packet */
  /** Every picture has a time stamp that can be used; else frame n is taken to
   * be shown at first_s + n / fps.  Times count from the start of the earliest
   * stream. */
  int is_timed;
  double first_s;
  /** Frames at which the video may be cut: access points with everything
   * before them, in file order, presented before them.  Pictures that follow
   * such a point in the file and are presented before it (of an open group)
   * belong to what is before the cut.  Ascending; the first is 0.  Only that
   * one with GD_ORDER_DECODE. */
  int64_t n_cuts;
  const int64_t *cuts;
  int64_t size_bytes;  /**< of the file */
  int64_t modified_ns; /**< when the file was, since 1970 */
} gd_video_index;

/**
 * Index a video file.
 * @param[in]  path      of a regular file; any characters; copied
 * @param[in]  patience  copied; NULL: without end
 * @param[out] out       ends with gd_video_index_free(); NULL on failure
 * Collective: no
 * Errors: GD_ERR_DECODE (missing, unreadable, no regular file, no container
 *         that is allowed, no video stream, picture too large, no packet, too
 *         many, patience at an end: an item to skip), GD_ERR_IO (the disk
 *         fails), GD_ERR_NOMEM; what the sign of life returned
 */
GD_NODISCARD gd_status gd_video_index_read(const char *path,
                                           const gd_patience *patience,
                                           gd_video_index **out);
void gd_video_index_free(gd_video_index *index); /**< NULL is allowed */

/** Return when a frame is presented, in seconds: see `is_timed`. */
double gd_video_index_time(const gd_video_index *x, int64_t frame);

/**
 * Estimate what it takes to read some frames of a video: the pictures that are
 * decoded on the way to them, and the frames themselves.
 * @param[in] wanted  all frames that are kept, ascending; NULL: every frame
 * @param[in] part    of the video: between cuts, or 0 .. n_frames
 * @return about seconds of one core; all of the video with GD_ORDER_DECODE
 */
double gd_video_index_cost(const gd_video_index *x, const int64_t *wanted,
                           int64_t n_wanted, gd_range part);

/**
 * Pack an index, all but its path, into bytes that mean the same everywhere.
 * @param[out] bytes  ends with free(); NULL on failure
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_video_index_pack(const gd_video_index *x,
                                           uint8_t **bytes, size_t *n_bytes);
/**
 * Make an index from bytes.
 * @param[in]  path   of the video; copied
 * @param[out] out    ends with gd_video_index_free(); NULL on failure
 * Errors: GD_ERR_FORMAT (no packed index, of another version, or damaged),
 *         GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_video_index_unpack(const char *path,
                                             const uint8_t *bytes,
                                             size_t n_bytes,
                                             gd_video_index **out);

#endif
