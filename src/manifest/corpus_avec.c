#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "corpus_list.h"
#include "gradus/alive.h"
#include "gradus/file.h"
#include "gradus/memory.h"

/* Copies of these corpora nest folders two and three times; a loop of links
 * goes on for ever. */
enum { MOST_DEPTH = 24, LABEL_BYTES = 4096 };

/** A label file, or a video: both are named after person and session. */
typedef struct {
  const char *name;    /**< below the root */
  const char *session; /**< "205_1" */
  double label;        /**< NaN: it could not be read */
} found;

/** How many label files have a quirk, and the first of them. */
typedef struct {
  int64_t n;
  const char *first;
} quirk;

typedef struct {
  gd_corpus_list *list;
  int year;
  found *labels, *videos;
  int64_t n_labels, n_videos, room_labels, room_videos;
  quirk crlf, mark;
} search;

/* Return the length of the "205_1" that a name starts with, 0 if none. */
static size_t session_length(const char *name)
{
  const size_t person = strspn(name, "0123456789");
  if (person == 0 || name[person] != '_')
    return 0;
  const size_t session = strspn(name + person + 1, "0123456789");
  return session == 0 ? 0 : person + 1 + session;
}

static int is_video_name(const char *name)
{
  static const char *const endings[] = {".mp4", ".avi", ".mkv", ".mov",
                                        ".mpg", ".m4v", ".wmv", ".webm"};
  const char *dot = strrchr(name, '.');
  for (size_t i = 0; dot != NULL && i < sizeof endings / sizeof *endings; i++)
    if (strcasecmp(dot, endings[i]) == 0)
      return 1;
  return 0;
}

static const char *const TASKS[2] = {"Freeform", "Northwind"};

/* Tell the task of a video of this corpus, or NULL if it is none. */
static const char *task_of(int year, const char *name)
{
  static const char *const parts[2] = {"_Freeform_video.", "_Northwind_video."};
  const size_t length = session_length(name);
  if (length == 0 || !is_video_name(name))
    return NULL;
  if (year == 2013)
    return strncasecmp(name + length, "_cut_combined.", 14) == 0 ? "" : NULL;
  for (int i = 0; i < 2; i++)
    if (strncasecmp(name + length, parts[i], strlen(parts[i])) == 0)
      return TASKS[i];
  return NULL;
}

/* Return the task of the last folder above a file that is named like one, or
 * NULL. */
static const char *task_above(const char *name)
{
  const char *task = NULL;
  for (const char *at = name, *slash; (slash = strchr(at, '/')) != NULL;
       at = slash + 1)
    for (int i = 0; i < 2; i++)
      if (strncasecmp(at, TASKS[i], strlen(TASKS[i])) == 0)
        task = TASKS[i];
  return task;
}

static int is_label_name(const char *name)
{
  const size_t length = session_length(name);
  return length > 0 && strcasecmp(name + length, "_Depression.csv") == 0;
}

static gd_status keep(search *s, found **items, int64_t *n, int64_t *room,
                      const char *name)
{
  const char *base = gd_path_base(name);
  gd_status st = gd_grow(items, *n + 1, room, sizeof **items);
  if (st != GD_OK)
    return st;
  found f = {.name = gd_corpus_list_text(s->list, name),
             .session =
                 gd_arena_copy(s->list->arena, base, session_length(base))};
  if (f.name == NULL || f.session == NULL)
    return GD_ERR_NOMEM;
  (*items)[(*n)++] = f;
  return GD_OK;
}

static gd_status look_at_file(search *s, const char *name)
{
  const char *base = gd_path_base(name);
  if (is_label_name(base))
    return keep(s, &s->labels, &s->n_labels, &s->room_labels, name);
  if (task_of(s->year, base) != NULL)
    return keep(s, &s->videos, &s->n_videos, &s->room_videos, name);
  if (is_video_name(base))
    return gd_corpus_list_warn(s->list,
                               "%s: not named like a video of AVEC%d, left out",
                               name, s->year);
  return GD_OK;
}

