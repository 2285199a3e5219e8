#include "gradus/reduce.h"

#include <assert.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/random.h"
#include "test.h"

/* Not a multiple of anything; more buckets than slots on up to 3 ranks. */
enum { COUNT = 40011, MOST_LEAVES = 9, SMALL_BYTES = 4096 };

static void make_leaf(int64_t step, int64_t leaf, float *out)
{
  gd_random r = gd_random_of(3, GD_FOR_TESTS, step, leaf);
  for (int i = 0; i < COUNT; i++)
    out[i] = (float)(gd_random_normal(&r) *
                     ldexp(1, (int)gd_random_below(&r, 24) - 12));
}

static double tally_of(int64_t leaf, int i)
{
  return 1.0 / (double)(3 + leaf * 7 + i);
}

/* The definition: sum(first, n) splits at the largest power of two below n. */
static void sum_naive(int64_t step, int64_t first, int64_t n, float *out,
                      double *tallies)
{
  if (n == 1) {
    make_leaf(step, first, out);
    for (int i = 0; i < GD_REDUCE_TALLIES; i++)
      tallies[i] = tally_of(first, i);
    return;
  }
  int64_t p = 1;
  while (2 * p < n)
    p *= 2;
  float *right = malloc(COUNT * sizeof *right);
  double right_tallies[GD_REDUCE_TALLIES];
  sum_naive(step, first, p, out, tallies);
  sum_naive(step, first + p, n - p, right, right_tallies);
  for (int i = 0; i < COUNT; i++)
    out[i] += right[i];
  for (int i = 0; i < GD_REDUCE_TALLIES; i++)
    tallies[i] += right_tallies[i];
  free(right);
}

/* An optimiser of sorts: depends on the old value, and on each element alone.
 */
static void step_block(void *context, int64_t first, int64_t count,
                       const float *sum)
{
  float *block = context;
  for (int64_t i = 0; i < count; i++)
    block[first + i] = 0.75f * block[first + i] - sum[i];
}

static gd_status begin(gd_reduce *r, int64_t n_leaves, float *block)
{
  const gd_reduce_use use = {
      .apply = step_block, .context = block, .block = block};
  return gd_reduce_begin(r, n_leaves, &use);
}

/* Let the last leaf grow from its end, the rest being nonsense until then. */
static void grow_leaf(gd_reduce *r, float *values)
{
  float *whole = malloc(COUNT * sizeof *whole);
  memcpy(whole, values, COUNT * sizeof *whole);
  for (int i = 0; i < COUNT; i++)
    values[i] = NAN;
  gd_reduce_start(r, 0);
  for (int64_t first = COUNT; first > 700;) {
    const int64_t next = first > 1777 ? first - 1777 : 0;
    memcpy(values + next, whole + next,
           (size_t)(first - next) * sizeof *values);
    first = next;
    gd_reduce_ready(r, first);
  }
  memcpy(values, whole, COUNT * sizeof *values);
  free(whole);
}

/* Is this rank to start before its last leaf is there?  With 2, every other
 * rank does. */
static int starts(int overlap)
{
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return overlap == 2 ? rank % 2 : overlap;
}

static gd_status make_step(gd_reduce *r, int64_t step, int64_t n_leaves,
                           int overlap, float *block,
                           gd_reduce_outcome *outcome)
{
  gd_status st = begin(r, n_leaves, block);
  assert_ok(st);
  const gd_range run = gd_reduce_run(r);
  for (int64_t leaf = run.first; leaf < run.end; leaf++) {
    double tallies[GD_REDUCE_TALLIES];
    float *values = gd_reduce_leaf(r);
    make_leaf(step, leaf, values);
    for (int i = 0; i < GD_REDUCE_TALLIES; i++)
      tallies[i] = tally_of(leaf, i);
    gd_reduce_add(r, tallies);
    if (starts(overlap) && leaf == run.end - 1)
      grow_leaf(r, values);
  }
  return gd_reduce_end(r, GD_OK, 0, outcome);
}

/* Whether the exchange is behind the last leaf, within it, or either. */
static void sums_are_those_of_the_tree_for_any_number_of_leaves(void **state)
{
  (void)state;
  gd_reduce *r;
  gd_reduce_outcome outcome;
  assert_ok(gd_reduce_new(MPI_COMM_WORLD, COUNT, SMALL_BYTES, &r));
  float *block = calloc(COUNT, sizeof *block);
  float *wanted = calloc(COUNT, sizeof *wanted);
  float *sum = malloc(COUNT * sizeof *sum);
  for (int64_t n_leaves = 1; n_leaves <= MOST_LEAVES; n_leaves++) {
    double tallies[GD_REDUCE_TALLIES];
    assert_ok(
        make_step(r, n_leaves, n_leaves, (int)(n_leaves % 3), block, &outcome));
    sum_naive(n_leaves, 0, n_leaves, sum, tallies);
    step_block(wanted, 0, COUNT, sum);
    gd_assert_all(MPI_COMM_WORLD,
                  memcmp(block, wanted, COUNT * sizeof *block) == 0);
    gd_assert_all(MPI_COMM_WORLD,
                  memcmp(outcome.tallies, tallies, sizeof tallies) == 0);
    assert_int_equal(outcome.bad_at, -1);
    assert_int_equal(outcome.stop, 0);
  }
  free(sum);
  free(wanted);
  free(block);
  gd_reduce_free(r);
}

