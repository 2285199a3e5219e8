#include "gradus/encoder.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libswscale/swscale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gradus/file.h"
#include "gradus/memory.h"

/* A quantiser of 3 keeps the fine lines of a drawn face. */
enum { QUANTISER = 3, KEY_EVERY = 12, LEAST_PX = 16, MOST_PX = 4096 };

struct gd_encoder {
  char *path;
  char part[GD_PATH_MAX];
  int is_made; /**< the file `part` is ours */
  int width_px, height_px;
  AVFormatContext *format;
  AVCodecContext *codec;
  AVStream *stream; /* of format */
  AVFrame *picture;
  AVPacket *packet;
  struct SwsContext *convert;
};

static gd_status failed(const gd_encoder *e, const char *what, int error)
{
  char reason[AV_ERROR_MAX_STRING_SIZE] = "";
  av_strerror(error, reason, sizeof reason);
  return gd_fail(error == AVERROR(ENOMEM) ? GD_ERR_NOMEM : GD_ERR_IO,
                 "%s: %s: %s", e->path, what, reason);
}

static void encoder_free(gd_encoder *e)
{
  if (e == NULL)
    return;
  sws_freeContext(e->convert);
  av_packet_free(&e->packet);
  av_frame_free(&e->picture);
  avcodec_free_context(&e->codec);
  if (e->format != NULL)
    avio_closep(&e->format->pb);
  avformat_free_context(e->format);
  free(e->path);
  free(e);
}

static gd_status check_request(const char *path, gd_encoding encoding)
{
  if (!gd_path_ends_with(path, ".mp4") && !gd_path_ends_with(path, ".avi"))
    return gd_fail(GD_ERR_USAGE, "%s: a video's name ends in .mp4 or .avi",
                   path);
  if (encoding.width_px % 2 != 0 || encoding.height_px % 2 != 0 ||
      encoding.width_px < LEAST_PX || encoding.width_px > MOST_PX ||
      encoding.height_px < LEAST_PX || encoding.height_px > MOST_PX)
    return gd_fail(GD_ERR_USAGE, "%s: video of %d x %d pixels: even, %d to %d",
                   path, encoding.width_px, encoding.height_px, LEAST_PX,
                   MOST_PX);
  if (!(encoding.fps >= 1.0 && encoding.fps <= 240.0))
    return gd_fail(GD_ERR_USAGE, "%s: %g frames per second: 1 to 240", path,
                   encoding.fps);
  return GD_OK;
}

static gd_status open_codec(gd_encoder *e, gd_encoding encoding)
{
  const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_MPEG4);
  if (codec == NULL)
    return gd_fail(GD_ERR_USAGE, "%s: this libavcodec has no MPEG-4 encoder",
                   e->path);
  e->codec = avcodec_alloc_context3(codec);
  if (e->codec == NULL)
    return failed(e, "cannot set up the encoder", AVERROR(ENOMEM));
  /* MPEG-4 writes the rate's numerator in 16 bits. */
  const AVRational rate = av_d2q(encoding.fps, 60060);
  e->codec->width = encoding.width_px;
  e->codec->height = encoding.height_px;
  e->codec->pix_fmt = AV_PIX_FMT_YUV420P;
  e->codec->time_base = av_inv_q(rate);
  e->codec->framerate = rate;
  e->codec->gop_size = KEY_EVERY;
  e->codec->max_b_frames = 0;
  e->codec->thread_count = 1;
  e->codec->flags |= AV_CODEC_FLAG_BITEXACT | AV_CODEC_FLAG_QSCALE;
  e->codec->global_quality = QUANTISER * FF_QP2LAMBDA;
  if (e->format->oformat->flags & AVFMT_GLOBALHEADER)
    e->codec->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  const int error = avcodec_open2(e->codec, codec, NULL);
  return error < 0 ? failed(e, "cannot open the encoder", error) : GD_OK;
}

/* Make the file ourselves, so that it is private from its first byte. */
static gd_status open_file(gd_encoder *e)
{
  const int fd = open(e->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0)
    return gd_fail(GD_ERR_IO, "%s: cannot create: %s", e->part,
                   strerror(errno));
  close(fd);
  e->is_made = 1;
  const int error = avio_open(&e->format->pb, e->part, AVIO_FLAG_WRITE);
  return error < 0 ? failed(e, "cannot create", error) : GD_OK;
}

static gd_status open_stream(gd_encoder *e)
{
  e->stream = avformat_new_stream(e->format, NULL);
  if (e->stream == NULL)
    return failed(e, "cannot set up the container", AVERROR(ENOMEM));
  e->stream->time_base = e->codec->time_base;
  e->stream->avg_frame_rate = e->codec->framerate;
  int error = avcodec_parameters_from_context(e->stream->codecpar, e->codec);
  if (error >= 0)
    error = avformat_write_header(e->format, NULL);
  return error < 0 ? failed(e, "cannot write", error) : GD_OK;
}

