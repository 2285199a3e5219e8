/* The exchange of buckets: each rank's subtree sums to the parts' owners, and
 * what the owners make of them to all.  Private to gd_reduce.
 *
 * Every rank posts the buckets in the same order, so that messages between two
 * ranks match by their order.  A bucket's sums lie in one of a few slots until
 * they are used. */
#ifndef GRADUS_PAR_EXCHANGE_H
#define GRADUS_PAR_EXCHANGE_H

#include <mpi.h>

#include "gradus/buckets.h"
#include "gradus/status.h"
#include "gradus/tree.h"

enum { GD_EXCHANGE_SLOTS = 3 };

/* Which way requests of a bucket go. */
typedef enum {
  GD_SUMS_IN,
  GD_SUMS_OUT,
  GD_VALUES_IN,
  GD_VALUES_OUT,
  GD_N_WAYS
} gd_exchange_way;

typedef struct {
  MPI_Comm comm; /* borrowed */
  int rank, size;
  gd_buckets buckets;

  /* This step. */
  int64_t n_leaves;
  gd_range run;                 /* this rank's leaves */
  int n_own_nodes, n_all_nodes; /* subtrees of it; of all ranks */
  int n_requests[GD_BUCKETS_MOST][GD_N_WAYS];

  /* Room that grows with the largest step so far. */
  float *slots;
  int64_t slots_room;
  MPI_Request *requests; /* [bucket][way] */
  int64_t requests_room;
} gd_exchange;

void gd_exchange_end(gd_exchange *x); /* free what it holds */
/* Begin a step. Errors: GD_ERR_NOMEM */
GD_NODISCARD gd_status gd_exchange_begin(gd_exchange *x, int64_t n_leaves);
/* Post bucket i: send each owner this rank's sums of its part, receive those of
 * this rank's part, and be ready for all new values.  Bucket i's slot is that
 * of bucket i + GD_EXCHANGE_SLOTS, whose sums must have come and gone.
 * stack: the partial sums of this rank's leaves, n_stack of them
 * scratch: of every thread, GD_TREE_MOST * GD_TREE_PIECE floats */
void gd_exchange_post(gd_exchange *x, int i, const gd_tree_node *stack,
                      int n_stack, float *scratch, int n_threads, float *block);
/* Say whether all requests of bucket i that go that way are complete. */
int gd_exchange_is_done(gd_exchange *x, int i, gd_exchange_way way);
/* List what bucket i's total on this rank's part is the sum of, in order, with
 * values from the part's beginning.  Return how many. */
int gd_exchange_list(const gd_exchange *x, int i, const gd_tree_node *stack,
                     int n_stack, gd_tree_node *inputs);
/* Send all ranks this rank's part of bucket i. */
void gd_exchange_give(gd_exchange *x, int i, const float *block);

/* Return the items of a stack that make the subtree `whole`: one, or some that
 * were not merged yet; how many, from *first. */
int gd_exchange_items(const gd_tree_node *stack, int n_stack,
                      const gd_tree_node *whole, int *first);

#endif
