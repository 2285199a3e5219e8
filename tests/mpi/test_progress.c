#include "gradus/progress.h"

#include <signal.h>

#include "gradus/stop.h"
#include "test.h"

static int rank, size;

/* Tick until something is heard; the watchdog of ctest ends a vain wait. */
static gd_status tick_until_news(gd_progress *p)
{
  gd_status st = GD_OK;
  while (st == GD_OK)
    st = gd_progress_add(p, 0);
  return st;
}

static void counts_reach_rank_0_without_anyone_waiting(void **state)
{
  (void)state;
  gd_progress *p;
  assert_ok(gd_progress_begin(MPI_COMM_WORLD, "test", &p));
  gd_progress_expect(p, 10 * size, 0, "items");
  for (int i = 0; i < 10; i++)
    assert_ok(gd_progress_add(p, 1));
  /* A rank's last count goes out within half a second; keep looking. */
  int all = 0;
  while (!all) {
    assert_ok(gd_progress_add(p, 0));
    all = 1;
    for (int r = 0; rank == 0 && r < size; r++)
      all = all && gd_progress_n_done(p, r) == 10;
    if (rank != 0)
      break;
  }
  gd_progress_wait(p);
  assert_int_equal(gd_progress_n_done(p, rank), 10);
  gd_progress_end(p);
}

static void new_phase_starts_from_zero(void **state)
{
  (void)state;
  gd_progress *p;
  assert_ok(gd_progress_begin(MPI_COMM_WORLD, "test", &p));
  assert_ok(gd_progress_add(p, 3));
  gd_progress_expect(p, 5, 2, "steps");
  assert_int_equal(gd_progress_n_done(p, rank), 0);
  gd_progress_end(p);
}

static void failure_of_one_rank_is_heard_by_the_others(void **state)
{
  (void)state;
  for (int bad = 0; bad < size; bad++) {
    gd_progress *p;
    assert_ok(gd_progress_begin(MPI_COMM_WORLD, "test", &p));
    if (rank == bad) {
      gd_progress_tell(p, GD_ERR_IO);
      gd_progress_tell(p, GD_ERR_IO);
    } else {
      assert_int_equal(tick_until_news(p), GD_ERR_PEER);
    }
    gd_progress_end(p);
  }
}

static void news_not_taken_do_not_disturb_the_end(void **state)
{
  (void)state;
  gd_progress *p;
  assert_ok(gd_progress_begin(MPI_COMM_WORLD, "test", &p));
  gd_progress_tell(p, rank % 2 == 1 ? GD_ERR_NUMERIC : GD_OK);
  gd_progress_end(p);
  gd_progress_end(NULL);
}

/* Last of all: the flag stays. */
static void signal_to_one_rank_stops_all(void **state)
{
  (void)state;
  gd_progress *p;
  gd_stop_begin();
  assert_int_equal(gd_stop_requested(), 0);
  assert_ok(gd_progress_begin(MPI_COMM_WORLD, "test", &p));
  if (rank == size - 1)
    raise(SIGUSR1);
  assert_int_equal(tick_until_news(p), GD_ERR_STOPPED);
  assert_true(gd_test_has(gd_reason(), "stop"));
  assert_int_equal(gd_stop_requested(), rank == size - 1 ? SIGUSR1 : 0);
  gd_progress_end(p);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(counts_reach_rank_0_without_anyone_waiting),
    cmocka_unit_test(new_phase_starts_from_zero),
    cmocka_unit_test(failure_of_one_rank_is_heard_by_the_others),
    cmocka_unit_test(news_not_taken_do_not_disturb_the_end),
    cmocka_unit_test(signal_to_one_rank_stops_all),
};

int main(int argc, char **argv)
{
  gd_test_begin_mpi(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  return gd_test_end(cmocka_run_group_tests(tests, NULL, NULL));
}
