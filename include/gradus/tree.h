/**
 * The tree that sums are defined by: pure arithmetic, no communication.
 *
 *   sum(first, 1) = leaf first
 *   sum(first, n) = sum(first, p) + sum(first + p, n - p),
 *                   p the largest power of two below n
 *
 *        7 leaves:   ((0 + 1) + (2 + 3)) + ((4 + 5) + 6)
 *
 * Every node left of the right edge is an aligned block of 2^k leaves, whose
 * two halves are siblings.  So any run of leaves can be added up to a few
 * nodes, knowing nothing but positions: siblings are added as soon as both are
 * there.  What remains when all leaves are there is added from the right.
 */
#ifndef GRADUS_TREE_H
#define GRADUS_TREE_H

#include <stdint.h>

#include "gradus/range.h"

enum {
  GD_TREE_TALLIES = 4,
  GD_TREE_MOST = 128,  /**< nodes of a run, more than 2 log2 of any length */
  GD_TREE_PIECE = 4096 /**< floats that gd_tree_add() takes at once */
};

/** Leaves first .. first + 2^level - 1, added up. */
typedef struct {
  int64_t first;
  int level;
  float *values;                   /**< sum; borrowed */
  double tallies[GD_TREE_TALLIES]; /**< sums of a few numbers beside it */
} gd_tree_node;

/** Say whether b is the right sibling of a. */
int gd_tree_siblings(const gd_tree_node *a, const gd_tree_node *b);
/** Return the leaves of a node. */
gd_range gd_tree_leaves(const gd_tree_node *node);

/**
 * List the fewest nodes that a run of leaves adds up to, from the left.
 * @param[out] out  room for GD_TREE_MOST; values NULL, tallies 0
 * @return how many; 0 for an empty run
 */
int gd_tree_list(gd_range run, gd_tree_node *out);
/**
 * Return how many sums are there at once, at most, while a run's leaves are
 * added one by one, siblings just before the next leaf comes.
 */
int gd_tree_depth(gd_range run);

/**
 * Add up nodes that adjoin, all of a tree's or all within one node of it.
 * @param[in] nodes  n_nodes >= 1 in order; not changed
 * @param[in] at, n  floats values[at .. at + n) of each; n <= GD_TREE_PIECE
 * @param[in] slots  scratch, GD_TREE_MOST * GD_TREE_PIECE floats
 * @return the sum: within `slots`, or the only node's own floats; borrowed
 */
const float *gd_tree_add(const gd_tree_node *nodes, int n_nodes, int64_t at,
                         int64_t n, float *slots);
/** Likewise for the tallies. */
void gd_tree_add_tallies(const gd_tree_node *nodes, int n_nodes,
                         double total[GD_TREE_TALLIES]);
/** Add the right sibling's floats at .. at + n - 1 to the left one's. */
void gd_tree_merge(gd_tree_node *left, const gd_tree_node *right, int64_t at,
                   int64_t n);

#endif
