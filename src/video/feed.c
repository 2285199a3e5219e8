#include "video/feed.h"

#include <assert.h>
#include <stdlib.h>

#include "gradus/memory.h"

/* Where less than this is passed over, reading on is as fast as a jump, and a
 * parallel file system likes it better. */
static const int64_t JUMP_BYTES = 4 << 20;
/* A jump may land so many packets before the one that is wanted. */
enum { JUMP_SHORT = 4096 };

struct gd_feed {
  const gd_video_index *index;
  const gd_packet_plan *plan; /* NULL: every packet */
  gd_patience patience;
  gd_demux *demux;
  gd_decoder *decoder;
  int64_t packet;    /* number of the next packet in the file */
  int64_t next;      /* number of the next that is sent, or the plan's end */
  int64_t last_sent; /* -1: none */
  int is_draining;   /* the decoder is told that no more comes */
  int is_fresh;      /* it has nothing of what was sent before */
  int has_jumped;    /* `packet` is not known until one was read */
  int cannot_jump;
  int is_over;
};

void gd_feed_close(gd_feed *f)
{
  if (f == NULL)
    return;
  gd_decoder_close(f->decoder);
  gd_demux_close(f->demux);
  free(f);
}

static gd_status fail_changed(const gd_video_index *x)
{
  return gd_fail(GD_ERR_DECODE, "%s: has changed since it was indexed",
                 x->path);
}

static gd_status open_parts(gd_feed *f, int is_sparse)
{
  const gd_video_index *x = f->index;
  gd_status st = gd_demux_open(x->path, &f->patience, &f->demux);
  if (st != GD_OK)
    return st;
  const gd_stream *s = gd_demux_stream(f->demux);
  int width, height;
  gd_picture_displayed(&s->layout, &width, &height);
  if (width != x->width_px || height != x->height_px ||
      s->size_bytes != x->size_bytes)
    return fail_changed(x);
  return gd_decoder_open(x->path, s, is_sparse, &f->decoder);
}

gd_status gd_feed_open(const gd_video_index *index, const gd_packet_plan *plan,
                       int is_sparse, const gd_patience *patience,
                       gd_feed **out)
{
  assert(index != NULL && out != NULL);

  *out = NULL;
  gd_feed *f = gd_alloc(1, sizeof *f);
  if (f == NULL)
    return GD_ERR_NOMEM;
  f->index = index;
  f->plan = plan;
  if (patience != NULL)
    f->patience = *patience;
  f->last_sent = -1;
  f->is_fresh = 1;
  gd_status st = open_parts(f, is_sparse);
  if (st != GD_OK) {
    gd_feed_close(f);
    return st;
  }
  *out = f;
  return GD_OK;
}

static gd_packet_action action_of(const gd_feed *f, int64_t packet)
{
  if (f->plan == NULL)
    return GD_PACKET_SEND;
  const gd_range sent = f->plan->packets;
  return packet < sent.first || packet >= sent.end
             ? GD_PACKET_SKIP
             : (gd_packet_action)f->plan->actions[packet - sent.first];
}

/* Find the next packet that is sent. */
static int64_t next_sent(gd_feed *f)
{
  const int64_t end = f->plan == NULL ? INT64_MAX : f->plan->packets.end;
  if (f->next < f->packet)
    f->next = f->packet;
  while (f->next < end && action_of(f, f->next) == GD_PACKET_SKIP)
    f->next++;
  return f->next;
}

static void drain(gd_feed *f)
{
  f->is_draining = 1;
  (void)gd_decoder_send(f->decoder, NULL, 0);
}

/* ------------------------------------------------------------------ jumps */

/* Jump over a wide gap to packet `next`, or near it. */
static void jump(gd_feed *f, int64_t next)
{
  const gd_video_packet *to = &f->index->packets[next];
  const gd_video_packet *from = &f->index->packets[f->packet];
  if (f->cannot_jump || next == f->packet || from->position_bytes < 0 ||
      to->position_bytes - from->position_bytes < JUMP_BYTES)
    return;
  if (gd_demux_seek(f->demux, to->time_s))
    f->has_jumped = 1;
  else
    f->cannot_jump = 1;
}

