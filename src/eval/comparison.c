#include "gradus/comparison.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "comparison_parts.h"
#include "gradus/audit.h"
#include "gradus/memory.h"

/* ------------------------------------------------------------------ labels */

static gd_status make_label(const gd_comparison_member *m, int with_fold,
                            char **out)
{
  gd_text label = {0};
  gd_text_add(&label, m->method);
  if (m->seed[0] != '\0')
    gd_text_printf(&label, ", seed %s", m->seed);
  if (with_fold && m->fold[0] != '\0')
    gd_text_printf(&label, ", fold %s", m->fold);
  *out = gd_strdup(gd_text_get(&label));
  gd_text_free(&label);
  return *out == NULL ? GD_ERR_NOMEM : GD_OK;
}

static int is_same_run(const gd_comparison_member *a,
                       const gd_comparison_member *b)
{
  return strcmp(a->method, b->method) == 0 && strcmp(a->seed, b->seed) == 0;
}

/* -------------------------------------------------------------------- rows */

/* One prediction: the v-th video of a member. */
typedef struct {
  const gd_video *video;
  int member;
  int64_t v;
} item;

static int by_id(const void *a, const void *b)
{
  const item *x = a, *y = b;
  const int order = strcmp(x->video->id, y->video->id);
  return order != 0 ? order : x->member - y->member;
}

/* What makes rows needs besides the comparison. */
typedef struct {
  gd_comparison *c;
  int n;
  const gd_comparison_member *members;
  double (*constants)[2]; /* (n) mean and median training label */
} maker;

/* List the predictions of a run: those of member `first` and of the later ones
 * that differ in their fold. */
static gd_status list_items(const maker *k, int first, item **out, int64_t *n)
{
  *n = 0;
  for (int m = first; m < k->n; m++)
    if (is_same_run(&k->members[first], &k->members[m]))
      *n += k->members[m].scores->n_videos;
  item *items = gd_alloc(*n, sizeof *items);
  *out = items;
  if (items == NULL)
    return GD_ERR_NOMEM;
  int64_t i = 0;
  for (int m = first; m < k->n; m++)
    if (is_same_run(&k->members[first], &k->members[m]))
      for (int64_t v = 0; v < k->members[m].scores->n_videos; v++)
        items[i++] = (item){gd_scores_video(k->members[m].scores, v), m, v};
  if (*n > 0)
    qsort(items, (size_t)*n, sizeof *items, by_id);
  for (i = 1; i < *n; i++)
    if (strcmp(items[i].video->id, items[i - 1].video->id) == 0)
      return gd_fail(GD_ERR_USAGE,
                     "video %s is predicted twice by %s: give its stages "
                     "different names or sweep them",
                     items[i].video->id, k->members[first].method);
  return GD_OK;
}

static gd_status make_room(const gd_comparison *c, gd_comparison_row *row)
{
  double **columns[] = {&row->truth, &row->predicted, &row->low,
                        &row->high,  &row->within,    &row->between};
  row->videos = gd_alloc(row->n, sizeof *row->videos);
  row->slices = gd_alloc(c->n_slices, sizeof *row->slices);
  gd_status st =
      row->videos == NULL || row->slices == NULL ? GD_ERR_NOMEM : GD_OK;
  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
    *columns[i] = gd_alloc(row->n, sizeof(double));
    if (*columns[i] == NULL)
      st = GD_ERR_NOMEM;
  }
  return st;
}

static void fill_row(const maker *k, const item *items, gd_comparison_row *row)
{
  for (int64_t i = 0; i < row->n; i++) {
    const gd_scores *s = k->members[items[i].member].scores;
    const int64_t v = items[i].v;
    row->videos[i] = items[i].video;
    row->truth[i] = items[i].video->label;
    if (row->kind == GD_ROW_MODEL) {
      row->predicted[i] = s->predicted[v];
      row->low[i] = s->low[v];
      row->high[i] = s->high[v];
      row->within[i] = s->within[v];
      row->between[i] = s->between[v];
    } else {
      row->predicted[i] =
          k->constants[items[i].member][row->kind == GD_ROW_MEDIAN];
      row->low[i] = row->high[i] = row->within[i] = row->between[i] = NAN;
    }
  }
}

