/** Memory for arrays: aligned for vector loads, zeroed, overflow checked; large
 * ones are first touched by all OpenMP threads of the caller, each its part. */
#ifndef GRADUS_MEMORY_H
#define GRADUS_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "gradus/status.h"

enum { GD_ALIGN_BYTES = 64 };

/**
 * Allocate `count` zeroed items of `item_bytes`, aligned to GD_ALIGN_BYTES.
 * @return the memory, or NULL with the reason set (pass on GD_ERR_NOMEM); a
 *         count of 0 gives memory that may not be touched
 * Ends with: free()
 */
void *gd_alloc(int64_t count, size_t item_bytes);

/** Return a copy of `text`, or NULL with the reason set. Ends with: free() */
char *gd_strdup(const char *text);

#endif
