#include "gradus/tree.h"

#include <stdio.h>
#include <string.h>

#include "test.h"

/* Write the sum of leaves first .. first + n - 1 as its definition has it. */
static void write_naive(int64_t first, int64_t n, char *out)
{
  if (n == 1) {
    sprintf(out + strlen(out), "%d", (int)first);
    return;
  }
  int64_t p = 1;
  while (2 * p < n)
    p *= 2;
  strcat(out, "(");
  write_naive(first, p, out);
  strcat(out, "+");
  write_naive(first + p, n - p, out);
  strcat(out, ")");
}

/* A sum of a few floats whose bits tell the order of additions. */
static float leaf_value(int64_t leaf)
{
  return 1.0f / (float)(3 * leaf + 1);
}

static float sum_naive(int64_t first, int64_t n)
{
  if (n == 1)
    return leaf_value(first);
  int64_t p = 1;
  while (2 * p < n)
    p *= 2;
  return sum_naive(first, p) + sum_naive(first + p, n - p);
}

static void sum_of_seven_is_the_one_in_the_header(void **state)
{
  (void)state;
  char text[200] = "";
  write_naive(0, 7, text);
  assert_string_equal(text, "(((0+1)+(2+3))+((4+5)+6))");
}

/* Every run is cut into complete subtrees of the whole tree, few of them. */
static void run_is_cut_into_few_aligned_nodes(void **state)
{
  (void)state;
  gd_tree_node nodes[GD_TREE_MOST];
  for (int64_t first = 0; first < 40; first++)
    for (int64_t end = first; end < 80; end++) {
      const int n = gd_tree_list((gd_range){first, end}, nodes);
      int64_t next = first;
      for (int i = 0; i < n; i++) {
        const gd_range leaves = gd_tree_leaves(&nodes[i]);
        assert_int_equal(leaves.first, next);
        assert_int_equal(leaves.first % (leaves.end - leaves.first), 0);
        assert_true(i == 0 || !gd_tree_siblings(&nodes[i - 1], &nodes[i]));
        next = leaves.end;
      }
      assert_int_equal(next, end);
      assert_true(n <= 12);
      assert_true(gd_tree_depth((gd_range){first, end}) <= n + 7);
    }
}

/* However the leaves are dealt to parts, and added up there, the total has the
 * bits of the definition. */
static void total_does_not_depend_on_how_leaves_are_dealt(void **state)
{
  (void)state;
  static float slots[GD_TREE_MOST * GD_TREE_PIECE];
  for (int n_leaves = 1; n_leaves <= 33; n_leaves++) {
    float values[33];
    gd_tree_node leaves[33];
    for (int i = 0; i < n_leaves; i++) {
      values[i] = leaf_value(i);
      leaves[i] = (gd_tree_node){.first = i, .values = &values[i]};
      leaves[i].tallies[1] = (double)values[i];
    }
    const float wanted = sum_naive(0, n_leaves);
    for (int size = 1; size <= 36; size++) {
      gd_tree_node parts[33];
      float sums[33];
      int n_parts = 0;
      for (int rank = 0; rank < size; rank++) {
        gd_tree_node nodes[GD_TREE_MOST];
        const int n = gd_tree_list(gd_range_of(n_leaves, rank, size), nodes);
        for (int i = 0; i < n; i++, n_parts++) {
          const gd_range own = gd_tree_leaves(&nodes[i]);
          const int n_own = (int)(own.end - own.first);
          sums[n_parts] = *gd_tree_add(&leaves[own.first], n_own, 0, 1, slots);
          gd_tree_add_tallies(&leaves[own.first], n_own, nodes[i].tallies);
          parts[n_parts] = nodes[i];
          parts[n_parts].values = &sums[n_parts];
        }
      }
      double tallies[GD_TREE_TALLIES], all[GD_TREE_TALLIES];
      assert_true(*gd_tree_add(parts, n_parts, 0, 1, slots) == wanted);
      gd_tree_add_tallies(parts, n_parts, tallies);
      gd_tree_add_tallies(leaves, n_leaves, all);
      assert_true(tallies[1] == all[1] && tallies[0] == 0);
    }
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(sum_of_seven_is_the_one_in_the_header),
    cmocka_unit_test(run_is_cut_into_few_aligned_nodes),
    cmocka_unit_test(total_does_not_depend_on_how_leaves_are_dealt),
};

gd_test_main(tests)
