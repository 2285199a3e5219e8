/**
 * Prefetching: items of one size, read ahead by a thread.
 *
 * A prefetch is told which items will be wanted, in order, and reads them while
 * its owner computes, as far ahead as its buffers go.  What is read, and in
 * which order it is taken, does not depend on how fast either side is.
 *
 *     gd_prefetch_begin(prefetch);
 *     for each item to come: gd_prefetch_add(prefetch, item);
 *     for each item: gd_prefetch_take(prefetch, item, out);
 *
 * Nothing is allocated after gd_prefetch_new().
 */
#ifndef GRADUS_PREFETCH_H
#define GRADUS_PREFETCH_H

#include <stdint.h>

#include "gradus/status.h"

typedef struct gd_prefetch gd_prefetch;

/**
 * Read an item; called by the prefetch's thread alone, one item at a time.
 * @param[out] out  the prefetch's item_bytes
 */
typedef gd_status gd_prefetch_read(void *context, int64_t item, void *out);

/**
 * Make a prefetch and start its thread, which waits.
 * @param[in] item_bytes  of every item
 * @param[in] n_ahead     items that are read before they are taken, >= 1
 * @param[in] n_most      items that a list can have
 * @param[in] context     for `read`, kept
 * Ends with: gd_prefetch_free()
 * Errors:    GD_ERR_NOMEM (also: no thread)
 */
GD_NODISCARD gd_status gd_prefetch_new(int64_t item_bytes, int n_ahead,
                                       int64_t n_most, gd_prefetch_read *read,
                                       void *context, gd_prefetch **out);
/** Wait until the thread has ended, and free. NULL is allowed */
void gd_prefetch_free(gd_prefetch *f);

/** Begin a new list; what was not taken of the last one is dropped, and so is
 * a failure to read it. */
void gd_prefetch_begin(gd_prefetch *f);
/** Add an item behind the list; there must be room. */
void gd_prefetch_add(gd_prefetch *f, int64_t item);
/**
 * Take the next item of the list, and wait for it if need be.
 * @param[in]  item  which it has to be
 * @param[out] out   item_bytes
 * Errors: those of `read`, with its reason, at the item where they arose and
 *         for all behind it
 */
GD_NODISCARD gd_status gd_prefetch_take(gd_prefetch *f, int64_t item,
                                        void *out);

/** Return the seconds that all gd_prefetch_take() have waited so far. */
double gd_prefetch_waited_s(const gd_prefetch *f);

#endif
