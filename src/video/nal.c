#include "video/nal.h"

#include <assert.h>
#include <string.h>

/* A NAL unit; the first byte is its header. */
typedef struct {
  const uint8_t *data;
  size_t size_bytes;
} unit;

/* ---------------------------------------------------------------- units */

int gd_find_start(const gd_packet *p, size_t *at)
{
  for (size_t i = *at + 2; i + 1 < p->size_bytes; i++) {
    const uint8_t *one = memchr(p->data + i, 1, p->size_bytes - 1 - i);
    if (one == NULL)
      return 0;
    i = (size_t)(one - p->data);
    if (one[-1] == 0 && one[-2] == 0) {
      *at = i + 1;
      return 1;
    }
  }
  return 0;
}

int gd_is_in_header(const gd_access_parser *a, const uint8_t *bytes, size_t n)
{
  for (size_t i = 0; i + n <= a->header_bytes; i++)
    if (memcmp(a->header + i, bytes, n) == 0)
      return 1;
  return 0;
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

static int next_by_start(const gd_packet *p, size_t *at, unit *out)
{
  if (!gd_find_start(p, at))
    return 0;
  size_t next = *at;
  size_t end = gd_find_start(p, &next) ? next - 3 : p->size_bytes;
  while (end > *at && p->data[end - 1] == 0) /* padding */
    end--;
  *out = (unit){p->data + *at, end - *at};
  *at = end;
  return 1;
}

static int next_unit(const gd_access_parser *a, const gd_packet *p, size_t *at,
                     unit *out)
{
  return a->length_bytes > 0 ? next_by_length(a->length_bytes, p, at, out)
                             : next_by_start(p, at, out);
}

/* ------------------------------------------------------- bits of a unit */

/* The first bytes of a unit without what keeps start codes out of it. */
typedef struct {
  uint8_t bytes[96];
  int n_bits, at;
} bits;

static bits bits_of(const unit *u)
{
  bits b = {.n_bits = 0};
  int n_zeros = 0;
  size_t n = 0;
  for (size_t i = 1; i < u->size_bytes && n < sizeof b.bytes; i++) {
    if (n_zeros >= 2 && u->data[i] == 3) {
      n_zeros = 0;
      continue;
    }
    n_zeros = u->data[i] == 0 ? n_zeros + 1 : 0;
    b.bytes[n++] = u->data[i];
  }
  b.n_bits = 8 * (int)n;
  return b;
}

static unsigned take(bits *b, int n)
{
  unsigned value = 0;
  for (; n > 0; n--, b->at++)
    value =
        value << 1 |
        (b->at < b->n_bits ? b->bytes[b->at / 8] >> (7 - b->at % 8) & 1u : 0u);
  return value;
}

/* An Exp-Golomb code, H.264 9.1. */
static unsigned take_ue(bits *b)
{
  int n = 0;
  while (n < 31 && b->at < b->n_bits && take(b, 1) == 0)
    n++;
  return (1u << n) - 1 + take(b, n);
}

static int take_se(bits *b)
{
  const unsigned code = take_ue(b);
  return code % 2 == 1 ? (int)(code / 2) + 1 : -(int)(code / 2);
}

/* ---------------------------------------------------------------- H.264 */

enum {
  H264_SLICE = 1,
  H264_PARTITION = 2,
  H264_IDR = 5,
  H264_SEI = 6,
  H264_SPS = 7,
  H264_PPS = 8
};

static int has_chroma_format(unsigned profile)
{
  static const unsigned high[] = {100, 110, 122, 244, 44,  83, 86,
                                  118, 128, 138, 139, 134, 135};
  for (size_t i = 0; i < sizeof high / sizeof *high; i++)
    if (profile == high[i])
      return 1;
  return 0;
}

static void skip_scaling_list(bits *b, int n)
{
  int last = 8, next = 8;
  for (int i = 0; i < n && next != 0; i++) {
    const int step = take_se(b);
    if (step < -128 || step > 127)
      return;
    next = (last + step + 256) % 256;
    last = next == 0 ? last : next;
  }
}

/* Learn whether pictures may be fields, and where a slice tells: 7.3.2.1.1. */
static void read_sps(gd_access_parser *a, const unit *u)
{
  bits b = bits_of(u);
  const unsigned profile = take(&b, 8);
  (void)take(&b, 16); /* constraints, level */
  (void)take_ue(&b);  /* id */
  if (has_chroma_format(profile)) {
    const unsigned chroma = take_ue(&b);
    if (chroma == 3 && take(&b, 1)) /* planes coded apart */
      return;
    (void)take_ue(&b);
    (void)take_ue(&b);
    (void)take(&b, 1);
    const int n_lists = take(&b, 1) ? (chroma == 3 ? 12 : 8) : 0;
    for (int i = 0; i < n_lists; i++)
      if (take(&b, 1))
        skip_scaling_list(&b, i < 6 ? 16 : 64);
  }
  const unsigned more_bits = take_ue(&b);
  if (more_bits > 12) /* 7.4.2.1.1 */
    return;
  a->frame_num_bits = (int)more_bits + 4;
  const unsigned order = take_ue(&b);
  if (order == 0) {
    (void)take_ue(&b);
  } else if (order == 1) {
    (void)take(&b, 1);
    (void)take_se(&b);
    (void)take_se(&b);
    for (unsigned n = take_ue(&b); n > 0 && b.at < b.n_bits; n--)
      (void)take_se(&b);
  }
  (void)take_ue(&b); /* reference frames */
  (void)take(&b, 1);
  (void)take_ue(&b); /* width */
  (void)take_ue(&b); /* height */
  const int only_frames = b.at >= b.n_bits || take(&b, 1);
  a->may_have_fields |= !only_frames;
}

static int is_field(const gd_access_parser *a, const unit *u)
{
  if (!a->may_have_fields)
    return 0;
  bits b = bits_of(u);
  (void)take_ue(&b); /* first macroblock */
  (void)take_ue(&b); /* type */
  (void)take_ue(&b); /* picture parameter set */
  (void)take(&b, a->frame_num_bits);
  return (int)take(&b, 1);
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

static void note_parameters(gd_access_parser *a, const unit *u)
{
  if (!gd_is_in_header(a, u->data, u->size_bytes))
    a->has_changed = 1;
}

gd_access gd_nal_look_h264(gd_access_parser *a, const gd_packet *p)
{
  size_t at = 0;
  unit u;
  int n_slices = 0, may_begin = 0, is_reference = 0;
  int n_sequence = 0, n_parameters = 0;
  gd_access look = {0};
  while (next_unit(a, p, &at, &u)) {
    if (u.size_bytes == 0)
      continue;
    const int type = u.data[0] & 0x1f;
    if (type == H264_SEI && n_slices == 0) {
      may_begin |= is_exact_recovery(&u);
    } else if (type == H264_SPS || type == H264_PPS) {
      n_parameters++;
      n_sequence += type == H264_SPS;
      note_parameters(a, &u);
      if (type == H264_SPS)
        read_sps(a, &u);
    } else if (type == H264_SLICE || type == H264_IDR ||
               type == H264_PARTITION) {
      may_begin |= n_slices++ == 0 && type == H264_IDR;
      is_reference |= (u.data[0] & 0x60) != 0;
      if (type != H264_PARTITION && is_field(a, &u))
        look.doubt = "pictures are coded as pairs of fields";
    }
  }
  look.n_shown = n_slices > 0;
  look.is_point =
      n_slices > 0 && may_begin && (n_sequence > 0 || !a->has_changed);
  look.is_droppable = n_slices > 0 && !is_reference && n_parameters == 0;
  return look;
}

/* ----------------------------------------------------------------- HEVC */

enum {
  HEVC_RASL_N = 8,
  HEVC_RASL_R = 9,
  HEVC_N_REFERENCED = 16, /* below it, even types are not referenced */
  HEVC_BLA = 16,
  HEVC_BLA_LAST = 18,
  HEVC_POINT_LAST = 21,
  HEVC_N_SLICES = 32,
  HEVC_SPS = 33,
  HEVC_PPS = 34,
  HEVC_END_OF_SEQUENCE = 36
};

gd_access gd_nal_look_hevc(gd_access_parser *a, const gd_packet *p)
{
  size_t at = 0;
  unit u;
  int picture = -1, n_sequence = 0, n_parameters = 0, ends = 0;
  gd_access look = {0};
  while (next_unit(a, p, &at, &u)) {
    if (u.size_bytes < 2)
      continue;
    const int type = u.data[0] >> 1 & 0x3f;
    if ((u.data[0] & 1) != 0 || u.data[1] >> 3 != 0) /* another view */
      continue;
    if (type < HEVC_N_SLICES && picture < 0) {
      picture = type;
      look.layer = (u.data[1] & 7) - 1;
    } else if (type >= HEVC_N_SLICES && type <= HEVC_PPS) {
      n_parameters++;
      n_sequence += type == HEVC_SPS;
      note_parameters(a, &u);
    }
    ends |= type == HEVC_END_OF_SEQUENCE;
  }
  const int is_point = picture >= HEVC_BLA && picture <= HEVC_POINT_LAST;
  if (is_point && a->loses_leading < 0)
    a->loses_leading = 1;
  else if (is_point)
    a->loses_leading = picture <= HEVC_BLA_LAST;
  if ((picture == HEVC_RASL_N || picture == HEVC_RASL_R) && a->loses_leading)
    look.doubt = "pictures refer to others that are not there";
  if (ends) /* the next point begins anew */
    a->loses_leading = -1;
  look.n_shown = picture >= 0;
  look.is_point = is_point && (n_sequence > 0 || !a->has_changed);
  look.is_droppable = picture >= 0 && picture < HEVC_N_REFERENCED &&
                      picture % 2 == 0 && n_parameters == 0;
  return look;
}

/* --------------------------------------------------------------- headers */

/* Read the sequence parameter sets of avcC: ISO/IEC 14496-15 5.3.3.1. */
static void read_avcc(gd_access_parser *a)
{
  size_t at = 6;
  for (int n = a->header[5] & 0x1f; n > 0 && at + 2 <= a->header_bytes; n--) {
    const size_t size = (size_t)a->header[at] << 8 | a->header[at + 1];
    at += 2;
    if (size == 0 || size > a->header_bytes - at)
      return;
    read_sps(a, &(unit){a->header + at, size});
    at += size;
  }
}

static void read_annex_b(gd_access_parser *a)
{
  const gd_packet header = {.data = a->header, .size_bytes = a->header_bytes};
  size_t at = 0;
  unit u;
  while (next_by_start(&header, &at, &u))
    if (u.size_bytes > 0 && (u.data[0] & 0x1f) == H264_SPS)
      read_sps(a, &u);
}

void gd_nal_begin(gd_access_parser *a)
{
  assert(a != NULL);

  /* avcC and hvcC begin with version 1, start codes with 0. */
  const int has_lengths = a->header_bytes > 0 && a->header[0] == 1;
  const int is_h264 = a->codec == GD_CODEC_H264;
  a->loses_leading = -1;
  if (is_h264 && has_lengths && a->header_bytes > 6) {
    a->length_bytes = (a->header[4] & 3) + 1;
    read_avcc(a);
  } else if (is_h264 && a->header_bytes > 0) {
    read_annex_b(a);
  } else if (has_lengths && a->header_bytes > 21) {
    a->length_bytes = (a->header[21] & 3) + 1;
  }
}
