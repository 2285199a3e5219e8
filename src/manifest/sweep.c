/* The `sweep:` block: axes.  A key with a list is an axis; the lists under
 * `zip` are one axis together; `1..5` is a list of whole numbers. */
#include <stdio.h>
#include <string.h>

#include "manifest.h"

enum { MOST_AXES = 64, MOST_VALUES = 10000 };

typedef struct {
  gd_manifest *m;
  int stage;
  gd_axis *zip; /* the axis that all keys join, or NULL: each its own */
} gathering;

static gd_status add_axis(gd_manifest *m, int stage, const gd_node *at,
                          gd_axis **out)
{
  if (m->n_axes == MOST_AXES)
    return gd_node_fail(at, NULL, "more than %d axes", MOST_AXES);
  if (m->axes == NULL)
    m->axes = gd_arena_get(m->arena, MOST_AXES, sizeof *m->axes);
  const size_t room = (size_t)m->stages[stage].section->n_keys;
  int *keys = gd_arena_get(m->arena, room, sizeof *keys);
  if (m->axes == NULL || keys == NULL)
    return GD_ERR_NOMEM;
  *out = &m->axes[m->n_axes++];
  **out = (gd_axis){.stage = stage, .keys = keys};
  return GD_OK;
}

/* Values of a zipped axis lie row by row with room for every key. */
static size_t row_of(const gd_manifest *m, const gd_axis *axis)
{
  return (size_t)m->stages[axis->stage].section->n_keys;
}

/* Read "1..82" as the list of its numbers; anything else stays as it is. */
static gd_status expand_range(gd_arena *a, const gd_key *key, gd_node **value)
{
  gd_node *range = *value;
  long first, last;
  char rest;
  if (range->kind != GD_NODE_SCALAR || key->type != GD_KEY_INT ||
      sscanf(range->text, "%9ld..%9ld%c", &first, &last, &rest) != 2)
    return GD_OK;
  if (first < 0 || last < first || last - first >= MOST_VALUES)
    return gd_node_fail(range, NULL,
                        "a range goes up from one whole number to another, "
                        "over at most %d",
                        MOST_VALUES);
  gd_node *list = gd_arena_get(a, 1, sizeof *list);
  if (list == NULL)
    return GD_ERR_NOMEM;
  *list = *range;
  list->kind = GD_NODE_LIST;
  list->text = NULL;
  list->n = (int)(last - first) + 1;
  list->items = gd_arena_get(a, (size_t)list->n, sizeof(gd_node *));
  if (list->items == NULL)
    return GD_ERR_NOMEM;
  for (int i = 0; i < list->n; i++) {
    char text[24];
    const int length = snprintf(text, sizeof text, "%ld", first + i);
    list->items[i] =
        gd_node_scalar(a, range->source, range->column, text, (size_t)length);
    if (list->items[i] == NULL)
      return GD_ERR_NOMEM;
    list->items[i]->line = range->line;
  }
  *value = list;
  return GD_OK;
}

static gd_status add_key(void *context, int key, const gd_node *at,
                         gd_node *value)
{
  gathering *g = context;
  gd_manifest *m = g->m;
  const gd_key *k = &m->stages[g->stage].section->keys[key];
  gd_status st = expand_range(m->arena, k, &value);
  if (st != GD_OK)
    return st;
  if (value->kind != GD_NODE_LIST || value->n == 0)
    return gd_node_fail(value, NULL, "a sweep over '%s' takes a list of values",
                        k->name);
  gd_axis *axis = g->zip;
  if (axis == NULL)
    st = add_axis(m, g->stage, at, &axis);
  if (st != GD_OK)
    return st;
  const size_t row = row_of(m, axis);
  if (axis->n_keys == 0) {
    axis->n_values = value->n;
    axis->values =
        gd_arena_get(m->arena, (size_t)value->n * row, sizeof(gd_value));
    if (axis->values == NULL)
      return GD_ERR_NOMEM;
  } else if (axis->n_values != value->n) {
    return gd_node_fail(value, NULL, "%d values to zip with lists of %d",
                        value->n, axis->n_values);
  }
  for (int i = 0; st == GD_OK && i < value->n; i++)
    st = gd_value_read(m->arena, k, value->items[i],
                       &axis->values[(size_t)i * row + (size_t)axis->n_keys]);
  axis->keys[axis->n_keys++] = key;
  return st;
}

/* Two equal combinations would be one instance under two names. */
static gd_status refuse_doubles(const gd_manifest *m, const gd_axis *axis)
{
  const size_t row = row_of(m, axis);
  for (int i = 1; i < axis->n_values; i++)
    for (int j = 0; j < i; j++) {
      const gd_value *a = axis->values + (size_t)i * row;
      const gd_value *b = axis->values + (size_t)j * row;
      int k = 0;
      while (k < axis->n_keys && strcmp(a[k].text, b[k].text) == 0)
        k++;
      if (k == axis->n_keys)
        return gd_node_fail(a[0].at, NULL, "value '%s' twice in a sweep",
                            a[0].text);
    }
  return GD_OK;
}

/* A key is on one axis only: of two, the later would win unsaid. */
static gd_status refuse_shared_keys(const gd_manifest *m, const gd_axis *a,
                                    const gd_axis *b)
{
  if (a->stage != b->stage)
    return GD_OK;
  for (int i = 0; i < a->n_keys; i++)
    for (int j = 0; j < b->n_keys; j++)
      if (a->keys[i] == b->keys[j])
        return gd_node_fail(b->values[j].at, NULL,
                            "'%s' is swept inside and outside of 'zip'",
                            m->stages[a->stage].section->keys[a->keys[i]].name);
  return GD_OK;
}

static gd_status read_axes(gd_manifest *m, int stage, gd_node *map)
{
  const gd_section *section = m->stages[stage].section;
  gathering g = {.m = m, .stage = stage};
  gd_status st = gd_manifest_walk(m->arena, section, map, "zip", add_key, &g);
  gd_node *zip = st == GD_OK ? gd_node_get(map, "zip") : NULL;
  if (zip == NULL)
    return st;
  if (zip->kind != GD_NODE_MAP)
    return gd_node_fail(zip, NULL, "'zip' takes a map of lists, not %s",
                        gd_node_kind_text(zip));
  st = add_axis(m, stage, zip, &g.zip);
  if (st != GD_OK)
    return st;
  g.zip->zipped = 1;
  st = gd_manifest_walk(m->arena, section, zip, NULL, add_key, &g);
  if (st == GD_OK && g.zip->n_keys == 0)
    m->n_axes--;
  return st;
}

gd_status gd_manifest_sweep(gd_manifest *m, const gd_node *sweep)
{
  if (sweep->kind != GD_NODE_MAP)
    return gd_node_fail(sweep, NULL, "'sweep' takes a map of stages");
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < sweep->n; i++) {
    const gd_node *name = sweep->keys[i];
    const int stage = gd_manifest_stage(m, name->text);
    if (stage < 0)
      return gd_manifest_no_stage(m, name);
    if (sweep->items[i]->kind != GD_NODE_MAP)
      return gd_node_fail(sweep->items[i], NULL,
                          "'%s' takes a map of keys to lists", name->text);
    st = read_axes(m, stage, sweep->items[i]);
  }
  for (int i = 0; st == GD_OK && i < m->n_axes; i++)
    st = refuse_doubles(m, &m->axes[i]);
  for (int i = 1; st == GD_OK && i < m->n_axes; i++)
    for (int j = 0; st == GD_OK && j < i; j++)
      st = refuse_shared_keys(m, &m->axes[j], &m->axes[i]);
  return st;
}
