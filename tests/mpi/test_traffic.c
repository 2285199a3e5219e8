#include "gradus/traffic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/reduce.h"
#include "gradus/resnet.h"
#include "test.h"

/* Some ten buckets; the optimiser is none. */
enum { COUNT = 300007, BUCKET_BYTES = 1 << 16 };

/* ----------------------------------------------- MPI's calls, counted (PMPI)
 */

static struct {
  gd_traffic sent;
  int64_t others; /* calls that the model does not know */
} counted;

static int64_t bytes_of(int count, MPI_Datatype type)
{
  int bytes;
  PMPI_Type_size(type, &bytes);
  return (int64_t)count * bytes;
}

static void count_collective(int count, MPI_Datatype type)
{
  counted.sent.collectives++;
  counted.sent.collective_bytes += bytes_of(count, type);
}

int MPI_Isend(const void *data, int count, MPI_Datatype type, int to, int tag,
              MPI_Comm comm, MPI_Request *request)
{
  counted.sent.messages++;
  counted.sent.bytes += bytes_of(count, type);
  return PMPI_Isend(data, count, type, to, tag, comm, request);
}

int MPI_Iallgather(const void *data, int count, MPI_Datatype type, void *all,
                   int count_each, MPI_Datatype type_each, MPI_Comm comm,
                   MPI_Request *request)
{
  count_collective(count, type);
  return PMPI_Iallgather(data, count, type, all, count_each, type_each, comm,
                         request);
}

int MPI_Iallreduce(const void *data, void *sum, int count, MPI_Datatype type,
                   MPI_Op op, MPI_Comm comm, MPI_Request *request)
{
  count_collective(count, type);
  return PMPI_Iallreduce(data, sum, count, type, op, comm, request);
}

int MPI_Send(const void *data, int count, MPI_Datatype type, int to, int tag,
             MPI_Comm comm)
{
  counted.others++;
  return PMPI_Send(data, count, type, to, tag, comm);
}

int MPI_Bcast(void *data, int count, MPI_Datatype type, int root, MPI_Comm comm)
{
  counted.others++;
  return PMPI_Bcast(data, count, type, root, comm);
}

int MPI_Ibcast(void *data, int count, MPI_Datatype type, int root,
               MPI_Comm comm, MPI_Request *request)
{
  counted.others++;
  return PMPI_Ibcast(data, count, type, root, comm, request);
}

int MPI_Allgatherv(const void *data, int count, MPI_Datatype type, void *all,
                   const int *counts, const int *firsts, MPI_Datatype type_each,
                   MPI_Comm comm)
{
  counted.others++;
  return PMPI_Allgatherv(data, count, type, all, counts, firsts, type_each,
                         comm);
}

int MPI_Allreduce(const void *data, void *sum, int count, MPI_Datatype type,
                  MPI_Op op, MPI_Comm comm)
{
  counted.others++;
  return PMPI_Allreduce(data, sum, count, type, op, comm);
}

/* ------------------------------------------------------------------- tests */

static void take_nothing(void *context, int64_t first, int64_t count,
                         const float *sum)
{
  (void)context;
  (void)first;
  (void)count;
  (void)sum;
}

static void make_step(gd_reduce *r, int64_t n_leaves, float *block)
{
  gd_reduce_outcome outcome;
  const gd_reduce_use use = {.apply = take_nothing, .block = block};
  assert_ok(gd_reduce_begin(r, n_leaves, &use));
  const gd_range run = gd_reduce_run(r);
  for (int64_t i = run.first; i < run.end; i++) {
    memset(gd_reduce_leaf(r), 0, COUNT * sizeof(float));
    gd_reduce_add(r, (double[GD_REDUCE_TALLIES]){0});
  }
  assert_ok(gd_reduce_end(r, GD_OK, 0, &outcome));
}

/* Fewer leaves than ranks, as many, more, a power of two or not. */
static void messages_and_bytes_are_those_of_the_model(void **state)
{
  (void)state;
  int rank, size;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  const int64_t leaves[] = {1, 3, size, 2 * size, 13};
  float *block = calloc(COUNT, sizeof *block);
  gd_reduce *r;
  assert_ok(gd_reduce_new(MPI_COMM_WORLD, COUNT, BUCKET_BYTES, &r));
  for (size_t i = 0; i < sizeof leaves / sizeof leaves[0]; i++) {
    memset(&counted, 0, sizeof counted);
    make_step(r, leaves[i], block);
    const gd_traffic t = gd_traffic_of(gd_reduce_buckets(r), leaves[i], rank);
    const gd_traffic *sent = &counted.sent;
    assert_int_equal(counted.others, 0);
    assert_int_equal(sent->messages, t.messages);
    assert_int_equal(sent->bytes, t.bytes);
    assert_int_equal(sent->collectives, t.collectives);
    assert_int_equal(sent->collective_bytes, t.collective_bytes);
  }
  gd_reduce_free(r);
  free(block);
}

/* The formulas of docs/scaling.md: a ring's bytes, and messages by bucket. */
static void model_is_that_of_a_ring_where_every_rank_has_one_subtree(void **s)
{
  (void)s;
  for (int size = 1; size <= 1024; size += size < 8 ? 1 : 127) {
    const gd_buckets b = gd_buckets_cut(COUNT, BUCKET_BYTES, size);
    int64_t sum = 0;
    for (int rank = 0; rank < size; rank++) {
      const gd_traffic t = gd_traffic_of(&b, 4 * (int64_t)size, rank);
      const int64_t own = gd_buckets_owned(&b, rank, COUNT);
      assert_int_equal(t.bytes, 4 * (COUNT - own + (size - 1) * own));
      assert_true(t.messages <= 2 * (int64_t)b.n * (size - 1));
      sum += t.bytes;
    }
    assert_int_equal(sum, 2 * 4 * (int64_t)COUNT * (size - 1));
  }
}

static void table_of_the_documentation_is_the_model_s(void **state)
{
  (void)state;
  const gd_resnet_config config = gd_resnet_config_default();
  gd_tensor_table weights, running;
  char path[GD_PATH_MAX], line[256];
  int n_rows = 0;
  assert_ok(gd_resnet_tables(&config, &weights, &running));
  assert_ok(gd_path_join(getenv("GRADUS_SOURCE"), "docs/scaling.md", path));
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  while (fgets(line, sizeof line, file) != NULL) {
    int size, n_buckets;
    long long n_leaves, messages, bytes;
    if (sscanf(line, "| %d | %lld | %d | %lld | %lld |", &size, &n_leaves,
               &n_buckets, &messages, &bytes) != 5)
      continue;
    const gd_buckets b =
        gd_buckets_cut(weights.count + running.count, 8 << 20, size);
    const gd_traffic t = gd_traffic_of(&b, n_leaves, 0);
    assert_int_equal(n_buckets, b.n);
    assert_int_equal(messages, t.messages);
    assert_int_equal(bytes, t.bytes);
    n_rows++;
  }
  fclose(file);
  assert_int_equal(n_rows, 11);
  gd_tensor_table_free(&weights);
  gd_tensor_table_free(&running);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(table_of_the_documentation_is_the_model_s),
    cmocka_unit_test(messages_and_bytes_are_those_of_the_model),
    cmocka_unit_test(model_is_that_of_a_ring_where_every_rank_has_one_subtree),
};

gd_test_mpi_main(tests)
