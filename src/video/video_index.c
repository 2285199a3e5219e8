#include "gradus/video_index.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "gradus/memory.h"
#include "video/access.h"
#include "video/demux.h"
#include "video/index_parts.h"

/* Pictures are not presented further from their place in the file than this:
 * H.264 and HEVC keep at most 16.  More means that time stamps restart. */
enum { MAX_REORDER = 32 };

/* A packet while the index is made. */
typedef struct {
  int64_t pts, dts, position;
  int64_t frame;
  uint8_t is_access, is_droppable, is_bidirectional, layer;
} packet;

/* What one pass over the packets saw. */
typedef struct {
  packet *packets;
  int64_t n, room;
  int64_t n_frames;
  int64_t first_dts, last_dts;
  int64_t n_unstamped, n_undated; /* pictures without pts, without dts */
  const char *doubt;              /* about what packets show */
  int restarts;
  int is_cut_short;
  int begins_at_access; /* the first packet that has bytes */
  int has_bytes;
  int layers; /* above the lowest */
} pass;

static void note_times(pass *p, const gd_packet *from, int is_shown)
{
  const int has_dts = from->dts != GD_NO_TIME;
  p->n_unstamped += is_shown && from->pts == GD_NO_TIME;
  p->n_undated += is_shown && !has_dts;
  if (!has_dts)
    return;
  if (p->first_dts == GD_NO_TIME && is_shown)
    p->first_dts = from->dts;
  if (p->n > 0 && p->packets[p->n - 1].dts != GD_NO_TIME)
    p->restarts |= from->dts < p->packets[p->n - 1].dts;
  p->last_dts = from->dts;
}

static gd_status add(pass *p, const gd_packet *from, gd_access_parser *a)
{
  gd_status st = gd_grow(&p->packets, p->n + 1, &p->room, sizeof *p->packets);
  if (st != GD_OK)
    return st;
  const gd_access look = gd_access_look(a, from);
  const int is_shown = look.n_shown > 0 && !from->is_discarded;
  note_times(p, from, is_shown);
  if (look.doubt != NULL && !from->is_discarded)
    p->doubt = look.doubt;
  p->is_cut_short |= from->is_cut_short;
  if (from->size_bytes > 0 && !p->has_bytes) {
    p->has_bytes = 1;
    p->begins_at_access = look.is_point;
  }
  p->layers = look.layer > p->layers ? look.layer : p->layers;
  p->packets[p->n++] = (packet){.pts = from->pts,
                                .dts = from->dts,
                                .position = from->position_bytes,
                                .frame = is_shown ? p->n_frames++ : -1,
                                .is_access = look.is_point != 0,
                                .is_droppable = look.is_droppable != 0,
                                .is_bidirectional = look.is_bidirectional != 0,
                                .layer = (uint8_t)look.layer};
  return GD_OK;
}

static gd_status read_packets(gd_demux *d, pass *p)
{
  gd_access_parser a = gd_access_parser_of(gd_demux_stream(d));
  gd_packet next;
  gd_status st;
  p->first_dts = p->last_dts = GD_NO_TIME;
  while ((st = gd_demux_next(d, &next)) == GD_OK && next.raw != NULL)
    if ((st = add(p, &next, &a)) != GD_OK)
      break;
  p->is_cut_short |= gd_demux_is_broken(d);
  /* What is not needed in its own layer may be in those above. */
  for (int64_t i = 0; i < p->n; i++)
    p->packets[i].is_droppable &= p->packets[i].layer == p->layers;
  return st;
}

/* --------------------------------------------------------------- the order */

typedef struct {
  int64_t pts;
  int64_t packet;
} stamp;

static int by_pts(const void *a, const void *b)
{
  const stamp *x = a, *y = b;
  if (x->pts != y->pts)
    return x->pts < y->pts ? -1 : 1;
  return (x->packet > y->packet) - (x->packet < y->packet);
}

