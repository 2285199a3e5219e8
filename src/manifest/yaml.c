/* YAML: the only source file that knows libfyaml.  The library's tree is
 * copied into ours, so that nothing else depends on its types. */
#include <libfyaml.h>
#include <string.h>

#include "gradus/text.h"
#include "node.h"

/* Limits on what aliases can grow to, and on recursion.  A large text may have
 * as many nodes as bytes, which it cannot exceed without aliases. */
enum { MOST_NODES = 200000, MOST_DEPTH = 48 };

typedef struct {
  gd_arena *arena;
  const gd_source *source;
  size_t n_nodes, most_nodes;
} reader;

/* The first error that libfyaml noted, in our form. */
static gd_status fail_with_diagnostics(const reader *r, struct fy_diag *diag)
{
  void *next = NULL;
  const struct fy_diag_error *e = fy_diag_errors_iterate(diag, &next);
  gd_node at = {.source = r->source, .line = 1, .column = 1};
  if (e == NULL)
    return gd_node_fail(&at, NULL, "empty: there is nothing to read");
  at.line = e->line < 1 ? 1 : e->line;
  at.column = e->column < 1 ? 1 : e->column;
  return gd_node_fail(&at, NULL, "not YAML: %s",
                      e->msg == NULL ? "unreadable" : e->msg);
}

static void set_place(gd_node *node, struct fy_token *token)
{
  const struct fy_mark *mark =
      token == NULL ? NULL : fy_token_start_mark(token);
  node->line = mark == NULL || mark->line < 0 ? 1 : mark->line + 1;
  node->column = mark == NULL || mark->column < 0 ? 1 : mark->column + 1;
}

static gd_status convert(reader *r, struct fy_node *from, int depth,
                         gd_node **out);

static gd_status convert_scalar(reader *r, struct fy_node *from, gd_node *node)
{
  size_t length = 0;
  const char *text = fy_node_get_scalar(from, &length);
  const enum fy_node_style style = fy_node_get_style(from);
  node->quoted = style != FYNS_PLAIN && style != FYNS_ANY;
  set_place(node, fy_node_get_scalar_token(from));
  node->text = gd_arena_copy(r->arena, text == NULL ? "" : text, length);
  if (node->text == NULL)
    return GD_ERR_NOMEM;
  if (strlen(node->text) != length)
    return gd_node_fail(node, NULL, "text with a zero character");
  return GD_OK;
}

static gd_status convert_list(reader *r, struct fy_node *from, int depth,
                              gd_node *node)
{
  const int room = fy_node_sequence_item_count(from);
  node->kind = GD_NODE_LIST;
  node->items =
      gd_arena_get(r->arena, room < 0 ? 0 : (size_t)room, sizeof(gd_node *));
  if (node->items == NULL)
    return GD_ERR_NOMEM;
  void *next = NULL;
  struct fy_node *item;
  gd_status st = GD_OK;
  while (st == GD_OK && node->n < room &&
         (item = fy_node_sequence_iterate(from, &next)) != NULL)
    st = convert(r, item, depth + 1, &node->items[node->n++]);
  return st;
}

static gd_status convert_pair(reader *r, struct fy_node_pair *pair, int depth,
                              gd_node *map)
{
  gd_node *key = NULL;
  gd_status st = convert(r, fy_node_pair_key(pair), depth + 1, &key);
  if (st != GD_OK)
    return st;
  if (key->kind != GD_NODE_SCALAR || key->text[0] == '\0')
    return gd_node_fail(key, NULL, "a key must be a word, not %s",
                        key->kind == GD_NODE_SCALAR ? "empty"
                                                    : gd_node_kind_text(key));
  const int first = gd_node_find(map, key->text);
  if (first >= 0)
    return gd_node_fail(key, NULL, "key '%s' twice; first on line %d",
                        key->text, map->keys[first]->line);
  map->keys[map->n] = key;
  gd_node *value = NULL;
  st = convert(r, fy_node_pair_value(pair), depth + 1, &value);
  if (st != GD_OK)
    return st;
  /* What is not there has no place of its own. */
  if (value->n == 0 && !value->quoted &&
      (value->text == NULL || value->text[0] == '\0')) {
    value->line = key->line;
    value->column = key->column;
  }
  map->items[map->n++] = value;
  return GD_OK;
}

static gd_status convert_map(reader *r, struct fy_node *from, int depth,
                             gd_node *node)
{
  const int count = fy_node_mapping_item_count(from);
  const size_t room = count < 0 ? 0 : (size_t)count;
  node->kind = GD_NODE_MAP;
  node->keys = gd_arena_get(r->arena, room, sizeof(gd_node *));
  node->items = gd_arena_get(r->arena, room, sizeof(gd_node *));
  if (node->keys == NULL || node->items == NULL)
    return GD_ERR_NOMEM;
  void *next = NULL;
  struct fy_node_pair *pair;
  gd_status st = GD_OK;
  while (st == GD_OK && node->n < count &&
         (pair = fy_node_mapping_iterate(from, &next)) != NULL)
    st = convert_pair(r, pair, depth, node);
  return st;
}