/* What is kept piece by piece, and a number that all ranks need for the step.
 */
typedef struct {
  float *kept, *block;
  const gd_buckets *buckets;
  int rank;
  _Atomic int64_t n_kept; /* by several threads */
  int n_settled;
} two_passes;

static void keep(void *context, int64_t first, int64_t count, const float *sum)
{
  two_passes *p = context;
  assert(first % GD_BUCKETS_ALIGN == 0);
  assert((first + count) % GD_BUCKETS_ALIGN == 0 || first + count == COUNT);
  memcpy(p->kept + first, sum, (size_t)count * sizeof *sum);
  p->n_kept += count;
}

static void settle(void *context)
{
  two_passes *p = context;
  int64_t n_all = p->n_kept;
  MPI_Allreduce(MPI_IN_PLACE, &n_all, 1, MPI_INT64_T, MPI_SUM, MPI_COMM_WORLD);
  p->n_settled++;
  for (int b = 0; b < p->buckets->n; b++) {
    const gd_range part = gd_buckets_part(p->buckets, b, p->rank);
    for (int64_t i = part.first; i < part.end; i++)
      p->block[i] = p->kept[i] / (float)n_all;
  }
}

static void settling_comes_once_behind_all_pieces(void **state)
{
  (void)state;
  gd_reduce *r;
  gd_reduce_outcome outcome;
  two_passes p = {.kept = calloc(COUNT, sizeof(float)),
                  .block = calloc(COUNT, sizeof(float))};
  float *sum = malloc(COUNT * sizeof *sum);
  double tallies[GD_REDUCE_TALLIES];
  assert_ok(gd_reduce_new(MPI_COMM_WORLD, COUNT, SMALL_BYTES, &r));
  p.buckets = gd_reduce_buckets(r);
  MPI_Comm_rank(MPI_COMM_WORLD, &p.rank);
  const gd_reduce_use use = {
      .apply = keep, .settle = settle, .context = &p, .block = p.block};
  assert_ok(gd_reduce_begin(r, 3, &use));
  const gd_range run = gd_reduce_run(r);
  for (int64_t leaf = run.first; leaf < run.end; leaf++) {
    float *values = gd_reduce_leaf(r);
    make_leaf(1, leaf, values);
    gd_reduce_add(r, (double[GD_REDUCE_TALLIES]){0});
    if (leaf == run.end - 1)
      grow_leaf(r, values);
  }
  assert_ok(gd_reduce_end(r, GD_OK, 0, &outcome));
  sum_naive(1, 0, 3, sum, tallies);
  assert_int_equal(p.n_settled, 1);
  for (int i = 0; i < COUNT; i++)
    assert_true(p.block[i] == sum[i] / (float)COUNT);
  gd_reduce_free(r);
  free(sum);
  free(p.kept);
  free(p.block);
}

/* One bucket or many, one thread or two: the same bits. */
static void sums_do_not_depend_on_memory_or_threads(void **state)
{
  (void)state;
  float *blocks[3];
  gd_reduce_outcome outcome;
  const int threads = omp_get_max_threads();
  for (int i = 0; i < 3; i++) {
    gd_reduce *r;
    omp_set_num_threads(i == 2 ? 2 : 1);
    blocks[i] = calloc(COUNT, sizeof(float));
    assert_ok(gd_reduce_new(MPI_COMM_WORLD, COUNT,
                            i == 0 ? SMALL_BYTES : 64u << 20, &r));
    assert_ok(make_step(r, 1, 7, 0, blocks[i], &outcome));
    gd_assert_all(MPI_COMM_WORLD,
                  memcmp(blocks[i], blocks[0], COUNT * sizeof(float)) == 0);
    gd_reduce_free(r);
  }
  omp_set_num_threads(threads);
  for (int i = 0; i < 3; i++)
    free(blocks[i]);
}

