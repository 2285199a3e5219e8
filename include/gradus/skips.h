/**
 * Skips: the inputs that stages left out, and why, as their report.yaml lists
 * them:
 *
 *   skipped:
 *     - {item: "videos/a.avi", reason: "videos/a.avi: cannot open: ..."}
 */
#ifndef GRADUS_SKIPS_H
#define GRADUS_SKIPS_H

#include <stdint.h>

#include "gradus/status.h"

typedef struct {
  char *stage, *item, *reason;
} gd_skip;

/** A list; starts as {0}. */
typedef struct {
  int64_t n, room;
  gd_skip *skips;
} gd_skips;

/**
 * Append what a report lists.
 * @param[in] path   of a report.yaml; a missing one lists nothing
 * @param[in] stage  name of the stage, for the reader
 * Control characters become blanks.
 * Errors: GD_ERR_IO, GD_ERR_FORMAT (its place), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_skips_add(gd_skips *list, const char *path,
                                    const char *stage);
void gd_skips_free(gd_skips *list); /**< leaves it empty */

#endif
