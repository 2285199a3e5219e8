/** Small stores for tests of what handles stores of any kind. */
#ifndef GRADUS_TEST_STORES_H
#define GRADUS_TEST_STORES_H

#include "gradus/store.h"

/**
 * Write a store with one dataset of 1000 numbers from `seed` on, and note one
 * item as skipped if `skipped` is not NULL.
 */
gd_status gd_test_store(const char *path, gd_digest digest, int64_t seed,
                        const char *skipped);
/** Turn one bit of the byte `from_end` before the end of a file. */
void gd_test_flip(const char *path, long from_end);

#endif
