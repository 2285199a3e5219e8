#include "gradus/traffic.h"

#include "gradus/tree.h"

/* Flags and the tallies of as many subtrees as any rank has. */
static int64_t word_bytes(int64_t n_leaves, int size)
{
  gd_tree_node nodes[GD_TREE_MOST];
  int most = 0;
  for (int rank = 0; rank < size; rank++) {
    const int n = gd_tree_list(gd_range_of(n_leaves, rank, size), nodes);
    most = n > most ? n : most;
  }
  return (2 + most * GD_TREE_TALLIES) * (int64_t)sizeof(double);
}

gd_traffic gd_traffic_of(const gd_buckets *buckets, int64_t n_leaves, int rank)
{
  gd_tree_node nodes[GD_TREE_MOST];
  const int size = buckets->size;
  const int n_nodes = gd_tree_list(gd_range_of(n_leaves, rank, size), nodes);
  gd_traffic t = {.collectives = 1,
                  .collective_bytes = word_bytes(n_leaves, size)};
  if (size == 1)
    return t;
  t.collectives++; /* the first element that is not finite */
  t.collective_bytes += (int64_t)sizeof(int64_t);
  int64_t floats = 0;
  for (int i = 0; i < buckets->n; i++)
    for (int peer = 0; peer < size; peer++) {
      const gd_range mine = gd_buckets_part(buckets, i, rank);
      const gd_range part = gd_buckets_part(buckets, i, peer);
      if (peer == rank)
        continue;
      floats += n_nodes * (part.end - part.first) + mine.end - mine.first;
      t.messages += n_nodes * (part.first < part.end) + (mine.first < mine.end);
    }
  t.bytes = floats * (int64_t)sizeof(float);
  return t;
}
