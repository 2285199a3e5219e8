#include "gradus/curves.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/file.h"
#include "gradus/memory.h"

enum { MOST_BYTES = 1 << 28, MOST_COLUMNS = 32 };

enum { EPOCH, STEP, SPLIT, LOSS, MAE, RMSE, N_COLUMNS };
static const char *const names[N_COLUMNS] = {"epoch", "step", "split",
                                             "loss",  "mae",  "rmse"};

typedef struct {
  const char *path;
  int line;
  int at[N_COLUMNS]; /* field of each column */
} reader;

/* Cut a line at its commas, in place; return how many fields there are. */
static int cut_fields(char *line, char *fields[MOST_COLUMNS])
{
  int n = 0;
  for (char *field = line; field != NULL && n < MOST_COLUMNS;) {
    char *comma = strchr(field, ',');
    if (comma != NULL)
      *comma++ = '\0';
    fields[n++] = field;
    field = comma;
  }
  return n;
}

/* Return the next line without its end, or NULL. */
static char *next_line(char **rest)
{
  char *line = *rest;
  if (*line == '\0')
    return NULL;
  char *end = line + strcspn(line, "\r\n");
  *rest = end + strspn(end, "\r\n");
  *end = '\0';
  return line;
}

static gd_status read_header(reader *r, char *line)
{
  char *fields[MOST_COLUMNS];
  const int n = line == NULL ? 0 : cut_fields(line, fields);
  for (int c = 0; c < N_COLUMNS; c++) {
    r->at[c] = -1;
    for (int f = 0; f < n; f++)
      if (strcmp(fields[f], names[c]) == 0)
        r->at[c] = f;
    if (r->at[c] < 0)
      return gd_fail(GD_ERR_FORMAT, "%s:1: column %s is missing", r->path,
                     names[c]);
  }
  return GD_OK;
}

static gd_status parse_number(const reader *r, int column, const char *field,
                              double *out)
{
  char *end;
  *out = field[0] == '\0' ? NAN : strtod(field, &end);
  if (field[0] != '\0' && *end != '\0')
    return gd_fail(GD_ERR_FORMAT, "%s:%d: %s is \"%.40s\", expected a number",
                   r->path, r->line, names[column], field);
  return GD_OK;
}

static gd_status read_row(const reader *r, char *line, gd_curves *out)
{
  char *fields[MOST_COLUMNS];
  const int n = cut_fields(line, fields);
  for (int c = 0; c < N_COLUMNS; c++)
    if (r->at[c] >= n)
      return gd_fail(GD_ERR_FORMAT, "%s:%d: the row has %d fields, %s is %d",
                     r->path, r->line, n, names[c], r->at[c] + 1);
  const char *split = fields[r->at[SPLIT]];
  gd_curve *curve = strcmp(split, "train") == 0 ? &out->train
                    : strcmp(split, "dev") == 0 ? &out->dev
                                                : NULL;
  if (curve == NULL)
    return gd_fail(GD_ERR_FORMAT,
                   "%s:%d: split is \"%.40s\", expected train or dev", r->path,
                   r->line, split);
  double *const to[N_COLUMNS] = {
      [EPOCH] = &curve->epoch[curve->n], [STEP] = &curve->step[curve->n],
      [LOSS] = &curve->loss[curve->n],   [MAE] = &curve->mae[curve->n],
      [RMSE] = &curve->rmse[curve->n],
  };
  gd_status st = GD_OK;
  for (int c = 0; st == GD_OK && c < N_COLUMNS; c++)
    if (to[c] != NULL)
      st = parse_number(r, c, fields[r->at[c]], to[c]);
  curve->n++;
  return st;
}

static gd_status make_room(gd_curve *c, int64_t n)
{
  double **columns[] = {&c->epoch, &c->step, &c->loss, &c->mae, &c->rmse};
  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
    *columns[i] = gd_alloc(n, sizeof(double));
    if (*columns[i] == NULL)
      return GD_ERR_NOMEM;
  }
  return GD_OK;
}

gd_status gd_curves_read(const char *path, gd_curves *out)
{
  assert(path != NULL && out != NULL);

  *out = (gd_curves){0};
  char *content = NULL;
  size_t size_bytes = 0;
  gd_status st = gd_file_read(path, MOST_BYTES, &content, &size_bytes);
  if (st != GD_OK)
    return st;
  int64_t n_lines = 1;
  for (size_t i = 0; i < size_bytes; i++)
    n_lines += content[i] == '\n' || content[i] == '\r';

  reader r = {.path = path, .line = 1};
  char *rest = content;
  st = make_room(&out->train, n_lines);
  if (st == GD_OK)
    st = make_room(&out->dev, n_lines);
  if (st == GD_OK)
    st = read_header(&r, next_line(&rest));
  for (char *line; st == GD_OK && (line = next_line(&rest)) != NULL;) {
    r.line++;
    st = read_row(&r, line, out);
  }
  free(content);
  if (st != GD_OK)
    gd_curves_free(out);
  return st;
}

void gd_curves_free(gd_curves *c)
{
  gd_curve *const both[] = {&c->train, &c->dev};
  for (int i = 0; i < 2; i++) {
    free(both[i]->epoch);
    free(both[i]->step);
    free(both[i]->loss);
    free(both[i]->mae);
    free(both[i]->rmse);
  }
  *c = (gd_curves){0};
}
