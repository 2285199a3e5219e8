#include "video/decode.h"

#include <assert.h>
#include <libavcodec/avcodec.h>
#include <libavutil/pixdesc.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"
#include "gradus/video_index.h"

struct gd_decoder {
  const char *path; /* the demuxer's owner keeps it */
  AVCodecContext *context;
  AVFrame *frame;
  gd_picture picture; /* the frame, as others see it */
  int ignores_recovery;
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
  if (d->ignores_recovery)
    d->context->flags |= AV_CODEC_FLAG_OUTPUT_CORRUPT;
  d->context->max_pixels = GD_VIDEO_MAX_PIXELS;
  if (avcodec_open2(d->context, codec, NULL) < 0)
    return gd_fail(GD_ERR_DECODE, "%s: its %s stream cannot be decoded",
                   d->path, stream->codec_name);
  return GD_OK;
}

gd_status gd_decoder_open(const char *path, const gd_stream *stream,
                          int is_sparse, gd_decoder **out)
{
  assert(path != NULL && stream != NULL && out != NULL);

  *out = NULL;
  gd_decoder *d = gd_alloc(1, sizeof *d);
  if (d == NULL)
    return GD_ERR_NOMEM;
  d->path = path;
  d->ignores_recovery = is_sparse && stream->codec == GD_CODEC_H264;
  d->picture.layout = stream->layout;
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

void gd_decoder_forget(gd_decoder *d)
{
  assert(d != NULL);
  avcodec_flush_buffers(d->context);
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

/* Describe the frame; display and pixel shape stay the stream's. */
static void describe(gd_decoder *d)
{
  const AVFrame *f = d->frame;
  gd_picture *p = &d->picture;
  gd_picture_layout *l = &p->layout;
  const char *name = av_get_pix_fmt_name(f->format);
  const int is_full = name != NULL && strncmp(name, "yuvj", 4) == 0;
  l->width_px = f->width;
  l->height_px = f->height;
  snprintf(l->pixel_format, sizeof l->pixel_format, "%s%s",
           is_full ? "yuv" : "",
           name == NULL ? "unknown"
           : is_full    ? name + 4
                        : name);
  l->matrix = f->colorspace;
  l->range = is_full || f->color_range == AVCOL_RANGE_JPEG ? GD_RANGE_FULL
             : f->color_range == AVCOL_RANGE_MPEG          ? GD_RANGE_LIMITED
                                                           : GD_RANGE_UNTAGGED;
  l->chroma_site = f->chroma_location;
  for (int i = 0; i < GD_PICTURE_PLANES; i++) {
    p->planes[i] = f->data[i];
    p->stride_bytes[i] = f->linesize[i];
  }
}

int gd_decoder_take(gd_decoder *d, gd_decoded *out)
{
  assert(d != NULL && out != NULL);

  *out = (gd_decoded){.packet = -1};
  const int error = avcodec_receive_frame(d->context, d->frame);
  if (error < 0)
    return !is_bad(error);
  describe(d);
  out->picture = &d->picture;
  if (d->frame->pts != AV_NOPTS_VALUE)
    out->packet = d->frame->pts;
  out->is_key = d->frame->key_frame;
  out->is_interlaced = d->frame->interlaced_frame;
  const int is_corrupt = (d->frame->flags & AV_FRAME_FLAG_CORRUPT) != 0;
  out->is_damaged =
      (is_corrupt && !d->ignores_recovery) || d->frame->decode_error_flags != 0;
  out->is_leaf = is_leaf(d);
  return 1;
}