static void free_row(gd_comparison_row *row)
{
  free(row->label);
  free(row->videos);
  free(row->truth);
  free(row->predicted);
  free(row->low);
  free(row->high);
  free(row->within);
  free(row->between);
  free(row->slices);
}

static int same_predictions(const gd_comparison_row *a,
                            const gd_comparison_row *b)
{
  if (a->kind != b->kind || a->n != b->n)
    return 0;
  for (int64_t i = 0; i < a->n; i++)
    if (strcmp(a->videos[i]->id, b->videos[i]->id) != 0 ||
        a->truth[i] != b->truth[i] || a->predicted[i] != b->predicted[i])
      return 0;
  return 1;
}

/* Index of the row that says the same of the same videos; -1: none. */
static int find_same(const gd_comparison *c, const gd_comparison_row *row)
{
  for (int i = 0; i < c->n_rows; i++)
    if (same_predictions(&c->rows[i], row))
      return i;
  return -1;
}

/* Name a constant row; NULL: there is none without training labels. */
static gd_status name_constant(const maker *k, int first,
                               const gd_comparison_row *row, char **label)
{
  static const char *const names[] = {
      [GD_ROW_MEAN] = "constant", [GD_ROW_MEDIAN] = "median"};
  int others = 0;
  *label = NULL;
  if (row->n == 0 || isnan(row->predicted[0]))
    return GD_OK;
  for (int i = 0; i < k->c->n_rows; i++)
    others += k->c->rows[i].kind == row->kind;
  gd_text name = {0};
  gd_text_add(&name, names[row->kind]);
  if (others > 0)
    gd_text_printf(&name, " (%s)", k->members[first].method);
  if (others > 0 && k->members[first].seed[0] != '\0')
    gd_text_printf(&name, " (seed %s)", k->members[first].seed);
  *label = gd_strdup(gd_text_get(&name));
  gd_text_free(&name);
  return *label == NULL ? GD_ERR_NOMEM : GD_OK;
}

/* Make the row of a kind for a run, which begins with member `first`; of equal
 * constant rows, the first stands for all. */
static gd_status add_row(const maker *k, gd_row_kind kind, int run, int first)
{
  gd_comparison *c = k->c;
  gd_comparison_row row = {
      .kind = kind, .constants = {-1, -1}, .scores = k->members[first].scores};
  item *items = NULL;
  int index = -1;
  gd_status st = list_items(k, first, &items, &row.n);
  if (st == GD_OK)
    st = make_room(c, &row);
  if (st == GD_OK) {
    fill_row(k, items, &row);
    if (kind == GD_ROW_MODEL)
      st = make_label(&k->members[first], 0, &row.label);
    else if ((index = find_same(c, &row)) < 0)
      st = name_constant(k, first, &row, &row.label);
  }
  free(items);
  if (st == GD_OK && row.label != NULL)
    st = gd_comparison_measure(c, &row);
  if (st == GD_OK && row.label != NULL) {
    index = c->n_rows++;
    c->rows[index] = row;
  } else {
    free_row(&row);
  }
  if (kind != GD_ROW_MODEL)
    c->rows[run].constants[kind - GD_ROW_MEAN] = index;
  return st;
}

static int begins_a_run(const maker *k, int member)
{
  for (int m = 0; m < member; m++)
    if (is_same_run(&k->members[m], &k->members[member]))
      return 0;
  return 1;
}

static gd_status add_rows(const maker *k)
{
  gd_status st = GD_OK;
  for (int kind = GD_ROW_MODEL; st == GD_OK && kind <= GD_ROW_MEDIAN; kind++) {
    for (int m = 0, run = 0; st == GD_OK && m < k->n; m++)
      if (begins_a_run(k, m))
        st = add_row(k, (gd_row_kind)kind, run++, m);
    if (kind == GD_ROW_MODEL)
      k->c->n_models = k->c->n_rows;
  }
  return st;
}

/* ------------------------------------------------------------------- parts */