/* Where a list or map begins: at its first item, as a reader sees it. */
static void set_place_of_children(gd_node *node)
{
  const gd_node *first = NULL;
  if (node->n > 0)
    first = node->keys != NULL ? node->keys[0] : node->items[0];
  if (first != NULL) {
    node->line = first->line;
    node->column = first->column;
  }
}

static gd_status convert(reader *r, struct fy_node *from, int depth,
                         gd_node **out)
{
  gd_node *node = gd_arena_get(r->arena, 1, sizeof *node);
  if (node == NULL)
    return GD_ERR_NOMEM;
  *node = (gd_node){.source = r->source, .line = 1, .column = 1};
  *out = node;
  if (from == NULL) { /* `key:` without a value */
    node->text = "";
    return GD_OK;
  }
  if (fy_node_is_alias(from)) {
    struct fy_node *target = fy_node_resolve_alias(from);
    set_place(node, fy_node_get_scalar_token(from));
    node->column -= node->column > 1; /* the asterisk */
    if (target == NULL)
      return gd_node_fail(node, NULL, "alias of nothing");
    from = target;
  }
  if (++r->n_nodes > r->most_nodes || depth > MOST_DEPTH)
    return gd_node_fail(node, NULL, "larger or deeper than a manifest may be");

  gd_status st;
  if (fy_node_is_scalar(from))
    return convert_scalar(r, from, node);
  if (fy_node_is_sequence(from))
    st = convert_list(r, from, depth, node);
  else
    st = convert_map(r, from, depth, node);
  set_place_of_children(node);
  return st;
}

static gd_status convert_document(reader *r, struct fy_parser *parser,
                                  struct fy_diag *diag, gd_node **out)
{
  struct fy_document *document = fy_parse_load_document(parser);
  if (document == NULL)
    return fail_with_diagnostics(r, diag);
  gd_status st = convert(r, fy_document_root(document), 0, out);
  fy_parse_document_destroy(parser, document);
  if (st != GD_OK)
    return st;
  document = fy_parse_load_document(parser);
  if (document != NULL) {
    fy_parse_document_destroy(parser, document);
    return gd_node_fail(*out, NULL, "more than one YAML document in the file");
  }
  if (fy_diag_got_error(diag))
    return fail_with_diagnostics(r, diag);
  return GD_OK;
}

/* Where a plain text would begin with a byte that begins no character, libfyaml
 * ends, and takes what stands before it for all. */
static gd_status check_characters(const gd_source *source)
{
  const size_t n = gd_text_utf8(source->text);
  gd_node at = {.source = source, .line = 1, .column = 1};
  if (source->text[n] == '\0')
    return GD_OK;
  for (size_t i = 0; i < n; i++)
    if (source->text[i] == '\n') {
      at.line++;
      at.column = 1;
    } else {
      at.column += ((unsigned char)source->text[i] & 0xc0) != 0x80;
    }
  return gd_node_fail(&at, NULL, "a byte that is no UTF-8: save it as UTF-8");
}

gd_status gd_node_parse(gd_arena *a, const gd_source *source, gd_node **out)
{
  *out = NULL;
  gd_status st = check_characters(source);
  if (st != GD_OK)
    return st;
  struct fy_diag_cfg quiet;
  fy_diag_cfg_default(&quiet);
  quiet.fp = NULL;
  quiet.level = FYET_ERROR;
  struct fy_diag *diag = fy_diag_create(&quiet);
  if (diag == NULL)
    return gd_fail(GD_ERR_NOMEM, "out of memory: YAML parser");
  fy_diag_set_collect_errors(diag, true);

  /* Keys given twice are found by us, with both places. */
  const struct fy_parse_cfg config = {
      .flags = FYPCF_QUIET | FYPCF_ALLOW_DUPLICATE_KEYS, .diag = diag};
  struct fy_parser *parser = fy_parser_create(&config);
  const size_t n_bytes = strlen(source->text);
  reader r = {.arena = a,
              .source = source,
              .most_nodes = n_bytes > MOST_NODES ? n_bytes : MOST_NODES};
  if (parser == NULL ||
      fy_parser_set_string(parser, source->text, n_bytes) != 0)
    st = gd_fail(GD_ERR_NOMEM, "out of memory: YAML parser");
  else
    st = convert_document(&r, parser, diag, out);
  fy_parser_destroy(parser);
  fy_diag_destroy(diag);
  if (st != GD_OK)
    *out = NULL;
  return st;
}
