#include <stdlib.h>
#include <string.h>

#include "corpus_list.h"
#include "csv.h"
#include "gradus/file.h"

/* Shards note ids of so many bytes. */
enum { MOST_FIELDS = 64, MOST_BYTES = 1 << 28, MOST_ID = 767 };

typedef enum {
  VIDEO,
  LABEL,
  SUBJECT,
  PARTITION,
  N_NEEDED,
  ID = N_NEEDED,
  TASK,
  FOLD,
  LANDMARKS,
  N_COLUMNS
} column;

static const char *const NAMES[N_COLUMNS] = {"video",     "label",    "subject",
                                             "partition", "id",       "task",
                                             "fold",      "landmarks"};

/* Find the columns in the header row; -1: not there. */
static gd_status read_header(gd_corpus_list *l, gd_csv *csv, int at[N_COLUMNS],
                             int *n_fields)
{
  char *fields[MOST_FIELDS];
  gd_status st = gd_csv_row(csv, MOST_FIELDS, fields, n_fields);
  for (int k = 0; k < N_COLUMNS; k++)
    at[k] = -1;
  for (int i = 0; st == GD_OK && i < *n_fields; i++) {
    int k = 0;
    while (k < N_COLUMNS && strcmp(fields[i], NAMES[k]) != 0)
      k++;
    if (k == N_COLUMNS)
      st = gd_corpus_list_warn(l, "%s:%d: column \"%s\" is not used", csv->path,
                               csv->line, fields[i]);
    else if (at[k] >= 0)
      st = gd_fail(GD_ERR_USAGE, "%s:%d: column \"%s\" is there twice",
                   csv->path, csv->line, fields[i]);
    else
      at[k] = i;
  }
  for (int k = 0; st == GD_OK && k < N_NEEDED; k++)
    if (at[k] < 0)
      st = gd_fail(GD_ERR_USAGE,
                   "%s:%d: no column \"%s\": the first row has to name video, "
                   "label, subject and partition",
                   csv->path, csv->line, NAMES[k]);
  return st;
}

/* Return the text of a column of a row, "" where the table has none. */
static const char *field_of(char **fields, const int at[N_COLUMNS], column k)
{
  return at[k] < 0 ? "" : fields[at[k]];
}

/* Landmarks and id that the table names take the place of those beside. */
static gd_status read_own_names(gd_corpus_list *l, gd_video *v, const char *id,
                                const char *landmarks)
{
  char path[GD_PATH_MAX];
  if (id[0] != '\0' && (v->id = gd_corpus_list_text(l, id)) == NULL)
    return GD_ERR_NOMEM;
  if (landmarks[0] == '\0')
    return GD_OK;
  gd_status st = gd_path_join(l->root, landmarks, path);
  if (st == GD_OK && (v->landmarks = gd_corpus_list_text(l, path)) == NULL)
    st = GD_ERR_NOMEM;
  return st;
}

static gd_status read_fold(const gd_csv *csv, const char *text, int *fold)
{
  enum { MOST_FOLDS = 100000 };
  char *end;
  if (text[0] == '\0')
    return GD_OK;
  const long value = strtol(text, &end, 10);
  if (text[strspn(text, "0123456789")] != '\0' || value < 1 ||
      value > MOST_FOLDS)
    return gd_fail(GD_ERR_USAGE,
                   "%s:%d: fold \"%.40s\" is no whole number from 1 to %d",
                   csv->path, csv->line, text, MOST_FOLDS);
  *fold = (int)value;
  return GD_OK;
}

static gd_status read_row(gd_corpus_list *l, const gd_csv *csv, char **fields,
                          const int at[N_COLUMNS])
{
  gd_corpus_row row = {.origin = gd_corpus_list_text(l, csv->path),
                       .line = csv->line};
  const char *name = field_of(fields, at, VIDEO);
  for (int k = 0; k < N_NEEDED; k++)
    if (field_of(fields, at, (column)k)[0] == '\0')
      return gd_fail(GD_ERR_USAGE, "%s:%d: no %s%s%s", csv->path, csv->line,
                     NAMES[k], k == VIDEO ? "" : " for video ", name);
  gd_video *v = &row.video;
  gd_status st =
      gd_partition_of(field_of(fields, at, PARTITION), &v->partition);
  if (st != GD_OK)
    return gd_fail(GD_ERR_USAGE,
                   "%s:%d: \"%s\" is no partition: train, dev and test are",
                   csv->path, csv->line, field_of(fields, at, PARTITION));
  st = gd_corpus_list_label(l, field_of(fields, at, LABEL), csv->path,
                            csv->line, &v->label);
  if (st == GD_OK)
    st = read_fold(csv, field_of(fields, at, FOLD), &v->fold);
  if (st == GD_OK)
    st = gd_corpus_list_place(l, v, name);
  v->subject = gd_corpus_list_text(l, field_of(fields, at, SUBJECT));
  v->task = gd_corpus_list_text(l, field_of(fields, at, TASK));
  if (st == GD_OK &&
      (row.origin == NULL || v->subject == NULL || v->task == NULL))
    st = GD_ERR_NOMEM;
  if (st == GD_OK)
    st = read_own_names(l, v, field_of(fields, at, ID),
                        field_of(fields, at, LANDMARKS));
  if (st == GD_OK && strlen(v->id) > MOST_ID)
    st = gd_fail(GD_ERR_USAGE, "%s:%d: id longer than %d bytes", csv->path,
                 csv->line, MOST_ID);
  return st == GD_OK ? gd_corpus_list_add(l, row) : st;
}

gd_status gd_corpus_read_table(gd_corpus_list *l)
{
  char path[GD_PATH_MAX], *text = NULL, *fields[MOST_FIELDS];
  int at[N_COLUMNS], n_header, n_fields;
  size_t size_bytes;
  gd_status st = gd_path_join(l->root, "labels.csv", path);
  if (st == GD_OK)
    st =
        gd_file_judge(gd_file_read(path, MOST_BYTES, &text, &size_bytes), path);
  if (st != GD_OK)
    return st;
  gd_csv csv = gd_csv_open(path, text);
  if (strlen(text) != size_bytes)
    st =
        gd_fail(GD_ERR_USAGE, "%s: holds zero bytes: is it a text file?", path);
  if (st == GD_OK)
    st = read_header(l, &csv, at, &n_header);
  while (st == GD_OK) {
    st = gd_csv_row(&csv, MOST_FIELDS, fields, &n_fields);
    if (st != GD_OK || n_fields < 0)
      break;
    if (n_fields != n_header)
      st = gd_fail(GD_ERR_USAGE, "%s:%d: %d fields, but the first row has %d",
                   path, csv.line, n_fields, n_header);
    else
      st = read_row(l, &csv, fields, at);
  }
  free(text);
  return st;
}