/* Number the frames by their time stamps.  Returns why that cannot be, or NULL;
 * frames then keep their numbers in file order. */
static const char *number_by_stamps(pass *p, stamp *stamps)
{
  int64_t n = 0;
  for (int64_t i = 0; i < p->n; i++)
    if (p->packets[i].frame >= 0)
      stamps[n++] = (stamp){p->packets[i].pts, i};
  qsort(stamps, (size_t)n, sizeof *stamps, by_pts);
  for (int64_t f = 0; f < n; f++) {
    const int64_t moved = f - p->packets[stamps[f].packet].frame;
    if (f > 0 && stamps[f].pts == stamps[f - 1].pts)
      return "two pictures have the same time stamp";
    if (moved > MAX_REORDER || moved < -MAX_REORDER)
      return "time stamps jump";
  }
  for (int64_t f = 0; f < n; f++)
    p->packets[stamps[f].packet].frame = f;
  return NULL;
}

/* Number the frames of MPEG-4 by their types: a picture is shown when the next
 * one that is not bidirectional comes.  The times of their places in the file
 * are theirs in order of presentation: such a container counts places. */
static void number_by_types(pass *p, stamp *stamps)
{
  int64_t n = 0, held = -1, slot = 0;
  for (int64_t i = 0; i < p->n; i++) {
    if (p->packets[i].frame < 0)
      continue;
    stamps[p->packets[i].frame].pts = p->packets[i].dts;
    if (!p->packets[i].is_bidirectional && held >= 0)
      p->packets[held].frame = n++;
    if (p->packets[i].is_bidirectional)
      p->packets[i].frame = n++;
    else
      held = i;
  }
  if (held >= 0)
    p->packets[held].frame = n++;
  assert(n == p->n_frames);
  for (; slot < p->n; slot++)
    if (p->packets[slot].frame >= 0)
      p->packets[slot].pts = stamps[p->packets[slot].frame].pts;
  p->n_unstamped = 0;
}

/* Decide whether the order is known; return why not, or NULL. */
static const char *judge(pass *p, const gd_stream *s, stamp *stamps)
{
  const int counts_places = s->codec == GD_CODEC_MPEG4 && s->counts_slots;
  if (s->codec == GD_CODEC_OTHER)
    return "this codec's packets are not looked into";
  if (p->doubt != NULL)
    return p->doubt;
  if (p->restarts)
    return "time stamps restart";
  if (p->is_cut_short)
    return "a packet is damaged";
  if (!p->begins_at_access)
    return "decoding cannot begin at the first packet";
  if (counts_places && p->n_undated == 0)
    number_by_types(p, stamps);
  if (p->n_unstamped > 0)
    return "pictures without time stamp";
  const char *reason = number_by_stamps(p, stamps);
  if (reason == NULL && p->packets[0].frame > 0)
    return "begins with pictures that refer to others before them";
  return reason;
}

/* ------------------------------------------------------------- description
 */

static void describe_stream(gd_index_parts *o, const gd_stream *s)
{
  gd_video_index *x = &o->index;
  snprintf(x->container, sizeof x->container, "%s", s->container);
  snprintf(x->codec, sizeof x->codec, "%s", s->codec_name);
  gd_picture_displayed(&s->layout, &x->width_px, &x->height_px);
  x->rotation_deg = gd_picture_rotation(&s->layout);
  x->is_mirrored = gd_picture_is_mirrored(&s->layout);
  x->pixel_aspect[0] = s->layout.pixel_aspect[0];
  x->pixel_aspect[1] = s->layout.pixel_aspect[1];
  snprintf(x->pixel_format, sizeof x->pixel_format, "%s",
           s->layout.pixel_format);
  x->is_interlaced = s->is_interlaced;
  x->fps = s->fps;
  x->size_bytes = s->size_bytes;
  x->modified_ns = s->modified_ns;
}

