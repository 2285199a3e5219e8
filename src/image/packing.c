#include "gradus/packing.h"

#include <assert.h>
#include <inttypes.h>
#include <libavcodec/avcodec.h>
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"
#include "gradus/text.h"

/* Bytes that grow as needed; libavcodec reads a little beyond the end. */
typedef struct {
  uint8_t *data;
  size_t room_bytes;
} buffer;

struct gd_unpacker {
  AVCodecContext *decoder; /* for a size, a pixel format and a header */
  int width_px, height_px;
  buffer header, bytes;
  size_t header_bytes;
  AVPacket *packet;
  AVFrame *decoded; /* by FFVHUFF */
  AVFrame *planes;  /* copied from bytes */
  AVBufferRef *lent;
};

struct gd_packer {
  gd_picture_layout layout; /* that the encoder is made for */
  AVCodecContext *encoder;  /* NULL: FFVHUFF cannot hold it */
  int is_checked;
  AVFrame *frame;
  AVPacket *packet;
  AVBufferRef *lent;
  gd_unpacker *unpacker;
  buffer planes;
};

/* libavcodec copies what it does not count references of.  What is lent to it
 * for one call is given a reference that owns nothing. */
static void free_nothing(void *opaque, uint8_t *data)
{
  (void)opaque;
  (void)data;
}

static AVBufferRef *lend(void)
{
  static uint8_t nothing[1];
  return av_buffer_create(nothing, sizeof nothing, free_nothing, NULL, 0);
}

static gd_status reserve(buffer *b, size_t size_bytes)
{
  const size_t need = size_bytes + AV_INPUT_BUFFER_PADDING_SIZE;
  if (need > b->room_bytes) {
    free(b->data);
    *b = (buffer){.data = gd_alloc((int64_t)need, 1)};
    if (b->data == NULL)
      return GD_ERR_NOMEM;
    b->room_bytes = need;
  }
  memset(b->data + size_bytes, 0, AV_INPUT_BUFFER_PADDING_SIZE);
  return GD_OK;
}

static gd_status fail_memory(void)
{
  return gd_fail(GD_ERR_NOMEM, "no memory to pack pictures");
}

size_t gd_picture_planes_bytes(const gd_picture_layout *layout)
{
  assert(layout != NULL);
  const int size =
      av_image_get_buffer_size(av_get_pix_fmt(layout->pixel_format),
                               layout->width_px, layout->height_px, 1);
  return size > 0 ? (size_t)size : 0;
}

/* -------------------------------------------------------------- unpacking */

gd_status gd_unpacker_new(gd_unpacker **out)
{
  assert(out != NULL);

  *out = NULL;
  gd_unpacker *u = gd_alloc(1, sizeof *u);
  if (u == NULL)
    return GD_ERR_NOMEM;
  av_log_set_level(AV_LOG_QUIET); /* reasons are ours to give */
  u->packet = av_packet_alloc();
  u->decoded = av_frame_alloc();
  u->planes = av_frame_alloc();
  u->lent = lend();
  if (u->packet == NULL || u->decoded == NULL || u->planes == NULL ||
      u->lent == NULL) {
    gd_unpacker_free(u);
    return fail_memory();
  }
  *out = u;
  return GD_OK;
}

void gd_unpacker_free(gd_unpacker *u)
{
  if (u == NULL)
    return;
  avcodec_free_context(&u->decoder);
  av_packet_free(&u->packet);
  av_frame_free(&u->decoded);
  av_frame_free(&u->planes);
  av_buffer_unref(&u->lent);
  free(u->header.data);
  free(u->bytes.data);
  free(u);
}

