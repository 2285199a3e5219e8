#include "gradus/skips.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/file.h"
#include "gradus/memory.h"

enum { MOST_BYTES = 1 << 28 };

static gd_status append(gd_skips *list, const char *stage, const char *item,
                        const char *reason)
{
  if (list->n == list->room) {
    const int64_t room = list->room == 0 ? 16 : 2 * list->room;
    gd_skip *skips = realloc(list->skips, (size_t)room * sizeof *skips);
    if (skips == NULL)
      return gd_fail(GD_ERR_NOMEM, "out of memory: list of skipped inputs");
    list->skips = skips;
    list->room = room;
  }
  gd_skip *s = &list->skips[list->n++];
  *s = (gd_skip){gd_strdup(stage), gd_strdup(item), gd_strdup(reason)};
  return s->stage == NULL || s->item == NULL || s->reason == NULL ? GD_ERR_NOMEM
                                                                  : GD_OK;
}

/* Decode the JSON string at `*at` in place, as gd_text_json() writes it, and
 * move `*at` behind it; return the text, or NULL if there is none. */
static char *decode(char **at)
{
  char *from = *at, *to, *text;
  if (*from++ != '"')
    return NULL;
  for (text = to = from; *from != '"'; from++) {
    if (*from == '\0')
      return NULL;
    if (*from != '\\') {
      *to++ = *from;
      continue;
    }
    from++;
    if (*from == 'u' && strlen(from) > 4) {
      *to++ = ' '; /* only control characters are written so */
      from += 4;
    } else if (*from == 'n') {
      *to++ = '\n';
    } else if (*from == '"' || *from == '\\') {
      *to++ = *from;
    } else {
      return NULL;
    }
  }
  *to = '\0'; /* `to` never passes the closing quote */
  *at = from + 1;
  return text;
}

static int expect(char **at, const char *text)
{
  const size_t length = strlen(text);
  if (strncmp(*at, text, length) != 0)
    return 0;
  *at += length;
  return 1;
}

static gd_status read_line(gd_skips *list, const char *stage, char *line,
                           const char *path, int number)
{
  static const char start[] = "  - {item: ";
  char *item = NULL, *reason = NULL;
  if (!expect(&line, start))
    return GD_OK;
  item = decode(&line);
  if (item != NULL && expect(&line, ", reason: "))
    reason = decode(&line);
  if (reason == NULL)
    return gd_fail(GD_ERR_FORMAT,
                   "%s:%d: expected {item: \"...\", reason: \"...\"}", path,
                   number);
  return append(list, stage, item, reason);
}

gd_status gd_skips_add(gd_skips *list, const char *path, const char *stage)
{
  assert(list != NULL && path != NULL && stage != NULL);

  if (!gd_path_exists(path))
    return GD_OK;
  char *content = NULL;
  size_t size_bytes = 0;
  gd_status st = gd_file_read(path, MOST_BYTES, &content, &size_bytes);
  int number = 0;
  for (char *line = content; st == GD_OK && line != NULL;) {
    char *next = strchr(line, '\n');
    if (next != NULL)
      *next++ = '\0';
    st = read_line(list, stage, line, path, ++number);
    line = next;
  }
  free(content);
  return st;
}

void gd_skips_free(gd_skips *list)
{
  for (int64_t i = 0; i < list->n; i++) {
    free(list->skips[i].stage);
    free(list->skips[i].item);
    free(list->skips[i].reason);
  }
  free(list->skips);
  *list = (gd_skips){0};
}
