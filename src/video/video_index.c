#include "gradus/video_index.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"
#include "video/access.h"
#include "video/demux.h"

/* Pictures are not presented further from their place in the file than this:
 * H.264 and HEVC keep at most 16.  More means that time stamps restart. */
enum { MAX_REORDER = 32 };

/* A packet while the index is made. */
typedef struct {
  int64_t pts, dts;
  int64_t frame;
  int is_access;
} packet;

typedef struct {
  gd_video_index index; /* first: what the caller holds */
  char reason[256], warning[256];
} owned;

/* What one pass over the packets saw. */
typedef struct {
  packet *packets;
  int64_t n, room;
  int64_t n_frames;
  int64_t first_dts, last_dts;
  int n_unstamped, n_doubtful, restarts;
  int is_cut_short;
  int begins_at_access; /* the first packet that has bytes */
  int has_bytes;
} pass;

static gd_status add(pass *p, const gd_packet *from, const gd_access_parser *a)
{
  if (p->n == p->room) {
    const int64_t room = p->room == 0 ? 1024 : 2 * p->room;
    packet *bigger = realloc(p->packets, (size_t)room * sizeof *bigger);
    if (bigger == NULL)
      return gd_fail(GD_ERR_NOMEM, "no memory to index %" PRId64 " packets",
                     room);
    p->packets = bigger;
    p->room = room;
  }
  const int shown = from->is_discarded ? 0 : gd_access_n_shown(a, from);
  const int has_dts = from->dts != GD_NO_TIME;
  if (has_dts && p->first_dts == GD_NO_TIME && shown != 0)
    p->first_dts = from->dts;
  if (has_dts)
    p->last_dts = from->dts;
  if (p->n > 0 && has_dts && p->packets[p->n - 1].dts != GD_NO_TIME)
    p->restarts |= from->dts < p->packets[p->n - 1].dts;
  p->n_unstamped += shown != 0 && from->pts == GD_NO_TIME;
  p->n_doubtful += shown < 0;
  p->is_cut_short |= from->is_cut_short;
  const int is_access = from->size_bytes > 0 && gd_access_is_point(a, from);
  if (from->size_bytes > 0 && !p->has_bytes) {
    p->has_bytes = 1;
    p->begins_at_access = is_access;
  }
  p->packets[p->n++] = (packet){.pts = from->pts,
                                .dts = from->dts,
                                .frame = shown == 0 ? -1 : p->n_frames++,
                                .is_access = is_access};
  return GD_OK;
}

static gd_status read_packets(gd_demux *d, pass *p)
{
  const gd_access_parser a = gd_access_parser_of(gd_demux_stream(d));
  gd_packet next;
  gd_status st;
  p->first_dts = p->last_dts = GD_NO_TIME;
  while ((st = gd_demux_next(d, &next)) == GD_OK && next.raw != NULL)
    if ((st = add(p, &next, &a)) != GD_OK)
      break;
  p->is_cut_short |= gd_demux_is_broken(d);
  return st;
}

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
static const char *number_frames(pass *p, stamp *stamps)
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

/* Decide whether the order is known; return why not, or NULL. */
static const char *judge(pass *p, gd_codec codec, stamp *stamps)
{
  if (codec == GD_CODEC_OTHER)
    return "this codec's packets are not looked into";
  if (p->n_doubtful > 0)
    return "packets hold several pictures or placeholders";
  if (p->n_unstamped > 0)
    return "pictures without time stamp";
  if (p->restarts)
    return "time stamps restart";
  if (p->is_cut_short)
    return "a packet is damaged";
  if (!p->begins_at_access)
    return "decoding cannot begin at the first packet";
  return number_frames(p, stamps);
}

/* List frame 0 and the access points that neither follow a later frame in the
 * file nor precede an earlier one. */
static int64_t find_cuts(const pass *p, int64_t *cuts)
{
  int64_t n = 0, n_before = 0, latest = -1;
  cuts[n++] = 0;
  for (int64_t i = 0; i < p->n; i++) {
    const int64_t frame = p->packets[i].frame;
    if (frame < 0)
      continue;
    if (p->packets[i].is_access && frame > 0 && frame == n_before &&
        latest == frame - 1)
      cuts[n++] = frame;
    latest = frame > latest ? frame : latest;
    n_before++;
  }
  return n;
}

