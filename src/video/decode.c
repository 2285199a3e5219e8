#include "video/decode.h"

#include <assert.h>
#include <libavcodec/avcodec.h>
#include <stdlib.h>

#include "gradus/memory.h"
#include "gradus/video_index.h"

struct gd_decoder {
  const char *path; /* the demuxer's owner keeps it */
  AVCodecContext *context;
  AVFrame *frame;
};

void gd_decoder_close(gd_decoder *d)
{
  if (d == NULL)
    return;
  av_frame_free(&d->frame);
  avcodec_free_context(&d->context);
  free(d);
}

static gd_status open_context(gd_decoder *d, const gd_stream *stream)
{
  const AVCodec *codec = avcodec_find_decoder(stream->parameters->codec_id);
  if (codec == NULL)
    return gd_fail(GD_ERR_DECODE,
                   "%s: this FFmpeg has no decoder for its codec %s", d->path,
                   stream->codec_name);
  d->context = avcodec_alloc_context3(codec);
  d->frame = av_frame_alloc();
  if (d->context == NULL || d->frame == NULL ||
      avcodec_parameters_to_context(d->context, stream->parameters) < 0)
    return gd_fail(GD_ERR_NOMEM, "%s: no memory for a decoder", d->path);
  d->context->thread_count = 1;
  d->context->max_pixels = GD_VIDEO_MAX_PIXELS;
  if (avcodec_open2(d->context, codec, NULL) < 0)
    return gd_fail(GD_ERR_DECODE, "%s: its %s stream cannot be decoded",
                   d->path, stream->codec_name);
  return GD_OK;
}

gd_status gd_decoder_open(const char *path, const gd_stream *stream,
                          gd_decoder **out)
{
  assert(path != NULL && stream != NULL && out != NULL);

  *out = NULL;
  gd_decoder *d = gd_alloc(1, sizeof *d);
  if (d == NULL)
    return GD_ERR_NOMEM;
  d->path = path;
  gd_status st = open_context(d, stream);
  if (st != GD_OK) {
    gd_decoder_close(d);
    return st;
  }
  *out = d;
  return GD_OK;
}

/* Whatever else the decoder reports is about this packet or picture. */
static int is_bad(int error)
{
  return error < 0 && error != AVERROR(EAGAIN) && error != AVERROR_EOF;
}

int gd_decoder_send(gd_decoder *d, const gd_packet *packet, int64_t number)
{
  assert(d != NULL && (packet == NULL || packet->raw != NULL) && number >= 0);

  if (packet == NULL)
    return !is_bad(avcodec_send_packet(d->context, NULL));
  packet->raw->pts = number;
  return !is_bad(avcodec_send_packet(d->context, packet->raw));
}

/* Before H.264, no picture was made from a B-picture. */
static int is_leaf(const gd_decoder *d)
{
  switch (d->context->codec_id) {
  case AV_CODEC_ID_MPEG1VIDEO:
  case AV_CODEC_ID_MPEG2VIDEO:
  case AV_CODEC_ID_MPEG4:
    return d->frame->pict_type == AV_PICTURE_TYPE_B;
  case AV_CODEC_ID_MJPEG:
    return 1;
  default:
    return 0;
  }
}

int gd_decoder_take(gd_decoder *d, gd_picture *picture)
{
  assert(d != NULL && picture != NULL);

  *picture = (gd_picture){.packet = -1};
  const int error = avcodec_receive_frame(d->context, d->frame);
  if (error < 0)
    return !is_bad(error);
  picture->raw = d->frame;
  if (d->frame->pts != AV_NOPTS_VALUE)
    picture->packet = d->frame->pts;
  picture->is_key = d->frame->key_frame;
  picture->is_damaged = (d->frame->flags & AV_FRAME_FLAG_CORRUPT) != 0 ||
                        d->frame->decode_error_flags != 0;
  picture->is_leaf = is_leaf(d);
  return 1;
}
