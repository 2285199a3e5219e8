#include "gradus/gather.h"

#include "test.h"

static float value_at(int64_t i)
{
  return (float)(i % 8191);
}

static void gather_gives_every_rank_all_parts(void **state)
{
  (void)state;
  int rank, size;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  for (int64_t n = 0; n < 12; n++) {
    float values[12] = {0};
    const gd_range mine = gd_range_of(n, rank, size);
    for (int64_t i = mine.first; i < mine.end; i++)
      values[i] = value_at(i + 1);
    gd_gather_all(MPI_COMM_WORLD, n, mine, values);
    for (int64_t i = 0; i < 12; i++)
      assert_true(values[i] == (i < n ? value_at(i + 1) : 0));
  }
}

static void sum_of_what_one_rank_each_knows_is_exact(void **state)
{
  (void)state;
  enum { N = 100 };
  int rank, size;
  double values[N] = {0};
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  for (int i = rank; i < N; i += size)
    values[i] = 1.0 / (3 + i);
  gd_gather_add(MPI_COMM_WORLD, N, values);
  for (int i = 0; i < N; i++)
    assert_true(values[i] == 1.0 / (3 + i));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(gather_gives_every_rank_all_parts),
    cmocka_unit_test(sum_of_what_one_rank_each_knows_is_exact),
};

gd_test_mpi_main(tests)
