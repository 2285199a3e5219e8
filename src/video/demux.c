#include "video/demux.h"

#include <assert.h>
#include <inttypes.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/pixdesc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/file.h"
#include "gradus/memory.h"
#include "gradus/video_index.h"
#include "video/input.h"

enum {
  BUFFER_BYTES = 1 << 16,
  MOST_BYTES = 1 << 29, /* of one block of memory */
  /* Packets share bytes only where someone means harm; headers that a container
   * leaves out of each packet count, too. */
  MOST_REPEATED = 16,
  SLACK_BYTES = 1 << 20
};

/* Containers that hold their own data.  Playlists (hls, dash, concat) and
 * device or pattern inputs (image2, lavfi) name other files. */
static const char CONTAINERS[] = "mov,avi,matroska,mpegts,mpeg,flv,asf,ogg,mxf,"
                                 "dv,ivf,nut,h264,hevc,m4v,mjpeg,mpegvideo,"
                                 "yuv4mpegpipe";

struct gd_demux {
  char path[GD_PATH_MAX];
  gd_input *input;
  AVIOContext *bytes;
  AVFormatContext *format;
  AVPacket *packet;
  int64_t n_packets, n_bytes; /* given out */
  int announced_px[2];        /* width, height */
  int stream_index;
  gd_stream stream;
  char container[32];
  int is_broken;
};

void gd_demux_close(gd_demux *d)
{
  if (d == NULL)
    return;
  av_packet_free(&d->packet);
  avformat_close_input(&d->format);
  if (d->bytes != NULL)
    av_freep(&d->bytes->buffer);
  avio_context_free(&d->bytes);
  gd_input_close(d->input);
  free(d);
}

/* ------------------------------------------------------------------- opening
 */

static int read_bytes(void *input, uint8_t *out, int most_bytes)
{
  const int n = gd_input_read(input, out, most_bytes);
  return n > 0 ? n : n == 0 ? AVERROR_EOF : AVERROR_EXIT;
}

static int64_t seek_bytes(void *input, int64_t offset, int whence)
{
  int64_t from = 0;
  whence &= ~AVSEEK_FORCE;
  if (whence == AVSEEK_SIZE)
    return gd_input_size(input);
  if (whence == SEEK_CUR)
    from = gd_input_position(input);
  else if (whence == SEEK_END)
    from = gd_input_size(input);
  else if (whence != SEEK_SET)
    return AVERROR(EINVAL);
  if (offset < -from || offset > INT64_MAX - from)
    return AVERROR(EINVAL);
  gd_input_seek(input, from + offset);
  return from + offset;
}

/* Whatever a file names, nothing else is opened. */
static int refuse_other(AVFormatContext *format, AVIOContext **bytes,
                        const char *url, int flags, AVDictionary **options)
{
  (void)format, (void)bytes, (void)url, (void)flags, (void)options;
  return AVERROR(EACCES);
}

/* Is the failure the clock's or the disk's, not the file's? */
static int is_at_an_end(const void *input)
{
  return gd_input_status(input) != GD_OK;
}

static int is_interrupted(void *input)
{
  return gd_input_look(input) != GD_OK;
}

static gd_status fail_open(const gd_demux *d, int error)
{
  char text[AV_ERROR_MAX_STRING_SIZE];
  const char *path = d->path;
  if (is_at_an_end(d->input))
    return gd_input_status(d->input);
  /* Damaged headers ask for any amount: that is the file's fault. */
  if (error == AVERROR(ENOMEM))
    return gd_fail(GD_ERR_DECODE,
                   "%s: asks for more memory or streams than any video has: "
                   "damaged?",
                   path);
  if (error == AVERROR_INVALIDDATA || error == AVERROR(EINVAL) ||
      error == AVERROR_EOF)
    return gd_fail(GD_ERR_DECODE,
                   "%s: is no video file, or of a kind that is not read "
                   "(MP4, MOV, AVI, MKV, WebM, TS, MPEG, FLV, WMV, OGG are)",
                   path);
  av_make_error_string(text, sizeof text, error);
  return gd_fail(GD_ERR_DECODE, "%s: cannot open: %s", path, text);
}

/* Give FFmpeg the file's bytes, and nothing to find others by. */
static gd_status give_bytes(gd_demux *d)
{
  uint8_t *buffer = av_malloc(BUFFER_BYTES);
  if (buffer != NULL)
    d->bytes = avio_alloc_context(buffer, BUFFER_BYTES, 0, d->input, read_bytes,
                                  NULL, seek_bytes);
  if (d->bytes == NULL)
    av_free(buffer);
  d->format = avformat_alloc_context();
  if (d->bytes == NULL || d->format == NULL)
    return gd_fail(GD_ERR_NOMEM, "%s: no memory to read it", d->path);
  d->format->pb = d->bytes;
  d->format->io_open = refuse_other;
  d->format->interrupt_callback =
      (AVIOInterruptCB){.callback = is_interrupted, .opaque = d->input};
  return GD_OK;
}

