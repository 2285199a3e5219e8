#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "gradus/placement.h"

#include <sched.h>

#include "test.h"

static void judge(gd_placement p, const char *expected)
{
  gd_text text = {0};
  gd_placement_judge(&p, &text);
  assert_string_equal(gd_text_get(&text), expected);
  gd_text_free(&text);
}

static void each_fault_of_a_placement_is_named(void **state)
{
  (void)state;
  judge((gd_placement){"n7", 3, 4, 4, 2, 8}, "");
  judge((gd_placement){"n7", 3, 4, 0, 2, 0}, "");
  judge((gd_placement){"n7", 0, 1, 1, 1, 1}, "");
  judge((gd_placement){"n7", 3, 1, 1, 8, 1},
        "n7: all 8 ranks may use but one core: ask for more, or start them "
        "with 'srun --cpu-bind=none' or 'mpirun --bind-to none'");
  judge((gd_placement){"n7", 3, 4, 16, 8, 16},
        "n7: ranks x threads = 8 x 4 on 16 cores: fewer of either would be "
        "faster");
  judge((gd_placement){"n7", 3, 4, 1, 2, 16},
        "rank 3 on n7: 4 threads, but bound to 1 core: start it with "
        "--cpus-per-task, or 'mpirun --bind-to none'");
}

static void ranks_that_share_one_core_are_found(void **state)
{
  (void)state;
  int size;
  cpu_set_t before, one;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
  int first = 0;
  while (!CPU_ISSET(first, &before))
    first++;
  MPI_Bcast(&first, 1, MPI_INT, 0, MPI_COMM_WORLD);
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
  const gd_placement p = gd_placement_worst(MPI_COMM_WORLD, 2);
  assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
  assert_int_equal(p.n_cores, 1);
  assert_int_equal(p.n_node_cores, 1);
  assert_int_equal(p.n_node_ranks, size);
  assert_int_equal(p.n_threads, 2);
}

/* One rank with more threads than the others is the one that is named. */
static void most_crowded_rank_is_named(void **state)
{
  (void)state;
  int rank, size;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  const gd_placement p =
      gd_placement_worst(MPI_COMM_WORLD, rank == size - 1 ? 64 : 1);
  assert_int_equal(p.rank, size - 1);
  assert_int_equal(p.n_threads, 64);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_fault_of_a_placement_is_named),
    cmocka_unit_test(ranks_that_share_one_core_are_found),
    cmocka_unit_test(most_crowded_rank_is_named),
};

gd_test_mpi_main(tests)
