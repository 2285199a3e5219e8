#include "video/access.h"

#include <assert.h>

/* The next NAL unit at or behind *at; its bytes are data[0 .. size - 1]. */
typedef struct {
  const uint8_t *data;
  size_t size_bytes;
} unit;

gd_access_parser gd_access_parser_of(const gd_stream *stream)
{
  assert(stream != NULL);

  gd_access_parser a = {.codec = stream->codec};
  const uint8_t *extra = stream->extradata;
  /* avcC and hvcC begin with version 1, start codes with 0. */
  const int has_lengths = stream->extradata_bytes > 0 && extra[0] == 1;
  if (a.codec == GD_CODEC_H264 && has_lengths && stream->extradata_bytes > 4)
    a.length_bytes = (extra[4] & 3) + 1;
  if (a.codec == GD_CODEC_HEVC && has_lengths && stream->extradata_bytes > 21)
    a.length_bytes = (extra[21] & 3) + 1;
  return a;
}

static int next_by_length(int length_bytes, const gd_packet *p, size_t *at,
                          unit *out)
{
  if (p->size_bytes - *at < (size_t)length_bytes)
    return 0;
  size_t size = 0;
  for (int i = 0; i < length_bytes; i++)
    size = size << 8 | p->data[(*at)++];
  const size_t left = p->size_bytes - *at;
  *out = (unit){p->data + *at, size < left ? size : left};
  *at += out->size_bytes;
  return 1;
}

/* Find the byte behind the next 00 00 01, or return 0. */
static int find_start(const gd_packet *p, size_t *at)
{
  for (size_t i = *at; i + 3 < p->size_bytes; i++)
    if (p->data[i] == 0 && p->data[i + 1] == 0 && p->data[i + 2] == 1) {
      *at = i + 3;
      return 1;
    }
  return 0;
}

/* A unit found by start code reaches to the packet's end: only its first bytes
 * are looked at. */
static int next_by_start(const gd_packet *p, size_t *at, unit *out)
{
  if (!find_start(p, at))
    return 0;
  *out = (unit){p->data + *at, p->size_bytes - *at};
  return 1;
}

static int next_unit(const gd_access_parser *a, const gd_packet *p, size_t *at,
                     unit *out)
{
  return a->length_bytes > 0 ? next_by_length(a->length_bytes, p, at, out)
                             : next_by_start(p, at, out);
}

/* Does this SEI unit promise exact pictures from here on? */
static int is_exact_recovery(const unit *u)
{
  size_t at = 1;
  while (at + 2 < u->size_bytes) {
    size_t type = 0, size = 0;
    while (at < u->size_bytes && u->data[at] == 0xff)
      type += u->data[at++];
    if (at < u->size_bytes)
      type += u->data[at++];
    while (at < u->size_bytes && u->data[at] == 0xff)
      size += u->data[at++];
    if (at < u->size_bytes)
      size += u->data[at++];
    /* recovery_frame_cnt ue(v) = 0 is one bit 1; exact_match_flag follows */
    if (type == 6 && at < u->size_bytes)
      return u->data[at] >> 6 == 3;
    if (size > u->size_bytes)
      return 0;
    at += size;
  }
  return 0;
}

static int is_h264_point(const gd_access_parser *a, const gd_packet *p)
{
  size_t at = 0;
  unit u;
  while (next_unit(a, p, &at, &u)) {
    if (u.size_bytes == 0)
      continue;
    const int type = u.data[0] & 0x1f;
    if (type == 5)
      return 1;
    if (type == 6 && is_exact_recovery(&u))
      return 1;
    if (type == 1)
      return 0;
  }
  return 0;
}

static int is_hevc_point(const gd_access_parser *a, const gd_packet *p)
{
  size_t at = 0;
  unit u;
  while (next_unit(a, p, &at, &u)) {
    if (u.size_bytes == 0)
      continue;
    const int type = u.data[0] >> 1 & 0x3f;
    if (type < 32) /* the first slice tells for the picture */
      return type >= 16 && type <= 21;
  }
  return 0;
}

/* Count the pictures of an MPEG-4 packet; tell the first one's coding type. */
static int count_vops(const gd_packet *p, int *first_type)
{
  size_t at = 0;
  int n = 0;
  while (find_start(p, &at))
    if (p->data[at] == 0xb6 && at + 1 < p->size_bytes && n++ == 0)
      *first_type = p->data[at + 1] >> 6;
  return n;
}

int gd_access_is_point(const gd_access_parser *a, const gd_packet *packet)
{
  assert(a != NULL && packet != NULL);

  int type = -1;
  switch (a->codec) {
  case GD_CODEC_H264:
    return is_h264_point(a, packet);
  case GD_CODEC_HEVC:
    return is_hevc_point(a, packet);
  case GD_CODEC_MPEG4:
    return count_vops(packet, &type) > 0 && type == 0;
  case GD_CODEC_MJPEG:
    return 1;
  case GD_CODEC_VP8:
    return packet->size_bytes > 0 && (packet->data[0] & 1) == 0;
  case GD_CODEC_VP9:
    return packet->is_key;
  case GD_CODEC_OTHER:
    return 0;
  }
  return 0;
}

int gd_access_n_shown(const gd_access_parser *a, const gd_packet *packet)
{
  assert(a != NULL && packet != NULL);

  enum { PLACEHOLDER_BYTES = 8 }; /* a header without a picture */
  int type;
  if (packet->size_bytes == 0)
    return 0;
  if (a->codec == GD_CODEC_VP8)
    return packet->data[0] >> 4 & 1;
  if (a->codec == GD_CODEC_MPEG4 && (count_vops(packet, &type) != 1 ||
                                     packet->size_bytes <= PLACEHOLDER_BYTES))
    return -1;
  return 1;
}
