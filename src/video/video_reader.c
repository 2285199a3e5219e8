#include "gradus/video_reader.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"
#include "video/decode.h"
#include "video/demux.h"

struct gd_video_reader {
  const gd_video_index *index;
  int64_t every;
  gd_range part;
  int is_part;
  gd_demux *demux;
  gd_decoder *decoder;
  gd_decoded decoded; /* the last that came out */
  gd_picture_layout first_layout;

  gd_range packets; /* to send */
  int64_t packet;   /* number of the next packet */
  int is_drained;   /* the decoder knows that there are no more */
  int is_over;

  /* Damage: from packet bad_first on, until a key picture behind bad_last. */
  int is_tainted;
  int64_t bad_first, bad_last;

  int64_t last_frame; /* number of the last picture that was counted */
  int64_t n_decoded, n_kept, n_damaged;
  int64_t n_bad;     /* packets that the decoder refused */
  int64_t n_suspect; /* pictures that are damaged, kept or not */
  char size_note[160], note[640];
};

void gd_video_reader_close(gd_video_reader *r)
{
  if (r == NULL)
    return;
  gd_decoder_close(r->decoder);
  gd_demux_close(r->demux);
  free(r);
}

/* Return the packet that shows `frame`; n_packets when the video ends there. */
static int64_t packet_of(const gd_video_index *x, int64_t frame)
{
  int64_t p = 0;
  while (p < x->n_packets && x->packets[p].frame != frame)
    p++;
  return p;
}

static int is_cut(const gd_video_index *x, int64_t frame)
{
  for (int64_t i = 0; i < x->n_cuts; i++)
    if (x->cuts[i] == frame)
      return 1;
  return 0;
}

static gd_status choose_packets(gd_video_reader *r, const gd_range *part)
{
  const gd_video_index *x = r->index;
  r->packets = (gd_range){0, x->n_packets};
  r->part = (gd_range){0, INT64_MAX};
  r->is_part = part != NULL && (part->first > 0 || part->end < x->n_frames);
  if (!r->is_part)
    return GD_OK;
  if (part->first >= part->end || !is_cut(x, part->first) ||
      (part->end != x->n_frames && !is_cut(x, part->end)))
    return gd_fail(GD_ERR_DECODE,
                   "%s: cannot be cut at frames %" PRId64 " and %" PRId64
                   "; has it changed since it was indexed?",
                   x->path, part->first, part->end);
  r->part = *part;
  if (part->first > 0)
    r->packets.first = packet_of(x, part->first);
  if (part->end < x->n_frames)
    r->packets.end = packet_of(x, part->end);
  return GD_OK;
}

static gd_status open_parts(gd_video_reader *r, const gd_patience *patience)
{
  const gd_video_index *x = r->index;
  gd_status st = gd_demux_open(x->path, patience, &r->demux);
  if (st != GD_OK)
    return st;
  const gd_stream *s = gd_demux_stream(r->demux);
  int width, height;
  gd_picture_displayed(&s->layout, &width, &height);
  if (width != x->width_px || height != x->height_px)
    return gd_fail(GD_ERR_DECODE, "%s: has changed since it was indexed",
                   x->path);
  r->first_layout = s->layout;
  return gd_decoder_open(x->path, s, &r->decoder);
}

gd_status gd_video_reader_open(const gd_video_index *index, int64_t every,
                               const gd_range *part,
                               const gd_patience *patience,
                               gd_video_reader **out)
{
  assert(index != NULL && every >= 1 && out != NULL);

  *out = NULL;
  gd_video_reader *r = gd_alloc(1, sizeof *r);
  if (r == NULL)
    return GD_ERR_NOMEM;
  r->index = index;
  r->every = every;
  r->last_frame = -1;
  gd_status st = choose_packets(r, part);
  if (st == GD_OK)
    st = open_parts(r, patience);
  if (st != GD_OK) {
    gd_video_reader_close(r);
    return st;
  }
  *out = r;
  return GD_OK;
}

static void taint(gd_video_reader *r, int64_t packet)
{
  if (!r->is_tainted)
    r->bad_first = r->bad_last = packet;
  r->is_tainted = 1;
  r->bad_first = packet < r->bad_first ? packet : r->bad_first;
  r->bad_last = packet > r->bad_last ? packet : r->bad_last;
}

/* Say whether a picture is damaged, and keep the books of damage. */
static int is_suspect(gd_video_reader *r, const gd_decoded *p)
{
  const int64_t last_sent = r->packet - 1;
  if (p->is_damaged && p->is_leaf)
    return 1;
  if (p->is_damaged)
    taint(r, p->packet >= 0 ? p->packet : last_sent);
  else if (p->is_key && p->packet > r->bad_last)
    r->is_tainted = 0;
  return r->is_tainted && (p->packet < 0 || p->packet >= r->bad_first);
}

static void note_bad(gd_video_reader *r, int64_t packet)
{
  r->n_bad++;
  taint(r, packet);
}

/* Read on until a packet was sent, or the end. */
static gd_status feed(gd_video_reader *r)
{
  for (;;) {
    gd_packet next = {0};
    gd_status st = GD_OK;
    if (r->packet < r->packets.end)
      st = gd_demux_next(r->demux, &next);
    if (st != GD_OK)
      return st;
    if (next.raw == NULL) {
      r->is_drained = 1;
      (void)gd_decoder_send(r->decoder, NULL, 0);
      return GD_OK;
    }
    const int64_t number = r->packet++;
    /* Without bytes, a packet would tell the decoder that the video ends. */
    if (number < r->packets.first || next.size_bytes == 0)
      continue;
    if (!gd_decoder_send(r->decoder, &next, number))
      note_bad(r, number);
    return GD_OK;
  }
}