static gd_status open_decoder(gd_unpacker *u, const gd_picture_layout *l,
                              const gd_packed *packed)
{
  if (u->decoder != NULL && u->width_px == l->width_px &&
      u->height_px == l->height_px && u->header_bytes == packed->header_bytes &&
      memcmp(u->header.data, packed->header, packed->header_bytes) == 0)
    return GD_OK;
  avcodec_free_context(&u->decoder);
  gd_status st = reserve(&u->header, packed->header_bytes);
  if (st != GD_OK)
    return st;
  memcpy(u->header.data, packed->header, packed->header_bytes);
  u->header_bytes = packed->header_bytes;
  u->width_px = l->width_px;
  u->height_px = l->height_px;

  const AVCodec *codec = avcodec_find_decoder(AV_CODEC_ID_FFVHUFF);
  const size_t room = packed->header_bytes + AV_INPUT_BUFFER_PADDING_SIZE;
  if (codec == NULL)
    return gd_fail(GD_ERR_FORMAT, "this FFmpeg has no decoder for FFVHUFF");
  u->decoder = avcodec_alloc_context3(codec);
  if (u->decoder == NULL || (u->decoder->extradata = av_malloc(room)) == NULL)
    return fail_memory();
  memcpy(u->decoder->extradata, u->header.data, room);
  u->decoder->extradata_size = (int)packed->header_bytes;
  u->decoder->width = l->width_px;
  u->decoder->height = l->height_px;
  u->decoder->thread_count = 1;
  if (avcodec_open2(u->decoder, codec, NULL) == 0)
    return GD_OK;
  avcodec_free_context(&u->decoder);
  return gd_fail(GD_ERR_FORMAT, "the header of its packed pictures is damaged");
}

static void lend_picture(const AVFrame *f, const gd_picture_layout *l,
                         gd_picture *out)
{
  out->layout = *l;
  for (int i = 0; i < GD_PICTURE_PLANES; i++) {
    out->planes[i] = f->data[i];
    out->stride_bytes[i] = f->linesize[i];
  }
}

static int has_layout(const AVFrame *f, const gd_picture_layout *l)
{
  return f->width == l->width_px && f->height == l->height_px &&
         f->format == av_get_pix_fmt(l->pixel_format);
}

static gd_status unpack_coded(gd_unpacker *u, const gd_picture_layout *l,
                              const gd_packed *packed, gd_picture *out)
{
  gd_status st = open_decoder(u, l, packed);
  if (st == GD_OK)
    st = reserve(&u->bytes, packed->size_bytes);
  if (st != GD_OK)
    return st;
  memcpy(u->bytes.data, packed->bytes, packed->size_bytes);
  av_packet_unref(u->packet);
  u->packet->buf = av_buffer_ref(u->lent);
  if (u->packet->buf == NULL)
    return fail_memory();
  u->packet->data = u->bytes.data;
  u->packet->size = (int)packed->size_bytes;
  u->packet->flags = AV_PKT_FLAG_KEY;
  if (avcodec_send_packet(u->decoder, u->packet) < 0 ||
      avcodec_receive_frame(u->decoder, u->decoded) < 0 ||
      !has_layout(u->decoded, l)) {
    avcodec_free_context(&u->decoder);
    return gd_fail(GD_ERR_FORMAT, "a packed picture cannot be decoded");
  }
  lend_picture(u->decoded, l, out);
  return GD_OK;
}

/* Copied to aligned rows, as decoders have them. */
static gd_status unpack_planes(gd_unpacker *u, const gd_picture_layout *l,
                               const gd_packed *packed, gd_picture *out)
{
  AVFrame *f = u->planes;
  const uint8_t *planes[4];
  uint8_t *from[4];
  int strides[4];
  const enum AVPixelFormat format = av_get_pix_fmt(l->pixel_format);
  if (packed->size_bytes != gd_picture_planes_bytes(l))
    return gd_fail(
        GD_ERR_FORMAT, "%zu bytes are not a picture of %d x %d in %s",
        packed->size_bytes, l->width_px, l->height_px, l->pixel_format);
  if (f->data[0] == NULL || !has_layout(f, l)) {
    av_frame_unref(f);
    f->width = l->width_px;
    f->height = l->height_px;
    f->format = format;
    if (av_frame_get_buffer(f, 0) < 0)
      return fail_memory();
  }
  if (av_image_fill_arrays(from, strides, packed->bytes, format, l->width_px,
                           l->height_px, 1) < 0)
    return gd_fail(GD_ERR_FORMAT, "pictures in %s have no planes",
                   l->pixel_format);
  for (int i = 0; i < 4; i++)
    planes[i] = from[i];
  av_image_copy(f->data, f->linesize, planes, strides, format, l->width_px,
                l->height_px);
  lend_picture(f, l, out);
  return GD_OK;
}

