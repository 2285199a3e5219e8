#include "gradus/tensor.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"

/* Room doubles at powers of two, so the count alone tells when to grow. */
static gd_status grow(gd_tensor_table *t)
{
  if (t->n_entries > 0 && (t->n_entries & (t->n_entries - 1)) != 0)
    return GD_OK;
  const int64_t room = t->n_entries == 0 ? 1 : 2 * (int64_t)t->n_entries;
  gd_tensor_entry *entries = gd_alloc(room, sizeof *entries);
  if (entries == NULL)
    return GD_ERR_NOMEM;
  if (t->n_entries > 0)
    memcpy(entries, t->entries, (size_t)t->n_entries * sizeof *entries);
  free(t->entries);
  t->entries = entries;
  return GD_OK;
}

gd_status gd_tensor_table_add(gd_tensor_table *t, const char *name,
                              gd_tensor_kind kind, int rank, const int *shape)
{
  assert(rank >= 1 && rank <= GD_TENSOR_RANK);
  assert(strlen(name) < GD_TENSOR_NAME);

  gd_status st = grow(t);
  if (st != GD_OK)
    return st;
  gd_tensor_entry *e = &t->entries[t->n_entries];
  *e = (gd_tensor_entry){
      .offset = t->count, .count = 1, .rank = rank, .kind = kind};
  snprintf(e->name, sizeof e->name, "%s", name);
  for (int i = 0; i < rank; i++) {
    assert(shape[i] > 0);
    e->shape[i] = shape[i];
    e->count *= shape[i];
  }
  t->n_entries++;
  t->count += e->count;
  return GD_OK;
}

const gd_tensor_entry *gd_tensor_table_find(const gd_tensor_table *t,
                                            const char *name)
{
  for (int i = 0; i < t->n_entries; i++)
    if (strcmp(t->entries[i].name, name) == 0)
      return &t->entries[i];
  return NULL;
}

const gd_tensor_entry *gd_tensor_table_at(const gd_tensor_table *t, int64_t at)
{
  assert(at >= 0 && at < t->count);
  int low = 0, high = t->n_entries - 1;
  while (low < high) {
    const int middle = (low + high + 1) / 2;
    if (t->entries[middle].offset <= at)
      low = middle;
    else
      high = middle - 1;
  }
  return &t->entries[low];
}

void gd_tensor_table_free(gd_tensor_table *t)
{
  if (t == NULL)
    return;
  free(t->entries);
  *t = (gd_tensor_table){0};
}
