#include "csv.h"

#include <assert.h>
#include <string.h>

static int is_blank(char c)
{
  return c == ' ' || c == '\t';
}

gd_csv gd_csv_open(const char *path, char *text)
{
  assert(path != NULL && text != NULL);
  if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
    text += 3;
  return (gd_csv){.path = path, .next = text, .next_line = 1};
}

/* Cut a quoted field behind its opening quote; NULL if it never ends. */
static char *cut_quoted(gd_csv *csv, char *from)
{
  char *to = from;
  char *at = from;
  for (;; at++) {
    if (*at == '\0')
      return NULL;
    if (*at == '"' && *++at != '"')
      break;
    csv->next_line += *at == '\n';
    *to++ = *at;
  }
  while (is_blank(*at) || *at == '\r')
    at++;
  csv->next = at;
  *to = '\0'; /* on the closing quote at the latest */
  return from;
}

/* Cut the field at csv->next and leave csv->next on what ends it. */
static char *cut_field(gd_csv *csv)
{
  char *from = csv->next;
  while (is_blank(*from))
    from++;
  if (*from == '"')
    return cut_quoted(csv, from + 1);
  csv->next = from + strcspn(from, ",\n");
  return from;
}

/* Close the field by a zero, without the blanks behind it. */
static void trim(char *field, char *end)
{
  while (end > field && (is_blank(end[-1]) || end[-1] == '\r'))
    end--;
  *end = '\0';
}

static void skip_blank_lines(gd_csv *csv)
{
  for (;;) {
    char *end = csv->next + strspn(csv->next, " \t\r");
    if (*end == '\n') {
      csv->next = end + 1;
      csv->next_line++;
    } else {
      if (*end == '\0')
        csv->next = end;
      return;
    }
  }
}

gd_status gd_csv_row(gd_csv *csv, int most, char **fields, int *n_fields)
{
  assert(csv != NULL && fields != NULL && n_fields != NULL && most > 0);
  *n_fields = -1;

  skip_blank_lines(csv);
  csv->line = csv->next_line;
  if (*csv->next == '\0')
    return GD_OK;
  for (int n = 0;;) {
    if (n == most)
      return gd_fail(GD_ERR_USAGE, "%s:%d: more than %d fields", csv->path,
                     csv->line, most);
    char *field = cut_field(csv);
    if (field == NULL)
      return gd_fail(GD_ERR_USAGE, "%s:%d: a quote that never ends", csv->path,
                     csv->line);
    char *end = csv->next;
    const char ended_by = *end;
    if (ended_by != ',' && ended_by != '\n' && ended_by != '\0')
      return gd_fail(GD_ERR_USAGE, "%s:%d: text behind a closing quote",
                     csv->path, csv->line);
    trim(field, end);
    fields[n++] = field;
    csv->next_line += ended_by == '\n';
    csv->next = ended_by == '\0' ? end : end + 1;
    if (ended_by != ',') {
      *n_fields = n;
      return GD_OK;
    }
  }
}
