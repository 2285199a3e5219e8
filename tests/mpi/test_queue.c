#include "gradus/queue.h"

#include "test.h"

static void take_all(int64_t n_items, int lazy_rank)
{
  enum { MOST = 1000 };
  int taken[MOST] = {0};
  int rank, in_order = 1;
  int64_t last = -1, item;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  assert_true(n_items <= MOST);

  gd_queue *q;
  assert_ok(gd_queue_open(MPI_COMM_WORLD, n_items, &q));
  while (rank != lazy_rank && (item = gd_queue_take(q)) >= 0) {
    assert_in_range(item, 0, n_items - 1);
    in_order = in_order && item > last;
    last = item;
    taken[item]++;
  }
  if (rank != lazy_rank)
    assert_int_equal(gd_queue_take(q), -1);
  gd_queue_close(q);

  gd_assert_all(MPI_COMM_WORLD, in_order);
  MPI_Allreduce(MPI_IN_PLACE, taken, MOST, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  int size, once = 1;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  for (int64_t i = 0; i < MOST; i++)
    once = once && taken[i] == (i < n_items);
  gd_assert_all(MPI_COMM_WORLD, once || (size == 1 && lazy_rank == 0));
}

static void queue_gives_each_item_once_in_order(void **state)
{
  (void)state;
  take_all(1000, -1);
  for (int i = 0; i < 20; i++)
    take_all(i, -1);
}

/* Rank 0 holds the counter, but takes nothing and only waits at the end. */
static void queue_serves_others_while_rank_0_waits(void **state)
{
  (void)state;
  take_all(200, 0);
}

static void closing_no_queue_is_allowed(void **state)
{
  (void)state;
  gd_queue_close(NULL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(queue_gives_each_item_once_in_order),
    cmocka_unit_test(queue_serves_others_while_rank_0_waits),
    cmocka_unit_test(closing_no_queue_is_allowed),
};

gd_test_mpi_main(tests)
