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
 * bitstream says that decoding may begin there.  Where the container does not
 * determine the order (time stamps missing, doubled, restarting; a codec that
 * is not known here), the verdict is GD_ORDER_DECODE and the reason says why:
 * such a video can only be read from its start.
 *
 * Opening is safe: regular files only, ordinary containers only (no playlist,
 * no script, no network), limits on size and streams.
 */
#ifndef GRADUS_VIDEO_INDEX_H
#define GRADUS_VIDEO_INDEX_H

#include <stdint.h>

#include "gradus/status.h"

enum {
  GD_VIDEO_MAX_STREAMS = 64,
  GD_VIDEO_MAX_PIXELS = 8192 * 8192 /**< of one picture */
};

typedef enum {
  GD_ORDER_EXACT, /**< every picture's frame number is known */
  GD_ORDER_DECODE /**< only decoding tells: read from the start */
} gd_video_order;

typedef struct {
  int64_t frame; /**< number in presentation order; -1: shows nothing */
  double time_s; /**< presentation time; NAN with `is_timed` 0 */
  int is_access; /**< decoding may begin here */
} gd_video_packet;

/** All texts and tables are owned by the index. */
typedef struct {
  const char *path;
  char container[32]; /**< FFmpeg's name: "mov", "avi", "matroska" */
  char codec[32];     /**< FFmpeg's name: "h264", "mpeg4" */
  /** Size as displayed: turned, pixels square; see gradus/picture.h. */
  int width_px, height_px;
  int rotation_deg;    /**< clockwise, to display: 0, 90, 180, 270 */
  int is_mirrored;     /**< left and right exchanged after the rotation */
  int pixel_aspect[2]; /**< of a pixel as decoded; 1 : 1 when unknown */
  double fps;          /**< mean frames per second */
  double duration_s;   /**< n_frames at that rate */
  /** Frames that are presented; with GD_ORDER_DECODE the number of packets
   * that can hold one, which decoding may correct. */
  int64_t n_frames;
  gd_video_order order;
  const char *reason; /**< why GD_ORDER_DECODE; else "" */
  /** What is wrong with the file as far as packets tell ("only 30 of 90
   * announced frames are there"); "" when nothing is. */
  const char *warning;
  int64_t n_packets; /**< of the video stream, in file order */
  const gd_video_packet *packets;
  /** Every picture has a time stamp that can be used; else frame n is taken to
   * be shown at first_s + n / fps.  Times count from the start of the earliest
   * stream. */
  int is_timed;
  double first_s;
  /** Frames at which the video may be cut: access points with everything
   * before them, in file order, presented before them.  Ascending; the first
   * is 0.  Only that one with GD_ORDER_DECODE. */
  int64_t n_cuts;
  const int64_t *cuts;
} gd_video_index;

/**
 * Index a video file.
 * @param[in]  path  of a regular file; any characters; copied
 * @param[out] out   ends with gd_video_index_free(); NULL on failure
 * Collective: no
 * Errors: GD_ERR_DECODE (missing, unreadable, no regular file, no container
 *         that is allowed, no video stream, picture too large, no packet: an
 *         item to skip), GD_ERR_IO (the disk fails), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_video_index_read(const char *path,
                                           gd_video_index **out);
void gd_video_index_free(gd_video_index *index); /**< NULL is allowed */

#endif
