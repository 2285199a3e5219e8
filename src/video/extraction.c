#include "gradus/extraction.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/forecast.h"
#include "gradus/memory.h"

/* A corpus is cut into about so many units; but not into crumbs, for which
 * opening files costs more than what they hold, nor into units that take
 * minutes to make again after a kill. */
enum { UNITS = 512, LEAST_FRAMES = 500, SPANS_PER_SHARD = 8 };
static const int64_t LEAST_US = 500000, MOST_US = 120000000;
/* To open a video and note how its reading went: for thousands of small ones,
 * most of the work (measured: 1.4 ms for each in all). */
static const int64_t OPEN_US = 1000;

int64_t gd_piece_bytes(const gd_piece *p, const gd_extraction_limits *limits)
{
  assert(p != NULL && limits != NULL && limits->bytes_per_pixel > 0);
  return (int64_t)((double)(p->n_kept * p->height_px * p->width_px) *
                   limits->bytes_per_pixel);
}

int64_t gd_extraction_unit_us(int64_t total_us)
{
  assert(total_us >= 0);
  const int64_t share = total_us / UNITS;
  if (share < LEAST_US)
    return LEAST_US;
  return share < MOST_US ? share : MOST_US;
}

/* What sampling would keep of frames at a steady rate. */
static int64_t estimate_kept(const gd_sampling *sampling,
                             const gd_video_index *index)
{
  gd_sampling_walk walk = gd_sampling_begin(sampling);
  const double second = index->fps > 0 ? 1.0 / index->fps : 0.0;
  int64_t n = 0;
  for (int64_t f = 0; f < index->n_frames; f++)
    n += gd_sampling_takes(&walk, f, (double)f * second);
  return sampling->most > 0 && n > sampling->most ? sampling->most : n;
}

gd_status gd_extraction_select(const gd_sampling *sampling,
                               const gd_video_index *index, int64_t **frames,
                               int64_t *n)
{
  assert(sampling != NULL && index != NULL && frames != NULL && n != NULL);
  *frames = NULL;
  if (index->order == GD_ORDER_EXACT)
    return gd_sampling_select(sampling, index, frames, n);
  *n = estimate_kept(sampling, index);
  return GD_OK;
}

static int64_t cost_of(const gd_video_index *index, const int64_t *frames,
                       int64_t n, gd_range part)
{
  return (int64_t)(1e6 * gd_video_index_cost(index, frames, n, part));
}

int64_t gd_extraction_spans(const gd_video_index *index, int32_t video,
                            const int64_t *frames, int64_t n,
                            const gd_extraction_limits *limits, gd_piece *spans)
{
  assert(index != NULL && index->n_cuts >= 1 && limits != NULL);
  assert(spans != NULL && (frames != NULL || index->n_cuts == 1));

  gd_piece span = {.video = video,
                   .height_px = index->height_px,
                   .width_px = index->width_px};
  int64_t n_spans = 0, next = 0; /* the next of the frames that are kept */
  for (int64_t c = 1; c <= index->n_cuts; c++) {
    span.is_last = c == index->n_cuts;
    span.frames.end = span.is_last ? index->n_frames : index->cuts[c];
    if (frames == NULL)
      span.n_kept = n;
    for (; frames != NULL && next < n && frames[next] < span.frames.end; next++)
      span.n_kept++;
    if (!span.is_last && span.frames.end - span.frames.first < LEAST_FRAMES &&
        gd_piece_bytes(&span, limits) < limits->shard_bytes / SPANS_PER_SHARD)
      continue;
    /* Nothing is read of a span without a frame that is kept. */
    span.cost_us = span.n_kept > 0 ? cost_of(index, frames, n, span.frames) : 0;
    if (span.frames.first == 0)
      span.cost_us += OPEN_US;
    spans[n_spans++] = span;
    span.frames.first = span.frames.end;
    span.n_kept = 0;
  }
  return n_spans;
}

static int fit_together(const gd_piece *a, const gd_piece *b,
                        const gd_extraction_limits *limits)
{
  return a->cost_us + b->cost_us <= limits->unit_us &&
         gd_piece_bytes(a, limits) + gd_piece_bytes(b, limits) <=
             limits->shard_bytes;
}

/* Lengthen a piece by the one that follows it. */
static void join(gd_piece *piece, const gd_piece *next)
{
  assert(piece->frames.end == next->frames.first);
  piece->frames.end = next->frames.end;
  piece->is_last = next->is_last;
  piece->n_kept += next->n_kept;
  piece->cost_us += next->cost_us;
}

int64_t gd_extraction_cut(gd_piece *spans, int64_t n,
                          const gd_extraction_limits *limits)
{
  assert(spans != NULL && n >= 1 && limits != NULL && limits->unit_us > 0);

  int64_t kept = 0, pieces = 1;
  for (int64_t i = 0; i < n; i++)
    kept += spans[i].n_kept;
  for (int64_t i = 1; i < n; i++) {
    gd_piece *last = &spans[pieces - 1];
    if (spans[i].n_kept == 0 || last->n_kept == 0 ||
        fit_together(last, &spans[i], limits))
      join(last, &spans[i]);
    else
      spans[pieces++] = spans[i];
  }
  return kept == 0 ? 0 : pieces;
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

/* Deal the sorted pieces into shards, joining what belongs together. */
static void group(const gd_piece *sorted, int64_t n,
                  const gd_extraction_limits *limits, gd_extraction *e,
                  gd_piece *pieces, int64_t *first, double *cost)
{
  int64_t kept = 0, bytes = 0, us = 0;
  for (int64_t i = 0; i < n; i++) {
    const gd_piece *p = &sorted[i];
    gd_piece *last = kept > 0 ? &pieces[kept - 1] : NULL;
    bytes += gd_piece_bytes(p, limits);
    us += p->cost_us;
    if (last == NULL || !same_size(last, p) || bytes > limits->shard_bytes ||
        us > limits->unit_us) {
      first[e->n_shards++] = kept;
      bytes = gd_piece_bytes(p, limits);
      us = p->cost_us;
      last = NULL;
    }
    cost[e->n_shards - 1] = (double)us;
    if (last != NULL && last->video == p->video)
      join(last, p);
    else
      pieces[kept++] = *p;
  }
  first[e->n_shards] = kept;
}

gd_status gd_extraction_plan(const gd_piece *pieces, int64_t n,
                             const gd_extraction_limits *limits,
                             gd_extraction **out)
{
  assert(n >= 0 && (n == 0 || pieces != NULL) && limits != NULL && out != NULL);

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
  group(sorted, n, limits, e, joined, first, cost);
  free(sorted);
  *out = e;
  return GD_OK;
}

gd_status gd_extraction_check_room(int64_t needed_bytes, int64_t free_bytes,
                                   const char *directory)
{
  char needed[32], there[32];
  if (needed_bytes + needed_bytes / 10 <= free_bytes)
    return GD_OK;
  gd_forecast_bytes((double)needed_bytes, needed);
  gd_forecast_bytes((double)free_bytes, there);
  return gd_fail(GD_ERR_IO,
                 "%s: the frames take about %s, and a tenth is kept in "
                 "reserve, but %s are free: make room, work elsewhere, keep "
                 "fewer frames or store them as jpeg",
                 directory, needed, there);
}