static void describe_stream(owned *o, const gd_stream *s)
{
  gd_video_index *x = &o->index;
  snprintf(x->container, sizeof x->container, "%s", s->container);
  snprintf(x->codec, sizeof x->codec, "%s", s->codec_name);
  gd_picture_displayed(&s->layout, &x->width_px, &x->height_px);
  x->rotation_deg = gd_picture_rotation(&s->layout);
  x->is_mirrored = gd_picture_is_mirrored(&s->layout);
  x->pixel_aspect[0] = s->layout.pixel_aspect[0];
  x->pixel_aspect[1] = s->layout.pixel_aspect[1];
  x->fps = s->fps;
}

static double time_of(const gd_stream *s, int64_t stamp_units)
{
  return (double)(stamp_units - s->start) * s->second;
}

static void describe_times(gd_video_index *x, const gd_stream *s, const pass *p,
                           gd_video_packet *out)
{
  double first = INFINITY, last = -INFINITY;
  x->is_timed = p->n_unstamped == 0 && !p->restarts;
  for (int64_t i = 0; i < p->n; i++) {
    const packet *from = &p->packets[i];
    out[i] = (gd_video_packet){
        .frame = from->frame, .time_s = NAN, .is_access = from->is_access};
    if (!x->is_timed || from->pts == GD_NO_TIME)
      continue;
    out[i].time_s = time_of(s, from->pts);
    if (from->frame >= 0) {
      first = fmin(first, out[i].time_s);
      last = fmax(last, out[i].time_s);
    }
  }
  /* Nothing is shown before the start, but decoding may begin there. */
  if (x->is_timed)
    x->first_s = first;
  else if (p->first_dts != GD_NO_TIME)
    x->first_s = fmax(0, time_of(s, p->first_dts));
  if (x->is_timed && x->n_frames > 1 && last > first)
    x->fps = (double)(x->n_frames - 1) / (last - first);
  if (!(x->fps > 0))
    x->fps = 25;
  x->duration_s = (double)x->n_frames / x->fps;
}

static void warn(owned *o, const gd_stream *s, const pass *p)
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

static gd_status finish(owned *o, const gd_stream *s, pass *p)
{
  gd_video_index *x = &o->index;
  stamp *stamps = gd_alloc(p->n, sizeof *stamps);
  gd_video_packet *packets = gd_alloc(p->n, sizeof *packets);
  int64_t *cuts = gd_alloc(p->n, sizeof *cuts);
  x->packets = packets;
  x->cuts = cuts;
  if (stamps == NULL || packets == NULL || cuts == NULL) {
    free(stamps);
    return GD_ERR_NOMEM;
  }
  const char *reason = judge(p, s->codec, stamps);
  free(stamps);
  x->order = reason == NULL ? GD_ORDER_EXACT : GD_ORDER_DECODE;
  snprintf(o->reason, sizeof o->reason, "%s", reason == NULL ? "" : reason);
  x->n_frames = p->n_frames;
  x->n_packets = p->n;
  x->n_cuts = reason == NULL ? find_cuts(p, cuts) : 1;
  describe_stream(o, s);
  describe_times(x, s, p, packets);
  warn(o, s, p);
  return GD_OK;
}

gd_status gd_video_index_read(const char *path, gd_video_index **out)
{
  assert(path != NULL && out != NULL);

  *out = NULL;
  gd_demux *d = NULL;
  pass p = {0};
  owned *o = gd_alloc(1, sizeof *o);
  gd_status st = o == NULL ? GD_ERR_NOMEM : GD_OK;
  if (st == GD_OK) {
    o->index.reason = o->reason;
    o->index.warning = o->warning;
    o->index.path = gd_strdup(path);
    st = o->index.path == NULL ? GD_ERR_NOMEM : gd_demux_open(path, &d);
  }
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

void gd_video_index_free(gd_video_index *index)
{
  if (index == NULL)
    return;
  free((char *)index->path);
  free((gd_video_packet *)index->packets);
  free((int64_t *)index->cuts);
  free(index);
}
