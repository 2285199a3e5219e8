#include "gradus/gather.h"

#include <stdlib.h>

#include "test.h"

enum { COUNT = 1300001 };

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

typedef struct {
  int64_t next, fail_at;
} stream;

static gd_status take(void *context, int64_t n, const float *values)
{
  stream *s = context;
  for (int64_t i = 0; i < n; i++)
    assert_true(values[i] == value_at(s->next + i));
  s->next += n;
  if (s->next > s->fail_at)
    return gd_fail(GD_ERR_IO, "the disk is full");
  return GD_OK;
}

static void stream_brings_runs_in_order_to_rank_0(void **state)
{
  (void)state;
  int rank, size;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  const gd_range mine = gd_range_of(COUNT, rank, size);
  float *run = malloc((size_t)(mine.end - mine.first) * sizeof *run);
  for (int64_t i = mine.first; i < mine.end; i++)
    run[i - mine.first] = value_at(i);
  stream s = {.fail_at = COUNT};
  assert_ok(
      gd_gather_stream(MPI_COMM_WORLD, mine.end - mine.first, run, take, &s));
  assert_int_equal(s.next, rank == 0 ? COUNT : 0);

  /* Rank 0 fails early: nobody hangs, and it says why. */
  s = (stream){.fail_at = 10};
  const gd_status st =
      gd_gather_stream(MPI_COMM_WORLD, mine.end - mine.first, run, take, &s);
  assert_int_equal(st, rank == 0 ? GD_ERR_IO : GD_OK);
  /* A rank without a run takes part. */
  s = (stream){.fail_at = COUNT};
  assert_ok(gd_gather_stream(MPI_COMM_WORLD, rank == 0 ? 5 : 0, run, take, &s));
  assert_int_equal(s.next, rank == 0 ? 5 : 0);
  free(run);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(gather_gives_every_rank_all_parts),
    cmocka_unit_test(sum_of_what_one_rank_each_knows_is_exact),
    cmocka_unit_test(stream_brings_runs_in_order_to_rank_0),
};

gd_test_mpi_main(tests)