gd_status gd_unpacker_run(gd_unpacker *u, const gd_picture_layout *layout,
                          const gd_packed *packed, gd_picture *out)
{
  assert(u != NULL && layout != NULL && packed != NULL && out != NULL);
  assert(packed->bytes != NULL || packed->size_bytes == 0);

  enum { MOST_BYTES = 1 << 30 };
  if (packed->size_bytes == 0 || packed->size_bytes > MOST_BYTES ||
      packed->header_bytes > MOST_BYTES)
    return gd_fail(GD_ERR_FORMAT, "%zu bytes are no packed picture",
                   packed->size_bytes);
  return packed->packing == GD_PACKING_FFVHUFF
             ? unpack_coded(u, layout, packed, out)
             : unpack_planes(u, layout, packed, out);
}

/* ---------------------------------------------------------------- packing */

gd_status gd_packer_new(gd_packer **out)
{
  assert(out != NULL);

  *out = NULL;
  gd_packer *p = gd_alloc(1, sizeof *p);
  if (p == NULL)
    return GD_ERR_NOMEM;
  p->frame = av_frame_alloc();
  p->packet = av_packet_alloc();
  p->lent = lend();
  gd_status st = gd_unpacker_new(&p->unpacker);
  if (st == GD_OK && (p->frame == NULL || p->packet == NULL || p->lent == NULL))
    st = fail_memory();
  if (st != GD_OK) {
    gd_packer_free(p);
    return st;
  }
  *out = p;
  return GD_OK;
}

void gd_packer_free(gd_packer *p)
{
  if (p == NULL)
    return;
  avcodec_free_context(&p->encoder);
  av_frame_free(&p->frame);
  av_packet_free(&p->packet);
  av_buffer_unref(&p->lent);
  gd_unpacker_free(p->unpacker);
  free(p->planes.data);
  free(p);
}

/* How often each remainder is expected, in the form that the encoder takes from
 * a first pass.
 *
 * Remainders of camera pictures fall off like |r|^-2.5; the encoder's own
 * guess, r^-2, makes pictures a quarter larger.  Tables that are counted on the
 * pictures themselves gain nothing on this one, cost as much time again, and
 * make each picture's bytes depend on those before it.  Only square roots and
 * divisions, which all machines round alike. */
static void expect_remainders(int depth_bits, gd_text *out)
{
  enum { PLANES = 4, MOST_BITS = 14, COUNTS = 10000000 };
  const int bits = depth_bits < MOST_BITS ? depth_bits : MOST_BITS;
  const int n = 1 << bits;
  for (int plane = 0; plane < PLANES; plane++) {
    const double width = plane == 1 || plane == 2 ? 0.6 : 0.9;
    for (int i = 0; i < n; i++) {
      const int remainder = i < n - i ? i : n - i;
      const double x = remainder * 256.0 / n + width;
      gd_text_printf(out, "%d ", (int)(COUNTS / (x * x * sqrt(x))) + 1);
    }
    gd_text_add(out, "\n");
  }
}

/* Open the encoder; NULL when it does not take such pictures. */
static gd_status open_encoder(gd_packer *p, const gd_picture_layout *l)
{
  const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_FFVHUFF);
  const enum AVPixelFormat format = av_get_pix_fmt(l->pixel_format);
  const AVPixFmtDescriptor *about = av_pix_fmt_desc_get(format);
  avcodec_free_context(&p->encoder);
  p->layout = *l;
  p->is_checked = 0;
  if (codec == NULL || about == NULL)
    return GD_OK;
  gd_text counts = {0};
  expect_remainders(about->comp[0].depth, &counts);
  gd_status st = gd_text_status(&counts);
  p->encoder = avcodec_alloc_context3(codec);
  if (st == GD_OK && p->encoder == NULL)
    st = fail_memory();
  if (st == GD_OK) {
    AVDictionary *options = NULL;
    p->encoder->width = l->width_px;
    p->encoder->height = l->height_px;
    p->encoder->pix_fmt = format;
    p->encoder->time_base = (AVRational){1, 1};
    p->encoder->thread_count = 1;
    p->encoder->flags |= AV_CODEC_FLAG_BITEXACT | AV_CODEC_FLAG_PASS2;
    p->encoder->stats_in = (char *)gd_text_get(&counts);
    av_dict_set(&options, "pred", "plane", 0);
    const int error = avcodec_open2(p->encoder, codec, &options);
    av_dict_free(&options);
    p->encoder->stats_in = NULL;
    if (error < 0)
      avcodec_free_context(&p->encoder);
    if (error == AVERROR(ENOMEM))
      st = fail_memory();
  }
  gd_text_free(&counts);
  return st;
}

