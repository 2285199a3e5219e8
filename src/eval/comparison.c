#include "gradus/comparison.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/audit.h"
#include "gradus/memory.h"

static gd_status copy_values(gd_comparison_row *row, const gd_scores *s,
                             const double *constant)
{
  row->scores = s;
  row->is_constant = constant != NULL;
  row->n = s->n_videos;
  row->truth = gd_alloc(row->n, sizeof *row->truth);
  row->predicted = gd_alloc(row->n, sizeof *row->predicted);
  if (row->label == NULL || row->truth == NULL || row->predicted == NULL)
    return GD_ERR_NOMEM;
  for (int64_t v = 0; v < row->n; v++) {
    row->truth[v] = gd_scores_video(s, v)->label;
    row->predicted[v] = constant == NULL ? s->predicted[v] : *constant;
  }
  return GD_OK;
}

/* Errors per session; the labels of its videos are averaged like predictions
 * (they are equal in every corpus known). */
static gd_status measure_sessions(gd_comparison_row *row, int64_t *n_sessions)
{
  const gd_video **videos = gd_alloc(row->n, sizeof *videos);
  int64_t *session = gd_alloc(row->n, sizeof *session);
  double *truth = gd_alloc(row->n, sizeof *truth);
  double *predicted = gd_alloc(row->n, sizeof *predicted);
  gd_status st = GD_ERR_NOMEM;
  if (videos != NULL && session != NULL && truth != NULL && predicted != NULL) {
    for (int64_t v = 0; v < row->n; v++)
      videos[v] = gd_scores_video(row->scores, v);
    st = gd_protocol_sessions(row->n, videos, session, n_sessions);
  }
  if (st == GD_OK)
    st = gd_protocol_means(row->n, row->truth, session, *n_sessions, truth);
  if (st == GD_OK)
    st = gd_protocol_means(row->n, row->predicted, session, *n_sessions,
                           predicted);
  if (st == GD_OK)
    row->metrics[GD_PER_SESSION] = gd_metrics_of(*n_sessions, truth, predicted);
  free(videos);
  free(session);
  free(truth);
  free(predicted);
  return st;
}

static gd_status measure(gd_comparison *c, gd_comparison_row *row)
{
  int64_t n_sessions = 0;
  row->metrics[GD_PER_VIDEO] =
      gd_metrics_of(row->n, row->truth, row->predicted);
  for (int b = 0; b < c->n_bands; b++)
    row->band[b] = gd_metrics_between(row->n, row->truth, row->predicted,
                                      c->bands[b].first, c->bands[b].last + 1);
  gd_status st = measure_sessions(row, &n_sessions);
  c->has_sessions |= n_sessions != row->n;
  return st;
}

static int same_videos(const gd_scores *a, const gd_scores *b)
{
  if (a->n_videos != b->n_videos)
    return 0;
  for (int64_t v = 0; v < a->n_videos; v++) {
    const gd_video *x = gd_scores_video(a, v), *y = gd_scores_video(b, v);
    if (strcmp(x->id, y->id) != 0 || x->label != y->label)
      return 0;
  }
  return 1;
}

/* The mean training label that goes with some scores; NaN without any. */
static gd_status constant_of(const gd_scores *s, double *out)
{
  gd_audit audit;
  gd_status st = gd_audit_of(s->videos->n_videos, s->videos->videos,
                             s->info.n_levels, &audit);
  *out = audit.part[GD_TRAIN].mean;
  return st;
}

static gd_status add_constant(gd_comparison *c, const char *label,
                              const gd_scores *s)
{
  double constant;
  gd_status st = constant_of(s, &constant);
  if (st != GD_OK || isnan(constant) || s->n_videos == 0)
    return st;
  for (int i = 0; i < c->n_rows; i++) {
    const gd_comparison_row *other = &c->rows[i];
    if (other->is_constant && other->n > 0 && other->predicted[0] == constant &&
        same_videos(other->scores, s))
      return GD_OK;
  }
  gd_text name = {0};
  const int first = !c->rows[c->n_rows - 1].is_constant;
  if (first)
    gd_text_add(&name, "constant");
  else
    gd_text_printf(&name, "constant (%s)", label);
  gd_comparison_row *row = &c->rows[c->n_rows++];
  row->label = gd_strdup(gd_text_get(&name));
  gd_text_free(&name);
  st = copy_values(row, s, &constant);
  return st == GD_OK ? measure(c, row) : st;
}