static gd_status open_container(gd_demux *d)
{
  char streams[16];
  gd_status st = give_bytes(d);
  if (st != GD_OK)
    return st;
  snprintf(streams, sizeof streams, "%d", GD_VIDEO_MAX_STREAMS);
  AVDictionary *options = NULL;
  /* For what opens files without asking io_open. */
  av_dict_set(&options, "protocol_whitelist", "none", 0);
  av_dict_set(&options, "format_whitelist", CONTAINERS, 0);
  av_dict_set(&options, "max_streams", streams, 0);
  /* The name's ending helps to tell the container; on failure FFmpeg frees the
   * context. */
  const int error = avformat_open_input(&d->format, d->path, NULL, &options);
  av_dict_free(&options);
  return error < 0 ? fail_open(d, error) : GD_OK;
}

/* In these containers a packet is a picture, and what FFmpeg's parsers would
 * look for in all its bytes is not asked for: key flags, and the order in AVI,
 * which follows from the picture types. */
static void spare_parsers(gd_demux *d)
{
  const char *const name = d->format->iformat->name;
  if (strcmp(name, "avi") != 0 && strncmp(name, "mov,", 4) != 0)
    return;
  for (unsigned i = 0; i < d->format->nb_streams; i++) {
    const AVCodecParameters *p = d->format->streams[i]->codecpar;
    if (p->codec_type == AVMEDIA_TYPE_VIDEO &&
        p->codec_id != AV_CODEC_ID_MPEG4 && p->codec_id != AV_CODEC_ID_MJPEG)
      return;
  }
  d->format->flags |= AVFMT_FLAG_NOPARSE;
}

/* Keep the largest size that the container tells: a decoder that refuses it
 * leaves none. */
static void note_announced(gd_demux *d)
{
  for (unsigned i = 0; i < d->format->nb_streams; i++) {
    const AVCodecParameters *p = d->format->streams[i]->codecpar;
    if (p->codec_type == AVMEDIA_TYPE_VIDEO &&
        (int64_t)p->width * p->height >
            (int64_t)d->announced_px[0] * d->announced_px[1]) {
      d->announced_px[0] = p->width;
      d->announced_px[1] = p->height;
    }
  }
}

/* Let FFmpeg look at the first packets, with the limits of a decoder. */
static gd_status find_streams(gd_demux *d)
{
  const unsigned n = d->format->nb_streams;
  AVDictionary **options = gd_alloc(n, sizeof(AVDictionary *));
  if (options == NULL)
    return GD_ERR_NOMEM;
  char pixels[16];
  snprintf(pixels, sizeof pixels, "%d", GD_VIDEO_MAX_PIXELS);
  for (unsigned i = 0; i < n; i++) {
    av_dict_set(&options[i], "threads", "1", 0);
    av_dict_set(&options[i], "max_pixels", pixels, 0);
  }
  const int error =
      avformat_find_stream_info(d->format, n > 0 ? options : NULL);
  for (unsigned i = 0; i < n; i++)
    av_dict_free(&options[i]);
  free(options);
  if (is_at_an_end(d->input))
    return gd_input_status(d->input);
  return error < 0 ? fail_open(d, error) : GD_OK;
}

/* Choose the largest picture that moves: cover art is a stream, too. */
static gd_status choose_stream(gd_demux *d)
{
  int64_t most = -1;
  int has_cover = 0;
  d->stream_index = -1;
  for (unsigned i = 0; i < d->format->nb_streams; i++) {
    AVStream *s = d->format->streams[i];
    const AVCodecParameters *p = s->codecpar;
    const int is_video = p->codec_type == AVMEDIA_TYPE_VIDEO;
    const int is_cover = (s->disposition & AV_DISPOSITION_ATTACHED_PIC) != 0;
    has_cover |= is_video && is_cover;
    if (!is_video || is_cover || p->codec_id == AV_CODEC_ID_NONE)
      continue;
    const int64_t size = (int64_t)p->width * p->height;
    if (size > most) {
      most = size;
      d->stream_index = (int)i;
    }
  }
  if (d->stream_index < 0)
    return gd_fail(GD_ERR_DECODE, "%s: has no video stream%s", d->path,
                   has_cover ? ", only cover art" : "");
  for (unsigned i = 0; i < d->format->nb_streams; i++)
    if ((int)i != d->stream_index)
      d->format->streams[i]->discard = AVDISCARD_ALL;
  return GD_OK;
}