static gd_status open_picture(gd_encoder *e)
{
  e->packet = av_packet_alloc();
  e->picture = av_frame_alloc();
  e->convert = sws_getContext(e->width_px, e->height_px, AV_PIX_FMT_RGB24,
                              e->width_px, e->height_px, AV_PIX_FMT_YUV420P,
                              SWS_BILINEAR | SWS_ACCURATE_RND | SWS_BITEXACT,
                              NULL, NULL, NULL);
  if (e->packet == NULL || e->picture == NULL || e->convert == NULL)
    return failed(e, "cannot set up the encoder", AVERROR(ENOMEM));
  e->picture->format = AV_PIX_FMT_YUV420P;
  e->picture->width = e->width_px;
  e->picture->height = e->height_px;
  const int error = av_frame_get_buffer(e->picture, 0);
  return error < 0 ? failed(e, "cannot set up the encoder", error) : GD_OK;
}

gd_status gd_encoder_create(const char *path, gd_encoding encoding,
                            gd_encoder **out)
{
  assert(path != NULL && out != NULL);
  *out = NULL;

  gd_status st = check_request(path, encoding);
  if (st != GD_OK)
    return st;
  gd_encoder *e = calloc(1, sizeof *e);
  if (e == NULL)
    return gd_fail(GD_ERR_NOMEM, "%s: out of memory for an encoder", path);
  e->width_px = encoding.width_px;
  e->height_px = encoding.height_px;
  e->path = gd_strdup(path);
  st = e->path == NULL ? GD_ERR_NOMEM : gd_file_part(path, e->part);
  if (st == GD_OK) {
    const int error =
        avformat_alloc_output_context2(&e->format, NULL, NULL, path);
    if (error < 0)
      st = failed(e, "cannot set up the container", error);
  }
  if (st == GD_OK) {
    e->format->flags |= AVFMT_FLAG_BITEXACT;
    st = open_codec(e, encoding);
  }
  if (st == GD_OK)
    st = open_picture(e);
  if (st == GD_OK)
    st = open_file(e);
  if (st == GD_OK)
    st = open_stream(e);
  if (st != GD_OK) {
    gd_encoder_abandon(e);
    return st;
  }
  *out = e;
  return GD_OK;
}

/* Write the packets that the codec has ready. */
static gd_status write_packets(gd_encoder *e)
{
  for (;;) {
    int error = avcodec_receive_packet(e->codec, e->packet);
    if (error == AVERROR(EAGAIN) || error == AVERROR_EOF)
      return GD_OK;
    if (error < 0)
      return failed(e, "cannot encode", error);
    av_packet_rescale_ts(e->packet, e->codec->time_base, e->stream->time_base);
    e->packet->duration =
        av_rescale_q(1, e->codec->time_base, e->stream->time_base);
    e->packet->stream_index = e->stream->index;
    error = av_interleaved_write_frame(e->format, e->packet);
    /* The container's buffer swallows a failed write: ask it. */
    if (error >= 0)
      error = e->format->pb->error;
    if (error < 0)
      return failed(e, "cannot write", error);
  }
}

gd_status gd_encoder_append(gd_encoder *e, const uint8_t *rgb)
{
  assert(e != NULL && rgb != NULL);

  int error = av_frame_make_writable(e->picture);
  if (error < 0)
    return failed(e, "cannot encode", error);
  const uint8_t *const planes[4] = {rgb, NULL, NULL, NULL};
  const int strides[4] = {3 * e->width_px, 0, 0, 0};
  sws_scale(e->convert, planes, strides, 0, e->height_px, e->picture->data,
            e->picture->linesize);
  e->picture->pts = e->codec->frame_number;
  e->picture->quality = e->codec->global_quality;
  error = avcodec_send_frame(e->codec, e->picture);
  return error < 0 ? failed(e, "cannot encode", error) : write_packets(e);
}

gd_status gd_encoder_commit(gd_encoder *e)
{
  assert(e != NULL);

  gd_status st = GD_OK;
  if (e->codec->frame_number == 0)
    st = gd_fail(GD_ERR_USAGE, "%s: a video without frames", e->path);
  if (st == GD_OK) {
    const int error = avcodec_send_frame(e->codec, NULL);
    st = error < 0 ? failed(e, "cannot encode", error) : write_packets(e);
  }
  if (st == GD_OK) {
    int error = av_write_trailer(e->format);
    const int late = e->format->pb->error;
    const int closed = avio_closep(&e->format->pb);
    error = error < 0 ? error : late < 0 ? late : closed;
    if (error < 0)
      st = failed(e, "cannot write", error);
  }
  if (st == GD_OK)
    st = gd_file_publish(e->path);
  if (st != GD_OK) {
    gd_encoder_abandon(e);
    return st;
  }
  encoder_free(e);
  return GD_OK;
}

void gd_encoder_abandon(gd_encoder *e)
{
  if (e == NULL)
    return;
  if (e->is_made)
    unlink(e->part);
  encoder_free(e);
}
