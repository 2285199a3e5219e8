#include "gradus/landmarks.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/file.h"
#include "gradus/memory.h"

enum { N_POINTS = 68, FILE_MAX_BYTES = 1 << 30, MOST_COLUMNS = 8192 };

/* The columns that are used. */
enum { FRAME, FACE_ID, CONFIDENCE, SUCCESS, X_0, Y_0 = X_0 + N_POINTS };
enum { N_USED = Y_0 + N_POINTS };

struct gd_landmarks {
  int64_t n_rows;
  int64_t *frames; /* (n_rows), ascending, from 0 */
  gd_face *faces;  /* (n_rows) */
};

typedef struct {
  const char *path;
  int line;
  int column_of[N_USED]; /* -1: not in the file */
  int n_columns;
} layout;

static gd_status refuse(const layout *l, const char *what, const char *name)
{
  return gd_fail(GD_ERR_FORMAT, "%s:%d: %s%s", l->path, l->line, what, name);
}

/* Cut the next field of a line, blanks around it removed; NULL at its end. */
static char *next_field(char **line)
{
  char *field = *line;
  if (field == NULL)
    return NULL;
  char *comma = strchr(field, ',');
  *line = comma == NULL ? NULL : comma + 1;
  if (comma != NULL)
    *comma = '\0';
  field += strspn(field, " \t");
  for (char *end = field + strlen(field);
       end > field && strchr(" \t\r", end[-1]) != NULL; end--)
    end[-1] = '\0';
  return field;
}

/* Which of the used columns a name means, or -1. */
static int column_index(const char *name)
{
  static const char *const names[] = {"frame", "face_id", "confidence",
                                      "success"};
  for (int i = 0; i < X_0; i++)
    if (strcmp(name, names[i]) == 0)
      return i;
  if ((name[0] == 'x' || name[0] == 'y') && name[1] == '_' && name[2] >= '0' &&
      name[2] <= '9') {
    char *end;
    const long point = strtol(name + 2, &end, 10);
    if (*end == '\0' && point >= 0 && point < N_POINTS)
      return (name[0] == 'x' ? X_0 : Y_0) + (int)point;
  }
  return -1;
}

static gd_status read_header(layout *l, char *line)
{
  for (int i = 0; i < N_USED; i++)
    l->column_of[i] = -1;
  for (char *name; (name = next_field(&line)) != NULL; l->n_columns++) {
    const int i = column_index(name);
    if (l->n_columns == MOST_COLUMNS)
      return refuse(l, "too many columns", "");
    if (i >= 0 && l->column_of[i] >= 0)
      return refuse(l, "two columns are called ", name);
    if (i >= 0)
      l->column_of[i] = l->n_columns;
  }
  if (l->column_of[FRAME] < 0)
    return refuse(l, "no column called frame", "");
  for (int i = X_0; i < N_USED; i++)
    if (l->column_of[i] < 0) {
      char name[16];
      snprintf(name, sizeof name, "%c_%d", i < Y_0 ? 'x' : 'y',
               (i - X_0) % N_POINTS);
      return refuse(l, "no column called ", name);
    }
  return GD_OK;
}

/* Read the used values of a row; absent columns keep their defaults. */
static gd_status read_row(const layout *l, char *line, double value[N_USED])
{
  char *fields[MOST_COLUMNS];
  int n = 0;
  for (char *field; (field = next_field(&line)) != NULL;)
    if (n++ < l->n_columns)
      fields[n - 1] = field;
  if (n != l->n_columns)
    return gd_fail(GD_ERR_FORMAT, "%s:%d: %d values, the header has %d",
                   l->path, l->line, n, l->n_columns);
  value[FACE_ID] = 0;
  value[CONFIDENCE] = value[SUCCESS] = 1;
  for (int i = 0; i < N_USED; i++) {
    if (l->column_of[i] < 0)
      continue;
    if (i >= X_0 && value[SUCCESS] == 0)
      break; /* no face: its points may be anything */
    char *end;
    const char *field = fields[l->column_of[i]];
    value[i] = strtod(field, &end);
    if (end == field || *end != '\0' || !isfinite(value[i]) ||
        fabs(value[i]) > 1e9)
      return refuse(l, "not a number: ", field);
  }
  return GD_OK;
}

/* Mean of points first .. end - 1. */
static void mean_point(const double value[N_USED], int first, int end,
                       float out[2])
{
  double x = 0, y = 0;
  for (int i = first; i < end; i++) {
    x += value[X_0 + i];
    y += value[Y_0 + i];
  }
  out[0] = (float)(x / (end - first));
  out[1] = (float)(y / (end - first));
}

