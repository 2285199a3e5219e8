#include "gradus/record.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/file.h"
#include "gradus/text.h"
#include "node.h"

/* A report that lists every skipped video of a large corpus. */
enum { RECORD_BYTES_MAX = 256 << 20 };

typedef struct {
  const char *key, *text;
} entry;

struct gd_record {
  gd_arena *arena;
  int n, room;
  entry *entries;
  int is_bytes; /* the text was no UTF-8 */
};

/* ------------------------------------------------------------------ bytes */

/* YAML is UTF-8, but files are named in any bytes.  In a text that is not,
 * each byte above 127 is read as the character of that number, and what was
 * read is turned back. */
static char *characters_of(gd_record *r, const char *text)
{
  size_t n = strlen(text), more = 0;
  for (size_t i = 0; i < n; i++)
    more += (unsigned char)text[i] >= 0x80;
  char *out = gd_arena_get(r->arena, n + more + 1, 1), *to = out;
  for (; out != NULL && *text != '\0'; text++) {
    const unsigned char c = (unsigned char)*text;
    if (c >= 0x80)
      *to++ = (char)(0xc0 | c >> 6);
    *to++ = (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c);
  }
  return out;
}

static const char *bytes_of(gd_record *r, const char *text)
{
  if (!r->is_bytes)
    return text;
  char *out = gd_arena_copy(r->arena, text, strlen(text)), *to = out;
  for (; out != NULL && *text != '\0'; text++) {
    const unsigned char c = (unsigned char)*text;
    /* Other characters than those of characters_of() were written as such. */
    *to++ = (char)((c & 0xfe) == 0xc2 ? c << 6 | (*++text & 0x3f) : c);
  }
  if (out != NULL)
    *to = '\0';
  return out;
}

/* ---------------------------------------------------------------- entries */

static int count(const gd_node *node)
{
  if (node->kind == GD_NODE_SCALAR)
    return 1;
  int n = 0;
  for (int i = 0; i < node->n; i++)
    n += count(node->items[i]);
  return n;
}

/* Join the path down to a node and one more piece. */
static char *join(gd_record *r, const char *path, const char *piece)
{
  const size_t room = strlen(path) + strlen(piece) + 2;
  char *full = gd_arena_get(r->arena, room, 1);
  if (full != NULL)
    snprintf(full, room, "%s%s%s", path, path[0] == '\0' ? "" : ".", piece);
  return full;
}

static gd_status flatten(gd_record *r, const gd_node *node, const char *path)
{
  if (node->kind == GD_NODE_SCALAR) {
    assert(r->n < r->room);
    const entry e = {bytes_of(r, path), bytes_of(r, node->text)};
    r->entries[r->n++] = e;
    return e.key == NULL || e.text == NULL ? GD_ERR_NOMEM : GD_OK;
  }
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < node->n; i++) {
    char number[16];
    snprintf(number, sizeof number, "%d", i);
    const char *full =
        join(r, path, node->keys != NULL ? node->keys[i]->text : number);
    st = full == NULL ? GD_ERR_NOMEM : flatten(r, node->items[i], full);
  }
  return st;
}

static gd_status fill(gd_record *r, const char *name, const char *text)
{
  gd_source *source = gd_arena_get(r->arena, 1, sizeof *source);
  char *own_name = gd_arena_copy(r->arena, name, strlen(name));
  char *own_text = gd_arena_copy(r->arena, text, strlen(text));
  if (source == NULL || own_name == NULL || own_text == NULL)
    return GD_ERR_NOMEM;
  *source = (gd_source){.name = own_name, .text = own_text, .is_file = 1};
  r->is_bytes = own_text[gd_text_utf8(own_text)] != '\0';
  if (r->is_bytes)
    source->text = characters_of(r, text);
  if (source->text == NULL)
    return GD_ERR_NOMEM;
  gd_node *root;
  gd_status st = gd_node_parse(r->arena, source, &root);
  if (st == GD_ERR_USAGE)
    return gd_fail(GD_ERR_FORMAT, "%s", gd_reason());
  if (st != GD_OK)
    return st;
  r->room = count(root);
  r->entries = gd_arena_get(r->arena, (size_t)r->room, sizeof *r->entries);
  return r->entries == NULL ? GD_ERR_NOMEM : flatten(r, root, "");
}

gd_status gd_record_parse(const char *name, const char *text, gd_record **out)
{
  assert(name != NULL && text != NULL && out != NULL);
  *out = NULL;
  gd_arena *arena;
  gd_status st = gd_arena_new(&arena);
  if (st != GD_OK)
    return st;
  gd_record *r = gd_arena_get(arena, 1, sizeof *r);
  st = r == NULL ? GD_ERR_NOMEM : GD_OK;
  if (st == GD_OK) {
    r->arena = arena;
    st = fill(r, name, text);
  }
  if (st == GD_OK)
    *out = r;
  else
    gd_arena_free(arena);
  return st;
}

gd_status gd_record_read(const char *path, gd_record **out)
{
  assert(path != NULL && out != NULL);
  *out = NULL;
  char *text;
  gd_status st = gd_file_read(path, RECORD_BYTES_MAX, &text, NULL);
  if (st != GD_OK)
    return st;
  st = gd_record_parse(path, text, out);
  free(text);
  return st;
}

void gd_record_free(gd_record *r)
{
  if (r != NULL)
    gd_arena_free(r->arena);
}

int gd_record_n(const gd_record *r)
{
  return r->n;
}

const char *gd_record_key(const gd_record *r, int i)
{
  assert(i >= 0 && i < r->n);
  return r->entries[i].key;
}

const char *gd_record_text(const gd_record *r, int i)
{
  assert(i >= 0 && i < r->n);
  return r->entries[i].text;
}

const char *gd_record_get(const gd_record *r, const char *key)
{
  for (int i = 0; i < r->n; i++)
    if (strcmp(r->entries[i].key, key) == 0)
      return r->entries[i].text;
  return NULL;
}
