#include "video/index_parts.h"

#include <assert.h>
#include <stdlib.h>

#include "gradus/memory.h"

gd_index_parts *gd_index_begin(const char *path)
{
  assert(path != NULL);

  gd_index_parts *o = gd_alloc(1, sizeof *o);
  if (o == NULL)
    return NULL;
  o->index.reason = o->reason;
  o->index.warning = o->warning;
  o->index.path = gd_strdup(path);
  if (o->index.path == NULL) {
    free(o);
    return NULL;
  }
  return o;
}

void gd_video_index_free(gd_video_index *index)
{
  if (index == NULL)
    return;
  free((char *)index->path);
  free((gd_video_packet *)index->packets);
  free((int64_t *)index->shown_by);
  free((int64_t *)index->cuts);
  free(index);
}

double gd_index_seconds(const gd_index_parts *o, int64_t stamp_units)
{
  assert(o != NULL);
  return (double)(stamp_units - o->start) * o->second;
}

double gd_video_index_time(const gd_video_index *x, int64_t frame)
{
  assert(x != NULL && frame >= 0);
  if (x->is_timed && x->order == GD_ORDER_EXACT && frame < x->n_frames)
    return x->packets[x->shown_by[frame]].time_s;
  return x->first_s + (double)frame / x->fps;
}

static gd_status find_packets(const gd_video_index *x, int64_t *shown_by)
{
  int64_t n = 0;
  for (int64_t f = 0; f < x->n_frames; f++)
    shown_by[f] = -1;
  for (int64_t i = 0; i < x->n_packets; i++) {
    const int64_t frame = x->packets[i].frame;
    if (frame < 0)
      continue;
    if (frame >= x->n_frames || shown_by[frame] >= 0)
      break;
    shown_by[frame] = i;
    n++;
  }
  return n == x->n_frames
             ? GD_OK
             : gd_fail(GD_ERR_FORMAT, "%s: its index is damaged", x->path);
}

/* List frame 0 and the access points that no later frame precedes in the file:
 * what is not before such a point, in presentation, follows it in the file. */
static int64_t find_cuts(const gd_video_index *x, int64_t *cuts)
{
  int64_t n = 0, latest = -1;
  cuts[n++] = 0;
  for (int64_t i = 0; x->order == GD_ORDER_EXACT && i < x->n_packets; i++) {
    const int64_t frame = x->packets[i].frame;
    if (x->packets[i].is_access && frame > 0 && frame > latest)
      cuts[n++] = frame;
    latest = frame > latest ? frame : latest;
  }
  return n;
}

gd_status gd_index_complete(gd_index_parts *o)
{
  assert(o != NULL && o->index.n_frames > 0);

  gd_video_index *x = &o->index;
  int64_t *shown_by = gd_alloc(x->n_frames, sizeof *shown_by);
  int64_t *cuts = gd_alloc(x->n_frames, sizeof *cuts);
  x->shown_by = shown_by;
  x->cuts = cuts;
  if (shown_by == NULL || cuts == NULL)
    return GD_ERR_NOMEM;
  gd_status st = find_packets(x, shown_by);
  if (st == GD_OK)
    x->n_cuts = find_cuts(x, cuts);
  return st;
}