static gd_codec codec_of(enum AVCodecID id)
{
  switch (id) {
  case AV_CODEC_ID_H264:
    return GD_CODEC_H264;
  case AV_CODEC_ID_HEVC:
    return GD_CODEC_HEVC;
  case AV_CODEC_ID_MPEG4:
    return GD_CODEC_MPEG4;
  case AV_CODEC_ID_MJPEG:
    return GD_CODEC_MJPEG;
  case AV_CODEC_ID_VP8:
    return GD_CODEC_VP8;
  case AV_CODEC_ID_VP9:
    return GD_CODEC_VP9;
  default:
    return GD_CODEC_OTHER;
  }
}

static int sign(int32_t value)
{
  return (value > 0) - (value < 0);
}

/* Reduce the display matrix to a turn by right angles and mirroring. */
static void read_display(const AVStream *s, gd_stream *stream)
{
  int *display = stream->layout.display;
  const uint8_t *data =
      av_stream_get_side_data(s, AV_PKT_DATA_DISPLAYMATRIX, NULL);
  if (data == NULL)
    return;
  int32_t m[9];
  memcpy(m, data, sizeof m);
  /* The file's matrix is for row vectors: x' = m[0] x + m[3] y. */
  if (m[1] == 0 && m[3] == 0 && m[0] != 0 && m[4] != 0) {
    display[0] = sign(m[0]);
    display[3] = sign(m[4]);
  } else if (m[0] == 0 && m[4] == 0 && m[1] != 0 && m[3] != 0) {
    display[0] = display[3] = 0;
    display[1] = sign(m[1]);
    display[2] = sign(m[3]);
  } else {
    stream->is_tilted = 1;
  }
}

/* The "yuvj" formats are the others with a range. */
static void announce_layout(gd_picture_layout *l, const AVCodecParameters *p)
{
  char name[GD_PIXEL_FORMAT_MAX + 1];
  const char *known = av_get_pix_fmt_name(p->format);
  snprintf(name, sizeof name, "%s", known == NULL ? "" : known);
  if (strncmp(name, "yuvj", 4) == 0)
    memmove(name + 3, name + 4, strlen(name + 4) + 1);
  *l = gd_picture_layout_of(p->width, p->height, name);
}

static void describe(gd_demux *d)
{
  AVStream *s = d->format->streams[d->stream_index];
  const AVCodecParameters *p = s->codecpar;
  gd_stream *out = &d->stream;
  snprintf(d->container, sizeof d->container, "%.*s",
           (int)strcspn(d->format->iformat->name, ","),
           d->format->iformat->name);
  out->container = d->container;
  out->codec_name = avcodec_get_name(p->codec_id);
  out->codec = codec_of(p->codec_id);
  out->parameters = p;
  out->is_interlaced = p->field_order > AV_FIELD_PROGRESSIVE;
  out->extradata = p->extradata;
  out->extradata_bytes = p->extradata_size > 0 ? (size_t)p->extradata_size : 0;
  announce_layout(&out->layout, p);
  read_display(s, out);
  const AVRational aspect = av_guess_sample_aspect_ratio(d->format, s, NULL);
  if (aspect.num > 0 && aspect.den > 0) {
    out->layout.pixel_aspect[0] = aspect.num;
    out->layout.pixel_aspect[1] = aspect.den;
  }
  out->second = av_q2d(s->time_base);
  out->start =
      d->format->start_time == AV_NOPTS_VALUE
          ? 0
          : av_rescale_q(d->format->start_time, AV_TIME_BASE_Q, s->time_base);
  const AVRational rate =
      s->avg_frame_rate.num > 0 ? s->avg_frame_rate : s->r_frame_rate;
  out->fps = rate.num > 0 && rate.den > 0 ? av_q2d(rate) : 0;
  out->announced = s->nb_frames;
  out->counts_slots = strcmp(d->container, "avi") == 0;
  out->size_bytes = gd_input_size(d->input);
  out->modified_ns = gd_input_modified(d->input);
}

static gd_status check_pixels(const gd_demux *d, int width, int height)
{
  if ((int64_t)width * height <= GD_VIDEO_MAX_PIXELS)
    return GD_OK;
  return gd_fail(GD_ERR_DECODE,
                 "%s: pictures of %d x %d; at most %d pixels are read", d->path,
                 width, height, GD_VIDEO_MAX_PIXELS);
}

static gd_status check_size(const gd_demux *d)
{
  const int width = d->stream.layout.width_px;
  const int height = d->stream.layout.height_px;
  gd_status st = check_pixels(d, width, height);
  if (width <= 0 || height <= 0) {
    st = check_pixels(d, d->announced_px[0], d->announced_px[1]);
    return st != GD_OK
               ? st
               : gd_fail(GD_ERR_DECODE,
                         "%s: its %s stream has no picture that can be decoded",
                         d->path, d->stream.codec_name);
  }
  /* Pixels that are no squares can make a picture much larger. */
  int shown_width, shown_height;
  gd_picture_displayed(&d->stream.layout, &shown_width, &shown_height);
  return st == GD_OK ? check_pixels(d, shown_width, shown_height) : st;
}