static void fail_a_rank(int overlap)
{
  gd_reduce *r;
  gd_reduce_outcome outcome;
  int rank, size;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  const int culprit = size - 1;
  float *block = calloc(COUNT, sizeof *block);
  assert_ok(gd_reduce_new(MPI_COMM_WORLD, COUNT, SMALL_BYTES, &r));
  assert_ok(begin(r, 6, block));
  gd_status mine = GD_OK;
  if (rank == culprit)
    mine = gd_fail(GD_ERR_IO, "shard 7 is gone");
  else
    for (int64_t n = gd_reduce_run(r).end - gd_reduce_run(r).first; n > 0;
         n--) {
      float *values = memset(gd_reduce_leaf(r), 0, COUNT * sizeof(float));
      gd_reduce_add(r, (double[GD_REDUCE_TALLIES]){0});
      if (starts(overlap) && n == 1)
        grow_leaf(r, values);
    }
  assert_failed(gd_reduce_end(r, mine, 0, &outcome),
                rank == culprit ? GD_ERR_IO : GD_ERR_PEER, "shard 7 is gone");
  for (int i = 0; i < COUNT; i++)
    assert_true(block[i] == 0);
  /* A failed step does not spoil the next. */
  assert_ok(make_step(r, 2, 5, overlap, block, &outcome));
  gd_reduce_free(r);
  free(block);
}

static void failure_of_a_rank_reaches_all_and_applies_nothing(void **state)
{
  (void)state;
  for (int overlap = 0; overlap < 3; overlap++)
    fail_a_rank(overlap);
}

static void ask_to_stop(int early)
{
  gd_reduce *r;
  gd_reduce_outcome outcome;
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  float *block = calloc(COUNT, sizeof *block);
  assert_ok(gd_reduce_new(MPI_COMM_WORLD, COUNT, SMALL_BYTES, &r));
  assert_ok(begin(r, 1, block));
  if (rank == 0) {
    memset(gd_reduce_leaf(r), 0, COUNT * sizeof(float));
    gd_reduce_add(r, (double[GD_REDUCE_TALLIES]){0});
    if (early)
      gd_reduce_start(r, 1);
  }
  assert_ok(gd_reduce_end(r, GD_OK, rank == 0 && !early, &outcome));
  gd_assert_all(MPI_COMM_WORLD, outcome.stop);
  gd_reduce_free(r);
  free(block);
}

static void request_to_stop_reaches_all(void **state)
{
  (void)state;
  ask_to_stop(0);
  ask_to_stop(1);
}

/* Nothing can be settled with numbers that are none. */
static void never(void *context)
{
  (void)context;
  fail_msg("settled though a total is not finite");
}

static void value_that_is_not_finite_is_found_and_blamed(void **state)
{
  (void)state;
  enum { AT = 9001, LEAF = 3, LEAVES = 5 };
  gd_reduce *r;
  gd_reduce_outcome outcome;
  float *block = calloc(COUNT, sizeof *block);
  assert_ok(gd_reduce_new(MPI_COMM_WORLD, COUNT, SMALL_BYTES, &r));
  const gd_reduce_use use = {
      .apply = step_block, .settle = never, .context = block, .block = block};
  assert_ok(gd_reduce_begin(r, LEAVES, &use));
  const gd_range run = gd_reduce_run(r);
  for (int64_t leaf = run.first; leaf < run.end; leaf++) {
    float *values = gd_reduce_leaf(r);
    make_leaf(0, leaf, values);
    if (leaf == LEAF)
      values[AT] = values[AT + 1000] = NAN;
    gd_reduce_add(r, (double[GD_REDUCE_TALLIES]){0});
  }
  assert_fails(gd_reduce_end(r, GD_OK, 0, &outcome), GD_ERR_NUMERIC,
               "not finite");
  gd_assert_all(MPI_COMM_WORLD, outcome.bad_at == AT);
  const gd_range blame = gd_reduce_blame(r, AT);
  if (LEAF >= run.first && LEAF < run.end)
    assert_true(blame.first <= LEAF && LEAF < blame.end);
  else
    assert_int_equal(blame.first, blame.end);
  gd_reduce_free(r);
  free(block);
}

static void block_longer_than_mpi_counts_is_refused(void **state)
{
  (void)state;
  gd_reduce *r;
  assert_fails(gd_reduce_new(MPI_COMM_WORLD, INT64_C(1) << 31, 0, &r),
               GD_ERR_USAGE, "counts");
  assert_null(r);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(sums_are_those_of_the_tree_for_any_number_of_leaves),
    cmocka_unit_test(settling_comes_once_behind_all_pieces),
    cmocka_unit_test(sums_do_not_depend_on_memory_or_threads),
    cmocka_unit_test(failure_of_a_rank_reaches_all_and_applies_nothing),
    cmocka_unit_test(request_to_stop_reaches_all),
    cmocka_unit_test(value_that_is_not_finite_is_found_and_blamed),
    cmocka_unit_test(block_longer_than_mpi_counts_is_refused),
};

gd_test_mpi_main(tests)
