/* What extract would read, keep and store: for `gradus plan`, without running
 * anything.  Videos that an earlier run has indexed are counted; of the others
 * a few are looked at, spread over the corpus, and stand for the rest. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "extract.h"
#include "gradus/forecast.h"
#include "gradus/memory.h"

/* Videos that are opened; no more of them when they have taken so long. */
enum { MOST_OPENED = 32, FEWEST_OPENED = 4, PATIENCE_S = 10, MARGIN = 9 };

typedef struct {
  const gd_instance *self;
  const gd_corpus *corpus;
  gd_extract_parameters parameters;
  gd_index_store *store;
  int64_t *unknown; /* (n_unknown) videos without an index */
  int64_t n_unknown;
  gd_forecast known;
} forecast;

/* Videos of one file of the store stand together. */
static gd_status look_up(forecast *f, const int64_t *order)
{
  gd_status st = GD_OK;
  for (int64_t i = 0; st == GD_OK && i < f->corpus->n_videos; i++) {
    const int64_t v = order[i];
    const gd_video *video = &f->corpus->videos[v];
    gd_video_index *index;
    st = gd_index_store_find(f->store, video->id, video->path,
                             &f->corpus->fingerprints[v], &index, NULL);
    if (st == GD_OK && index != NULL)
      st = gd_forecast_add(&f->known, &f->parameters.sampling, index);
    else if (st == GD_OK)
      f->unknown[f->n_unknown++] = v;
    gd_video_index_free(index);
  }
  return st;
}

static gd_status open_video(const forecast *f, int64_t v, gd_forecast *opened)
{
  const gd_patience patience = {.stall_s = PATIENCE_S};
  gd_video_index *index;
  gd_status st =
      gd_video_index_read(f->corpus->videos[v].path, &patience, &index);
  if (st == GD_OK)
    st = gd_forecast_add(opened, &f->parameters.sampling, index);
  else if (st != GD_ERR_NOMEM) {
    gd_forecast_add_unreadable(opened);
    st = GD_OK;
  }
  gd_video_index_free(index);
  return st;
}

/* A step that visits all of n items, far from the last at each. */
static int64_t stride_of(int64_t n)
{
  for (int64_t stride = n / 2 + 1;; stride++) {
    int64_t a = stride, b = n;
    while (b != 0) {
      const int64_t rest = a % b;
      a = b;
      b = rest;
    }
    if (a == 1)
      return stride;
  }
}

/* Open some of the videos that are not known, evenly spread; in an order in
 * which any beginning of it is spread, too. */
static gd_status open_some(forecast *f)
{
  const int64_t n = f->n_unknown < MOST_OPENED ? f->n_unknown : MOST_OPENED;
  const time_t began = time(NULL);
  gd_forecast opened = {0};
  gd_status st = GD_OK;
  const int64_t stride = stride_of(n);
  for (int64_t i = 0, k = 0; st == GD_OK && i < n; i++, k = (k + stride) % n) {
    if (i >= FEWEST_OPENED && time(NULL) - began > PATIENCE_S)
      break;
    st = open_video(f, f->unknown[k * f->n_unknown / n], &opened);
  }
  if (st == GD_OK && opened.n_seen > 0)
    gd_forecast_add_scaled(&f->known, &opened, f->n_unknown);
  return st;
}

static gd_status count(forecast *f)
{
  gd_text places = {0};
  int64_t *order = NULL, *first = NULL, n_units;
  gd_status st = gd_extract_places(f->self, &places);
  if (st == GD_OK)
    st = gd_extract_open_places(&places, f->corpus->n_videos, &f->store);
  if (st == GD_OK)
    st = gd_extract_deal(f->corpus, &order, &first, &n_units);
  f->unknown = gd_alloc(f->corpus->n_videos, sizeof *f->unknown);
  if (st == GD_OK && f->unknown == NULL)
    st = GD_ERR_NOMEM;
  if (st == GD_OK)
    st = look_up(f, order);
  if (st == GD_OK)
    st = open_some(f);
  gd_index_store_close(f->store);
  gd_text_free(&places);
  free(f->unknown);
  free(order);
  free(first);
  return st;
}

/* A corpus that a stage draws is known when it has been drawn. */
static gd_status find_corpus(const gd_job *job, const gd_instance *self,
                             const gd_corpus **out, gd_corpus **own)
{
  *own = NULL;
  *out =
      gd_instance_upstream(self, "synth") == NULL ? gd_job_corpus(job) : NULL;
  if (*out != NULL)
    return GD_OK;
  const gd_corpus_source source = gd_instance_corpus(self);
  gd_status st =
      gd_corpus_read(source.layout, source.root, source.n_levels, own);
  if (st == GD_OK)
    st = gd_corpus_examine(*own);
  *out = *own;
  return st == GD_ERR_NOMEM ? st : GD_OK;
}

gd_status gd_extract_forecast(const gd_job *job, const gd_instance *self,
                              gd_text *out)
{
  gd_corpus *own;
  forecast f = {.self = self};
  gd_status st = find_corpus(job, self, &f.corpus, &own);
  if (st != GD_OK || f.corpus == NULL) {
    gd_corpus_free(own);
    return st;
  }
  st = gd_extract_parameters_of(self, &f.parameters);
  if (st == GD_OK)
    st = count(&f);
  if (st == GD_OK) {
    int64_t free_bytes;
    if (gd_file_free_bytes(gd_job_work(job), &free_bytes) != GD_OK)
      free_bytes = -1;
    const char *title = gd_instance_title(self);
    gd_text_printf(out, "%-*s", MARGIN, title);
    if (strlen(title) >= MARGIN)
      gd_text_printf(out, "\n%*s", MARGIN, "");
    gd_forecast_compose(&f.known, f.corpus->n_videos, f.parameters.storage,
                        f.parameters.quality, free_bytes, gd_job_work(job),
                        MARGIN, out);
  }
  gd_corpus_free(own);
  return st == GD_OK ? gd_text_status(out) : st;
}
