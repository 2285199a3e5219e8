/**
 * Gathering what ranks hold parts of, on every rank.
 */
#ifndef GRADUS_GATHER_H
#define GRADUS_GATHER_H

#include <mpi.h>
#include <stdint.h>

#include "gradus/buckets.h"
#include "gradus/range.h"

/**
 * Give every rank what each has computed of an array.
 * @param[in]     count   floats of the array, at most INT_MAX
 * @param[in]     mine    this rank's part; the ranks' parts follow one another
 * @param[in,out] values  (count); other ranks' parts are filled in
 * Collective: yes
 * Ranks:      an empty part is allowed
 */
void gd_gather_all(MPI_Comm comm, int64_t count, gd_range mine, float *values);

/**
 * Likewise for an array whose parts are owned as the buckets say.
 * @param[in] count  floats of the array, at most the buckets'
 */
void gd_gather_parts(MPI_Comm comm, int64_t count, const gd_buckets *buckets,
                     float *values);

/**
 * Add up arrays of numbers of which, at every place, one rank at most has
 * another than 0: exact, in whatever order ranks are added.
 * @param[in,out] values  (count); the sum on every rank
 * Collective: yes
 */
void gd_gather_add(MPI_Comm comm, int64_t count, double *values);

#endif
