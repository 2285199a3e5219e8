#include "gradus/agree.h"

#include <stdio.h>
#include <string.h>

#include "test.h"

static int rank, size;

static void agreement_of_well_ranks_is_ok(void **state)
{
  (void)state;
  for (int i = 0; i < 100; i++)
    assert_ok(gd_agree(MPI_COMM_WORLD, GD_OK));
}

static void one_failing_rank_reaches_all_with_its_reason(void **state)
{
  (void)state;
  for (int bad = 0; bad < size; bad++) {
    gd_status mine = GD_OK;
    if (rank == bad)
      mine = gd_fail(GD_ERR_IO, "disk %d is full", bad);
    gd_status st = gd_agree(MPI_COMM_WORLD, mine);

    char reason[64];
    snprintf(reason, sizeof reason,
             rank == bad ? "disk %d is full" : "rank %d: disk %d is full", bad,
             bad);
    gd_assert_all(MPI_COMM_WORLD,
                  st == (rank == bad ? GD_ERR_IO : GD_ERR_PEER));
    gd_assert_all(MPI_COMM_WORLD, strcmp(gd_reason(), reason) == 0);
    /* Said again at the end of the next phase, it reads the same. */
    st = gd_agree(MPI_COMM_WORLD, st);
    gd_assert_all(MPI_COMM_WORLD, strcmp(gd_reason(), reason) == 0);
  }
}

static void lowest_of_several_failures_is_told(void **state)
{
  (void)state;
  gd_status mine = GD_OK;
  if (rank > 0)
    mine = gd_fail(GD_ERR_FORMAT, "file %d", rank);
  gd_status st = gd_agree(MPI_COMM_WORLD, mine);
  if (size == 1)
    assert_int_equal(st, GD_OK);
  else
    gd_assert_all(MPI_COMM_WORLD,
                  rank > 0 ? st == GD_ERR_FORMAT
                           : st == GD_ERR_PEER &&
                                 strcmp(gd_reason(), "rank 1: file 1") == 0);
}

static void request_to_stop_is_everyones_but_a_failure_outranks_it(void **state)
{
  (void)state;
  gd_status mine = GD_OK;
  if (rank == size - 1)
    mine = gd_fail(GD_ERR_STOPPED, "stopped by signal 15");
  gd_status st = gd_agree(MPI_COMM_WORLD, mine);
  gd_assert_all(MPI_COMM_WORLD,
                st == GD_ERR_STOPPED && gd_test_has(gd_reason(), "signal 15"));
  if (rank == 0)
    st = gd_fail(GD_ERR_IO, "full");
  st = gd_agree(MPI_COMM_WORLD, st);
  gd_assert_all(MPI_COMM_WORLD, st == (rank == 0 ? GD_ERR_IO : GD_ERR_PEER));
}

static void hearsay_alone_stays_a_peers_failure(void **state)
{
  (void)state;
  gd_status mine = GD_OK;
  if (rank == size - 1)
    mine = gd_fail(GD_ERR_PEER, "rank 9 has failed");
  gd_status st = gd_agree(MPI_COMM_WORLD, mine);
  gd_assert_all(MPI_COMM_WORLD,
                st == GD_ERR_PEER &&
                    strcmp(gd_reason(), "rank 9 has failed") == 0);
}

static void settled_status_is_the_failing_ranks_on_all(void **state)
{
  (void)state;
  assert_ok(gd_settle(MPI_COMM_WORLD, GD_OK));
  gd_status mine = GD_OK;
  if (rank == size - 1)
    mine = gd_fail(GD_ERR_USAGE, "no such video");
  gd_status st = gd_settle(MPI_COMM_WORLD, mine);
  gd_assert_all(MPI_COMM_WORLD, st == GD_ERR_USAGE &&
                                    gd_test_has(gd_reason(), "no such video"));
}

/* Rank 0 is the last to say it: the others do not wait for it. */
static void accord_is_reached_when_all_have_said_it(void **state)
{
  (void)state;
  gd_accord *a;
  assert_ok(gd_accord_new(MPI_COMM_WORLD, &a));
  assert_true(gd_accord_is_reached(a));
  for (int round = 0; round < 6; round++) {
    const gd_status mine = round % 2 == 1 && rank == size - 1
                               ? gd_fail(GD_ERR_IO, "disk %d is full", round)
                               : GD_OK;
    if (rank > 0) {
      gd_accord_begin(a, mine);
      assert_false(gd_accord_is_reached(a));
    }
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0)
      gd_accord_begin(a, mine);
    gd_status st = GD_OK;
    if (round < 4)
      while (!gd_accord_is_reached(a))
        st = gd_fail(GD_ERR_USAGE, "another reason meanwhile");
    st = gd_accord_wait(a);
    if (round % 2 == 0) {
      gd_assert_all(MPI_COMM_WORLD, st == GD_OK);
    } else {
      char reason[64];
      snprintf(reason, sizeof reason, "disk %d is full", round);
      gd_assert_all(MPI_COMM_WORLD,
                    st == GD_ERR_IO && gd_test_has(gd_reason(), reason));
    }
  }
  gd_accord_free(a);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(agreement_of_well_ranks_is_ok),
    cmocka_unit_test(one_failing_rank_reaches_all_with_its_reason),
    cmocka_unit_test(lowest_of_several_failures_is_told),
    cmocka_unit_test(request_to_stop_is_everyones_but_a_failure_outranks_it),
    cmocka_unit_test(hearsay_alone_stays_a_peers_failure),
    cmocka_unit_test(settled_status_is_the_failing_ranks_on_all),
    cmocka_unit_test(accord_is_reached_when_all_have_said_it),
};

int main(int argc, char **argv)
{
  gd_test_begin_mpi(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  return gd_test_end(cmocka_run_group_tests(tests, NULL, NULL));
}
