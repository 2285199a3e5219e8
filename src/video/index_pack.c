/* Packed: "GDVI", version, description, packets, digest of all before it.
 * Integers as variable-length quantities of 7 bits, the lowest first, signs
 * folded into the lowest bit; real numbers as the 8 bytes of IEEE 754, lowest
 * first.  A packet's frame and time are stored as what they differ from the
 * expected by: mostly one byte each. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/digest.h"
#include "gradus/memory.h"
#include "video/index_parts.h"

static const uint8_t HEAD[] = {'G', 'D', 'V', 'I', GD_VIDEO_INDEX_VERSION};
enum { PACKET_MOST_BYTES = 31, DESCRIPTION_MOST_BYTES = 1024 };

/* Of a packet, in its first byte. */
enum {
  IS_ACCESS = 1,
  IS_DROPPABLE = 2,
  IS_SHOWN = 4,
  HAS_TIME = 8,
  HAS_POSITION = 16
};

/* One walk over an index serves both ways: it writes what it is given, or reads
 * into it. */
typedef struct {
  uint8_t *out;      /* packing */
  const uint8_t *in; /* unpacking */
  size_t at, size_bytes;
  int is_bad;
} walk;

static void move_byte(walk *w, uint8_t *value)
{
  if (w->at >= w->size_bytes) {
    w->is_bad = 1;
    return;
  }
  if (w->out != NULL)
    w->out[w->at] = *value;
  else
    *value = w->in[w->at];
  w->at++;
}

static void write_count(walk *w, uint64_t value)
{
  do {
    uint8_t byte = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    move_byte(w, &byte);
    value >>= 7;
  } while (value > 0);
}

static uint64_t read_count(walk *w)
{
  uint64_t value = 0;
  uint8_t byte = 0x80;
  for (int shift = 0; shift < 64 && (byte & 0x80) != 0; shift += 7) {
    byte = 0;
    move_byte(w, &byte);
    value |= (uint64_t)(byte & 0x7f) << shift;
  }
  return value;
}

static void move_integer(walk *w, int64_t *value)
{
  if (w->out != NULL) {
    const uint64_t bits = (uint64_t)*value;
    write_count(w, *value < 0 ? ~(bits << 1) : bits << 1);
  } else {
    const uint64_t bits = read_count(w);
    *value = (int64_t)((bits & 1) != 0 ? ~(bits >> 1) : bits >> 1);
  }
}

static void move_int(walk *w, int *value)
{
  int64_t wide = *value;
  move_integer(w, &wide);
  w->is_bad |= wide < INT32_MIN || wide > INT32_MAX;
  *value = (int)wide;
}

static void move_real(walk *w, double *value)
{
  uint64_t bits;
  memcpy(&bits, value, sizeof bits);
  uint64_t moved = 0;
  for (int i = 0; i < 8; i++) {
    uint8_t byte = (uint8_t)(bits >> (8 * i));
    move_byte(w, &byte);
    moved |= (uint64_t)byte << (8 * i);
  }
  memcpy(value, &moved, sizeof moved);
}

static void move_text(walk *w, char *text, size_t room)
{
  int64_t length = w->out != NULL ? (int64_t)strlen(text) : 0;
  move_integer(w, &length);
  if (length < 0 || (uint64_t)length >= room) {
    w->is_bad = 1;
    return;
  }
  for (int64_t i = 0; i < length; i++)
    move_byte(w, (uint8_t *)&text[i]);
  if (w->out == NULL)
    text[length] = '\0';
}

static void move_description(walk *w, gd_index_parts *o)
{
  gd_video_index *x = &o->index;
  int order = (int)x->order;
  move_text(w, x->container, sizeof x->container);
  move_text(w, x->codec, sizeof x->codec);
  move_text(w, x->pixel_format, sizeof x->pixel_format);
  move_text(w, o->reason, sizeof o->reason);
  move_text(w, o->warning, sizeof o->warning);
  move_int(w, &x->width_px);
  move_int(w, &x->height_px);
  move_int(w, &x->rotation_deg);
  move_int(w, &x->is_mirrored);
  move_int(w, &x->is_interlaced);
  move_int(w, &x->pixel_aspect[0]);
  move_int(w, &x->pixel_aspect[1]);
  move_int(w, &order);
  move_int(w, &x->is_timed);
  move_real(w, &x->fps);
  move_real(w, &x->duration_s);
  move_real(w, &x->first_s);
  move_real(w, &o->second);
  move_integer(w, &o->start);
  move_integer(w, &x->n_announced);
  move_integer(w, &x->size_bytes);
  move_integer(w, &x->modified_ns);
  move_integer(w, &x->n_frames);
  move_integer(w, &x->n_packets);
  x->order = order == GD_ORDER_EXACT ? GD_ORDER_EXACT : GD_ORDER_DECODE;
}

/* What is expected of the next packet. */
typedef struct {
  int64_t n_shown, frame, stamp, step, position;
} guess;

static int64_t sum(int64_t a, int64_t b)
{
  return (int64_t)((uint64_t)a + (uint64_t)b);
}

static int64_t difference(int64_t a, int64_t b)
{
  return (int64_t)((uint64_t)a - (uint64_t)b);
}

static void move_difference(walk *w, int64_t *value, int64_t expected)
{
  int64_t off = difference(*value, expected);
  move_integer(w, &off);
  *value = sum(expected, off);
}

