#include "node.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gradus/text.h"

/* A longer line is shown from a bit before the place. */
enum { SHOWN_CHARACTERS = 100, SHOWN_BEFORE = 60 };

const char *gd_node_kind_text(const gd_node *node)
{
  switch (node->kind) {
  case GD_NODE_LIST:
    return "a list";
  case GD_NODE_MAP:
    return "a map";
  case GD_NODE_SCALAR:
    break;
  }
  return "a text";
}

int gd_node_find(const gd_node *map, const char *key)
{
  assert(map != NULL && map->kind == GD_NODE_MAP);
  for (int i = 0; i < map->n; i++)
    if (strcmp(map->keys[i]->text, key) == 0)
      return i;
  return -1;
}

gd_node *gd_node_get(const gd_node *map, const char *key)
{
  const int i = gd_node_find(map, key);
  return i < 0 ? NULL : map->items[i];
}

gd_status gd_node_put(gd_arena *a, gd_node *map, gd_node *key, gd_node *value)
{
  const int i = gd_node_find(map, key->text);
  if (i >= 0) {
    map->keys[i] = key;
    map->items[i] = value;
    return GD_OK;
  }
  const size_t n = (size_t)map->n;
  gd_node **keys = gd_arena_get(a, n + 1, sizeof(gd_node *));
  gd_node **items = gd_arena_get(a, n + 1, sizeof(gd_node *));
  if (keys == NULL || items == NULL)
    return GD_ERR_NOMEM;
  if (n > 0) {
    memcpy(keys, map->keys, n * sizeof(gd_node *));
    memcpy(items, map->items, n * sizeof(gd_node *));
  }
  keys[n] = key;
  items[n] = value;
  map->keys = keys;
  map->items = items;
  map->n++;
  return GD_OK;
}

void gd_node_remove(gd_node *node, int i)
{
  assert(i >= 0 && i < node->n);
  node->n--;
  for (; i < node->n; i++) {
    node->items[i] = node->items[i + 1];
    if (node->keys != NULL)
      node->keys[i] = node->keys[i + 1];
  }
}

gd_node *gd_node_scalar(gd_arena *a, const gd_source *source, int column,
                        const char *text, size_t length)
{
  gd_node *node = gd_arena_get(a, 1, sizeof *node);
  char *copy = gd_arena_copy(a, text, length);
  if (node == NULL || copy == NULL)
    return NULL;
  *node =
      (gd_node){.source = source, .line = 1, .column = column, .text = copy};
  return node;
}

static const char *line_of(const char *text, int line)
{
  while (line > 1 && *text != '\0') {
    text += strcspn(text, "\n");
    if (*text == '\n')
      text++;
    line--;
  }
  return text;
}

/* Return the next character's start: UTF-8 continuation bytes belong to the
 * one before. */
static const char *next_character(const char *c)
{
  for (c++; ((unsigned char)*c & 0xc0) == 0x80; c++)
    ;
  return c;
}

static void add_line_and_caret(gd_text *t, const gd_node *at)
{
  const char *c = line_of(at->source->text, at->line);
  int column = 1;
  if (at->column > SHOWN_CHARACTERS)
    for (; column < at->column - SHOWN_BEFORE && *c != '\0' && *c != '\n';
         column++)
      c = next_character(c);

  const char *begin = c;
  int shown = 0;
  gd_text_add(t, "\n  ");
  while (*c != '\0' && *c != '\n' && shown < SHOWN_CHARACTERS) {
    const char *after = next_character(c);
    if ((unsigned char)*c < 0x20 || *c == 0x7f)
      gd_text_add(t, " ");
    else
      gd_text_bytes(t, c, (size_t)(after - c));
    c = after;
    shown++;
  }
  gd_text_printf(t, "\n  %*s^", at->column - column, "");

  /* Underline a scalar that stands there as it is read. */
  if (at->text != NULL) {
    const char *place = begin;
    for (int i = column; i < at->column && place < c; i++)
      place = next_character(place);
    const size_t length = strlen(at->text);
    if (length <= (size_t)(c - place) && memcmp(place, at->text, length) == 0)
      for (const char *p = place;
           length > 0 && next_character(p) < place + length;
           p = next_character(p))
        gd_text_add(t, "~");
  }
}

static gd_status fail_at(gd_status code, const gd_node *at, const char *nearest,
                         const char *what)
{
  gd_text t = {0};
  if (at->source->is_file)
    gd_text_printf(&t, "%s:%d:%d: error: %s", at->source->name, at->line,
                   at->column, what);
  else
    gd_text_printf(&t, "%s %.200s: error: %s", at->source->name,
                   at->source->text, what);
  if (nearest != NULL)
    gd_text_printf(&t, "; did you mean '%s'?", nearest);
  add_line_and_caret(&t, at);
  gd_status st = gd_text_status(&t);
  if (st == GD_OK)
    st = gd_fail(code, "%s", gd_text_get(&t));
  gd_text_free(&t);
  return st;
}

gd_status gd_node_fail(const gd_node *at, const char *nearest,
                       const char *format, ...)
{
  assert(at != NULL && format != NULL);

  char what[1024];
  va_list args;
  va_start(args, format);
  vsnprintf(what, sizeof what, format, args);
  va_end(args);
  return fail_at(GD_ERR_USAGE, at, nearest, what);
}

gd_status gd_node_blame(const gd_node *at, gd_status st)
{
  assert(at != NULL);
  if (st == GD_OK)
    return st;
  const int may_pass = st == GD_ERR_IO || st == GD_ERR_NOMEM;
  return fail_at(may_pass ? st : GD_ERR_USAGE, at, NULL, gd_reason());
}