gd_status gd_comparison_new(int n, const char *const *labels,
                            const gd_scores *const *scores, gd_comparison **out)
{
  assert(n >= 1 && labels != NULL && scores != NULL && out != NULL);

  *out = NULL;
  gd_comparison *c = gd_alloc(1, sizeof *c);
  if (c == NULL)
    return GD_ERR_NOMEM;
  gd_status st = GD_OK;
  c->rows = gd_alloc(2 * (int64_t)n, sizeof *c->rows);
  if (c->rows == NULL)
    st = GD_ERR_NOMEM;
  c->n_bands = gd_severity_bands(scores[0]->info.n_levels, c->bands);

  for (int i = 0; st == GD_OK && i < n; i++) {
    gd_comparison_row *row = &c->rows[c->n_rows++];
    row->label = gd_strdup(labels[i]);
    if (scores[i]->info.n_levels != scores[0]->info.n_levels)
      st = gd_fail(GD_ERR_USAGE,
                   "%s has %d levels and %s has %d: errors on different "
                   "scales cannot be compared",
                   labels[0], scores[0]->info.n_levels, labels[i],
                   scores[i]->info.n_levels);
    if (st == GD_OK)
      st = copy_values(row, scores[i], NULL);
    if (st == GD_OK)
      st = measure(c, row);
  }
  for (int i = 0; st == GD_OK && i < n; i++)
    st = add_constant(c, labels[i], scores[i]);
  if (st != GD_OK) {
    gd_comparison_free(c);
    return st;
  }
  *out = c;
  return GD_OK;
}

void gd_comparison_free(gd_comparison *c)
{
  if (c == NULL)
    return;
  for (int i = 0; i < c->n_rows; i++) {
    free(c->rows[i].label);
    free(c->rows[i].truth);
    free(c->rows[i].predicted);
  }
  free(c->rows);
  free(c);
}

static void add_field(gd_text *out, double value)
{
  if (isfinite(value))
    gd_text_printf(out, ",%.6f", value);
  else
    gd_text_add(out, ",");
}

void gd_comparison_csv(const gd_comparison *c, gd_text *out)
{
  assert(c != NULL && out != NULL);

  gd_text_add(out, "label,partition,protocol,n,mae,rmse,ccc,pearson,bias\n");
  for (int p = 0; p < (c->has_sessions ? GD_N_PROTOCOLS : 1); p++)
    for (int i = 0; i < c->n_rows; i++) {
      const gd_comparison_row *row = &c->rows[i];
      const gd_metrics *m = &row->metrics[p];
      gd_text_csv(out, row->label);
      gd_text_printf(out, ",%s,%s,%" PRId64,
                     gd_partition_name(row->scores->info.partition),
                     gd_protocol_name((gd_protocol)p), m->n);
      add_field(out, m->mae);
      add_field(out, m->rmse);
      add_field(out, m->ccc);
      add_field(out, m->pearson);
      add_field(out, m->bias);
      gd_text_add(out, "\n");
    }
}

static void add_column(gd_text *out, int decimals, double value)
{
  if (isfinite(value))
    gd_text_printf(out, " %8.*f", decimals, value);
  else
    gd_text_printf(out, " %8s", "-");
}

void gd_comparison_table(const gd_comparison *c, gd_text *out)
{
  assert(c != NULL && out != NULL);

  int width = (int)strlen("label");
  for (int i = 0; i < c->n_rows; i++)
    if ((int)strlen(c->rows[i].label) > width)
      width = (int)strlen(c->rows[i].label);
  for (int p = 0; p < (c->has_sessions ? GD_N_PROTOCOLS : 1); p++) {
    gd_text_printf(out, "%sper %s\n%-*s  %-9s %6s %8s %8s %8s %8s\n",
                   p == 0 ? "" : "\n", gd_protocol_name((gd_protocol)p), width,
                   "label", "partition", "n", "MAE", "RMSE", "CCC", "bias");
    for (int i = 0; i < c->n_rows; i++) {
      const gd_comparison_row *row = &c->rows[i];
      const gd_metrics *m = &row->metrics[p];
      gd_text_printf(out, "%-*s  %-9s %6" PRId64, width, row->label,
                     gd_partition_name(row->scores->info.partition), m->n);
      add_column(out, 2, m->mae);
      add_column(out, 2, m->rmse);
      add_column(out, 3, m->ccc);
      add_column(out, 2, m->bias);
      gd_text_add(out, "\n");
    }
  }
}
