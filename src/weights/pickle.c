#include "weights/pickle.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"
#include "weights/pickle_machine.h"

enum { DEEPEST = 8 };
static const int64_t MOST_ITEMS = (int64_t)1 << 31; /* of a tensor */

static int64_t bytes_of(const char *type)
{
  if (strcmp(type, "F64") == 0 || strcmp(type, "I64") == 0)
    return 8;
  if (strcmp(type, "F32") == 0 || strcmp(type, "I32") == 0)
    return 4;
  return strcmp(type, "F16") == 0 || strcmp(type, "BF16") == 0 ||
                 strcmp(type, "I16") == 0
             ? 2
             : 1;
}

/* Read sizes and strides.  Axes may lie in any order, as .permute() and
 * .t() leave them; values that are shared or skipped are refused. */
static gd_status read_shape(const gd_pickle_machine *m, const gd_pickled *t,
                            gd_tensor_place *place, int64_t *count)
{
  const gd_pickled *sizes = gd_pickled_item(m, t, 1),
                   *strides = gd_pickled_item(m, t, 2);
  if (sizes->n_items > GD_WEIGHTS_MAX_RANK ||
      sizes->n_items != strides->n_items)
    return gd_fail(GD_ERR_FORMAT,
                   "%s: tensor %s has %d dimensions; at most %d are read",
                   m->path, place->name, sizes->n_items, GD_WEIGHTS_MAX_RANK);
  int64_t span = 1;
  *count = 1;
  place->rank = sizes->n_items;
  for (int i = place->rank - 1; i >= 0; i--) {
    const gd_pickled *size = gd_pickled_item(m, sizes, i),
                     *stride = gd_pickled_item(m, strides, i);
    if (!gd_pickled_is(size, GD_PICKLED_NUMBER) ||
        !gd_pickled_is(stride, GD_PICKLED_NUMBER) || size->number < 0 ||
        stride->number < 0 || size->number > MOST_ITEMS ||
        stride->number > MOST_ITEMS)
      return gd_fail(GD_ERR_FORMAT,
                     "%s: tensor %s has a size or stride that cannot be",
                     m->path, place->name);
    place->shape[i] = size->number;
    place->stride[i] = stride->number;
    place->is_permuted |= size->number > 1 && stride->number != *count;
    if (__builtin_mul_overflow(*count, size->number, count) ||
        *count > MOST_ITEMS)
      return gd_fail(GD_ERR_FORMAT, "%s: tensor %s is too large", m->path,
                     place->name);
    span += (size->number - 1) * stride->number;
    if (span > MOST_ITEMS)
      return gd_fail(GD_ERR_FORMAT, "%s: tensor %s is too large", m->path,
                     place->name);
  }
  if (*count > 0 && span != *count)
    return gd_fail(GD_ERR_FORMAT,
                   "%s: the values of tensor %s do not lie side by side; save "
                   "it after .contiguous()",
                   m->path, place->name);
  return GD_OK;
}

/* Walks from the top dictionary to its tensors. */
typedef struct {
  const gd_pickle_machine *machine;
  gd_pickle *out;
  int64_t room;
  int n_visited; /* a dictionary may be in itself, or in many others */
} collector;

static gd_status add_tensor(collector *c, const char *name, const gd_pickled *t)
{
  const gd_pickle_machine *m = c->machine;
  const gd_pickled *storage = gd_pickled_item(m, t, 0);
  gd_pickled_tensor p = {.storage = storage->text,
                         .storage_items = storage->number};
  int64_t count = 0;
  snprintf(p.place.name, sizeof p.place.name, "%s", name);
  memcpy(p.place.type, storage->type, sizeof p.place.type);
  gd_status st = read_shape(m, t, &p.place, &count);
  if (st != GD_OK)
    return st;
  if (t->number < 0 || t->number > storage->number ||
      count > storage->number - t->number)
    return gd_fail(GD_ERR_FORMAT, "%s: tensor %s reaches beyond its storage",
                   m->path, name);
  const int64_t item_bytes = bytes_of(storage->type);
  p.place.first_byte = t->number * item_bytes;
  p.place.end_byte = p.place.first_byte + count * item_bytes;
  st = gd_grow(&c->out->tensors, c->out->n_tensors + 1, &c->room,
               sizeof *c->out->tensors);
  if (st == GD_OK)
    c->out->tensors[c->out->n_tensors++] = p;
  return st;
}

