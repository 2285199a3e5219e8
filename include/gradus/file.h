/**
 * Paths, and files that appear only when they are complete.
 *
 * A writer fills `<name>.part`; publishing it is fsync, rename, fsync of the
 * directory.  A reader may assume that a file under its final name is whole.
 * New files are private to the user (mode 0600), new directories 0700.
 */
#ifndef GRADUS_FILE_H
#define GRADUS_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "gradus/status.h"

enum { GD_PATH_MAX = 4096 };

/**
 * Join directory and name into out[GD_PATH_MAX]; an absolute name stays alone.
 * Errors: GD_ERR_USAGE (longer than GD_PATH_MAX)
 */
GD_NODISCARD gd_status gd_path_join(const char *directory, const char *name,
                                    char out[GD_PATH_MAX]);
/** Return the part of a path behind its last slash; borrowed from `path`. */
const char *gd_path_base(const char *path);
/**
 * Say whether the last part of a path is a name with this ending behind it:
 * "a/b.h5" ends with ".h5", "a/.h5" does not.
 */
int gd_path_ends_with(const char *path, const char *ending);
int gd_path_exists(const char *path);

/** Make a directory and its parents. Errors: GD_ERR_IO */
GD_NODISCARD gd_status gd_directory_make(const char *path);

/** Write the temporary name of `path` into part[GD_PATH_MAX]. */
GD_NODISCARD gd_status gd_file_part(const char *path, char part[GD_PATH_MAX]);
/**
 * Give the closed file `<path>.part` its final name: fsync, rename, fsync of
 * the directory.
 * Errors: GD_ERR_IO (disk full is found here at the latest)
 */
GD_NODISCARD gd_status gd_file_publish(const char *path);
/** Write a small file whole, by way of its temporary name. Errors: GD_ERR_IO */
GD_NODISCARD gd_status gd_file_write(const char *path, const void *data,
                                     size_t size_bytes);
/** Likewise, but leave it under its temporary name, for a gd_publisher. */
GD_NODISCARD gd_status gd_file_write_part(const char *path, const void *data,
                                          size_t size_bytes);
/**
 * Read a whole file.
 * @param[in]  most_bytes  a longer file is refused
 * @param[out] out         content with a zero behind it; ends with free()
 * Errors: GD_ERR_IO (missing, unreadable), GD_ERR_FORMAT (too long)
 */
GD_NODISCARD gd_status gd_file_read(const char *path, size_t most_bytes,
                                    char **out, size_t *size_bytes);
/**
 * Tell size and modification time (nanoseconds since 1970) of a file.
 * Errors: GD_ERR_IO (missing, or no regular file)
 */
GD_NODISCARD gd_status gd_file_stat(const char *path, int64_t *size_bytes,
                                    int64_t *modified_ns);
/**
 * Say whether a path surely leads to no regular file that may be read, now and
 * later: missing, of another kind, forbidden.  All else, such as a disk that
 * does not answer or a lack of memory, may pass and says nothing.
 */
int gd_file_is_closed(const char *path);
/** Say whether opening failed for good, by its errno: of files and folders. */
int gd_file_error_lasts(int error);
/**
 * Return what is to be made of a file that could not be read: GD_ERR_FORMAT for
 * GD_ERR_IO where it is closed, else `st`, so that GD_ERR_IO is what may pass.
 */
GD_NODISCARD gd_status gd_file_judge(gd_status st, const char *path);
/**
 * Tell how many bytes can still be written to the file system of a directory,
 * or of the first above it that exists.
 * Errors: GD_ERR_IO
 */
GD_NODISCARD gd_status gd_file_free_bytes(const char *directory, int64_t *out);
/** Remove a file if it exists. Errors: GD_ERR_IO */
GD_NODISCARD gd_status gd_file_remove(const char *path);

#endif
