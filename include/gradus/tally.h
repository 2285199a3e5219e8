/**
 * A tally: what a stage has to report, kept per rank and brought together on
 * rank 0: named counts, which are summed, and skipped items with reasons, of
 * which each is told once.
 */
#ifndef GRADUS_TALLY_H
#define GRADUS_TALLY_H

#include <mpi.h>
#include <stdint.h>

#include "gradus/status.h"
#include "gradus/text.h"

typedef struct gd_tally gd_tally;

/** Begin an empty tally. Ends with: gd_tally_free(). Errors: GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_tally_new(gd_tally **out);
void gd_tally_free(gd_tally *t); /**< NULL is allowed */

/** Add to a named count. Errors: GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_tally_count(gd_tally *t, const char *name, int64_t n);
/** Note a skipped item. Errors: GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_tally_skip(gd_tally *t, const char *item,
                                     const char *reason);
/**
 * Bring the tallies of all ranks together.
 * Ranks:      rank 0's holds all; those of the others are as before
 * Collective: yes
 * Errors:     GD_ERR_NOMEM, GD_ERR_PEER, agreed
 */
GD_NODISCARD gd_status gd_tally_gather(MPI_Comm comm, gd_tally *t);

/** Return how many different items were skipped. */
int64_t gd_tally_n_skipped(gd_tally *t);
/** Compose `counts:` and `skipped:` as YAML; items in order of name. */
void gd_tally_compose(gd_tally *t, gd_text *out);

#endif
