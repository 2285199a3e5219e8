#include "gradus/reliability.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "gradus/memory.h"
#include "gradus/persons.h"

typedef struct {
  double truth, predicted;
  const gd_video *video;
  int64_t at;
} item;

static int by_prediction(const void *a, const void *b)
{
  const item *x = a, *y = b;
  if (x->predicted != y->predicted)
    return x->predicted < y->predicted ? -1 : 1;
  return x->at < y->at ? -1 : x->at > y->at;
}

/* Room for the items of one bin. */
typedef struct {
  double *label;
  const gd_video **videos;
  int64_t *person;
} room;

static gd_status measure_bin(const gd_bootstrap *b, const item *items,
                             int64_t n, const room *r, gd_reliability_bin *out)
{
  int64_t n_persons;
  *out = (gd_reliability_bin){.n = n};
  for (int64_t i = 0; i < n; i++) {
    r->label[i] = items[i].truth;
    r->videos[i] = items[i].video;
    out->predicted += items[i].predicted;
    out->label += items[i].truth;
  }
  out->predicted /= (double)n;
  out->label /= (double)n;
  gd_status st = gd_persons_number(n, r->videos, r->person, &n_persons);
  if (st == GD_OK)
    st = gd_bootstrap_mean(b, n, r->label, r->person, n_persons,
                           &out->label_interval);
  return st;
}

static gd_status measure_bins(const gd_bootstrap *b, const item *items,
                              int64_t n, const room *r, gd_reliability *out)
{
  int64_t wanted = n / GD_RELIABILITY_LEAST;
  wanted = wanted < 1 ? 1 : wanted;
  wanted = wanted > GD_RELIABILITY_BINS ? GD_RELIABILITY_BINS : wanted;
  gd_status st = GD_OK;
  for (int64_t first = 0, end, k = 1; st == GD_OK && first < n; first = end) {
    for (; k < wanted && k * n / wanted <= first; k++)
      ;
    for (end = k * n / wanted;
         end < n && items[end].predicted == items[end - 1].predicted; end++)
      ;
    st = measure_bin(b, items + first, end - first, r,
                     &out->bins[out->n_bins++]);
  }
  return st;
}

static void fit_line(const item *items, int64_t n, gd_reliability *out)
{
  double t = 0, p = 0, pp = 0, tp = 0;
  for (int64_t i = 0; i < n; i++) {
    t += items[i].truth / (double)n;
    p += items[i].predicted / (double)n;
  }
  for (int64_t i = 0; i < n; i++) {
    const double d = items[i].predicted - p;
    pp += d * d;
    tp += d * (items[i].truth - t);
  }
  out->slope = pp > 0 ? tp / pp : NAN;
  out->intercept = t - out->slope * p;
}

gd_status gd_reliability_of(const gd_bootstrap *b, int64_t n,
                            const double *truth, const double *predicted,
                            const gd_video *const *videos, gd_reliability *out)
{
  assert(b != NULL && n >= 0 && out != NULL);

  *out = (gd_reliability){
      .distance = n > 0 ? 0 : NAN, .slope = NAN, .intercept = NAN};
  item *items = gd_alloc(n, sizeof *items);
  const room r = {gd_alloc(n, sizeof(double)), gd_alloc(n, sizeof(gd_video *)),
                  gd_alloc(n, sizeof(int64_t))};
  gd_status st =
      items == NULL || r.label == NULL || r.videos == NULL || r.person == NULL
          ? GD_ERR_NOMEM
          : GD_OK;
  if (st == GD_OK && n > 0) {
    for (int64_t i = 0; i < n; i++)
      items[i] = (item){truth[i], predicted[i], videos[i], i};
    qsort(items, (size_t)n, sizeof *items, by_prediction);
    fit_line(items, n, out);
    st = measure_bins(b, items, n, &r, out);
  }
  for (int i = 0; i < out->n_bins; i++)
    out->distance += (double)out->bins[i].n / (double)n *
                     fabs(out->bins[i].predicted - out->bins[i].label);
  free(items);
  free(r.label);
  free(r.videos);
  free(r.person);
  return st;
}