/* Nothing is shown before the first frame, but decoding may begin there. */
static void describe_times(gd_index_parts *o, const pass *p,
                           gd_video_packet *out)
{
  gd_video_index *x = &o->index;
  double first = INFINITY, last = -INFINITY;
  x->is_timed = p->n_unstamped == 0 && !p->restarts;
  for (int64_t i = 0; i < p->n; i++) {
    const packet *from = &p->packets[i];
    out[i] = (gd_video_packet){.frame = from->frame,
                               .time_s = NAN,
                               .position_bytes = from->position,
                               .is_access = from->is_access,
                               .is_droppable = from->is_droppable};
    if (!x->is_timed || from->pts == GD_NO_TIME)
      continue;
    out[i].time_s = gd_index_seconds(o, from->pts);
    if (from->frame >= 0) {
      first = fmin(first, out[i].time_s);
      last = fmax(last, out[i].time_s);
    }
  }
  if (x->is_timed)
    x->first_s = first;
  else if (p->first_dts != GD_NO_TIME)
    x->first_s = fmax(0, gd_index_seconds(o, p->first_dts));
  if (x->is_timed && x->n_frames > 1 && last > first)
    x->fps = (double)(x->n_frames - 1) / (last - first);
  if (!(x->fps > 0))
    x->fps = 25;
  x->duration_s = (double)x->n_frames / x->fps;
}

static void warn(gd_index_parts *o, const gd_stream *s, const pass *p)
{
  const int64_t there =
      s->counts_slots && p->last_dts >= 0 ? p->last_dts + 1 : p->n;
  if (s->announced > there)
    snprintf(o->warning, sizeof o->warning,
             "only %" PRId64 " of %" PRId64 " announced frames are there",
             there, s->announced);
  else if (p->is_cut_short)
    snprintf(o->warning, sizeof o->warning, "a packet is damaged or cut short");
  else if (s->codec != GD_CODEC_OTHER && !p->begins_at_access)
    snprintf(o->warning, sizeof o->warning,
             "begins in the middle of a group of pictures");
  else if (s->is_tilted)
    snprintf(o->warning, sizeof o->warning,
             "its display matrix is no turn by right angles: not applied");
}

static gd_status finish(gd_index_parts *o, const gd_stream *s, pass *p)
{
  gd_video_index *x = &o->index;
  stamp *stamps = gd_alloc(p->n, sizeof *stamps);
  gd_video_packet *packets = gd_alloc(p->n, sizeof *packets);
  x->packets = packets;
  if (stamps == NULL || packets == NULL) {
    free(stamps);
    return GD_ERR_NOMEM;
  }
  const char *reason = judge(p, s, stamps);
  free(stamps);
  x->order = reason == NULL ? GD_ORDER_EXACT : GD_ORDER_DECODE;
  snprintf(o->reason, sizeof o->reason, "%s", reason == NULL ? "" : reason);
  x->n_frames = p->n_frames;
  x->n_announced = s->announced;
  x->n_packets = p->n;
  o->second = s->second;
  o->start = s->start;
  describe_stream(o, s);
  describe_times(o, p, packets);
  warn(o, s, p);
  return gd_index_complete(o);
}

gd_status gd_video_index_read(const char *path, const gd_patience *patience,
                              gd_video_index **out)
{
  assert(path != NULL && out != NULL);

  *out = NULL;
  gd_demux *d = NULL;
  pass p = {0};
  gd_index_parts *o = gd_index_begin(path);
  gd_status st = o == NULL ? GD_ERR_NOMEM : gd_demux_open(path, patience, &d);
  if (st == GD_OK)
    st = read_packets(d, &p);
  if (st == GD_OK && p.n_frames == 0)
    st = gd_fail(GD_ERR_DECODE, "%s: its video stream has no pictures", path);
  if (st == GD_OK)
    st = finish(o, gd_demux_stream(d), &p);
  gd_demux_close(d);
  free(p.packets);
  if (st != GD_OK) {
    gd_video_index_free(o == NULL ? NULL : &o->index);
    return st;
  }
  *out = &o->index;
  return GD_OK;
}
