/**
 * Sharing what rank 0 has read: one rank asks the file system, the others are
 * told.
 */
#ifndef GRADUS_SHARE_H
#define GRADUS_SHARE_H

#include <mpi.h>
#include <stdint.h>

#include "gradus/status.h"
#include "gradus/text.h"

/**
 * Give every rank the bytes of rank 0's text, of any length.
 * @param[in,out] text  on rank 0 what is shared; on the others begun as {0}, or
 *                      overwritten
 * Collective: yes
 * Errors:     GD_ERR_NOMEM, GD_ERR_PEER, agreed
 */
GD_NODISCARD gd_status gd_share_text(MPI_Comm comm, gd_text *text);

/**
 * Give every rank rank 0's numbers.
 * @param[in]     n       the same on all ranks, at most INT_MAX
 * @param[in,out] values  (n)
 * Collective: yes
 */
void gd_share_ints(MPI_Comm comm, int64_t n, int64_t *values);

#endif