static gd_status collect(collector *c, const gd_pickled *dict,
                         const char *prefix, int depth)
{
  const gd_pickle_machine *m = c->machine;
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i + 1 < dict->n_items; i += 2) {
    const gd_pickled *key = gd_pickled_item(m, dict, i),
                     *v = gd_pickled_item(m, dict, i + 1);
    char name[GD_WEIGHTS_NAME_MAX];
    if (++c->n_visited > GD_PICKLE_MOST_VALUES || depth > DEEPEST)
      return gd_fail(GD_ERR_FORMAT, "%s: pickle: too deeply nested", m->path);
    if (!gd_pickled_is(key, GD_PICKLED_TEXT) ||
        (v->kind != GD_PICKLED_TENSOR && v->kind != GD_PICKLED_DICT))
      continue;
    if (snprintf(name, sizeof name, "%s%s%s", prefix,
                 prefix[0] != '\0' ? "." : "", key->text) >= (int)sizeof name)
      return gd_fail(GD_ERR_FORMAT, "%s: pickle: name %.60s... is too long",
                     m->path, key->text);
    st = v->kind == GD_PICKLED_TENSOR ? add_tensor(c, name, v)
                                      : collect(c, v, name, depth + 1);
  }
  return st;
}

static gd_status collect_texts(gd_pickle_machine *m, const gd_pickled *list,
                               gd_pickle *out)
{
  out->texts = gd_alloc(list->n_items, sizeof *out->texts);
  if (out->texts == NULL)
    return GD_ERR_NOMEM;
  for (int i = 0; i < list->n_items; i++) {
    gd_pickled *text = gd_pickled_item(m, list, i);
    if (!gd_pickled_is(text, GD_PICKLED_TEXT))
      return gd_fail(GD_ERR_FORMAT, "%s: pickle: a key that is no text",
                     m->path);
    out->texts[out->n_texts++] = text->text;
  }
  return GD_OK;
}

/* The pickle that callers see, and the machine whose texts it borrows. */
typedef struct {
  gd_pickle pickle;
  gd_pickle_machine machine;
} owned;

void gd_pickle_free(gd_pickle *p)
{
  if (p == NULL)
    return;
  owned *o = (owned *)p;
  gd_pickle_machine_end(&o->machine);
  free(p->tensors);
  free(p->texts);
  free(o);
}

gd_status gd_pickle_read(const char *path, const uint8_t *data, size_t n_bytes,
                         gd_pickle **out)
{
  assert(path != NULL && data != NULL && out != NULL);

  *out = NULL;
  owned *o = gd_alloc(1, sizeof *o);
  if (o == NULL)
    return GD_ERR_NOMEM;
  gd_pickle_machine *m = &o->machine;
  *m = (gd_pickle_machine){.path = path, .data = data, .n_bytes = n_bytes};
  gd_status st = gd_pickle_machine_run(m);
  const gd_pickled *top = gd_pickle_machine_top(m);
  if (st == GD_OK && gd_pickled_is(top, GD_PICKLED_DICT))
    st = collect(&(collector){.machine = m, .out = &o->pickle}, top, "", 0);
  else if (st == GD_OK && gd_pickled_is(top, GD_PICKLED_LIST))
    st = collect_texts(m, top, &o->pickle);
  o->pickle.size_bytes = m->at;
  if (st != GD_OK) {
    gd_pickle_free(&o->pickle);
    return st;
  }
  *out = &o->pickle;
  return GD_OK;
}
