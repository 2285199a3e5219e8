#include "gradus/tree.h"

#include <assert.h>
#include <string.h>

int gd_tree_siblings(const gd_tree_node *a, const gd_tree_node *b)
{
  return a->level == b->level && (a->first >> a->level) % 2 == 0 &&
         b->first == a->first + (INT64_C(1) << a->level);
}

gd_range gd_tree_leaves(const gd_tree_node *node)
{
  return (gd_range){node->first, node->first + (INT64_C(1) << node->level)};
}

int gd_tree_list(gd_range run, gd_tree_node *out)
{
  int n = 0;
  for (int64_t at = run.first; at < run.end;) {
    int level = 0;
    while ((at >> level) % 2 == 0 && at + (INT64_C(2) << level) <= run.end)
      level++;
    assert(n < GD_TREE_MOST);
    out[n++] = (gd_tree_node){.first = at, .level = level};
    at += INT64_C(1) << level;
  }
  return n;
}

int gd_tree_depth(gd_range run)
{
  gd_tree_node stack[GD_TREE_MOST];
  int depth = 0, most = 0;
  for (int64_t leaf = run.first; leaf < run.end; leaf++) {
    while (depth > 1 && gd_tree_siblings(&stack[depth - 2], &stack[depth - 1]))
      stack[--depth - 1].level++;
    stack[depth++] = (gd_tree_node){.first = leaf};
    most = depth > most ? depth : most;
  }
  return most;
}

/* `to` may be `a`. */
static void add(float *to, const float *a, const float *b, int64_t n)
{
#pragma omp simd
  for (int64_t i = 0; i < n; i++)
    to[i] = a[i] + b[i];
}

const float *gd_tree_add(const gd_tree_node *nodes, int n_nodes, int64_t at,
                         int64_t n, float *slots)
{
  assert(n_nodes >= 1 && n <= GD_TREE_PIECE);
  gd_tree_node stack[GD_TREE_MOST];
  const float *sums[GD_TREE_MOST];
  int depth = 0;
  for (int i = 0; i < n_nodes; i++) {
    stack[depth] = nodes[i];
    sums[depth++] = nodes[i].values + at;
    const int last = i == n_nodes - 1;
    while (depth > 1 &&
           (last || gd_tree_siblings(&stack[depth - 2], &stack[depth - 1]))) {
      /* The left operand's slot, which may hold that operand already. */
      float *to = slots + (int64_t)(depth - 2) * GD_TREE_PIECE;
      add(to, sums[depth - 2], sums[depth - 1], n);
      sums[depth - 2] = to;
      stack[depth - 2].level++;
      depth--;
    }
  }
  return sums[0];
}

void gd_tree_add_tallies(const gd_tree_node *nodes, int n_nodes,
                         double total[GD_TREE_TALLIES])
{
  assert(n_nodes >= 1);
  gd_tree_node stack[GD_TREE_MOST];
  int depth = 0;
  for (int i = 0; i < n_nodes; i++) {
    stack[depth++] = nodes[i];
    const int last = i == n_nodes - 1;
    while (depth > 1 &&
           (last || gd_tree_siblings(&stack[depth - 2], &stack[depth - 1]))) {
      for (int k = 0; k < GD_TREE_TALLIES; k++)
        stack[depth - 2].tallies[k] += stack[depth - 1].tallies[k];
      stack[depth - 2].level++;
      depth--;
    }
  }
  memcpy(total, stack[0].tallies, sizeof stack[0].tallies);
}

void gd_tree_merge(gd_tree_node *left, const gd_tree_node *right, int64_t at,
                   int64_t n)
{
  add(left->values + at, left->values + at, right->values + at, n);
}