gd_status gd_demux_open(const char *path, const gd_patience *patience,
                        gd_demux **out)
{
  assert(path != NULL && out != NULL);

  *out = NULL;
  av_log_set_level(AV_LOG_QUIET); /* reasons are ours to give */
  av_max_alloc(MOST_BYTES);
  gd_demux *d = gd_alloc(1, sizeof *d);
  if (d == NULL)
    return GD_ERR_NOMEM;
  gd_status st = GD_OK;
  if (snprintf(d->path, sizeof d->path, "%s", path) >= (int)sizeof d->path)
    st = gd_fail(GD_ERR_DECODE, "%.200s...: path too long", path);
  if (st == GD_OK)
    st = gd_input_open(path, patience, &d->input);
  if (st == GD_OK)
    st = open_container(d);
  if (st == GD_OK) {
    note_announced(d);
    spare_parsers(d);
    st = find_streams(d);
  }
  if (st == GD_OK)
    st = choose_stream(d);
  if (st == GD_OK) {
    describe(d);
    st = check_size(d);
  }
  if (st == GD_OK && (d->packet = av_packet_alloc()) == NULL)
    st = gd_fail(GD_ERR_NOMEM, "%s: no memory for packets", path);
  if (st != GD_OK) {
    gd_demux_close(d);
    return st;
  }
  *out = d;
  return GD_OK;
}

const gd_stream *gd_demux_stream(const gd_demux *d)
{
  assert(d != NULL);
  return &d->stream;
}

int gd_demux_is_broken(const gd_demux *d)
{
  assert(d != NULL);
  return d->is_broken;
}

int gd_demux_seek(gd_demux *d, double time_s)
{
  assert(d != NULL);

  /* Containers with a table of packets, or marks; in a stream of bytes, a
   * parser would need to find the beginning of a picture. */
  static const char *const known[] = {"mov", "avi", "matroska"};
  int may = 0;
  for (int i = 0; i < 3; i++)
    may |= strcmp(d->container, known[i]) == 0;
  if (!may || !isfinite(time_s))
    return 0;
  const int64_t stamp =
      d->stream.start + (int64_t)llround(time_s / d->stream.second);
  return av_seek_frame(d->format, d->stream_index, stamp,
                       AVSEEK_FLAG_BACKWARD) >= 0;
}

static void fill(const AVPacket *from, gd_packet *packet)
{
  *packet =
      (gd_packet){.data = from->data,
                  .size_bytes = from->size > 0 ? (size_t)from->size : 0,
                  .pts = from->pts == AV_NOPTS_VALUE ? GD_NO_TIME : from->pts,
                  .dts = from->dts == AV_NOPTS_VALUE ? GD_NO_TIME : from->dts,
                  .position_bytes = from->pos,
                  .is_key = (from->flags & AV_PKT_FLAG_KEY) != 0,
                  .is_discarded = (from->flags & AV_PKT_FLAG_DISCARD) != 0,
                  .is_cut_short = (from->flags & AV_PKT_FLAG_CORRUPT) != 0};
}

/* A header of some bytes can ask for any number of packets. */
static gd_status count_packet(gd_demux *d)
{
  const int64_t size = d->stream.size_bytes;
  gd_input_progress(d->input);
  d->n_packets++;
  d->n_bytes += d->packet->size;
  if (d->n_packets > GD_VIDEO_MAX_PACKETS)
    return gd_fail(GD_ERR_DECODE, "%s: more than %d packets", d->path,
                   GD_VIDEO_MAX_PACKETS);
  if ((d->n_bytes - SLACK_BYTES) / MOST_REPEATED > size)
    return gd_fail(GD_ERR_DECODE,
                   "%s: its packets hold %" PRId64 " bytes and more, the file "
                   "%" PRId64 ": they lie upon one another",
                   d->path, d->n_bytes, size);
  return GD_OK;
}

gd_status gd_demux_next(gd_demux *d, gd_packet *packet)
{
  assert(d != NULL && packet != NULL);

  *packet = (gd_packet){0};
  /* Here, too: decoding the last packet may have taken all patience. */
  gd_status st = gd_input_look(d->input);
  if (st != GD_OK)
    return st;
  int error;
  do {
    av_packet_unref(d->packet);
    error = av_read_frame(d->format, d->packet);
  } while (error == AVERROR(EAGAIN) ||
           (error >= 0 && d->packet->stream_index != d->stream_index));
  if (is_at_an_end(d->input))
    return gd_input_status(d->input);
  if (error < 0) {
    d->is_broken = error != AVERROR_EOF;
    return GD_OK;
  }
  st = count_packet(d);
  if (st == GD_OK) {
    fill(d->packet, packet);
    packet->raw = d->packet;
  }
  return st;
}
