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
 * deep.  The block is cut into buckets, and each of these into a part per rank
 * (gradus/buckets.h).  A part's owner receives all ranks' subtree sums of it,
 * adds them in tree order, and gives the total to `apply`, which runs the
 * optimiser on that part: its state exists once, spread over the ranks.  Then
 * the new values go to all ranks.
 *
 *   gd_reduce_begin(r, M, &use);
 *   for each leaf of gd_reduce_run(r): write gd_reduce_leaf(r); gd_reduce_add
 *   gd_reduce_end(r, status, ...);          on every rank, also after a failure
 *
 * That exchanges everything behind the last leaf.  To hide the exchange behind
 * that leaf's backward pass:
 *
 *   the last leaf's forward pass; its loss; all that can fail
 *   gd_reduce_add(r, tallies);         before its values are there
 *   gd_reduce_start(r, stop);          from here on this rank cannot fail
 *   the backward pass, with gd_reduce_ready(r, first) after every layer
 *   gd_reduce_end(r, GD_OK, stop, ...);
 *
 * Each rank may do either; the sums are the same.
 *
 * Failures.  A rank says whether it failed, whether it is asked to stop, and
 * its leaves' tallies in one small message to all: at gd_reduce_start(), or
 * else in gd_reduce_end().  No bucket is sent before all ranks have said that
 * they are well, and behind its word a rank only computes.  So nothing is
 * applied, and no message is left under way, when a rank fails.  A rank that is
 * killed leaves the others waiting in gd_reduce_end(), as it would in
 * gd_agree(): mpirun ends them.
 *
 * Progress.  There is no thread for it: MPI moves data while it is called (over
 * TCP by copying to and from the sockets' buffers, which hold some megabytes).
 * gd_reduce_ready() is that call: it posts the buckets that are ready, tests
 * those under way, and adds up and applies what has come.  Called after every
 * layer, some tens of milliseconds apart, it keeps 1 Gbit/s busy; a thread
 * would have to be fed by MPI_THREAD_MULTIPLE and would take a core from the
 * layers.
 *
 * What needs the norm of the whole gradient (clipping, LARS, LAMB) is settled
 * when all totals are there.  Then the sums' half of the exchange is hidden,
 * and the new values' half is not.
 *
 * Sums and `apply` run in pieces that stay in the cache, on all threads.
 */
#ifndef GRADUS_REDUCE_H
#define GRADUS_REDUCE_H

#include <mpi.h>
#include <stddef.h>
#include <stdint.h>

#include "gradus/buckets.h"
#include "gradus/range.h"
#include "gradus/status.h"
#include "gradus/tree.h"

enum { GD_REDUCE_TALLIES = GD_TREE_TALLIES };

typedef struct gd_reduce gd_reduce;

/**
 * @param[in] count         floats of a block; at most INT_MAX
 * @param[in] bucket_bytes  see gd_buckets_cut(); memory for some buckets is
 *                          taken
 * Ends with:  gd_reduce_free()
 * Collective: yes, same arguments on all ranks; `comm` is duplicated
 * Errors:     GD_ERR_USAGE (block too long for MPI's counts), GD_ERR_NOMEM (on
 *             this rank: agree afterwards)
 */
GD_NODISCARD gd_status gd_reduce_new(MPI_Comm comm, int64_t count,
                                     size_t bucket_bytes, gd_reduce **out);
void gd_reduce_free(gd_reduce *r); /**< Collective: yes. NULL is allowed */

/** Return how the block is cut, and so which parts of it this rank owns:
 * borrowed. */
const gd_buckets *gd_reduce_buckets(const gd_reduce *r);

/**
 * Make use of the total of block[first .. first + count).
 * Called for disjoint pieces of this rank's parts, in no order that can be
 * relied on.  They begin at multiples of GD_BUCKETS_ALIGN and end at the part's
 * end or at others, and come from several threads: the result must depend on
 * each element alone, not on how parts are cut.
 * @param[in] sum  (count) the leaves' total
 */
typedef void gd_reduce_apply(void *context, int64_t first, int64_t count,
                             const float *sum);

/**
 * Do what needs all ranks' totals to be there: called once, on every rank,
 * after all pieces went to `apply`, if all totals are finite; may communicate.
 */
typedef void gd_reduce_settle(void *context);

/** What a step's totals are for. */
typedef struct {
  gd_reduce_apply *apply;
  gd_reduce_settle *settle; /**< NULL: nothing is left to do after `apply` */
  void *context;
  /** (count); `apply` and `settle` change this rank's parts of it, and the
   * others come from their owners: from gd_reduce_start() on, nobody else may
   * read or write it until gd_reduce_end() is done. */
  float *block;
} gd_reduce_use;

/**
 * Begin a step of n_leaves leaves.  Memory grows when a step needs more than
 * any before: in the first step, as a rule.
 * @param[in] n_leaves  M >= 1, the same on all ranks
 * @param[in] use       copied
 * Collective: no
 * Errors:     GD_ERR_NOMEM; gd_reduce_end() must be called nevertheless
 */
GD_NODISCARD gd_status gd_reduce_begin(gd_reduce *r, int64_t n_leaves,
                                       const gd_reduce_use *use);
/** Return the leaves that this rank is to make; may be empty. */
gd_range gd_reduce_run(const gd_reduce *r);
/** Return the block (count floats) to write the next leaf to; borrowed until
 * the next leaf, or gd_reduce_end(). */
float *gd_reduce_leaf(gd_reduce *r);
/** Note a leaf, and its tallies, summed in tree order.  Its values must be
 * there at the next gd_reduce_leaf(), gd_reduce_end(), or as they are said to
 * be by gd_reduce_ready(). */
void gd_reduce_add(gd_reduce *r, const double tallies[GD_REDUCE_TALLIES]);

/**
 * Read from the environment whether gd_reduce_start() is wanted: GRADUS_OVERLAP
 * is `on` or `off`; on if it is not set.
 * Errors: GD_ERR_USAGE (something else)
 */
GD_NODISCARD gd_status gd_reduce_overlaps(int *out);
/**
 * Start the exchange, as all leaves of this rank are added; the last one's
 * values may follow.  Optional; this rank must not fail any more.
 * @param[in] stop  non-zero: this rank is asked to stop (after the step)
 * Collective: no
 */
void gd_reduce_start(gd_reduce *r, int stop);
/**
 * Say that of the last leaf block[first .. count) is there, and let the
 * exchange make progress.
 * @param[in] first  never more than before
 */
void gd_reduce_ready(gd_reduce *r, int64_t first);

/** Where a step's time went on this rank, in seconds. */
typedef struct {
  double inside_s;  /**< in gd_reduce_start() and gd_reduce_ready() */
  double end_s;     /**< in gd_reduce_end() */
  double sums_s;    /**< of both: adding up, `apply`, `settle` */
  double exposed_s; /**< of both the rest: calls of MPI, and waiting, also for
                       ranks that are late */
  double network_s; /**< from the first bucket's message to the last one's */
} gd_reduce_times;

typedef struct {
  double tallies[GD_REDUCE_TALLIES]; /**< totals */
  int stop;                          /**< a rank asked to stop */
  int64_t bad_at;        /**< first element whose total is not finite, or -1 */
  gd_reduce_times times; /**< of this rank */
} gd_reduce_outcome;

/**
 * End the step: exchange what is left.
 * @param[in]  mine     how the leaves went on this rank; GD_OK behind
 *                      gd_reduce_start()
 * @param[in]  stop     as for gd_reduce_start(), without which it counts
 * @param[out] outcome  but for the times the same on all ranks
 * Collective: yes
 * Errors:     `mine`, GD_ERR_PEER (a rank failed: nothing was applied);
 *             GD_ERR_NUMERIC on all ranks (a total is not finite; the block
 *             then must not be used)
 */
GD_NODISCARD gd_status gd_reduce_end(gd_reduce *r, gd_status mine, int stop,
                                     gd_reduce_outcome *outcome);

/**
 * After GD_ERR_NUMERIC: return the fewest leaves of this rank that the value
 * which is not finite at element `at` can be blamed on; empty if none.
 */
gd_range gd_reduce_blame(const gd_reduce *r, int64_t at);

#endif
