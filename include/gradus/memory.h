/** Memory for arrays: aligned for vector loads, zeroed, overflow checked; large
 * ones are first touched by all OpenMP threads of the caller, each its part.
 * And arrays that grow item by item, which are neither aligned nor zeroed. */
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

/**
 * Make room for n items in an array that may have to move.  Room doubles, so
 * that items added one by one are copied a few times each, not once for every
 * other.  New items hold anything; alignment is that of malloc().
 * @param[in,out] array  address of the pointer to the items, which may be NULL
 *                       while *room is 0; unchanged on failure
 * @param[in,out] room   items that there is room for; unchanged on failure
 * Ends with: free() of the array
 * Errors:    GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_grow(void *array, int64_t n, int64_t *room,
                               size_t item_bytes);

/** Return a copy of `text`, or NULL with the reason set. Ends with: free() */
char *gd_strdup(const char *text);

#endif
