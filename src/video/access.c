#include "video/access.h"

#include <assert.h>

#include "video/nal.h"

static const char SEVERAL[] = "packets hold several pictures or placeholders";

gd_access_parser gd_access_parser_of(const gd_stream *stream)
{
  assert(stream != NULL);

  gd_access_parser a = {.codec = stream->codec,
                        .header = stream->extradata,
                        .header_bytes = stream->extradata_bytes};
  if (a.codec == GD_CODEC_H264 || a.codec == GD_CODEC_HEVC)
    gd_nal_begin(&a);
  return a;
}

/* ---------------------------------------------------------------- MPEG-4 */

/* Look at what precedes the first picture: headers, and the encoder's name,
 * which tells the decoder whose errors to make up for. */
static int has_mpeg4_header(gd_access_parser *a, const gd_packet *p, size_t end)
{
  size_t at = 0;
  int has = 0;
  while (at < end && gd_find_start(p, &at)) {
    const uint8_t code = p->data[at];
    if (code > 0x2f && code != 0xb2)
      continue;
    size_t next = at;
    const size_t stop = gd_find_start(p, &next) ? next - 3 : p->size_bytes;
    has |= code <= 0x2f;
    if (!gd_is_in_header(a, p->data + at, stop - at))
      a->has_changed = 1;
  }
  return has;
}

static gd_access look_mpeg4(gd_access_parser *a, const gd_packet *p)
{
  enum { PLACEHOLDER_BYTES = 8 }; /* a header without a picture */
  enum { INTRA, PREDICTED, BIDIRECTIONAL };
  size_t at = 0, first = 0;
  int n = 0, type = -1;
  while (gd_find_start(p, &at))
    if (p->data[at] == 0xb6 && at + 1 < p->size_bytes && n++ == 0) {
      type = p->data[at + 1] >> 6;
      first = at;
    }
  const int has_header = n > 0 && has_mpeg4_header(a, p, first);
  return (gd_access){
      .n_shown = 1,
      .doubt = n != 1 || p->size_bytes <= PLACEHOLDER_BYTES ? SEVERAL : NULL,
      .is_point = type == INTRA && (has_header || !a->has_changed),
      .is_droppable = type == BIDIRECTIONAL && !has_header,
      .is_bidirectional = type == BIDIRECTIONAL};
}

/* ----------------------------------------------------------------- MJPEG */

/* Every picture stands alone if it has its tables, or if none has: then they
 * are the standard's. */
static gd_access look_mjpeg(gd_access_parser *a, const gd_packet *p)
{
  enum { DHT = 0xc4, SOI = 0xd8, SOS = 0xda, DQT = 0xdb };
  int has_huffman = 0, has_quantiser = 0;
  size_t at = 2;
  while (at + 4 <= p->size_bytes && p->data[at] == 0xff) {
    const int marker = p->data[at + 1];
    if (marker == SOS)
      break;
    has_huffman |= marker == DHT;
    has_quantiser |= marker == DQT;
    at += 2 + ((size_t)p->data[at + 2] << 8 | p->data[at + 3]);
  }
  a->has_changed |= has_huffman;
  const int is_alone = has_quantiser && (has_huffman || !a->has_changed);
  return (gd_access){.n_shown = p->size_bytes > 0,
                     .is_point = is_alone,
                     .is_droppable = is_alone};
}

/* ------------------------------------------------------------- VP8 and VP9 */

static gd_access look_vp8(const gd_packet *p)
{
  return (gd_access){.n_shown = p->data[0] >> 4 & 1,
                     .is_point = (p->data[0] & 1) == 0};
}

/* Say whether a VP9 frame is shown, and whether it is a key frame. */
static int is_vp9_shown(const uint8_t *data, size_t size_bytes, int *is_key)
{
  *is_key = 0;
  if (size_bytes == 0)
    return 0;
  /* marker 2 bits, profile 2, a reserved one with profile 3 */
  const int bits = (data[0] & 0x30) == 0x30 ? data[0] << 5 : data[0] << 4;
  if (bits >> 7 & 1) /* show_existing_frame */
    return 1;
  *is_key = (bits >> 6 & 1) == 0;
  return bits >> 5 & 1;
}

/* A packet may be a superframe: hidden frames, then one that is shown, then a
 * list of their sizes. */
static gd_access look_vp9(const gd_packet *p)
{
  const uint8_t last = p->data[p->size_bytes - 1];
  const size_t n = (size_t)(last & 7) + 1, wide = (size_t)(last >> 3 & 3) + 1;
  const size_t list = 2 + n * wide;
  size_t at = 0;
  int n_shown = 0, is_key;
  gd_access look = {0};
  if ((last & 0xe0) != 0xc0 || p->size_bytes < list ||
      p->data[p->size_bytes - list] != last) {
    look.n_shown = is_vp9_shown(p->data, p->size_bytes, &look.is_point);
    return look;
  }
  for (size_t i = 0; i < n; i++) {
    size_t size = 0;
    for (size_t b = 0; b < wide; b++)
      size |= (size_t)p->data[p->size_bytes - list + 1 + i * wide + b]
              << (8 * b);
    if (size > p->size_bytes - list - at)
      break;
    n_shown += is_vp9_shown(p->data + at, size, &is_key);
    look.is_point |= at == 0 && is_key;
    at += size;
  }
  look.n_shown = n_shown > 0;
  look.doubt = n_shown > 1 ? SEVERAL : NULL;
  return look;
}

gd_access gd_access_look(gd_access_parser *a, const gd_packet *packet)
{
  assert(a != NULL && packet != NULL);

  if (packet->size_bytes == 0)
    return (gd_access){.is_droppable = 1};
  switch (a->codec) {
  case GD_CODEC_H264:
    return gd_nal_look_h264(a, packet);
  case GD_CODEC_HEVC:
    return gd_nal_look_hevc(a, packet);
  case GD_CODEC_MPEG4:
    return look_mpeg4(a, packet);
  case GD_CODEC_MJPEG:
    return look_mjpeg(a, packet);
  case GD_CODEC_VP8:
    return look_vp8(packet);
  case GD_CODEC_VP9:
    return look_vp9(packet);
  case GD_CODEC_OTHER:
    break;
  }
  return (gd_access){.n_shown = 1};
}