static gd_face face_of_row(const double value[N_USED])
{
  gd_face face = {.confidence = (float)fmin(fmax(value[CONFIDENCE], 0), 1)};
  float *box = face.box;
  box[0] = box[2] = (float)value[X_0];
  box[1] = box[3] = (float)value[Y_0];
  for (int i = 1; i < N_POINTS; i++) {
    box[0] = fminf(box[0], (float)value[X_0 + i]);
    box[1] = fminf(box[1], (float)value[Y_0 + i]);
    box[2] = fmaxf(box[2], (float)value[X_0 + i]);
    box[3] = fmaxf(box[3], (float)value[Y_0 + i]);
  }
  mean_point(value, 36, 42, face.landmarks[0]);
  mean_point(value, 42, 48, face.landmarks[1]);
  mean_point(value, 30, 31, face.landmarks[2]);
  mean_point(value, 48, 49, face.landmarks[3]);
  mean_point(value, 54, 55, face.landmarks[4]);
  return face;
}

static gd_status read_rows(layout *l, char *text, gd_landmarks *out)
{
  double value[N_USED];
  int64_t last = 0, base = 0;
  int any = 0;
  while (text != NULL) {
    char *line = text, *end = strchr(text, '\n');
    text = end == NULL ? NULL : end + 1;
    if (end != NULL)
      *end = '\0';
    l->line++;
    if (line[strspn(line, " \t\r")] == '\0')
      continue;
    gd_status st = read_row(l, line, value);
    if (st != GD_OK)
      return st;
    const int64_t frame = (int64_t)value[FRAME];
    if ((double)frame != value[FRAME] || frame < 0)
      return refuse(l, "frame is no whole number", "");
    if (any && frame < last)
      return gd_fail(GD_ERR_FORMAT,
                     "%s:%d: frame %" PRId64 " after frame %" PRId64, l->path,
                     l->line, frame, last);
    if (!any)
      base = frame == 0 ? 0 : 1;
    any = 1;
    last = frame;
    if (value[SUCCESS] == 0)
      continue;
    out->frames[out->n_rows] = frame - base;
    out->faces[out->n_rows++] = face_of_row(value);
  }
  return any ? GD_OK : refuse(l, "no row behind the header", "");
}

static gd_status parse(layout *l, char *text, gd_landmarks *out)
{
  int64_t most = 1;
  for (const char *c = text; *c != '\0'; c++)
    most += *c == '\n';
  out->frames = gd_alloc(most, sizeof *out->frames);
  out->faces = gd_alloc(most, sizeof *out->faces);
  if (out->frames == NULL || out->faces == NULL)
    return GD_ERR_NOMEM;
  if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
    text += 3; /* byte order mark */
  char *end = strchr(text, '\n');
  if (end != NULL)
    *end = '\0';
  l->line = 1;
  gd_status st = read_header(l, text);
  if (st == GD_OK && end == NULL)
    st = refuse(l, "no row behind the header", "");
  return st == GD_OK ? read_rows(l, end + 1, out) : st;
}

gd_status gd_landmarks_read(const char *path, gd_landmarks **out)
{
  assert(path != NULL && out != NULL);
  *out = NULL;

  char *text;
  size_t size_bytes;
  gd_status st = gd_file_read(path, FILE_MAX_BYTES, &text, &size_bytes);
  if (st != GD_OK)
    return st;
  gd_landmarks *l = gd_alloc(1, sizeof *l);
  if (l == NULL)
    st = GD_ERR_NOMEM;
  else if (strlen(text) != size_bytes)
    st = gd_fail(GD_ERR_FORMAT, "%s: is no text", path);
  else
    st = parse(&(layout){.path = path}, text, l);
  free(text);
  if (st == GD_OK)
    *out = l;
  else
    gd_landmarks_free(l);
  return st;
}

int gd_landmarks_at(const gd_landmarks *l, int64_t frame_index,
                    const gd_face **faces)
{
  assert(l != NULL && faces != NULL);
  int64_t low = 0, high = l->n_rows;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (l->frames[middle] < frame_index)
      low = middle + 1;
    else
      high = middle;
  }
  int n = 0;
  while (low + n < l->n_rows && l->frames[low + n] == frame_index)
    n++;
  *faces = l->faces + low;
  return n;
}

void gd_landmarks_free(gd_landmarks *l)
{
  if (l == NULL)
    return;
  free(l->frames);
  free(l->faces);
  free(l);
}