/* Tell by its place in the file which packet was read after a jump. */
static int64_t find_packet(const gd_feed *f, int64_t position_bytes)
{
  int64_t n = f->next;
  while (n > f->packet && f->next - n < JUMP_SHORT)
    if (f->index->packets[n--].position_bytes == position_bytes)
      return n + 1;
  return -1;
}

/* Nobody knows where a jump led: read on from the beginning, where all that was
 * sent comes again and is passed over. */
static gd_status begin_anew(gd_feed *f)
{
  gd_demux_close(f->demux);
  f->demux = NULL;
  f->packet = 0;
  f->cannot_jump = 1;
  return gd_demux_open(f->index->path, &f->patience, &f->demux);
}

/* ---------------------------------------------------------------- packets */

/* Send a packet if the plan says so. */
static gd_status consider(gd_feed *f, const gd_packet *packet, int *was_good)
{
  const gd_video_index *x = f->index;
  const int64_t number = f->packet++;
  if (number >= x->n_packets ||
      packet->position_bytes != x->packets[number].position_bytes)
    return fail_changed(x);
  /* Without bytes, a packet would tell the decoder that the video ends. */
  if (number < f->next || action_of(f, number) == GD_PACKET_SKIP ||
      packet->size_bytes == 0)
    return GD_OK;
  f->last_sent = number;
  f->is_fresh = 0;
  *was_good = gd_decoder_send(f->decoder, packet, number);
  return GD_OK;
}

static gd_status read_one(gd_feed *f, int *was_good)
{
  gd_packet packet;
  gd_status st = gd_demux_next(f->demux, &packet);
  if (st != GD_OK)
    return st;
  if (f->has_jumped) {
    const int64_t number =
        packet.raw == NULL ? -1 : find_packet(f, packet.position_bytes);
    f->has_jumped = 0;
    if (number < 0)
      return begin_anew(f);
    f->packet = number;
  }
  if (packet.raw != NULL)
    return consider(f, &packet, was_good);
  f->is_over = 1;
  drain(f);
  return GD_OK;
}

/* Move on by a packet, or begin to drain the decoder: at the end, and before
 * a run that must not know what was before it. */
static gd_status step(gd_feed *f, int *was_good)
{
  *was_good = 1;
  const int64_t next = next_sent(f);
  if (f->plan != NULL && next >= f->plan->packets.end) {
    f->is_over = 1;
    drain(f);
    return GD_OK;
  }
  if (action_of(f, next) == GD_PACKET_BEGIN && !f->is_fresh) {
    drain(f);
    return GD_OK;
  }
  if (f->plan != NULL)
    jump(f, next);
  return read_one(f, was_good);
}

gd_status gd_feed_next(gd_feed *f, gd_feed_event *event, gd_decoded *decoded)
{
  assert(f != NULL && event != NULL && decoded != NULL);

  for (;;) {
    int was_good = gd_decoder_take(f->decoder, decoded);
    *event = GD_FEED_PICTURE;
    if (decoded->picture != NULL)
      return GD_OK;
    *event = GD_FEED_END;
    if (was_good && f->is_draining && f->is_over)
      return GD_OK;
    if (was_good && f->is_draining) {
      gd_decoder_forget(f->decoder);
      f->is_draining = 0;
      f->is_fresh = 1;
    }
    gd_status st = was_good ? step(f, &was_good) : GD_OK;
    if (st != GD_OK)
      return st;
    *event = GD_FEED_BAD;
    decoded->packet = f->last_sent;
    if (!was_good)
      return GD_OK;
  }
}

int64_t gd_feed_last_sent(const gd_feed *f)
{
  assert(f != NULL);
  return f->last_sent;
}

const gd_picture_layout *gd_feed_layout(const gd_feed *f)
{
  assert(f != NULL);
  return &gd_demux_stream(f->demux)->layout;
}
