#include "gradus/memory.h"

#include <assert.h>
#include <inttypes.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { SHARED_BYTES = 16 << 20, FIRST_ROOM = 16 };

/* Large arrays are cleared by all threads, each its part: where memory is near
 * the processor that touches it first, loops with a static schedule then find
 * theirs near. */
static void clear(char *memory, size_t size_bytes)
{
  const int n_threads = size_bytes < SHARED_BYTES ? 1 : omp_get_max_threads();
#pragma omp parallel num_threads(n_threads)
  {
    const size_t t = (size_t)omp_get_thread_num();
    const size_t share = size_bytes / (size_t)omp_get_num_threads();
    const int is_last = omp_get_thread_num() == omp_get_num_threads() - 1;
    memset(memory + t * share, 0, is_last ? size_bytes - t * share : share);
  }
}

static gd_status no_memory(int64_t count, size_t item_bytes)
{
  return gd_fail(GD_ERR_NOMEM, "out of memory: %" PRId64 " items of %zu bytes",
                 count, item_bytes);
}

void *gd_alloc(int64_t count, size_t item_bytes)
{
  assert(count >= 0 && item_bytes > 0);

  void *memory = NULL;
  size_t size_bytes;
  if (!__builtin_mul_overflow((uint64_t)count, item_bytes, &size_bytes) &&
      size_bytes < SIZE_MAX - GD_ALIGN_BYTES) {
    size_bytes = (size_bytes / GD_ALIGN_BYTES + 1) * GD_ALIGN_BYTES;
    memory = aligned_alloc(GD_ALIGN_BYTES, size_bytes);
  }
  if (memory == NULL) {
    (void)!no_memory(count, item_bytes);
    return NULL;
  }
  clear(memory, size_bytes);
  return memory;
}

gd_status gd_grow(void *array, int64_t n, int64_t *room, size_t item_bytes)
{
  assert(array != NULL && n >= 0 && room != NULL && *room >= 0);
  assert(item_bytes > 0);
  if (n <= *room)
    return GD_OK;
  int64_t more = *room <= INT64_MAX / 2 ? 2 * *room : n;
  if (more < FIRST_ROOM)
    more = FIRST_ROOM;
  if (more < n)
    more = n;
  size_t size_bytes;
  if (__builtin_mul_overflow((uint64_t)more, item_bytes, &size_bytes))
    return no_memory(more, item_bytes);
  void *items; /* the caller's pointer is to items, not to void */
  memcpy(&items, array, sizeof items);
  items = realloc(items, size_bytes);
  if (items == NULL)
    return no_memory(more, item_bytes);
  memcpy(array, &items, sizeof items);
  *room = more;
  return GD_OK;
}

char *gd_strdup(const char *text)
{
  assert(text != NULL);
  const size_t size_bytes = strlen(text) + 1;
  char *copy = gd_alloc((int64_t)size_bytes, 1);
  return copy == NULL ? NULL : memcpy(copy, text, size_bytes);
}
