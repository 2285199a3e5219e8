/**
 * Memory that is freed all at once: a job's nodes, values and texts.
 *
 * A manifest is read once and lives as long as its job; nothing in it is freed
 * on its own, so no error path has anything to clean up.
 */
#ifndef GRADUS_MANIFEST_ARENA_H
#define GRADUS_MANIFEST_ARENA_H

#include <stddef.h>

#include "gradus/status.h"

typedef struct gd_arena gd_arena;

/** Ends with: gd_arena_free(). Errors: GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_arena_new(gd_arena **out);
void gd_arena_free(gd_arena *a); /**< NULL is allowed */
/** Return zeroed memory for any type, or NULL with the reason set. */
void *gd_arena_get(gd_arena *a, size_t count, size_t item_bytes);
/** Return a zero-terminated copy of length bytes, or NULL. */
char *gd_arena_copy(gd_arena *a, const char *text, size_t length);

#endif
