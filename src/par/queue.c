#include "gradus/queue.h"

#include <assert.h>
#include <stdlib.h>

#include "gradus/agree.h"
#include "gradus/memory.h"

struct gd_queue {
  MPI_Win window;
  int64_t *counter; /* next item; lives on rank 0 */
  int64_t n_items;
};

void gd_queue_begin(void)
{
#if defined OMPI_MAJOR_VERSION && OMPI_MAJOR_VERSION < 5
  setenv("OMPI_MCA_osc", "^rdma,ucx", 0);
#endif
}

gd_status gd_queue_open(MPI_Comm comm, int64_t n_items, gd_queue **out)
{
  assert(n_items >= 0 && out != NULL);

  gd_queue *q = gd_alloc(1, sizeof *q);
  gd_status st = gd_agree(comm, q == NULL ? GD_ERR_NOMEM : GD_OK);
  *out = NULL;
  if (st != GD_OK) {
    free(q);
    return st;
  }

  int rank;
  MPI_Comm_rank(comm, &rank);
  q->n_items = n_items;
  MPI_Win_allocate(rank == 0 ? (MPI_Aint)sizeof(int64_t) : 0, sizeof(int64_t),
                   MPI_INFO_NULL, comm, &q->counter, &q->window);
  MPI_Win_lock_all(MPI_MODE_NOCHECK, q->window);
  if (rank == 0)
    *q->counter = 0;
  MPI_Win_sync(q->window);
  MPI_Barrier(comm);
  *out = q;
  return GD_OK;
}

int64_t gd_queue_take(gd_queue *q)
{
  assert(q != NULL);

  /* With a request, not MPI_Fetch_and_op and a flush: where rank 0 must serve
   * it, the wait sleeps and shows a sign of life. */
  const int64_t one = 1;
  int64_t item = 0;
  MPI_Request request;
  MPI_Rget_accumulate(&one, 1, MPI_INT64_T, &item, 1, MPI_INT64_T, 0, 0, 1,
                      MPI_INT64_T, MPI_SUM, q->window, &request);
  gd_wait(&request);
  return item < q->n_items ? item : -1;
}

void gd_queue_close(gd_queue *q)
{
  if (q == NULL)
    return;
  MPI_Win_unlock_all(q->window);
  MPI_Win_free(&q->window);
  free(q);
}
