#include "arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 1 << 16 };

typedef struct block {
  struct block *next;
  size_t used_bytes, room_bytes;
  alignas(max_align_t) char data[];
} block;

struct gd_arena {
  block *first;
};

gd_status gd_arena_new(gd_arena **out)
{
  *out = calloc(1, sizeof **out);
  if (*out == NULL)
    return gd_fail(GD_ERR_NOMEM, "out of memory: manifest");
  return GD_OK;
}

void gd_arena_free(gd_arena *a)
{
  if (a == NULL)
    return;
  while (a->first != NULL) {
    block *b = a->first;
    a->first = b->next;
    free(b);
  }
  free(a);
}

static void *no_memory(void)
{
  (void)!gd_fail(GD_ERR_NOMEM, "out of memory: manifest");
  return NULL;
}

void *gd_arena_get(gd_arena *a, size_t count, size_t item_bytes)
{
  assert(a != NULL && item_bytes > 0);

  if (count > (SIZE_MAX / 2) / item_bytes)
    return no_memory();
  const size_t step = alignof(max_align_t);
  const size_t need = (count * item_bytes + step - 1) / step * step;
  block *b = a->first;
  if (b == NULL || need > b->room_bytes - b->used_bytes) {
    const size_t room = need > BLOCK_BYTES ? need : BLOCK_BYTES;
    b = calloc(1, sizeof *b + room);
    if (b == NULL)
      return no_memory();
    b->room_bytes = room;
    b->next = a->first;
    a->first = b;
  }
  void *memory = b->data + b->used_bytes;
  b->used_bytes += need;
  return memory;
}

char *gd_arena_copy(gd_arena *a, const char *text, size_t length)
{
  char *copy = gd_arena_get(a, length + 1, 1);
  if (copy != NULL && length > 0)
    memcpy(copy, text, length);
  return copy;
}
