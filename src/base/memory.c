#include "gradus/memory.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

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
    (void)!gd_fail(GD_ERR_NOMEM,
                   "out of memory: %" PRId64 " items of %zu bytes", count,
                   item_bytes);
    return NULL;
  }
  return memset(memory, 0, size_bytes);
}

char *gd_strdup(const char *text)
{
  assert(text != NULL);
  const size_t size_bytes = strlen(text) + 1;
  char *copy = gd_alloc((int64_t)size_bytes, 1);
  return copy == NULL ? NULL : memcpy(copy, text, size_bytes);
}
