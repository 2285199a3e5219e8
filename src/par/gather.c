#include "gradus/gather.h"

#include <assert.h>
#include <limits.h>

#include "gradus/agree.h"

void gd_gather_all(MPI_Comm comm, int64_t count, gd_range mine, float *values)
{
  assert(count <= INT_MAX && mine.first <= mine.end && mine.end <= count);
  int rank, size;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  /* One broadcast per rank: no tables of counts, and parts are few. */
  for (int root = 0; root < size; root++) {
    int64_t part[2] = {mine.first, mine.end};
    MPI_Request request;
    MPI_Ibcast(part, 2, MPI_INT64_T, root, comm, &request);
    gd_wait(&request);
    if (part[0] == part[1])
      continue;
    MPI_Ibcast(values + part[0], (int)(part[1] - part[0]), MPI_FLOAT, root,
               comm, &request);
    gd_wait(&request);
  }
}

void gd_gather_parts(MPI_Comm comm, int64_t count, const gd_buckets *buckets,
                     float *values)
{
  int rank;
  MPI_Comm_rank(comm, &rank);
  for (int i = 0; i < buckets->n; i++)
    gd_gather_all(comm, count, gd_buckets_within(buckets, i, rank, count),
                  values);
}

void gd_gather_add(MPI_Comm comm, int64_t count, double *values)
{
  assert(count >= 0 && count <= INT_MAX);
  MPI_Request request;
  MPI_Iallreduce(MPI_IN_PLACE, values, (int)count, MPI_DOUBLE, MPI_SUM, comm,
                 &request);
  gd_wait(&request);
}
