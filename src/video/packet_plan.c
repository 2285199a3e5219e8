#include "video/packet_plan.h"

#include <assert.h>
#include <stdlib.h>

#include "gradus/memory.h"

int64_t gd_frame_lower(const int64_t *frames, int64_t n, int64_t frame)
{
  int64_t low = 0, high = n;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (frames[middle] < frame)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* The frames of one cut up to the next: what needs its access point. */
typedef struct {
  gd_range frames;
  gd_range packets; /* from the access point to the last wanted packet */
} group;

/* While a plan is made. */
typedef struct {
  const gd_video_index *index;
  const int64_t *wanted;
  int64_t next, n_wanted; /* of the wanted frames; frames if all are */
  gd_packet_plan *plan;
} planner;

static int64_t wanted_frame(const planner *m, int64_t i)
{
  return m->wanted == NULL ? i : m->wanted[i];
}

/* Return the first packet that decoding from a cut needs: the video's first
 * frames may need packets that are not shown. */
static int64_t start_of(const gd_video_index *x, int64_t cut)
{
  return cut == 0 ? 0 : x->shown_by[x->cuts[cut]];
}

static group group_of(const gd_video_index *x, int64_t cut)
{
  const int is_last = cut + 1 == x->n_cuts;
  return (group){
      .frames = {x->cuts[cut], is_last ? x->n_frames : x->cuts[cut + 1]},
      .packets = {start_of(x, cut), start_of(x, cut)}};
}

static uint8_t *action_of(const planner *m, int64_t packet)
{
  return &m->plan->actions[packet - m->plan->packets.first];
}

/* Mark the group's wanted packets, and move its end behind the last. */
static void mark_wanted(planner *m, group *g)
{
  for (; m->next < m->n_wanted; m->next++) {
    const int64_t frame = wanted_frame(m, m->next);
    if (frame >= g->frames.end)
      return;
    const int64_t packet = m->index->shown_by[frame];
    *action_of(m, packet) = GD_PACKET_SEND;
    if (packet >= g->packets.end)
      g->packets.end = packet + 1;
  }
}

/* Is anything left out from `first` on that decoding on would need? */
static int has_gap(const planner *m, gd_range packets)
{
  for (int64_t p = packets.first; p < packets.end; p++)
    if (!m->index->packets[p].is_droppable &&
        *action_of(m, p) == GD_PACKET_SKIP)
      return 1;
  return 0;
}

/* Send what the group's wanted packets are made from. */
static void send_group(planner *m, const group *g, int64_t sent_end)
{
  const int64_t first =
      g->packets.first > sent_end ? g->packets.first : sent_end;
  for (int64_t p = first; p < g->packets.end; p++) {
    const gd_video_packet *packet = &m->index->packets[p];
    const int is_leading =
        packet->frame >= 0 && packet->frame < g->frames.first;
    if (!is_leading && !packet->is_droppable)
      *action_of(m, p) = GD_PACKET_SEND;
  }
  const gd_range between = {sent_end, g->packets.end};
  if (g->packets.first >= sent_end && sent_end > m->plan->packets.first &&
      has_gap(m, between))
    *action_of(m, g->packets.first) = GD_PACKET_BEGIN;
}

static gd_status make_room(planner *m, int64_t first_cut, int64_t last_cut)
{
  const gd_video_index *x = m->index;
  gd_packet_plan *plan = m->plan;
  const int64_t last_frame = group_of(x, last_cut).frames.end - 1;
  int64_t end = start_of(x, last_cut) + 1;
  for (int64_t f = x->cuts[first_cut]; f <= last_frame; f++)
    end = x->shown_by[f] >= end ? x->shown_by[f] + 1 : end;
  plan->packets = (gd_range){start_of(x, first_cut), end};
  plan->actions = gd_alloc(end - plan->packets.first, sizeof *plan->actions);
  return plan->actions == NULL ? GD_ERR_NOMEM : GD_OK;
}

static int64_t cut_of(const gd_video_index *x, int64_t frame)
{
  return gd_frame_lower(x->cuts, x->n_cuts, frame + 1) - 1;
}

static void close_plan(planner *m, int64_t sent_end)
{
  gd_packet_plan *plan = m->plan;
  plan->packets.end = sent_end;
  for (int64_t p = plan->packets.first; p < sent_end; p++)
    plan->n_sent += *action_of(m, p) != GD_PACKET_SKIP;
}

gd_status gd_packet_plan_make(const gd_video_index *x, const int64_t *wanted,
                              int64_t n_wanted, gd_range part,
                              gd_packet_plan *out)
{
  assert(x != NULL && x->order == GD_ORDER_EXACT && out != NULL);
  assert(part.first >= 0 && part.first <= part.end && part.end <= x->n_frames);

  *out = (gd_packet_plan){0};
  planner m = {.index = x, .wanted = wanted, .plan = out};
  m.next = wanted == NULL ? part.first
                          : gd_frame_lower(wanted, n_wanted, part.first);
  m.n_wanted =
      wanted == NULL ? part.end : gd_frame_lower(wanted, n_wanted, part.end);
  if (m.next >= m.n_wanted)
    return GD_OK;
  const int64_t first_cut = cut_of(x, wanted_frame(&m, m.next));
  const int64_t last_cut = cut_of(x, wanted_frame(&m, m.n_wanted - 1));
  gd_status st = make_room(&m, first_cut, last_cut);
  if (st != GD_OK)
    return st;
  int64_t sent_end = out->packets.first;
  for (int64_t cut = first_cut; cut <= last_cut; cut++) {
    group g = group_of(x, cut);
    mark_wanted(&m, &g);
    if (g.packets.end == g.packets.first) /* nothing is wanted */
      continue;
    send_group(&m, &g, sent_end);
    sent_end = g.packets.end > sent_end ? g.packets.end : sent_end;
  }
  close_plan(&m, sent_end);
  return GD_OK;
}

void gd_packet_plan_free(gd_packet_plan *p)
{
  free(p->actions);
  *p = (gd_packet_plan){0};
}
