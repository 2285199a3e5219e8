/**
 * A lock on a directory: two runs never work in the same one.
 *
 * It is a POSIX record lock on the file `<directory>/lock`, which names host
 * and process for people.  The kernel gives it back when the process ends in
 * whatever way, kill -9 included: there are no stale locks to remove.
 */
#ifndef GRADUS_LOCK_H
#define GRADUS_LOCK_H

#include <stddef.h>

#include "gradus/status.h"

typedef struct gd_lock gd_lock;

/**
 * Take the lock of an existing directory, or fail at once.  A file system
 * without locks (ENOLCK, ENOSYS) gives a warning in the log, and no lock.
 * Ends with: gd_lock_end()
 * Errors: GD_ERR_IO (held: by whom; cannot create), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_lock_begin(const char *directory, gd_lock **out);
/**
 * Say whether another process holds the lock of a directory, on whatever host.
 * @param[out] by  who says to hold it: host and process, zero-terminated
 */
int gd_lock_held(const char *directory, char *by, size_t by_bytes);
/** Give the lock back and remove its file.  NULL is allowed. */
void gd_lock_end(gd_lock *lock);

#endif
