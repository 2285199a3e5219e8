#include "gradus/skips.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/file.h"
#include "gradus/memory.h"
#include "gradus/record.h"

/* Return a copy without control characters, which no page can show. */
static char *copy_of(const char *text)
{
  char *copy = gd_strdup(text);
  for (char *c = copy; c != NULL && *c != '\0'; c++)
    if (((unsigned char)*c < 0x20 && *c != '\n') || *c == 0x7f)
      *c = ' ';
  return copy;
}

static gd_status append(gd_skips *list, const char *stage, const char *item,
                        const char *reason)
{
  gd_status st =
      gd_grow(&list->skips, list->n + 1, &list->room, sizeof *list->skips);
  if (st != GD_OK)
    return st;
  gd_skip *s = &list->skips[list->n++];
  *s = (gd_skip){gd_strdup(stage), copy_of(item), copy_of(reason)};
  return s->stage == NULL || s->item == NULL || s->reason == NULL ? GD_ERR_NOMEM
                                                                  : GD_OK;
}

/* What a record has of one item. */
typedef struct {
  long number; /* -1: none yet */
  const char *item, *reason;
} found;

static gd_status put(gd_skips *list, const char *stage, const found *f,
                     const char *path)
{
  if (f->number < 0)
    return GD_OK;
  if (f->item == NULL || f->reason == NULL)
    return gd_fail(GD_ERR_FORMAT,
                   "%s: skipped.%ld: expected {item: \"...\", reason: "
                   "\"...\"}",
                   path, f->number);
  return append(list, stage, f->item, f->reason);
}

static gd_status take(gd_skips *list, const char *stage, const gd_record *r,
                      const char *path)
{
  static const char start[] = "skipped.";
  found now = {.number = -1};
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < gd_record_n(r); i++) {
    const char *key = gd_record_key(r, i);
    if (strncmp(key, start, strlen(start)) != 0)
      continue;
    char *field;
    const long number = strtol(key + strlen(start), &field, 10);
    if (number != now.number) {
      st = put(list, stage, &now, path);
      now = (found){.number = number};
    }
    if (strcmp(field, ".item") == 0)
      now.item = gd_record_text(r, i);
    else if (strcmp(field, ".reason") == 0)
      now.reason = gd_record_text(r, i);
  }
  return st == GD_OK ? put(list, stage, &now, path) : st;
}

gd_status gd_skips_add(gd_skips *list, const char *path, const char *stage)
{
  assert(list != NULL && path != NULL && stage != NULL);

  if (!gd_path_exists(path))
    return GD_OK;
  gd_record *r;
  gd_status st = gd_record_read(path, &r);
  if (st == GD_OK)
    st = take(list, stage, r, path);
  gd_record_free(r);
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
