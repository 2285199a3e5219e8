#include "override.h"

#include <string.h>

#include "gradus/nearest.h"
#include "gradus/text.h"
#include "keys.h"

/* ------------------------------------------------------------- variables */

static int is_name(const char *text, size_t length)
{
  static const char allowed[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
  return length > 0 && strspn(text, allowed) >= length &&
         !(text[0] >= '0' && text[0] <= '9');
}

/* Fail at a byte of a scalar's text: exact where the text stands as it is
 * read, which is so unless it has escapes or several lines. */
static gd_status fail_within(const gd_node *node, const char *c,
                             const char *why, const char *name, size_t length)
{
  gd_node at = *node;
  for (const char *p = node->text; p < c; p++)
    at.column += ((unsigned char)*p & 0xc0) != 0x80;
  at.text = NULL;
  return gd_node_fail(&at, NULL, why, (int)length, name);
}

/* Add what one ${...} stands for; *c is behind the brace, and then behind the
 * closing one. */
static gd_status expand_one(gd_facts *facts, const gd_node *node,
                            const char **c, gd_text *out)
{
  const char *name = *c;
  const size_t length = strcspn(name, "}");
  const char *fallback = strstr(name, ":-");
  size_t name_length = length;
  if (fallback != NULL && (size_t)(fallback - name) < length)
    name_length = (size_t)(fallback - name);
  else
    fallback = NULL;
  if (name[length] != '}')
    return fail_within(node, name - 2, "'%.*s' is not closed: '}' is missing",
                       name - 2, length + 2);
  if (!is_name(name, name_length))
    return fail_within(node, name - 2,
                       "'%.*s': no name of an environment variable", name,
                       name_length);
  char *key = gd_arena_copy(facts->arena, name, name_length);
  if (key == NULL)
    return GD_ERR_NOMEM;
  const char *value;
  gd_status st = gd_facts_variable(facts, key, &value);
  if (st != GD_OK)
    return st;
  if (value == NULL && fallback == NULL)
    return fail_within(node, name - 2, "environment variable '%.*s' is not set",
                       name, name_length);
  if (value != NULL && (value[0] != '\0' || fallback == NULL))
    gd_text_add(out, value);
  else
    gd_text_bytes(out, fallback + 2, (size_t)(name + length - fallback) - 2);
  *c = name + length + 1;
  return GD_OK;
}

static gd_status expand_scalar(gd_arena *a, gd_facts *facts, gd_node *node)
{
  if (strstr(node->text, "${") == NULL)
    return GD_OK;
  gd_text out = {0};
  gd_status st = GD_OK;
  for (const char *c = node->text; st == GD_OK && *c != '\0';)
    if (strncmp(c, "$${", 3) == 0) {
      gd_text_add(&out, "${");
      c += 3;
    } else if (strncmp(c, "${", 2) == 0) {
      c += 2;
      st = expand_one(facts, node, &c, &out);
    } else {
      gd_text_bytes(&out, c++, 1);
    }
  if (st == GD_OK)
    st = gd_text_status(&out);
  if (st == GD_OK) {
    node->text = gd_arena_copy(a, gd_text_get(&out), out.length_bytes);
    node->quoted = 1; /* an empty variable is an empty text, not nothing */
    if (node->text == NULL)
      st = GD_ERR_NOMEM;
  }
  gd_text_free(&out);
  return st;
}

gd_status gd_override_variables(gd_arena *a, gd_facts *facts, gd_node *node)
{
  if (node->kind == GD_NODE_SCALAR)
    return expand_scalar(a, facts, node);
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < node->n; i++)
    st = gd_override_variables(a, facts, node->items[i]);
  return st;
}

/* ----------------------------------------------------------------- --set */

/* Remove a dotted key from a map, however it is nested. */
static void remove_dotted(gd_node *map, const char *key)
{
  for (int i = map->n - 1; i >= 0; i--) {
    const char *own = map->keys[i]->text;
    const size_t length = strlen(own);
    if (strcmp(own, key) == 0)
      gd_node_remove(map, i);
    else if (strncmp(own, key, length) == 0 && key[length] == '.' &&
             map->items[i]->kind == GD_NODE_MAP)
      remove_dotted(map->items[i], key + length + 1);
  }
}

/* Return the map under a key, made if it is missing; NULL with the reason. */
static gd_node *map_under(gd_arena *a, gd_node *map, gd_node *key)
{
  gd_node *child = gd_node_get(map, key->text);
  if (child == NULL) {
    child = gd_arena_get(a, 1, sizeof *child);
    if (child == NULL)
      return NULL;
    *child = *key;
    child->kind = GD_NODE_MAP;
    child->text = NULL;
    if (gd_node_put(a, map, key, child) != GD_OK)
      return NULL;
  }
  if (child->kind != GD_NODE_MAP) {
    (void)!gd_node_fail(child, NULL, "'%s' takes a map, not %s", key->text,
                        gd_node_kind_text(child));
    return NULL;
  }
  return child;
}

static void move_columns(gd_node *node, const gd_source *source, int columns)
{
  node->source = source;
  node->column += columns;
  for (int i = 0; i < node->n; i++) {
    if (node->keys != NULL)
      move_columns(node->keys[i], source, columns);
    move_columns(node->items[i], source, columns);
  }
}

/* Read the value alone, then place it in the whole text.  Aliases are copied
 * when they are read: no node is moved twice. */
