#include "gradus/extraction.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"

/* A small corpus is cut into about so many shards, but not into crumbs: below
 * these sizes opening files costs more than what they hold. */
enum { FEWEST_SHARDS = 64, LEAST_FRAMES = 500 };
static const int64_t LEAST_BYTES = 1 << 20;

int64_t gd_piece_kept(gd_range frames, int64_t every)
{
  assert(frames.first >= 0 && frames.first <= frames.end && every >= 1);
  return (frames.end + every - 1) / every - (frames.first + every - 1) / every;
}

int64_t gd_piece_bytes(const gd_piece *p)
{
  assert(p != NULL);
  return 3 * p->n_kept * p->height_px * p->width_px;
}

int64_t gd_extraction_target(int64_t total_bytes, int64_t shard_bytes)
{
  assert(total_bytes >= 0 && shard_bytes >= 1);

  int64_t target = total_bytes / FEWEST_SHARDS;
  target = target < LEAST_BYTES ? LEAST_BYTES : target;
  return target < shard_bytes ? target : shard_bytes;
}

int64_t gd_extraction_cut(const gd_video_index *index, int32_t video,
                          int64_t every, int64_t target_bytes, gd_piece *pieces)
{
  assert(index != NULL && index->n_cuts >= 1 && pieces != NULL);

  const int64_t frame_bytes = (int64_t)3 * index->height_px * index->width_px;
  gd_piece piece = {.video = video,
                    .height_px = index->height_px,
                    .width_px = index->width_px};
  int64_t n = 0;
  for (int64_t c = 1; c <= index->n_cuts; c++) {
    const int is_last = c == index->n_cuts;
    const int64_t here = is_last ? index->n_frames : index->cuts[c];
    const int64_t next =
        c + 1 < index->n_cuts ? index->cuts[c + 1] : index->n_frames;
    const gd_range with_next = {piece.frames.first, next};
    const int is_full =
        gd_piece_kept(with_next, every) * frame_bytes > target_bytes;
    piece.frames.end = here;
    if (!is_last && (!is_full || here - piece.frames.first < LEAST_FRAMES))
      continue;
    piece.is_last = is_last;
    piece.n_kept = gd_piece_kept(piece.frames, every);
    pieces[n++] = piece;
    piece.frames.first = here;
  }
  return n;
}

void gd_extraction_free(gd_extraction *e)
{
  if (e == NULL)
    return;
  free((int64_t *)e->first);
  free((gd_piece *)e->pieces);
  free((double *)e->cost);
  free(e);
}

static int by_place(const void *a, const void *b)
{
  const gd_piece *x = a, *y = b;
  if (x->height_px != y->height_px)
    return x->height_px < y->height_px ? -1 : 1;
  if (x->width_px != y->width_px)
    return x->width_px < y->width_px ? -1 : 1;
  if (x->video != y->video)
    return x->video < y->video ? -1 : 1;
  return (x->frames.first > y->frames.first) -
         (x->frames.first < y->frames.first);
}

static int same_size(const gd_piece *a, const gd_piece *b)
{
  return a->height_px == b->height_px && a->width_px == b->width_px;
}

static double cost_of(const gd_piece *p)
{
  return (double)(p->frames.end - p->frames.first) * p->height_px * p->width_px;
}

/* Deal the sorted pieces into shards, joining what belongs together. */
static void group(const gd_piece *sorted, int64_t n, int64_t target_bytes,
                  gd_extraction *e, gd_piece *pieces, int64_t *first,
                  double *cost)
{
  int64_t kept = 0, bytes = 0;
  for (int64_t i = 0; i < n; i++) {
    const gd_piece *p = &sorted[i];
    gd_piece *last = kept > 0 ? &pieces[kept - 1] : NULL;
    if (last == NULL || !same_size(last, p) ||
        bytes + gd_piece_bytes(p) > target_bytes) {
      first[e->n_shards++] = kept;
      bytes = 0;
      last = NULL;
    }
    bytes += gd_piece_bytes(p);
    cost[e->n_shards - 1] += cost_of(p);
    if (last != NULL && last->video == p->video) {
      assert(last->frames.end == p->frames.first);
      last->frames.end = p->frames.end;
      last->is_last = p->is_last;
      last->n_kept += p->n_kept;
    } else {
      pieces[kept++] = *p;
    }
  }
  first[e->n_shards] = kept;
}

gd_status gd_extraction_plan(const gd_piece *pieces, int64_t n,
                             int64_t target_bytes, gd_extraction **out)
{
  assert(n >= 0 && (n == 0 || pieces != NULL) && out != NULL);

  *out = NULL;
  gd_extraction *e = gd_alloc(1, sizeof *e);
  gd_piece *sorted = gd_alloc(n, sizeof *sorted);
  gd_piece *joined = gd_alloc(n, sizeof *joined);
  int64_t *first = gd_alloc(n + 1, sizeof *first);
  double *cost = gd_alloc(n, sizeof *cost);
  if (e != NULL)
    *e = (gd_extraction){.first = first, .pieces = joined, .cost = cost};
  if (e == NULL || sorted == NULL || joined == NULL || first == NULL ||
      cost == NULL) {
    free(sorted);
    gd_extraction_free(e);
    return GD_ERR_NOMEM;
  }
  if (n > 0) {
    memcpy(sorted, pieces, (size_t)n * sizeof *sorted);
    qsort(sorted, (size_t)n, sizeof *sorted, by_place);
  }
  group(sorted, n, target_bytes, e, joined, first, cost);
  free(sorted);
  *out = e;
  return GD_OK;
}
