/* Methods: means over seeds, and their differences in pairs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "comparison_parts.h"
#include "gradus/memory.h"
#include "gradus/persons.h"

enum { MOST_PAIRED = 8 };

typedef double quantity(const gd_comparison_row *row, int slice);

static double mae_of(const gd_comparison_row *row, int slice)
{
  return row->slices[slice].metrics.mae;
}

static double rmse_of(const gd_comparison_row *row, int slice)
{
  return row->slices[slice].metrics.rmse;
}

static double ccc_of(const gd_comparison_row *row, int slice)
{
  return row->slices[slice].metrics.ccc;
}

static double dev_mae_of(const gd_comparison_row *row, int slice)
{
  (void)slice;
  return row->dev_mae;
}

static gd_spread spread_of(const gd_comparison *c, int method, int slice,
                           quantity *q)
{
  const int n = c->methods[method].n_runs;
  gd_spread s = {0, 0};
  for (int i = 0; i < c->n_rows; i++)
    if (c->rows[i].method == method)
      s.mean += q(&c->rows[i], slice) / n;
  for (int i = 0; i < c->n_rows; i++)
    if (c->rows[i].method == method) {
      const double d = q(&c->rows[i], slice) - s.mean;
      s.deviation += d * d;
    }
  s.deviation = n > 1 ? sqrt(s.deviation / (n - 1)) : NAN;
  return s;
}

/* The errors of a method, video by video: means over its runs. */
typedef struct {
  const gd_comparison_row *row; /* of its first run: the videos */
  int is_whole;                 /* all runs have predicted the same videos */
  double *absolute, *square;    /* (n) */
} errors;

static int same_videos(const gd_comparison_row *a, const gd_comparison_row *b)
{
  if (a->n != b->n)
    return 0;
  for (int64_t i = 0; i < a->n; i++)
    if (strcmp(a->videos[i]->id, b->videos[i]->id) != 0 ||
        a->truth[i] != b->truth[i])
      return 0;
  return 1;
}

static gd_status take_errors(const gd_comparison *c, int method, errors *out)
{
  *out = (errors){.is_whole = 1};
  for (int i = 0; i < c->n_rows; i++) {
    const gd_comparison_row *row = &c->rows[i];
    if (row->method != method)
      continue;
    if (out->row == NULL) {
      out->row = row;
      out->absolute = gd_alloc(row->n, sizeof *out->absolute);
      out->square = gd_alloc(row->n, sizeof *out->square);
      if (out->absolute == NULL || out->square == NULL)
        return GD_ERR_NOMEM;
    }
    if (!same_videos(out->row, row)) {
      out->is_whole = 0;
      return GD_OK;
    }
    for (int64_t v = 0; v < row->n; v++) {
      const double e = row->predicted[v] - row->truth[v];
      out->absolute[v] += fabs(e) / c->methods[method].n_runs;
      out->square[v] += e * e / c->methods[method].n_runs;
    }
  }
  return GD_OK;
}

static gd_status compare(gd_comparison *c, const errors *e, int first,
                         int second)
{
  const gd_comparison_row *row = e[first].row;
  if (!e[first].is_whole || !e[second].is_whole ||
      !same_videos(row, e[second].row))
    return GD_OK;
  int64_t n_persons;
  int64_t *person = gd_alloc(row->n, sizeof *person);
  if (person == NULL)
    return GD_ERR_NOMEM;
  gd_comparison_pair *pair = &c->pairs[c->n_pairs++];
  *pair = (gd_comparison_pair){.first = first, .second = second};
  gd_status st = gd_persons_number(row->n, row->videos, person, &n_persons);
  if (st == GD_OK)
    st = gd_bootstrap_difference(
        &c->bootstrap, row->n,
        (const double *const[]){e[first].absolute, e[second].absolute},
        (const double *const[]){e[first].square, e[second].square}, person,
        n_persons, &pair->difference);
  gd_comparison_judge(c, pair);
  free(person);
  return st;
}

static gd_status compare_all(gd_comparison *c, const errors *e)
{
  const int best = gd_comparison_reference(c);
  gd_status st = GD_OK;
  for (int i = 0; i < c->n_methods; i++)
    for (int j = i + 1; st == GD_OK && j < c->n_methods; j++) {
      const int is_wanted =
          c->n_methods <= MOST_PAIRED || i == best || j == best;
      /* That one constant differs from the other is no finding. */
      if (is_wanted && c->methods[i].kind == GD_ROW_MODEL)
        st = compare(c, e, i, j);
    }
  return st;
}

gd_status gd_comparison_pair_up(gd_comparison *c)
{
  for (int m = 0; m < c->n_methods; m++) {
    c->methods[m].dev_mae = spread_of(c, m, 0, dev_mae_of);
    for (int s = 0; s < c->n_slices; s++) {
      c->methods[m].slices[s].mae = spread_of(c, m, s, mae_of);
      c->methods[m].slices[s].rmse = spread_of(c, m, s, rmse_of);
      c->methods[m].slices[s].ccc = spread_of(c, m, s, ccc_of);
    }
  }
  const int64_t n = c->n_methods;
  errors *e = gd_alloc(n, sizeof *e);
  c->pairs = gd_alloc(n <= MOST_PAIRED ? n * n : n, sizeof *c->pairs);
  gd_status st = e == NULL || c->pairs == NULL ? GD_ERR_NOMEM : GD_OK;
  for (int m = 0; st == GD_OK && m < c->n_methods; m++)
    st = take_errors(c, m, &e[m]);
  if (st == GD_OK)
    st = compare_all(c, e);
  for (int m = 0; e != NULL && m < c->n_methods; m++) {
    free(e[m].absolute);
    free(e[m].square);
  }
  free(e);
  return st;
}
