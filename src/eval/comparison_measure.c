/* The numbers of one row. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "comparison_parts.h"
#include "gradus/memory.h"
#include "gradus/persons.h"

/* Room for the items of a slice. */
typedef struct {
  int64_t n;
  const gd_video **videos;
  double *truth, *predicted;
  int64_t *person, *session;
} selection;

static gd_status make_selection(int64_t n, selection *s)
{
  *s = (selection){.videos = gd_alloc(n, sizeof *s->videos),
                   .truth = gd_alloc(n, sizeof *s->truth),
                   .predicted = gd_alloc(n, sizeof *s->predicted),
                   .person = gd_alloc(n, sizeof *s->person),
                   .session = gd_alloc(n, sizeof *s->session)};
  return s->videos == NULL || s->truth == NULL || s->predicted == NULL ||
                 s->person == NULL || s->session == NULL
             ? GD_ERR_NOMEM
             : GD_OK;
}

static void drop_selection(selection *s)
{
  free(s->videos);
  free(s->truth);
  free(s->predicted);
  free(s->person);
  free(s->session);
}

static void select_task(const gd_comparison_row *row, const char *task,
                        selection *s)
{
  s->n = 0;
  for (int64_t i = 0; i < row->n; i++)
    if (task[0] == '\0' || strcmp(row->videos[i]->task, task) == 0) {
      s->videos[s->n] = row->videos[i];
      s->truth[s->n] = row->truth[i];
      s->predicted[s->n++] = row->predicted[i];
    }
}

/* Take sessions for their videos; the labels of a session's videos are averaged
 * like predictions (they are equal in every corpus known). */
static gd_status join_sessions(const gd_comparison_row *row, selection *s)
{
  int64_t n_sessions;
  gd_status st = gd_protocol_sessions(s->n, s->videos, s->session, &n_sessions);
  if (st == GD_OK)
    st =
        gd_protocol_means(row->n, row->truth, s->session, n_sessions, s->truth);
  if (st == GD_OK)
    st = gd_protocol_means(row->n, row->predicted, s->session, n_sessions,
                           s->predicted);
  if (st != GD_OK)
    return st;
  for (int64_t i = row->n - 1; i >= 0; i--)
    s->videos[s->session[i]] = row->videos[i];
  s->n = n_sessions;
  return GD_OK;
}

static gd_status measure_slice(const gd_comparison *c, const gd_slice *slice,
                               const gd_comparison_row *row, selection *s,
                               gd_measured *out)
{
  gd_status st = GD_OK;
  select_task(row, slice->task, s);
  if (slice->protocol == GD_PER_SESSION)
    st = join_sessions(row, s);
  if (st == GD_OK)
    st = gd_persons_number(s->n, s->videos, s->person, &out->n_persons);
  if (st != GD_OK)
    return st;
  out->metrics = gd_metrics_of(s->n, s->truth, s->predicted);
  st = gd_metrics_spearman(s->n, s->truth, s->predicted, &out->spearman);
  if (st == GD_OK)
    st = gd_bootstrap_metrics(&c->bootstrap, s->n, s->truth, s->predicted,
                              s->person, out->n_persons, &out->interval);
  return st;
}

static void measure_coverage(gd_comparison_row *row)
{
  double inside = 0, width = 0;
  row->interval = row->kind == GD_ROW_MODEL ? row->scores->info.interval : 0;
  for (int64_t i = 0; i < row->n; i++) {
    inside += row->low[i] <= row->truth[i] && row->truth[i] <= row->high[i];
    width += row->high[i] - row->low[i];
  }
  const int has_any = row->interval > 0 && row->n > 0;
  row->coverage = has_any ? inside / (double)row->n : NAN;
  row->width = has_any ? width / (double)row->n : NAN;
}

gd_status gd_comparison_measure(const gd_comparison *c, gd_comparison_row *row)
{
  selection s;
  gd_status st = make_selection(row->n, &s);
  for (int i = 0; st == GD_OK && i < c->n_slices; i++)
    st = measure_slice(c, &c->slices[i], row, &s, &row->slices[i]);
  drop_selection(&s);
  for (int b = 0; b < c->n_bands; b++)
    row->band[b] = gd_metrics_between(
        row->n, row->truth, row->predicted,
        b == 0 ? -INFINITY : c->bands[b].first - 0.5,
        b + 1 == c->n_bands ? INFINITY : c->bands[b].last + 0.5);
  row->confusion = gd_severity_confusion(c->n_bands, c->bands, row->n,
                                         row->truth, row->predicted);
  measure_coverage(row);
  return st;
}