static gd_status measure_part(const gd_scores *s, gd_metrics *out)
{
  double *truth = gd_alloc(s->n_videos, sizeof *truth);
  if (truth == NULL)
    return GD_ERR_NOMEM;
  for (int64_t v = 0; v < s->n_videos; v++)
    truth[v] = gd_scores_video(s, v)->label;
  *out = gd_metrics_of(s->n_videos, truth, s->predicted);
  free(truth);
  return GD_OK;
}

/* The members one by one, each below its run's row. */
static gd_status add_parts(const maker *k)
{
  gd_comparison *c = k->c;
  gd_status st = GD_OK;
  for (int m = 0, n_runs = 0; st == GD_OK && m < k->n; m++) {
    gd_comparison_part *part = &c->parts[c->n_parts++];
    part->scores = k->members[m].scores;
    part->dev_mae = k->members[m].dev_mae > 0 ? k->members[m].dev_mae : NAN;
    part->row = -1;
    for (int i = 0; i < m && part->row < 0; i++)
      if (is_same_run(&k->members[i], &k->members[m]))
        part->row = c->parts[i].row;
    c->has_folds |= part->row >= 0;
    if (part->row < 0)
      part->row = n_runs++;
    st = make_label(&k->members[m], 1, &part->label);
    if (st == GD_OK)
      st = measure_part(part->scores, &part->metrics);
  }
  return st;
}

/* ------------------------------------------------------------------ slices */

static gd_status add_slice(gd_comparison *c, gd_protocol protocol,
                           const char *task)
{
  for (int i = 0; i < c->n_slices; i++)
    if (c->slices[i].protocol == protocol &&
        strcmp(c->slices[i].task, task) == 0)
      return GD_OK;
  gd_slice *slices = gd_alloc(c->n_slices + 1, sizeof *slices);
  if (slices == NULL)
    return GD_ERR_NOMEM;
  if (c->n_slices > 0)
    memcpy(slices, c->slices, (size_t)c->n_slices * sizeof *slices);
  free(c->slices);
  c->slices = slices;
  slices[c->n_slices++] = (gd_slice){protocol, gd_strdup(task)};
  return slices[c->n_slices - 1].task == NULL ? GD_ERR_NOMEM : GD_OK;
}

static int by_task(const void *a, const void *b)
{
  return strcmp(((const gd_slice *)a)->task, ((const gd_slice *)b)->task);
}

/* Whether the videos are of several tasks. */
static int has_tasks(const maker *k)
{
  const char *first = NULL;
  for (int m = 0; m < k->n; m++)
    for (int64_t v = 0; v < k->members[m].scores->n_videos; v++) {
      const char *task = gd_scores_video(k->members[m].scores, v)->task;
      if (first != NULL && strcmp(first, task) != 0)
        return 1;
      first = task;
    }
  return 0;
}

/* All videos; where they are of several tasks, also sessions and each task, by
 * name. */
static gd_status find_slices(const maker *k)
{
  gd_comparison *c = k->c;
  gd_status st = add_slice(c, GD_PER_VIDEO, "");
  c->has_sessions = has_tasks(k);
  if (st != GD_OK || !c->has_sessions)
    return st;
  st = add_slice(c, GD_PER_SESSION, "");
  const int n_general = c->n_slices;
  for (int m = 0; m < k->n; m++)
    for (int64_t v = 0; st == GD_OK && v < k->members[m].scores->n_videos; v++)
      st = add_slice(c, GD_PER_VIDEO,
                     gd_scores_video(k->members[m].scores, v)->task);
  if (st == GD_OK)
    qsort(c->slices + n_general, (size_t)(c->n_slices - n_general),
          sizeof *c->slices, by_task);
  return st;
}

/* ------------------------------------------------------------------- whole */

static gd_status check_scales(const maker *k)
{
  const gd_scores *first = k->members[0].scores;
  for (int m = 1; m < k->n; m++)
    if (k->members[m].scores->info.n_levels != first->info.n_levels)
      return gd_fail(GD_ERR_USAGE,
                     "%s has %d levels and %s has %d: errors on different "
                     "scales cannot be compared",
                     k->members[0].method, first->info.n_levels,
                     k->members[m].method, k->members[m].scores->info.n_levels);
  return GD_OK;
}

