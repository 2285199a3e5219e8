#include "gradus/attention_choice.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"
#include "gradus/severity.h"

typedef struct {
  int64_t video;
  double error;
} ranked;

static int by_error(const void *left, const void *right)
{
  const ranked *a = left, *b = right;
  if (a->error != b->error)
    return a->error < b->error ? -1 : 1;
  return a->video < b->video ? -1 : a->video > b->video;
}

static int64_t frame_of(const gd_scores *s, int64_t v)
{
  int64_t best = s->first_frame[v];
  for (int64_t f = best + 1; f < s->first_frame[v + 1]; f++)
    if (fabs(s->expected[f] - s->predicted[v]) <
        fabs(s->expected[best] - s->predicted[v]))
      best = f;
  return best;
}

typedef struct {
  const gd_scores *scores;
  int64_t n_videos;
  ranked *order; /* (n_videos) by error */
  int most, n;
  gd_attention_choice *out;
} choosing;

static gd_attention_choice *find(const choosing *c, int64_t video)
{
  for (int i = 0; i < c->n; i++)
    if (c->out[i].video == video)
      return &c->out[i];
  return NULL;
}

static void add(choosing *c, int64_t video, const char *reason)
{
  gd_attention_choice *one = find(c, video);
  if (one != NULL) {
    const size_t length = strlen(one->reason);
    snprintf(one->reason + length, sizeof one->reason - length, "; %s", reason);
  } else if (c->n < c->most) {
    one = &c->out[c->n++];
    *one = (gd_attention_choice){video, frame_of(c->scores, video), ""};
    snprintf(one->reason, sizeof one->reason, "%s", reason);
  }
}

static void add_medians(choosing *c)
{
  gd_band bands[GD_MAX_BANDS];
  const int n_bands = gd_severity_bands(c->scores->info.n_levels, bands);
  for (int b = 0; b < n_bands; b++) {
    int64_t n = 0, middle = -1;
    char reason[64];
    for (int pass = 0; pass < 2; pass++) {
      const int64_t wanted = (n - 1) / 2;
      int64_t seen = 0;
      for (int64_t i = 0; i < c->n_videos; i++) {
        const int64_t v = c->order[i].video;
        if (gd_severity_of(n_bands, bands,
                           gd_scores_video(c->scores, v)->label) != b)
          continue;
        if (pass == 1 && seen == wanted)
          middle = v;
        seen++;
      }
      n = seen;
    }
    snprintf(reason, sizeof reason, "median error of the band %s",
             bands[b].name);
    if (middle >= 0)
      add(c, middle, reason);
  }
}

static void add_ends(choosing *c)
{
  add(c, c->order[0].video, "smallest error");
  add(c, c->order[c->n_videos - 1].video, "largest error");
  for (int64_t i = 1; i < c->n_videos && c->n < c->most; i++) {
    const int64_t video[2] = {c->order[i].video,
                              c->order[c->n_videos - 1 - i].video};
    static const char *const names[2] = {"smallest", "largest"};
    for (int end = 0; end < 2; end++) {
      char reason[64];
      snprintf(reason, sizeof reason, "%s error, no. %lld", names[end],
               (long long)i + 1);
      if (find(c, video[end]) == NULL)
        add(c, video[end], reason);
    }
  }
}

gd_status gd_attention_choose(const gd_scores *s, int most,
                              gd_attention_choice *out, int *n)
{
  assert(s != NULL && most >= 1 && out != NULL && n != NULL);

  choosing c = {.scores = s, .most = most, .out = out};
  c.order = gd_alloc(s->n_videos, sizeof *c.order);
  if (c.order == NULL)
    return GD_ERR_NOMEM;
  for (int64_t v = 0; v < s->n_videos; v++) {
    const double error = fabs(s->predicted[v] - gd_scores_video(s, v)->label);
    if (isfinite(error))
      c.order[c.n_videos++] = (ranked){v, error};
  }
  qsort(c.order, (size_t)c.n_videos, sizeof *c.order, by_error);
  if (c.n_videos > 0) {
    add_medians(&c);
    add_ends(&c);
  }
  free(c.order);
  *n = c.n;
  return GD_OK;
}

void gd_attention_mean(const gd_scores *s, float *mean)
{
  assert(s != NULL && s->map != NULL && s->n_videos >= 1 && mean != NULL);

  const int64_t n_cells = (int64_t)s->info.map_rows * s->info.map_columns;
  for (int64_t i = 0; i < n_cells; i++) {
    double sum = 0;
    for (int64_t v = 0; v < s->n_videos; v++)
      sum += (double)s->map[v * n_cells + i];
    mean[i] = (float)(sum / (double)s->n_videos);
  }
}
