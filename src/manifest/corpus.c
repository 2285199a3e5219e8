#include "gradus/corpus.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "corpus_list.h"
#include "gradus/alive.h"
#include "gradus/file.h"
#include "gradus/memory.h"

/** A corpus and the memory of its texts. */
typedef struct {
  gd_corpus corpus; /**< first: the caller's pointer is ours */
  gd_arena *arena;
  const char **warnings;
  gd_video *videos;
} whole;

gd_status gd_corpus_list_new(const char *root, int n_levels,
                             gd_corpus_list *out)
{
  *out = (gd_corpus_list){.root = root, .n_levels = n_levels};
  return gd_arena_new(&out->arena);
}

void gd_corpus_list_end(gd_corpus_list *l, gd_status st)
{
  free(l->rows);
  if (st != GD_OK) {
    free(l->warnings);
    gd_arena_free(l->arena);
  }
}

gd_status gd_corpus_list_add(gd_corpus_list *l, gd_corpus_row row)
{
  gd_status st = gd_grow(&l->rows, l->n_rows + 1, &l->room_rows, sizeof row);
  if (st == GD_OK)
    l->rows[l->n_rows++] = row;
  return st;
}

gd_status gd_corpus_list_warn(gd_corpus_list *l, const char *format, ...)
{
  char text[2 * GD_PATH_MAX];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  gd_status st = gd_grow(&l->warnings, l->n_warnings + 1, &l->room_warnings,
                         sizeof *l->warnings);
  if (st != GD_OK)
    return st;
  l->warnings[l->n_warnings] = gd_corpus_list_text(l, text);
  return l->warnings[l->n_warnings++] == NULL ? GD_ERR_NOMEM : GD_OK;
}

char *gd_corpus_list_text(gd_corpus_list *l, const char *text)
{
  return gd_arena_copy(l->arena, text, strlen(text));
}

size_t gd_corpus_stem(const char *path)
{
  const char *dot = strrchr(gd_path_base(path), '.');
  return dot == NULL || dot == gd_path_base(path) ? strlen(path)
                                                  : (size_t)(dot - path);
}

gd_status gd_corpus_list_place(gd_corpus_list *l, gd_video *v, const char *name)
{
  gd_alive();
  char path[GD_PATH_MAX], beside[GD_PATH_MAX];
  gd_status st = gd_path_join(l->root, name, path);
  if (st != GD_OK)
    return st;
  const int length = (int)gd_corpus_stem(path);
  if (snprintf(beside, sizeof beside, "%.*s.csv", length, path) >= GD_PATH_MAX)
    return gd_fail(GD_ERR_USAGE, "%.200s...: path longer than %d bytes", path,
                   GD_PATH_MAX - 5);
  errno = 0;
  const int has_landmarks = gd_path_exists(beside);
  if (!has_landmarks && errno != ENOENT && !gd_file_is_closed(beside))
    return gd_fail(GD_ERR_IO,
                   "%s: cannot tell whether it is there / repeat the same "
                   "command",
                   beside);
  v->path = gd_corpus_list_text(l, path);
  v->id = gd_arena_copy(l->arena, name, gd_corpus_stem(name));
  v->landmarks = gd_corpus_list_text(l, has_landmarks ? beside : "");
  return v->path == NULL || v->id == NULL || v->landmarks == NULL ? GD_ERR_NOMEM
                                                                  : GD_OK;
}

gd_status gd_corpus_list_label(const gd_corpus_list *l, const char *text,
                               const char *origin, int line, double *out)
{
  char *end;
  const double value = strtod(text, &end);
  if (end == text || *end != '\0' || !isfinite(value))
    return gd_fail(GD_ERR_USAGE, "%s:%d: label \"%.40s\" is no number", origin,
                   line, text);
  if (value < 0.0 || value > l->n_levels - 1)
    return gd_fail(GD_ERR_USAGE,
                   "%s:%d: label %g is not in 0 .. %d: correct it, or set the "
                   "corpus's number of levels",
                   origin, line, value, l->n_levels - 1);
  *out = value;
  return GD_OK;
}