/* The mean and median training label that go with each member. */
static gd_status find_constants(const maker *k)
{
  gd_status st = GD_OK;
  for (int m = 0; st == GD_OK && m < k->n; m++) {
    const gd_scores *s = k->members[m].scores;
    gd_audit audit;
    st = gd_audit_of(s->videos->n_videos, s->videos->videos, s->info.n_levels,
                     &audit);
    k->constants[m][0] = audit.part[GD_TRAIN].mean;
    k->constants[m][1] = audit.part[GD_TRAIN].median;
  }
  return st;
}

static gd_status make(const maker *k)
{
  gd_comparison *c = k->c;
  c->rows = gd_alloc(3 * (int64_t)k->n, sizeof *c->rows);
  c->parts = gd_alloc(k->n, sizeof *c->parts);
  if (c->rows == NULL || c->parts == NULL || k->constants == NULL)
    return GD_ERR_NOMEM;
  c->n_bands = gd_severity_bands(k->members[0].scores->info.n_levels, c->bands);
  gd_status st = check_scales(k);
  if (st == GD_OK)
    st = find_slices(k);
  if (st == GD_OK)
    st = find_constants(k);
  if (st == GD_OK)
    st = add_rows(k);
  if (st == GD_OK)
    st = add_parts(k);
  for (int i = 0; i < c->n_rows; i++)
    c->rows[i].method = -1;
  for (int i = 0; i < c->n_parts; i++)
    for (int j = 0; j < i; j++)
      if (strcmp(k->members[i].method, k->members[j].method) == 0)
        c->has_seeds |= c->parts[i].row != c->parts[j].row;
  return st;
}

/* Rows of the same method are told by the member that begins their run. */
static gd_status number_methods(const maker *k)
{
  gd_comparison *c = k->c;
  c->methods = gd_alloc(c->n_rows, sizeof *c->methods);
  if (c->methods == NULL)
    return GD_ERR_NOMEM;
  for (int i = 0; i < c->n_rows; i++) {
    gd_comparison_row *row = &c->rows[i];
    const char *name = row->label;
    for (int p = 0; i < c->n_models && p < c->n_parts; p++)
      if (c->parts[p].row == i)
        name = k->members[p].method;
    for (int m = 0; m < c->n_methods && row->method < 0; m++)
      if (c->methods[m].kind == row->kind &&
          strcmp(c->methods[m].label, name) == 0)
        row->method = m;
    if (row->method < 0) {
      gd_comparison_method *method = &c->methods[c->n_methods];
      row->method = c->n_methods++;
      method->kind = row->kind;
      method->label = gd_strdup(name);
      method->slices = gd_alloc(c->n_slices, sizeof *method->slices);
      if (method->label == NULL || method->slices == NULL)
        return GD_ERR_NOMEM;
    }
    c->methods[row->method].n_runs++;
  }
  return GD_OK;
}

gd_status gd_comparison_new(int n, const gd_comparison_member *members,
                            const gd_bootstrap *b, gd_comparison **out)
{
  assert(n >= 1 && members != NULL && b != NULL && out != NULL);

  *out = NULL;
  gd_comparison *c = gd_alloc(1, sizeof *c);
  if (c == NULL)
    return GD_ERR_NOMEM;
  c->bootstrap = *b;
  const maker k = {.c = c,
                   .n = n,
                   .members = members,
                   .constants = gd_alloc(n, sizeof *k.constants)};
  gd_status st = make(&k);
  if (st == GD_OK)
    st = number_methods(&k);
  if (st == GD_OK)
    st = gd_comparison_choose(c);
  if (st == GD_OK)
    st = gd_comparison_pair_up(c);
  free(k.constants);
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
  for (int i = 0; i < c->n_rows; i++)
    free_row(&c->rows[i]);
  for (int i = 0; i < c->n_parts; i++)
    free(c->parts[i].label);
  for (int i = 0; i < c->n_methods; i++) {
    free(c->methods[i].label);
    free(c->methods[i].slices);
  }
  for (int i = 0; i < c->n_slices; i++)
    free(c->slices[i].task);
  free(c->rows);
  free(c->parts);
  free(c->methods);
  free(c->slices);
  free(c->pairs);
  free(c);
}
