#include "gradus/sampling.h"

#include <assert.h>
#include <math.h>

#include "gradus/memory.h"

/* Times are sums in double precision: what is nearer than this, in seconds or
 * ticks, is the same. */
static const double SLACK = 1e-6;

int gd_sampling_is_valid(const gd_sampling *s)
{
  assert(s != NULL);

  const int by_count = s->every >= 1 && s->rate == 0;
  const int by_time = s->every == 0 && s->rate > 0 && isfinite(s->rate);
  const int has_window =
      s->start_s >= 0 && isfinite(s->start_s) &&
      (s->stop_s == 0 || s->stop_s > s->start_s); /* false for NAN */
  return (by_count || by_time) && has_window && s->most >= 0;
}

gd_sampling_walk gd_sampling_begin(const gd_sampling *s)
{
  assert(s != NULL && gd_sampling_is_valid(s));
  return (gd_sampling_walk){
      .sampling = *s, .last_tick = -1, .n_all = INT64_MAX};
}

int gd_sampling_is_past(const gd_sampling_walk *s, double time_s)
{
  assert(s != NULL);
  return s->sampling.stop_s > 0 && time_s >= s->sampling.stop_s - SLACK;
}

/* Choose by count or time alone. */
static int is_chosen(gd_sampling_walk *s, int64_t frame, double time_s)
{
  const gd_sampling *by = &s->sampling;
  if (time_s < by->start_s - SLACK || gd_sampling_is_past(s, time_s))
    return 0;
  if (by->every > 0)
    return frame % by->every == 0;
  const double tick = floor((time_s - by->start_s) * by->rate + SLACK);
  if (tick <= (double)s->last_tick)
    return 0;
  s->last_tick = tick < 0x1p62 ? (int64_t)tick : INT64_MAX;
  return 1;
}

/* Of `all` in a row, is number i one of the `most` that lie at all * k / most,
 * rounded down?  The least such k with k * all >= i * most tells. */
static int is_spread(int64_t i, int64_t all, int64_t most)
{
  if (all <= most)
    return 1;
  const int64_t k = (i * most + all - 1) / all;
  return k < most && k * all / most == i;
}

int gd_sampling_takes(gd_sampling_walk *s, int64_t frame, double time_s)
{
  assert(s != NULL && frame >= 0);

  if (!is_chosen(s, frame, time_s))
    return 0;
  const int64_t i = s->n_seen++;
  return s->sampling.most == 0 || s->n_all == INT64_MAX ||
         is_spread(i, s->n_all, s->sampling.most);
}

static double time_of(const gd_video_index *x, int64_t frame)
{
  return gd_video_index_time(x, frame) - gd_video_index_time(x, 0);
}

gd_status gd_sampling_select(const gd_sampling *s, const gd_video_index *index,
                             int64_t **frames, int64_t *n)
{
  assert(s != NULL && index != NULL && frames != NULL && n != NULL);
  assert(index->order == GD_ORDER_EXACT);

  int64_t *list = gd_alloc(index->n_frames, sizeof *list), all = 0;
  *frames = list;
  *n = 0;
  if (list == NULL)
    return GD_ERR_NOMEM;
  gd_sampling_walk walk = gd_sampling_begin(s);
  for (int64_t f = 0; f < index->n_frames; f++)
    if (gd_sampling_takes(&walk, f, time_of(index, f)))
      list[all++] = f;
  *n = s->most > 0 && s->most < all ? s->most : all;
  for (int64_t k = 0; *n < all && k < *n; k++)
    list[k] = list[k * all / *n];
  return GD_OK;
}