static gd_status pack_planes(gd_packer *p, const gd_picture *picture,
                             gd_packed *out)
{
  const gd_picture_layout *l = &picture->layout;
  const size_t size = gd_picture_planes_bytes(l);
  if (size == 0)
    return gd_fail(GD_ERR_DECODE, "pictures in %s have no planes to keep",
                   l->pixel_format);
  gd_status st = reserve(&p->planes, size);
  if (st != GD_OK)
    return st;
  (void)av_image_copy_to_buffer(
      p->planes.data, (int)size, picture->planes, picture->stride_bytes,
      av_get_pix_fmt(l->pixel_format), l->width_px, l->height_px, 1);
  *out = (gd_packed){.packing = GD_PACKING_PLANES,
                     .bytes = p->planes.data,
                     .size_bytes = size};
  return GD_OK;
}

static gd_status encode(gd_packer *p, const gd_picture *picture, gd_packed *out)
{
  AVFrame *f = p->frame;
  av_frame_unref(f);
  f->width = p->layout.width_px;
  f->height = p->layout.height_px;
  f->format = p->encoder->pix_fmt;
  f->buf[0] = av_buffer_ref(p->lent);
  if (f->buf[0] == NULL)
    return fail_memory();
  for (int i = 0; i < GD_PICTURE_PLANES; i++) {
    f->data[i] = (uint8_t *)picture->planes[i];
    f->linesize[i] = picture->stride_bytes[i];
  }
  av_packet_unref(p->packet);
  int error = avcodec_send_frame(p->encoder, f);
  if (error >= 0)
    error = avcodec_receive_packet(p->encoder, p->packet);
  av_frame_unref(f);
  if (error == AVERROR(ENOMEM))
    return fail_memory();
  if (error < 0) {
    avcodec_free_context(&p->encoder);
    return GD_OK;
  }
  *out = (gd_packed){.packing = GD_PACKING_FFVHUFF,
                     .header = p->encoder->extradata,
                     .header_bytes = (size_t)p->encoder->extradata_size,
                     .bytes = p->packet->data,
                     .size_bytes = (size_t)p->packet->size};
  return GD_OK;
}

/* Do two pictures of one layout have the same samples? */
static int is_same(const gd_picture *a, const gd_picture *b)
{
  const enum AVPixelFormat format = av_get_pix_fmt(a->layout.pixel_format);
  const AVPixFmtDescriptor *about = av_pix_fmt_desc_get(format);
  for (int i = 0; i < av_pix_fmt_count_planes(format); i++) {
    const int row = av_image_get_linesize(format, a->layout.width_px, i);
    const int shift = i == 1 || i == 2 ? about->log2_chroma_h : 0;
    const int rows = AV_CEIL_RSHIFT(a->layout.height_px, shift);
    for (int y = 0; y < rows; y++)
      if (memcmp(a->planes[i] + (ptrdiff_t)y * a->stride_bytes[i],
                 b->planes[i] + (ptrdiff_t)y * b->stride_bytes[i],
                 (size_t)row) != 0)
        return 0;
  }
  return 1;
}

/* The first picture of a layout must come back as it went. */
static gd_status check(gd_packer *p, const gd_picture *picture,
                       const gd_packed *packed)
{
  gd_picture back;
  p->is_checked = 1;
  gd_status st = gd_unpacker_run(p->unpacker, &p->layout, packed, &back);
  if (st == GD_ERR_NOMEM)
    return st;
  if (st != GD_OK || !is_same(picture, &back))
    avcodec_free_context(&p->encoder);
  return GD_OK;
}

gd_status gd_packer_run(gd_packer *p, const gd_picture *picture, gd_packed *out)
{
  assert(p != NULL && picture != NULL && out != NULL);

  *out = (gd_packed){0};
  gd_status st = GD_OK;
  if (!gd_picture_layout_equal(&p->layout, &picture->layout))
    st = open_encoder(p, &picture->layout);
  if (st == GD_OK && p->encoder != NULL)
    st = encode(p, picture, out);
  if (st == GD_OK && p->encoder != NULL && !p->is_checked)
    st = check(p, picture, out);
  if (st != GD_OK)
    return st;
  if (p->encoder != NULL &&
      out->size_bytes < gd_picture_planes_bytes(&picture->layout))
    return GD_OK;
  return pack_planes(p, picture, out);
}
