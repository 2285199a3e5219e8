/**
 * Persons: which videos show the same one.
 *
 * Videos of one person are not independent of one another, so what deals or
 * resamples videos deals or resamples persons.  They are told apart by the text
 * of `subject`, and numbered in its order: not in that of the videos.
 */
#ifndef GRADUS_PERSONS_H
#define GRADUS_PERSONS_H

#include <stdint.h>

#include "gradus/corpus.h"
#include "gradus/status.h"

/**
 * Number the persons of some videos.
 * @param[in]  videos     (n) borrowed
 * @param[out] person     (n) 0 .. n_persons-1
 * Errors: GD_ERR_NOMEM
 */
GD_NODISCARD gd_status gd_persons_number(int64_t n,
                                         const gd_video *const *videos,
                                         int64_t *person, int64_t *n_persons);

#endif
