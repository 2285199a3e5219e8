#include "video/feed.h"

#include <assert.h>
#include <stdlib.h>

#include "gradus/memory.h"

struct gd_feed {
  const gd_video_index *index;
  const gd_packet_plan *plan; /* NULL: every packet */
  gd_demux *demux;
  gd_decoder *decoder;
  int64_t packet;    /* number of the next packet in the file */
  int64_t last_sent; /* -1: none */
  int is_draining;   /* the decoder is told that no more comes */
  int is_fresh;      /* it has nothing of what was sent before */
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

static gd_status open_parts(gd_feed *f, int is_sparse,
                            const gd_patience *patience)
{
  const gd_video_index *x = f->index;
  gd_status st = gd_demux_open(x->path, patience, &f->demux);
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
  f->last_sent = -1;
  f->is_fresh = 1;
  gd_status st = open_parts(f, is_sparse, patience);
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

static int is_past_the_plan(const gd_feed *f)
{
  return f->plan != NULL && f->packet >= f->plan->packets.end;
}

static void drain(gd_feed *f)
{
  f->is_draining = 1;
  (void)gd_decoder_send(f->decoder, NULL, 0);
}

/* Read the next packet and send it if the plan says so. */
static gd_status read_one(gd_feed *f, gd_packet_action action, int *was_good)
{
  gd_packet next;
  gd_status st = gd_demux_next(f->demux, &next);
  if (st != GD_OK)
    return st;
  if (next.raw == NULL) {
    f->is_over = 1;
    drain(f);
    return GD_OK;
  }
  const int64_t number = f->packet++;
  if (number >= f->index->n_packets ||
      next.position_bytes != f->index->packets[number].position_bytes)
    return fail_changed(f->index);
  /* Without bytes, a packet would tell the decoder that the video ends. */
  if (action == GD_PACKET_SKIP || next.size_bytes == 0)
    return GD_OK;
  f->last_sent = number;
  f->is_fresh = 0;
  *was_good = gd_decoder_send(f->decoder, &next, number);
  return GD_OK;
}

/* Move on by a packet, or begin to drain the decoder: at the end, and before
 * a run that must not know what was before it. */
static gd_status step(gd_feed *f, int *was_good)
{
  *was_good = 1;
  const gd_packet_action action = action_of(f, f->packet);
  if (is_past_the_plan(f)) {
    f->is_over = 1;
    drain(f);
  } else if (action == GD_PACKET_BEGIN && !f->is_fresh) {
    drain(f);
  } else {
    return read_one(f, action, was_good);
  }
  return GD_OK;
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
