/**
 * The packets of a video file's one video stream, in file order.
 *
 * Nothing else reads containers.  What a stage may be pointed at is not
 * trusted: a playlist names other files, a header may announce a picture of
 * gigabytes, or a thousand packets that are all the same bytes.  So FFmpeg gets
 * the bytes of one file (gd_input) and no other, and ordinary containers, and
 * limits on all that a header can ask for.
 */
#ifndef GRADUS_VIDEO_DEMUX_H
#define GRADUS_VIDEO_DEMUX_H

#include <stddef.h>
#include <stdint.h>

#include "gradus/patience.h"
#include "gradus/picture.h"
#include "gradus/status.h"

struct AVCodecParameters;
struct AVPacket;

/** Codecs whose bitstream says where decoding may begin. */
typedef enum {
  GD_CODEC_H264,
  GD_CODEC_HEVC,
  GD_CODEC_MPEG4,
  GD_CODEC_MJPEG,
  GD_CODEC_VP8,
  GD_CODEC_VP9,
  GD_CODEC_OTHER
} gd_codec;

#define GD_NO_TIME INT64_MIN

/** All pointers are borrowed from the demuxer. */
typedef struct {
  const char *container, *codec_name;
  gd_codec codec;
  const struct AVCodecParameters *parameters;
  const uint8_t *extradata;
  size_t extradata_bytes;
  gd_picture_layout layout; /**< as announced; pixel_format "" if it is not */
  int is_tilted; /**< the file asks for another angle; it is not applied */
  int is_interlaced;
  double second;     /**< of one unit of time */
  int64_t start;     /**< of the earliest stream, in units of time */
  double fps;        /**< mean; 0 if unknown */
  int64_t announced; /**< frames that the header tells; 0 if none */
  int counts_slots;  /**< announced counts places in time, empty ones too */
  int64_t size_bytes, modified_ns; /**< of the file, as it was opened */
} gd_stream;

typedef struct {
  const uint8_t *data; /**< NULL at the end of the file */
  size_t size_bytes;
  int64_t pts, dts;       /**< in units of time, or GD_NO_TIME */
  int64_t position_bytes; /**< in the file, or -1 */
  int is_key, is_discarded, is_cut_short;
  struct AVPacket *raw; /**< for the decoder; borrowed until the next packet */
} gd_packet;

typedef struct gd_demux gd_demux;

/**
 * @param[in] patience  copied; NULL: without end
 * Errors: see gd_video_index_read()
 */
GD_NODISCARD gd_status gd_demux_open(const char *path,
                                     const gd_patience *patience,
                                     gd_demux **out);
const gd_stream *gd_demux_stream(const gd_demux *d); /**< borrowed */
/**
 * Read the next packet of the stream; raw is NULL at the end.
 * Errors: GD_ERR_IO (the disk fails), GD_ERR_DECODE (patience is at an end;
 * more packets than a file of its size can have), what the sign of life
 *         returned.  A file that breaks off ends here, and gd_demux_is_broken()
 *         then says so.
 */
GD_NODISCARD gd_status gd_demux_next(gd_demux *d, gd_packet *packet);
int gd_demux_is_broken(const gd_demux *d);
/**
 * Go to the packet that is presented at a time, or to one before it: its place
 * in the file tells which.
 * @return whether that could be tried; in some containers it cannot
 */
int gd_demux_seek(gd_demux *d, double time_s);
void gd_demux_close(gd_demux *d); /**< NULL is allowed */

#endif