/* Say that a folder is in one of the same name, as copies of these corpora have
 * it: whatever else lies in the outer one is read as well. */
static gd_status look_for_nesting(search *s, const char *name)
{
  const char *base = gd_path_base(name);
  const size_t length = strlen(base);
  if (base - name < (ptrdiff_t)length + 1)
    return GD_OK;
  const char *parent = base - 1 - length;
  if (strncasecmp(parent, base, length) != 0 ||
      (parent > name && parent[-1] != '/'))
    return GD_OK;
  return gd_corpus_list_warn(s->list, "%s: a folder in one of the same name",
                             name);
}

/* Visit a folder, `name` below the root ("" for the root itself). */
static gd_status look_in_folder(search *s, const char *name, int depth)
{
  char path[GD_PATH_MAX], below[GD_PATH_MAX];
  gd_status st = gd_path_join(s->list->root, name, path);
  if (st != GD_OK)
    return st;
  if (depth > MOST_DEPTH)
    return gd_fail(GD_ERR_USAGE,
                   "%s: more than %d folders deep: does a link lead back?",
                   path, MOST_DEPTH);
  st = look_for_nesting(s, name);
  if (st != GD_OK)
    return st;
  struct dirent **entries;
  const int n = scandir(path, &entries, NULL, alphasort);
  if (n < 0)
    return gd_fail(gd_file_error_lasts(errno) ? GD_ERR_FORMAT : GD_ERR_IO,
                   "%s: cannot be read: %s", path, strerror(errno));
  for (int i = 0; i < n; i++) {
    struct stat info;
    gd_alive();
    if (st == GD_OK && entries[i]->d_name[0] != '.') {
      st = gd_path_join(name, entries[i]->d_name, below);
      if (st == GD_OK)
        st = gd_path_join(s->list->root, below, path);
      /* A link that leads nowhere is a file that extract cannot open. */
      if (st == GD_OK && stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        st = look_in_folder(s, below, depth + 1);
      else if (st == GD_OK)
        st = look_at_file(s, below);
    }
    free(entries[i]);
  }
  free(entries);
  return st;
}

/* Tell the partition by the folders above a file: 1 found, 0 none, -1 two that
 * do not agree. */
static int partition_above(const char *name, gd_partition *out)
{
  int last = GD_N_PARTITIONS;
  for (const char *at = name, *slash; (slash = strchr(at, '/')) != NULL;
       at = slash + 1)
    for (int p = 0; p < GD_N_PARTITIONS; p++) {
      const char *word = gd_partition_name((gd_partition)p);
      if (strncasecmp(at, word, strlen(word)) != 0)
        continue;
      if (last != GD_N_PARTITIONS && last != p)
        return -1;
      last = p;
    }
  *out = (gd_partition)last;
  return last != GD_N_PARTITIONS;
}

static int by_session(const void *a, const void *b)
{
  const found *x = a, *y = b;
  const int order = strcmp(x->session, y->session);
  return order != 0 ? order : strcmp(x->name, y->name);
}

static void count_quirk(quirk *q, const char *name)
{
  if (q->n++ == 0)
    q->first = name;
}

static gd_status warn_of_quirk(search *s, const quirk *q, const char *what)
{
  return q->n == 0
             ? GD_OK
             : gd_corpus_list_warn(s->list,
                                   "%" PRId64 " label file%s %s, %s first",
                                   q->n, q->n == 1 ? "" : "s", what, q->first);
}

static gd_status read_label(search *s, found *f)
{
  gd_alive();
  char path[GD_PATH_MAX], *text = NULL;
  gd_status st = gd_path_join(s->list->root, f->name, path);
  if (st == GD_OK)
    st = gd_file_judge(gd_file_read(path, LABEL_BYTES, &text, NULL), path);
  if (st != GD_OK)
    return st;
  char *from = text;
  if (strncmp(from, "\xef\xbb\xbf", 3) == 0) {
    from += 3;
    count_quirk(&s->mark, f->name);
  }
  if (strchr(from, '\r') != NULL)
    count_quirk(&s->crlf, f->name);
  from += strspn(from, " \t\r\n");
  char *end = from + strlen(from);
  while (end > from && isspace((unsigned char)end[-1]))
    end--;
  *end = '\0';
  if (from[0] == '\0')
    st = gd_fail(GD_ERR_USAGE, "%s:1: no label: the file is empty", path);
  else
    st = gd_corpus_list_label(s->list, from, path, 1, &f->label);
  free(text);
  return st;
}

/* Read a label, or find out that it is none: the videos that it is of are left
 * out then, and the reason is told. */
static gd_status try_label(search *s, found *f)
{
  gd_status st = read_label(s, f);
  if (st != GD_ERR_USAGE)
    return st;
  f->label = NAN;
  char reason[2 * GD_PATH_MAX];
  snprintf(reason, sizeof reason, "%s", gd_reason());
  return gd_corpus_list_warn(s->list, "%s", reason);
}

/* Read all labels; a session that has two must have the same twice. */
static gd_status read_labels(search *s)
{
  gd_status st = GD_OK;
  if (s->n_labels > 0)
    qsort(s->labels, (size_t)s->n_labels, sizeof *s->labels, by_session);
  for (int64_t i = 0; st == GD_OK && i < s->n_labels; i++) {
    found *f = &s->labels[i];
    st = try_label(s, f);
    if (st != GD_OK || i == 0 || strcmp(f[-1].session, f->session) != 0 ||
        isnan(f[-1].label) || isnan(f->label))
      continue;
    if (f[-1].label != f->label)
      st = gd_fail(GD_ERR_USAGE,
                   "%s/%s:1: label %g, but %s says %g for session %s",
                   s->list->root, f->name, f->label, f[-1].name, f[-1].label,
                   f->session);
    else
      st = gd_corpus_list_warn(s->list, "%s: the same label as %s", f->name,
                               f[-1].name);
  }
  if (st == GD_OK)
    st = warn_of_quirk(s, &s->crlf, "with carriage returns");
  if (st == GD_OK)
    st = warn_of_quirk(s, &s->mark, "with a byte order mark");
  return st;
}

/* Return a session's first label that could be read, or NULL. */
static const found *label_of(const search *s, const char *session)
{
  int64_t low = 0, high = s->n_labels;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (strcmp(s->labels[middle].session, session) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  while (low < s->n_labels && isnan(s->labels[low].label) &&
         strcmp(s->labels[low].session, session) == 0)
    low++;
  return low < s->n_labels && strcmp(s->labels[low].session, session) == 0
             ? &s->labels[low]
             : NULL;
}

static gd_status add_video(search *s, const found *f)
{
  gd_corpus_list *l = s->list;
  gd_corpus_row row = {.origin = f->name};
  gd_video *v = &row.video;
  gd_partition labelled = GD_N_PARTITIONS;
  const int known = partition_above(f->name, &v->partition);
  if (known != 1)
    return gd_fail(GD_ERR_USAGE,
                   "%s/%s: %s: its partition is read from a folder named "
                   "train..., dev... or test...",
                   l->root, f->name,
                   known == 0 ? "unknown partition"
                              : "folders of two partitions above it");
  const found *label = label_of(s, f->session);
  if (label == NULL)
    return gd_corpus_list_warn(l,
                               "%s: left out: no label: no file "
                               "%s_Depression.csv that holds one",
                               f->name, f->session);
  gd_status st = gd_corpus_list_place(l, v, f->name);
  if (st == GD_OK && partition_above(label->name, &labelled) == 1 &&
      labelled != v->partition)
    st = gd_corpus_list_warn(
        l, "%s: a %s video whose label %s is a %s one: swapped sessions?",
        f->name, gd_partition_name(v->partition), label->name,
        gd_partition_name(labelled));
  if (st != GD_OK)
    return st;
  v->label = label->label;
  v->task = task_of(s->year, gd_path_base(f->name));
  v->subject = gd_arena_copy(l->arena, f->session, strcspn(f->session, "_"));
  return v->subject == NULL ? GD_ERR_NOMEM : gd_corpus_list_add(l, row);
}

/* Whether a file lies in a folder of the other task than its name says. */
static int is_misplaced(const search *s, const found *f)
{
  const char *above = task_above(f->name);
  return above != NULL &&
         strcmp(above, task_of(s->year, gd_path_base(f->name))) != 0;
}

/* Return another file of the same recording, or NULL: one that is as right or
 * wrong in its folder, if there is one, for of these nobody knows the copy. */
static const found *twin_of(const search *s, int64_t i)
{
  const found *f = &s->videos[i], *twin = NULL;
  const char *task = task_of(s->year, gd_path_base(f->name));
  int64_t first = i;
  while (first > 0 && strcmp(s->videos[first - 1].session, f->session) == 0)
    first--;
  for (int64_t j = first;
       j < s->n_videos && strcmp(s->videos[j].session, f->session) == 0; j++)
    if (j != i &&
        strcmp(task_of(s->year, gd_path_base(s->videos[j].name)), task) == 0) {
      if (is_misplaced(s, &s->videos[j]) == is_misplaced(s, f))
        return &s->videos[j];
      if (twin == NULL)
        twin = &s->videos[j];
    }
  return twin;
}

/* The same recording twice would count twice, or in two partitions.  Of two,
 * one that lies in the folder of the other task is the copy; else nobody knows.
 */
static gd_status add_videos(search *s)
{
  gd_status st = GD_OK;
  if (s->n_videos > 0)
    qsort(s->videos, (size_t)s->n_videos, sizeof *s->videos, by_session);
  for (int64_t i = 0; st == GD_OK && i < s->n_videos; i++) {
    const found *f = &s->videos[i], *twin = twin_of(s, i);
    const int misplaced = is_misplaced(s, f);
    if (twin != NULL && misplaced == is_misplaced(s, twin))
      return gd_fail(GD_ERR_USAGE,
                     "%s/%s: is there twice: also as %s; remove one",
                     s->list->root, f->name, twin->name);
    if (misplaced)
      st = gd_corpus_list_warn(
          s->list, "%s: a %s video in a %s folder%s%s", f->name,
          task_of(s->year, gd_path_base(f->name)), task_above(f->name),
          twin == NULL ? "" : ", left out: it is also there as ",
          twin == NULL ? "" : twin->name);
    if (st == GD_OK && !(misplaced && twin != NULL))
      st = add_video(s, f);
  }
  return st;
}

static gd_status warn_of_lone_labels(search *s)
{
  gd_status st = GD_OK;
  int64_t v = 0;
  for (int64_t i = 0; st == GD_OK && i < s->n_labels; i++) {
    while (v < s->n_videos &&
           strcmp(s->videos[v].session, s->labels[i].session) < 0)
      v++;
    if (v == s->n_videos ||
        strcmp(s->videos[v].session, s->labels[i].session) != 0)
      st = gd_corpus_list_warn(s->list, "%s: a label without a video",
                               s->labels[i].name);
  }
  return st;
}

gd_status gd_corpus_read_avec(gd_corpus_list *l, int year)
{
  search s = {.list = l, .year = year};
  gd_status st = look_in_folder(&s, "", 0);
  if (st == GD_OK)
    st = read_labels(&s);
  if (st == GD_OK)
    st = add_videos(&s);
  if (st == GD_OK)
    st = warn_of_lone_labels(&s);
  free(s.labels);
  free(s.videos);
  return st;
}
