/**
 * Gathering runs of floats that ranks hold, in order of rank: on every rank,
 * or streamed to rank 0, which then never holds them all.
 */
#ifndef GRADUS_GATHER_H
#define GRADUS_GATHER_H

#include <mpi.h>
#include <stdint.h>

#include "gradus/range.h"
#include "gradus/status.h"

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
 * Add up arrays of numbers of which, at every place, one rank at most has
 * another than 0: exact, in whatever order ranks are added.
 * @param[in,out] values  (count); the sum on every rank
 * Collective: yes
 */
void gd_gather_add(MPI_Comm comm, int64_t count, double *values);

/** Use the next n values of the stream. */
typedef gd_status gd_gather_take(void *context, int64_t n, const float *values);
/**
 * Stream the ranks' runs to rank 0, in order of rank, in pieces of at most a
 * few megabytes.
 * @param[in] n_local  floats of this rank's run; may be 0
 * @param[in] take     called on rank 0 alone; after its first failure the rest
 *                     of the stream is received and dropped
 * @return on rank 0 the first status of `take` that is not GD_OK; GD_OK on the
 *         others: agree afterwards
 * Collective: yes
 * Errors:     GD_ERR_NOMEM on rank 0, GD_ERR_PEER on the others
 */
GD_NODISCARD gd_status gd_gather_stream(MPI_Comm comm, int64_t n_local,
                                        const float *values,
                                        gd_gather_take *take, void *context);

#endif
