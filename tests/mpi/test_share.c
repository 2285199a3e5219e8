#include "gradus/share.h"

#include "test.h"

/* Texts may have zeros in them; others may hold something else before. */
static void every_rank_has_the_bytes_of_rank_0(void **state)
{
  (void)state;
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  for (int n = 0; n < 2000; n = 3 * n + 1) {
    gd_text text = {0};
    if (rank == 0)
      for (int i = 0; i < n; i++)
        gd_text_bytes(&text, &(char){(char)i}, 1);
    else
      gd_text_add(&text, "old");
    assert_ok(gd_share_text(MPI_COMM_WORLD, &text));
    assert_int_equal(text.length_bytes, n);
    for (int i = 0; i < n; i++)
      assert_int_equal(text.data[i], (char)i);
    gd_text_free(&text);
  }
}

static void text_that_rank_0_could_not_compose_fails_on_all(void **state)
{
  (void)state;
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  gd_text text = {.status = rank == 0 ? GD_ERR_NOMEM : GD_OK};
  const gd_status st = gd_share_text(MPI_COMM_WORLD, &text);
  assert_int_equal(st, rank == 0 ? GD_ERR_NOMEM : GD_ERR_PEER);
  gd_text_free(&text);
}

static void every_rank_gets_the_numbers_of_rank_0(void **state)
{
  (void)state;
  int rank;
  int64_t values[3] = {-1, 0, INT64_MAX};
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (rank > 0)
    values[0] = values[1] = values[2] = rank;
  gd_share_ints(MPI_COMM_WORLD, 3, values);
  gd_assert_all(MPI_COMM_WORLD,
                values[0] == -1 && values[1] == 0 && values[2] == INT64_MAX);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_rank_has_the_bytes_of_rank_0),
    cmocka_unit_test(text_that_rank_0_could_not_compose_fails_on_all),
    cmocka_unit_test(every_rank_gets_the_numbers_of_rank_0),
};

gd_test_mpi_main(tests)