static gd_status parse_value(gd_arena *a, const gd_source *source,
                             const char *value, gd_node **out)
{
  const int columns = (int)(value - source->text);
  if (value[0] == '\0') {
    *out = gd_node_scalar(a, source, columns + 1, "", 0);
    if (*out == NULL)
      return GD_ERR_NOMEM;
    (*out)->quoted = 1;
    return GD_OK;
  }
  gd_source *part = gd_arena_get(a, 1, sizeof *part);
  if (part == NULL)
    return GD_ERR_NOMEM;
  *part = (gd_source){.name = source->name, .text = value};
  gd_status st = gd_node_parse(a, part, out);
  if (st == GD_OK)
    move_columns(*out, source, columns);
  return st;
}

/* The path of a `--set`, cut at its dots as far as maps go; the last piece is
 * the key, dotted or not. */
typedef struct {
  gd_node *pieces[4];
  int n;
} set_path;

static gd_status cut_path(gd_arena *a, const gd_source *source, size_t length,
                          int n_most, set_path *path)
{
  const char *c = source->text, *end = c + length;
  *path = (set_path){0};
  while (path->n < n_most) {
    const char *dot = memchr(c, '.', (size_t)(end - c));
    const int last = dot == NULL || path->n == n_most - 1;
    const char *stop = last ? end : dot;
    gd_node *piece = gd_node_scalar(a, source, (int)(c - source->text) + 1, c,
                                    (size_t)(stop - c));
    if (piece == NULL)
      return GD_ERR_NOMEM;
    if (stop == c)
      return gd_node_fail(piece, NULL, "a name is missing here");
    path->pieces[path->n++] = piece;
    if (last)
      break;
    c = dot + 1;
  }
  return GD_OK;
}

static gd_status fail_no_stage(const gd_node *stages, const gd_node *at)
{
  const char *names[256];
  int n = 0;
  for (; n < stages->n && n < 256; n++)
    names[n] = stages->keys[n]->text;
  return gd_node_fail(at, gd_nearest(at->text, names, n),
                      "the manifest has no stage '%s'", at->text);
}

static void pin(gd_node *root, const char *stage, const char *key)
{
  gd_node *sweep = gd_node_get(root, "sweep");
  gd_node *axes = sweep == NULL || sweep->kind != GD_NODE_MAP
                      ? NULL
                      : gd_node_get(sweep, stage);
  if (axes == NULL || axes->kind != GD_NODE_MAP)
    return;
  remove_dotted(axes, key);
  gd_node *zip = gd_node_get(axes, "zip");
  if (zip != NULL && zip->kind == GD_NODE_MAP)
    remove_dotted(zip, key);
}

/* How many maps lie between the root and the key: "work" 0, "corpus.root" 1,
 * "sweep.model.loss" 2, "sweep.model.zip.loss" 3. */
static int n_maps(const char *first, const char *path)
{
  if (gd_words_have("job|work", first))
    return 0;
  if (strcmp(first, "corpus") == 0)
    return 1;
  const char *stage = strchr(path, '.');
  const char *key = stage == NULL ? NULL : strchr(stage + 1, '.');
  const int zip = strcmp(first, "sweep") == 0 && key != NULL &&
                  strncmp(key, ".zip.", 5) == 0;
  return zip ? 3 : 2;
}

static gd_status put_value(gd_arena *a, gd_node *root, const gd_source *source,
                           size_t length, gd_node *value)
{
  set_path path;
  gd_node *map = root, *stages = gd_node_get(root, "stages");
  gd_status st = cut_path(a, source, length, 2, &path);
  if (st != GD_OK)
    return st;
  const char *first = path.pieces[0]->text;
  const int has_stages = stages != NULL && stages->kind == GD_NODE_MAP;
  const int is_stage = has_stages && gd_node_find(stages, first) >= 0;
  const int is_block =
      gd_words_have("job|work|corpus|stages|sweep|slurm", first);
  if (!is_stage && !is_block)
    return has_stages ? fail_no_stage(stages, path.pieces[0])
                      : gd_node_fail(path.pieces[0], NULL,
                                     "the manifest has no stages");
  const int maps = is_stage ? 1 : n_maps(first, source->text);
  st = cut_path(a, source, length, maps + 1, &path);
  if (st != GD_OK)
    return st;
  gd_node *key = path.pieces[path.n - 1];
  if (path.n != maps + 1)
    return gd_node_fail(key, NULL, "what of '%s'? write %s.KEY=VALUE",
                        key->text, key->text);
  if (is_stage)
    map = stages;
  for (int i = 0; i < maps; i++) {
    if (map == stages && gd_node_find(map, path.pieces[i]->text) < 0)
      return fail_no_stage(stages, path.pieces[i]);
    map = map_under(a, map, path.pieces[i]);
    if (map == NULL)
      return GD_ERR_USAGE;
  }
  remove_dotted(map, key->text);
  if (is_stage || strcmp(first, "stages") == 0)
    pin(root, path.pieces[maps - 1]->text, key->text);
  return gd_node_put(a, map, key, value);
}

gd_status gd_override_set(gd_arena *a, gd_facts *facts, gd_node *root,
                          const char *set)
{
  gd_source *source = gd_arena_get(a, 1, sizeof *source);
  char *text = gd_arena_copy(a, set, strlen(set));
  if (source == NULL || text == NULL)
    return GD_ERR_NOMEM;
  *source = (gd_source){.name = "--set", .text = text};
  gd_node start = {.source = source, .line = 1, .column = 1};
  const char *equals = strchr(text, '=');
  if (equals == NULL)
    return gd_node_fail(&start, NULL, "'=' is missing: write stage.key=value");
  gd_node *value = NULL;
  gd_status st = parse_value(a, source, equals + 1, &value);
  if (st == GD_OK)
    st = gd_override_variables(a, facts, value);
  if (st == GD_OK)
    st = put_value(a, root, source, (size_t)(equals - text), value);
  return st;
}