static void move_packet(walk *w, const gd_index_parts *o, guess *g,
                        gd_video_packet *p)
{
  uint8_t flags = (uint8_t)((p->is_access ? IS_ACCESS : 0) |
                            (p->is_droppable ? IS_DROPPABLE : 0) |
                            (p->frame >= 0 ? IS_SHOWN : 0) |
                            (isnan(p->time_s) ? 0 : HAS_TIME) |
                            (p->position_bytes >= 0 ? HAS_POSITION : 0));
  move_byte(w, &flags);
  const int64_t last_frame = g->frame;
  if ((flags & IS_SHOWN) != 0) {
    move_difference(w, &p->frame, g->n_shown++);
    g->frame = p->frame;
  }
  if ((flags & HAS_TIME) != 0) {
    const int64_t moved = difference(g->frame, last_frame);
    int64_t stamp =
        w->out == NULL ? 0 : o->start + (int64_t)llround(p->time_s / o->second);
    const uint64_t way = (uint64_t)moved * (uint64_t)g->step;
    move_difference(w, &stamp, sum(g->stamp, (int64_t)way));
    p->time_s = (double)difference(stamp, o->start) * o->second;
    g->stamp = stamp;
  }
  if ((flags & HAS_POSITION) != 0) {
    move_difference(w, &p->position_bytes, g->position);
    g->position = p->position_bytes;
  }
  p->is_access = (flags & IS_ACCESS) != 0;
  p->is_droppable = (flags & IS_DROPPABLE) != 0;
}

static void move_packets(walk *w, const gd_index_parts *o,
                         gd_video_packet *read)
{
  const gd_video_index *x = &o->index;
  const double step =
      x->fps > 0 && o->second > 0 ? 1 / (x->fps * o->second) : 0;
  guess g = {.step = step < 1e9 ? (int64_t)llround(step) : 0};
  for (int64_t i = 0; i < x->n_packets && !w->is_bad; i++) {
    gd_video_packet p = {.frame = -1, .time_s = NAN, .position_bytes = -1};
    if (read == NULL)
      p = x->packets[i];
    move_packet(w, o, &g, &p);
    if (read != NULL)
      read[i] = p;
  }
}

static void move_head(walk *w)
{
  for (size_t i = 0; i < sizeof HEAD; i++) {
    uint8_t byte = HEAD[i];
    move_byte(w, &byte);
    w->is_bad |= byte != HEAD[i];
  }
}

static void move_digest(walk *w)
{
  const gd_digest d = gd_digest_of(w->out != NULL ? w->out : w->in, w->at);
  const uint64_t expected = d.high ^ d.low;
  for (int i = 0; i < 8; i++) {
    uint8_t byte = (uint8_t)(expected >> (8 * i));
    move_byte(w, &byte);
    w->is_bad |= byte != (uint8_t)(expected >> (8 * i));
  }
}

gd_status gd_video_index_pack(const gd_video_index *x, uint8_t **bytes,
                              size_t *n_bytes)
{
  assert(x != NULL && bytes != NULL && n_bytes != NULL);

  *bytes = NULL;
  *n_bytes = 0;
  walk w = {.size_bytes = DESCRIPTION_MOST_BYTES +
                          (size_t)x->n_packets * PACKET_MOST_BYTES};
  gd_index_parts *copy = gd_alloc(1, sizeof *copy);
  w.out = gd_alloc((int64_t)w.size_bytes, 1);
  if (w.out == NULL || copy == NULL) {
    free(w.out);
    free(copy);
    return GD_ERR_NOMEM;
  }
  *copy = *(const gd_index_parts *)x;
  move_head(&w);
  move_description(&w, copy);
  move_packets(&w, copy, NULL);
  move_digest(&w);
  assert(!w.is_bad);
  free(copy);
  *bytes = w.out;
  *n_bytes = w.at;
  return GD_OK;
}

static int is_sound(const gd_video_index *x, size_t left_bytes)
{
  return x->width_px > 0 && x->height_px > 0 &&
         (int64_t)x->width_px * x->height_px <= GD_VIDEO_MAX_PIXELS &&
         x->n_frames > 0 && x->n_frames <= x->n_packets &&
         (uint64_t)x->n_packets <= left_bytes && x->fps > 0;
}

static gd_status read_all(walk *w, gd_index_parts *o)
{
  gd_video_index *x = &o->index;
  move_head(w);
  if (w->is_bad)
    return gd_fail(GD_ERR_FORMAT, "%s: its index is of another version",
                   x->path);
  move_description(w, o);
  if (w->is_bad || !is_sound(x, w->size_bytes - w->at))
    return gd_fail(GD_ERR_FORMAT, "%s: its index is damaged", x->path);
  gd_video_packet *packets = gd_alloc(x->n_packets, sizeof *packets);
  x->packets = packets;
  if (packets == NULL)
    return GD_ERR_NOMEM;
  move_packets(w, o, packets);
  move_digest(w);
  if (w->is_bad || w->at != w->size_bytes)
    return gd_fail(GD_ERR_FORMAT, "%s: its index is damaged", x->path);
  return gd_index_complete(o);
}

gd_status gd_video_index_unpack(const char *path, const uint8_t *bytes,
                                size_t n_bytes, gd_video_index **out)
{
  assert(path != NULL && (bytes != NULL || n_bytes == 0) && out != NULL);

  *out = NULL;
  gd_index_parts *o = gd_index_begin(path);
  if (o == NULL)
    return GD_ERR_NOMEM;
  walk w = {.in = bytes, .size_bytes = n_bytes};
  gd_status st = read_all(&w, o);
  if (st != GD_OK) {
    gd_video_index_free(&o->index);
    return st;
  }
  *out = &o->index;
  return GD_OK;
}
