/**
 * Digests: 128-bit content hashes (XXH3) that name and verify results.
 *
 * Not cryptographic.  Numbers enter with their bytes in little-endian order,
 * strings with their length, so that no two sequences collide by joining.
 */
#ifndef GRADUS_DIGEST_H
#define GRADUS_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "gradus/status.h"

typedef struct {
  uint64_t high, low;
} gd_digest;

enum { GD_DIGEST_HEX = 33 }; /**< 32 hexadecimal digits and the final zero */

typedef struct gd_hasher gd_hasher;

/** Start a digest. Ends with: gd_hasher_end(). Errors: GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_hasher_new(gd_hasher **out);
void gd_hasher_bytes(gd_hasher *h, const void *data, size_t size_bytes);
void gd_hasher_text(gd_hasher *h, const char *text); /**< with its length */
void gd_hasher_int(gd_hasher *h, int64_t value);
void gd_hasher_digest(gd_hasher *h, gd_digest value);
/** Return the digest so far without ending it. */
gd_digest gd_hasher_value(const gd_hasher *h);
/** Make `to` go on from where `from` is. */
void gd_hasher_copy(gd_hasher *to, const gd_hasher *from);
/** Return the digest and free `h`; NULL gives the zero digest. */
gd_digest gd_hasher_end(gd_hasher *h);

gd_digest gd_digest_of(const void *data, size_t size_bytes);
/** Digest a file's whole content. Errors: GD_ERR_IO */
GD_NODISCARD gd_status gd_digest_of_file(const char *path, gd_digest *out);
void gd_digest_hex(gd_digest d, char hex[GD_DIGEST_HEX]);
/** Read what gd_digest_hex() writes. Returns whether the text is that: 32
 * digits and small letters; else a zero digest. */
GD_NODISCARD int gd_digest_of_hex(const char *hex, gd_digest *out);
int gd_digest_equal(gd_digest a, gd_digest b);

#endif
