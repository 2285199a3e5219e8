/**
 * Fingerprints: which file this is, without reading all of it.
 *
 *   size, time of the last change, and a digest of three blocks:
 *
 *   |####|              |####|              |####|      4 KiB each
 *   first               middle               last       (a small file: all)
 *
 * The one idea: a corpus has terabytes, and three blocks of a compressed video
 * tell it from every other of the same size.  What they cannot tell is a change
 * elsewhere that keeps the size, such as pixels painted over in an uncompressed
 * file; then only the time says that something happened.
 */
#ifndef GRADUS_FINGERPRINT_H
#define GRADUS_FINGERPRINT_H

#include <stdint.h>

#include "gradus/digest.h"
#include "gradus/status.h"

typedef struct {
  int64_t size_bytes;  /**< -1: there is no such file */
  int64_t modified_ns; /**< since 1970 */
  gd_digest sample;    /**< of size and blocks; zero: cannot be read */
} gd_fingerprint;

/**
 * Take the fingerprint of a regular file.
 * @param[out] out  on failure what is known: the size is -1, or the sample zero
 * Errors: GD_ERR_IO (missing, no regular file, unreadable), GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_fingerprint_take(const char *path,
                                           gd_fingerprint *out);
/** Say whether two are of the same content; their times may differ. */
int gd_fingerprint_same(const gd_fingerprint *a, const gd_fingerprint *b);
/**
 * Compare a file with its earlier fingerprint.  Where size and time are as they
 * were, nothing is read.
 * @param[out] touched  the time has changed, and nothing else that can be seen
 * Errors: GD_ERR_IO (missing, unreadable), GD_ERR_FORMAT (another content)
 */
GD_NODISCARD gd_status gd_fingerprint_check(const char *path,
                                            const gd_fingerprint *before,
                                            int *touched);

#endif