static int by_id(const void *a, const void *b)
{
  const gd_corpus_row *x = a, *y = b;
  const int order = strcmp(x->video.id, y->video.id);
  return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

/* No label is the same as no label. */
static int same_label(const gd_video *a, const gd_video *b)
{
  return a->label == b->label || (isnan(a->label) && isnan(b->label));
}

/* Sort by id; a video that is listed twice must be the same both times. */
static gd_status order_rows(gd_corpus_list *l)
{
  int64_t n = 0;
  gd_status st = GD_OK;
  qsort(l->rows, (size_t)l->n_rows, sizeof *l->rows, by_id);
  for (int64_t i = 0; st == GD_OK && i < l->n_rows; i++) {
    const gd_corpus_row *row = &l->rows[i];
    const gd_corpus_row *last = n > 0 ? &l->rows[n - 1] : NULL;
    if (last == NULL || strcmp(row->video.id, last->video.id) != 0) {
      l->rows[n++] = *row;
      continue;
    }
    const gd_video *a = &last->video, *b = &row->video;
    if (!same_label(a, b) || a->partition != b->partition ||
        strcmp(a->subject, b->subject) != 0 || strcmp(a->task, b->task) != 0 ||
        strcmp(a->path, b->path) != 0 || a->fold != b->fold)
      return gd_fail(GD_ERR_USAGE,
                     "%s:%d: video %s stands in line %d already, with another "
                     "label, subject, partition, task, fold or file",
                     row->origin, row->line, b->id, last->line);
    st = gd_corpus_list_warn(l, "%s:%d: video %s stands in line %d already",
                             row->origin, row->line, b->id, last->line);
  }
  l->n_rows = n;
  return st;
}

/* What a person should be in one of: a partition, or a fold. */
typedef int part_of(const gd_video *v);

static int partition_of(const gd_video *v)
{
  return (int)v->partition;
}

static int fold_of(const gd_video *v)
{
  return v->fold;
}

static int by_subject(const void *a, const void *b)
{
  const gd_video *const *x = a, *const *y = b;
  return strcmp((*x)->subject, (*y)->subject);
}

/* Count the persons in several parts, of videos in order of their persons. */
static int64_t count_shared(const gd_video *const *sorted, int64_t n,
                            part_of *part, const char **first)
{
  int64_t n_shared = 0;
  for (int64_t i = 0, end; i < n; i = end) {
    int is_shared = 0;
    for (end = i + 1; end < n && by_subject(&sorted[i], &sorted[end]) == 0;
         end++)
      is_shared |= part(sorted[end]) != part(sorted[i]);
    if (is_shared && n_shared++ == 0)
      *first = sorted[i]->subject;
  }
  return n_shared;
}

/* Persons in several partitions, or folds, make results look better than they
 * are. */
static gd_status warn_of_overlap(gd_corpus_list *l)
{
  static const struct {
    const char *name;
    part_of *part;
  } kinds[] = {{"partition", partition_of}, {"fold", fold_of}};
  const gd_video **sorted = malloc((size_t)l->n_rows * sizeof *sorted);
  gd_status st = GD_OK;
  if (sorted == NULL)
    return gd_fail(GD_ERR_NOMEM, "%s: out of memory", l->root);
  for (int64_t i = 0; i < l->n_rows; i++)
    sorted[i] = &l->rows[i].video;
  qsort(sorted, (size_t)l->n_rows, sizeof *sorted, by_subject);
  for (int k = 0; st == GD_OK && k < 2; k++) {
    const char *first = NULL;
    const int64_t n = count_shared(sorted, l->n_rows, kinds[k].part, &first);
    if (n > 0)
      st = gd_corpus_list_warn(
          l, "%s: %" PRId64 " person%s in more than one %s, %s first", l->root,
          n, n == 1 ? " is" : "s are", kinds[k].name, first);
  }
  free(sorted);
  return st;
}

static int most_fold(const gd_corpus_list *l)
{
  int most = 0;
  for (int64_t i = 0; i < l->n_rows; i++)
    most = l->rows[i].video.fold > most ? l->rows[i].video.fold : most;
  return most;
}

/* A fold is tested alone: every video has one, and each has videos. */
static gd_status check_folds(const gd_corpus_list *l)
{
  const int most = most_fold(l);
  if (most == 0)
    return GD_OK;
  char *seen = gd_alloc(most + 1, 1);
  gd_status st = seen == NULL ? GD_ERR_NOMEM : GD_OK;
  for (int64_t i = 0; st == GD_OK && i < l->n_rows; i++) {
    const gd_corpus_row *row = &l->rows[i];
    seen[row->video.fold] = 1;
    if (row->video.fold == 0)
      st = gd_fail(GD_ERR_USAGE,
                   "%s:%d: no fold for video %s: give one to all, or to none",
                   row->origin, row->line, row->video.id);
  }
  for (int f = 1; st == GD_OK && f < most; f++)
    if (!seen[f])
      st = gd_fail(GD_ERR_USAGE,
                   "%s: no video is in fold %d, but there are folds up to %d",
                   l->rows[0].origin, f, most);
  free(seen);
  return st;
}

gd_status gd_corpus_list_finish(gd_corpus_list *l, gd_corpus **out)
{
  whole *w = gd_alloc(1, sizeof *w);
  gd_video *videos = gd_alloc(l->n_rows, sizeof *videos);
  gd_fingerprint *fingerprints = gd_alloc(l->n_rows, sizeof *fingerprints);
  if (w == NULL || videos == NULL || fingerprints == NULL) {
    free(fingerprints);
    free(videos);
    free(w);
    return GD_ERR_NOMEM;
  }
  for (int64_t i = 0; i < l->n_rows; i++)
    videos[i] = l->rows[i].video;
  w->arena = l->arena;
  w->warnings = l->warnings;
  w->videos = videos;
  w->corpus = (gd_corpus){.videos = videos,
                          .n_videos = l->n_rows,
                          .fingerprints = fingerprints,
                          .n_warnings = l->n_warnings,
                          .warnings = l->warnings};
  *out = &w->corpus;
  return GD_OK;
}

gd_status gd_corpus_read(const char *layout, const char *root, int n_levels,
                         gd_corpus **out)
{
  assert(layout != NULL && root != NULL && out != NULL && n_levels >= 1);
  *out = NULL;

  gd_corpus_list l;
  gd_status st = gd_corpus_list_new(root, n_levels, &l);
  if (st != GD_OK)
    return st;
  if (strcmp(layout, "table") == 0)
    st = gd_corpus_read_table(&l);
  else if (strcmp(layout, "avec2013") == 0)
    st = gd_corpus_read_avec(&l, 2013);
  else if (strcmp(layout, "avec2014") == 0)
    st = gd_corpus_read_avec(&l, 2014);
  else if (strcmp(layout, "list") == 0)
    st = gd_corpus_read_videos(&l);
  else
    st = gd_fail(GD_ERR_USAGE,
                 "corpus layout \"%s\": table, avec2013, avec2014 and list are "
                 "known",
                 layout);
  if (st == GD_OK && l.n_rows == 0)
    st = gd_fail(GD_ERR_USAGE, "%s: no video of a %s corpus", root, layout);
  if (st == GD_OK)
    st = order_rows(&l);
  if (st == GD_OK)
    st = check_folds(&l);
  if (st == GD_OK)
    st = warn_of_overlap(&l);
  if (st == GD_OK)
    st = gd_corpus_list_finish(&l, out);
  gd_corpus_list_end(&l, st);
  return st;
}

void gd_corpus_free(gd_corpus *c)
{
  if (c == NULL)
    return;
  whole *w = (whole *)c;
  gd_arena_free(w->arena);
  free(w->warnings);
  free(w->videos);
  free(w->corpus.fingerprints);
  free(w);
}

int gd_corpus_n_folds(const gd_corpus *c)
{
  assert(c != NULL);
  int most = 0;
  for (int64_t i = 0; i < c->n_videos; i++)
    most = c->videos[i].fold > most ? c->videos[i].fold : most;
  return most;
}