/* Decode on to the next picture; which is NULL at the end. */
static gd_status decode(gd_video_reader *r)
{
  for (;;) {
    const int good = gd_decoder_take(r->decoder, &r->decoded);
    if (r->decoded.picture != NULL)
      return GD_OK;
    if (!good) {
      note_bad(r, r->packet - 1);
      continue;
    }
    if (r->is_drained)
      return GD_OK;
    gd_status st = feed(r);
    if (st != GD_OK)
      return st;
  }
}

/* Return the picture's frame number, or -1 when it does not belong here. */
static int64_t number_of(const gd_video_reader *r)
{
  const int64_t packet = r->decoded.packet;
  if (!r->is_part)
    return r->last_frame + 1;
  if (packet < r->packets.first || packet >= r->packets.end)
    return -1;
  const int64_t frame = r->index->packets[packet].frame;
  return frame > r->last_frame ? frame : -1;
}

static double time_of(const gd_video_reader *r, int64_t frame)
{
  const gd_video_index *x = r->index;
  const int64_t packet = r->decoded.packet;
  if (x->is_timed && packet >= 0 && packet < x->n_packets)
    return x->packets[packet].time_s;
  return x->first_s + (double)frame / x->fps;
}

/* Say it when a picture has another size than the header tells. */
static void note_size(gd_video_reader *r, int64_t frame)
{
  const gd_picture_layout *now = &r->decoded.picture->layout;
  const gd_picture_layout *first = &r->first_layout;
  if (r->size_note[0] == '\0' &&
      (now->width_px != first->width_px || now->height_px != first->height_px))
    snprintf(r->size_note, sizeof r->size_note,
             "from frame %" PRId64 " on, pictures of %d x %d were fitted into "
             "%d x %d",
             frame, now->width_px, now->height_px, r->index->width_px,
             r->index->height_px);
}

/* Count the picture; describe it if it is wanted. */
static int consider(gd_video_reader *r, gd_frame_info *info)
{
  const int64_t frame = number_of(r);
  const int suspect = is_suspect(r, &r->decoded);
  if (frame < 0)
    return 0;
  r->last_frame = frame;
  r->n_decoded++;
  r->n_suspect += suspect;
  if (frame % r->every != 0)
    return 0;
  note_size(r, frame);
  r->n_kept++;
  r->n_damaged += suspect;
  *info = (gd_frame_info){.frame_index = frame,
                          .time_s = time_of(r, frame),
                          .status = suspect ? GD_FRAME_DAMAGED : GD_FRAME_WHOLE,
                          .height_px = r->index->height_px,
                          .width_px = r->index->width_px};
  return 1;
}

gd_status gd_video_reader_next(gd_video_reader *r, gd_frame_info *info,
                               const gd_picture **picture)
{
  assert(r != NULL && info != NULL && picture != NULL);

  *picture = NULL;
  while (!r->is_over) {
    gd_status st = decode(r);
    if (st != GD_OK)
      return st;
    if (r->decoded.picture == NULL)
      break;
    if (consider(r, info)) {
      *picture = r->decoded.picture;
      return GD_OK;
    }
  }
  r->is_over = 1;
  if (r->n_decoded > 0)
    return GD_OK;
  if (r->is_part)
    return gd_fail(GD_ERR_DECODE,
                   "%s: none of the frames %" PRId64 " to %" PRId64
                   " can be decoded",
                   r->index->path, r->part.first, r->part.end - 1);
  return gd_fail(GD_ERR_DECODE, "%s: none of its pictures can be decoded",
                 r->index->path);
}

/* Pictures that are announced but did not come out.  Where only decoding tells
 * how many there are, a lack is a loss only if something else is wrong, too. */
static int64_t count_lost(const gd_video_reader *r)
{
  const gd_video_index *x = r->index;
  const int64_t expected =
      r->is_part ? r->part.end - r->part.first : x->n_frames;
  const int is_sure =
      x->order == GD_ORDER_EXACT || r->n_bad > 0 || x->warning[0] != '\0';
  return is_sure && r->is_drained && expected > r->n_decoded
             ? expected - r->n_decoded
             : 0;
}

/* Say in one line all that is wrong with the video. */
static void write_note(gd_video_reader *r, int64_t n_lost)
{
  char lost[64] = "", damaged[96] = "";
  if (n_lost > 0)
    snprintf(lost, sizeof lost, "pictures lost: %" PRId64, n_lost);
  if (r->n_suspect > 0)
    snprintf(damaged, sizeof damaged,
             "pictures damaged: %" PRId64 " of %" PRId64, r->n_suspect,
             r->n_decoded);
  const char *const parts[] = {r->index->warning, lost, damaged, r->size_note};
  size_t length = 0;
  r->note[0] = '\0';
  for (int i = 0; i < 4; i++)
    if (parts[i][0] != '\0')
      length += (size_t)snprintf(r->note + length, sizeof r->note - length,
                                 "%s%s", length > 0 ? "; " : "", parts[i]);
  assert(length < sizeof r->note);
}

gd_frame_reading gd_video_reader_result(gd_video_reader *r)
{
  assert(r != NULL);

  const int64_t n_lost = count_lost(r);
  write_note(r, n_lost);
  return (gd_frame_reading){.first_frame = r->part.first,
                            .n_decoded = r->n_decoded,
                            .n_lost = n_lost,
                            .n_kept = r->n_kept,
                            .n_damaged = r->n_damaged,
                            .note = r->note};
}
