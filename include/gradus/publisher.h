/**
 * Publishers: large finished files get on the disk while work goes on.
 *
 * Waiting until a disk has a file (fsync) takes far longer than writing it to
 * memory.  A publisher does what gd_file_publish() does, for several files in
 * order, on a thread of its own (gradus/task.h): a file appears under its final
 * name when it is on the disk, and later ones only after earlier ones.
 */
#ifndef GRADUS_PUBLISHER_H
#define GRADUS_PUBLISHER_H

#include "gradus/status.h"

typedef struct gd_publisher gd_publisher;

/** Ends with: gd_publisher_free(). Errors: GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_publisher_new(gd_publisher **out);
/** Wait and free; a failure that nobody waited for is lost. NULL is allowed. */
void gd_publisher_free(gd_publisher *p);

/**
 * Name a file, closed and under its temporary name, to be published with the
 * next gd_publisher_start().  Not while a start is under way: wait first.
 * Errors: GD_ERR_USAGE (path too long)
 */
GD_NODISCARD gd_status gd_publisher_add(gd_publisher *p, const char *path);
/**
 * Name a file to be removed when all that was added is published.  Of more than
 * 16 at a time the rest stays: name it again with the next start.
 * Errors: GD_ERR_USAGE (path too long)
 */
GD_NODISCARD gd_status gd_publisher_drop(gd_publisher *p, const char *path);
/** Begin to publish what has been added. Errors: GD_ERR_NOMEM (no thread) */
GD_NODISCARD gd_status gd_publisher_start(gd_publisher *p);
/**
 * Wait until all that was started is published.
 * Errors: GD_ERR_IO, once: the first failure; the files after it were not
 *         published
 */
GD_NODISCARD gd_status gd_publisher_wait(gd_publisher *p);

#endif
