#include "gradus/distributions.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"

/* ------------------------------------------------------------------ bands */

/* Add the mean over a video's frames to the sum of its band. */
static void add_video(const gd_scores *s, int64_t v, double *sum)
{
  const int64_t first = s->first_frame[v], end = s->first_frame[v + 1];
  const int k = s->info.n_levels;
  for (int64_t f = first; f < end; f++)
    for (int level = 0; level < k; level++)
      sum[level] += s->distribution[f * k + level] / (double)(end - first);
}

gd_status gd_band_distributions_of(int n_scores, const gd_scores *const *scores,
                                   int n_bands, const gd_band *bands,
                                   gd_band_distributions *out)
{
  assert(n_scores >= 1 && scores != NULL && bands != NULL && out != NULL);

  const int k = scores[0]->info.n_levels;
  *out = (gd_band_distributions){
      .n_bands = n_bands,
      .n_levels = k,
      .mean = gd_alloc((int64_t)n_bands * k, sizeof *out->mean)};
  if (out->mean == NULL)
    return GD_ERR_NOMEM;
  for (int i = 0; i < n_scores; i++) {
    assert(scores[i]->distribution != NULL && scores[i]->info.n_levels == k);
    for (int64_t v = 0; v < scores[i]->n_videos; v++) {
      const int b =
          gd_severity_of(n_bands, bands, gd_scores_video(scores[i], v)->label);
      add_video(scores[i], v, out->mean + (int64_t)b * k);
      out->n[b]++;
    }
  }
  for (int b = 0; b < n_bands; b++)
    for (int level = 0; level < k; level++)
      out->mean[b * k + level] =
          out->n[b] > 0 ? out->mean[b * k + level] / (double)out->n[b] : NAN;
  return GD_OK;
}

void gd_band_distributions_free(gd_band_distributions *d)
{
  free(d->mean);
  *d = (gd_band_distributions){0};
}

/* --------------------------------------------------------------- timeline */

/* Choose the columns: as wide as the least step, or a multiple of it. */
static void cut_columns(const gd_scores *s, int64_t first, int64_t end,
                        int most_columns, gd_timeline *out)
{
  int64_t step = INT64_MAX;
  const int64_t *frame = s->frame_index;
  for (int64_t f = first + 1; f < end; f++)
    if (frame[f] - frame[f - 1] > 0 && frame[f] - frame[f - 1] < step)
      step = frame[f] - frame[f - 1];
  step = step == INT64_MAX ? 1 : step;
  const int64_t steps = (frame[end - 1] - frame[first]) / step + 1;
  const int64_t shared = (steps + most_columns - 1) / most_columns;
  out->first_frame = (double)frame[first];
  out->frames = (double)(shared * step);
  out->n_columns = (int)((steps + shared - 1) / shared);
}

gd_status gd_timeline_of(const gd_scores *s, int64_t v, int most_columns,
                         int most_rows, gd_timeline *out)
{
  assert(s != NULL && s->distribution != NULL && out != NULL);
  assert(v >= 0 && v < s->n_videos && most_columns > 0 && most_rows > 0);

  const int64_t first = s->first_frame[v], end = s->first_frame[v + 1];
  const int k = s->info.n_levels;
  *out = (gd_timeline){.levels = (k + most_rows - 1) / most_rows};
  out->n_rows = (k + out->levels - 1) / out->levels;
  cut_columns(s, first, end, most_columns, out);
  const int64_t n = out->n_columns;
  int64_t *count = gd_alloc(n, sizeof *count);
  out->density = gd_alloc(n * out->n_rows, sizeof *out->density);
  out->frame = gd_alloc(n, sizeof *out->frame);
  out->expected = gd_alloc(n, sizeof *out->expected);
  if (count == NULL || out->density == NULL || out->frame == NULL ||
      out->expected == NULL) {
    free(count);
    gd_timeline_free(out);
    return GD_ERR_NOMEM;
  }
  for (int64_t f = first; f < end; f++) {
    const int64_t c =
        (int64_t)(((double)s->frame_index[f] - out->first_frame) / out->frames);
    count[c]++;
    out->expected[c] += s->expected[f];
    for (int level = 0; level < k; level++)
      out->density[c * out->n_rows + level / out->levels] +=
          s->distribution[f * k + level] / (double)out->levels;
  }
  for (int64_t c = 0; c < n; c++) {
    out->frame[c] = out->first_frame + ((double)c + 0.5) * out->frames;
    out->expected[c] = count[c] > 0 ? out->expected[c] / (double)count[c] : NAN;
    for (int row = 0; row < out->n_rows && count[c] > 0; row++)
      out->density[c * out->n_rows + row] /= (double)count[c];
  }
  free(count);
  return GD_OK;
}

void gd_timeline_free(gd_timeline *t)
{
  free(t->density);
  free(t->frame);
  free(t->expected);
  *t = (gd_timeline){0};
}

static double error_of(const gd_scores *s, int64_t v)
{
  return fabs(s->predicted[v] - gd_scores_video(s, v)->label);
}

/* Whether video a comes before b in the order of the choice. */
static int is_before(const gd_scores *s, int64_t a, int64_t b)
{
  if (error_of(s, a) != error_of(s, b))
    return error_of(s, a) < error_of(s, b);
  return strcmp(gd_scores_video(s, a)->id, gd_scores_video(s, b)->id) < 0;
}

static int has_frames(const gd_scores *s, int64_t v)
{
  return s->first_frame[v + 1] - s->first_frame[v] > 1;
}

int64_t gd_timeline_choose(const gd_scores *s)
{
  assert(s != NULL);

  int64_t n = 0;
  for (int64_t v = 0; v < s->n_videos; v++)
    n += has_frames(s, v);
  for (int64_t v = 0; v < s->n_videos; v++) {
    int64_t before = 0;
    if (!has_frames(s, v))
      continue;
    for (int64_t other = 0; other < s->n_videos; other++)
      before += has_frames(s, other) && is_before(s, other, v);
    if (before == (n - 1) / 2)
      return v;
  }
  return -1;
}
