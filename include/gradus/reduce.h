/**
 * Reduction: add up the gradients of a step's microbatches, the same bits for
 * any number of ranks, and step the optimiser where the sums arise.
 *
 * The leaves are the blocks of floats that the microbatches 0 .. M-1 give.
 * Their sum is defined by one balanced binary tree: gradus/tree.h.
 *
 * A rank owns the run gd_range_of(M, rank, size) of leaves.  Every run is a
 * sequence of at most 2 log2 M complete subtrees (aligned blocks of 2^k
 * leaves); the rank adds leaves up to them, with a stack of partial sums as
 * deep.  The block is cut into one chunk per rank.  A chunk's owner receives
 * all ranks' subtree sums of its chunk, in rounds of bounded memory, adds them
 * in tree order, and gives the total to `apply`, which runs the optimiser on
 * that part: optimiser state exists once, spread over the ranks.  Then all
 * ranks gather the new values.
 *
 * Agreement rides along: each rank's failure, request to stop, and tallies of
 * its leaves (loss sums) go ahead of the data.
 *
 *   gd_reduce_begin(r, M);
 *   for each leaf of gd_reduce_run(r): write gd_reduce_leaf(r); gd_reduce_add
 *   gd_reduce_end(r, status, ...);          on every rank, also after a failure
 *
 * Sums and `apply` run in pieces that stay in the cache, on all threads.
 */
#ifndef GRADUS_REDUCE_H
#define GRADUS_REDUCE_H

#include <mpi.h>
#include <stddef.h>
#include <stdint.h>

#include "gradus/range.h"
#include "gradus/status.h"
#include "gradus/tree.h"

enum {
  GD_REDUCE_TALLIES = GD_TREE_TALLIES,
  GD_REDUCE_ALIGN = 1024 /**< chunks and pieces begin at multiples of it */
};

typedef struct gd_reduce gd_reduce;

/**
 * @param[in] count           floats of a block; at most INT_MAX
 * @param[in] exchange_bytes  memory for data under way, about; at least some
 *                            kilobytes per rank are used
 * Ends with:  gd_reduce_free()
 * Collective: yes, same arguments on all ranks; `comm` is duplicated
 * Errors:     GD_ERR_USAGE (block too long for MPI's counts), GD_ERR_NOMEM (on
 *             this rank: agree afterwards)
 */
GD_NODISCARD gd_status gd_reduce_new(MPI_Comm comm, int64_t count,
                                     size_t exchange_bytes, gd_reduce **out);
void gd_reduce_free(gd_reduce *r); /**< Collective: yes. NULL is allowed */

/** Return the part of the block that this rank owns: its optimiser state's. */
gd_range gd_reduce_chunk(const gd_reduce *r);
/** Return the bytes that it holds now. */
int64_t gd_reduce_bytes(const gd_reduce *r);

/**
 * Begin a step of n_leaves leaves.  Memory grows when a step needs more than
 * any before: in the first step, as a rule.
 * @param[in] n_leaves  M >= 1, the same on all ranks
 * Collective: no
 * Errors:     GD_ERR_NOMEM; gd_reduce_end() must be called nevertheless
 */
GD_NODISCARD gd_status gd_reduce_begin(gd_reduce *r, int64_t n_leaves);
/** Return the leaves that this rank is to make; may be empty. */
gd_range gd_reduce_run(const gd_reduce *r);
/** Return the block (count floats) to write the next leaf to; borrowed until
 * gd_reduce_add(). */
float *gd_reduce_leaf(gd_reduce *r);
/** Note that the leaf is written, and its tallies, summed in tree order. */
void gd_reduce_add(gd_reduce *r, const double tallies[GD_REDUCE_TALLIES]);

/**
 * Make use of the total of block[first .. first + count).
 * Called for disjoint pieces of this rank's chunk, which begin at multiples of
 * GD_REDUCE_ALIGN and end at the chunk's end or at others, from several
 * threads: the result must depend on each element alone, not on how parts are
 * cut.
 * @param[in] sum  (count) the leaves' total
 */
typedef void gd_reduce_apply(void *context, int64_t first, int64_t count,
                             const float *sum);

/**
 * Do what needs all ranks' totals to be there: called once, on every rank,
 * after all pieces went to `apply`, if all totals are finite; may communicate.
 */
typedef void gd_reduce_settle(void *context);

typedef struct {
  double tallies[GD_REDUCE_TALLIES]; /**< totals */
  int stop;                          /**< a rank asked to stop */
  int64_t bad_at; /**< first element whose total is not finite, or -1 */
} gd_reduce_outcome;

/**
 * End the step: exchange, apply, gather.
 * @param[in]     mine     how the leaves went on this rank
 * @param[in]     stop     non-zero: this rank is asked to stop (after the step)
 * @param[in]     settle   NULL: nothing is left to do after `apply`
 * @param[in,out] block    (count); `apply` and `settle` change this rank's
 * chunk of it, and the other chunks are gathered from their owners
 * @param[out]    outcome  the same on all ranks
 * Collective: yes
 * Errors:     `mine`, GD_ERR_PEER (a rank failed: nothing was applied);
 *             GD_ERR_NUMERIC on all ranks (a total is not finite; the block
 *             then must not be used)
 */
GD_NODISCARD gd_status gd_reduce_end(gd_reduce *r, gd_status mine, int stop,
                                     gd_reduce_apply *apply,
                                     gd_reduce_settle *settle, void *context,
                                     float *block, gd_reduce_outcome *outcome);

/**
 * After GD_ERR_NUMERIC: return the fewest leaves of this rank that the value
 * which is not finite at element `at` can be blamed on; empty if none.
 */
gd_range gd_reduce_blame(const gd_reduce *r, int64_t at);

#endif
