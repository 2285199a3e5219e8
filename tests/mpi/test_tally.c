#include "gradus/tally.h"

#include <stdio.h>
#include <string.h>

#include "test.h"

static int rank, size;

static void counts_are_summed_and_items_told_once(void **state)
{
  (void)state;
  gd_tally *t;
  char item[32];
  assert_ok(gd_tally_new(&t));
  assert_ok(gd_tally_count(t, "videos", 1));
  assert_ok(gd_tally_count(t, "frames", 10 * (rank + 1)));
  assert_ok(gd_tally_count(t, "videos", 1));
  assert_ok(gd_tally_skip(t, "common", "broken\tin\ntwo"));
  snprintf(item, sizeof item, "own \"%d\"", rank);
  assert_ok(gd_tally_skip(t, item, "missing"));
  assert_ok(gd_tally_gather(MPI_COMM_WORLD, t));
  if (rank == 0) {
    char begin[256];
    snprintf(begin, sizeof begin,
             "counts:\n  videos: %d\n  frames: %d\n"
             "skipped:\n  - {item: \"common\", reason: \"broken in two\"}\n"
             "  - {item: \"own \\\"0\\\"\", reason: \"missing\"}\n",
             2 * size, 5 * size * (size + 1));
    assert_int_equal(gd_tally_n_skipped(t), 1 + size);
    gd_text text = {0};
    gd_tally_compose(t, &text);
    assert_int_equal(strncmp(gd_text_get(&text), begin, strlen(begin)), 0);
    gd_text_free(&text);
  }
  gd_tally_free(t);
}

static void empty_tally_composes_to_empty_lists(void **state)
{
  (void)state;
  gd_tally *t;
  gd_text text = {0};
  assert_ok(gd_tally_new(&t));
  assert_ok(gd_tally_gather(MPI_COMM_WORLD, t));
  gd_tally_compose(t, &text);
  assert_string_equal(gd_text_get(&text), "counts: {}\nskipped: []\n");
  gd_text_free(&text);
  gd_tally_free(t);
  gd_tally_free(NULL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(counts_are_summed_and_items_told_once),
    cmocka_unit_test(empty_tally_composes_to_empty_lists),
};

int main(int argc, char **argv)
{
  gd_test_begin_mpi(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  return gd_test_end(cmocka_run_group_tests(tests, NULL, NULL));
}
