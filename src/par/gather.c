#include "gradus/gather.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#include "gradus/agree.h"
#include "gradus/memory.h"

enum { PIECE = 1 << 19, TAG = 2 };

void gd_gather_all(MPI_Comm comm, int64_t count, gd_range mine, float *values)
{
  assert(count <= INT_MAX && mine.first <= mine.end && mine.end <= count);
  int rank, size;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  /* One broadcast per rank: no tables of counts, and parts are few. */
  for (int root = 0; root < size; root++) {
    int64_t part[2] = {mine.first, mine.end};
    MPI_Bcast(part, 2, MPI_INT64_T, root, comm);
    if (part[0] < part[1])
      MPI_Bcast(values + part[0], (int)(part[1] - part[0]), MPI_FLOAT, root,
                comm);
  }
}

void gd_gather_add(MPI_Comm comm, int64_t count, double *values)
{
  assert(count >= 0 && count <= INT_MAX);
  MPI_Request request;
  MPI_Iallreduce(MPI_IN_PLACE, values, (int)count, MPI_DOUBLE, MPI_SUM, comm,
                 &request);
  gd_wait(&request);
}

static void send_run(MPI_Comm comm, int64_t n_local, const float *values)
{
  MPI_Request request;
  MPI_Isend(&n_local, 1, MPI_INT64_T, 0, TAG, comm, &request);
  gd_wait(&request);
  for (int64_t at = 0; at < n_local; at += PIECE) {
    const int n = (int)(n_local - at < PIECE ? n_local - at : PIECE);
    MPI_Isend(values + at, n, MPI_FLOAT, 0, TAG, comm, &request);
    gd_wait(&request);
  }
}

/* Receive a rank's run; hand it on as long as that works. */
static gd_status receive_run(MPI_Comm comm, int from, float *piece,
                             gd_status st, gd_gather_take *take, void *context)
{
  int64_t n_run = 0;
  MPI_Recv(&n_run, 1, MPI_INT64_T, from, TAG, comm, MPI_STATUS_IGNORE);
  for (int64_t at = 0; at < n_run; at += PIECE) {
    const int n = (int)(n_run - at < PIECE ? n_run - at : PIECE);
    MPI_Recv(piece, n, MPI_FLOAT, from, TAG, comm, MPI_STATUS_IGNORE);
    if (st == GD_OK)
      st = take(context, n, piece);
  }
  return st;
}

gd_status gd_gather_stream(MPI_Comm comm, int64_t n_local, const float *values,
                           gd_gather_take *take, void *context)
{
  assert(n_local >= 0 && take != NULL);
  int rank, size;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  float *piece = rank == 0 ? gd_alloc(PIECE, sizeof *piece) : NULL;
  gd_status st =
      gd_agree(comm, rank == 0 && piece == NULL ? GD_ERR_NOMEM : GD_OK);
  if (st == GD_OK && rank == 0) {
    st = take(context, n_local, values);
    for (int from = 1; from < size; from++)
      st = receive_run(comm, from, piece, st, take, context);
  } else if (st == GD_OK) {
    send_run(comm, n_local, values);
  }
  free(piece);
  return st;
}
