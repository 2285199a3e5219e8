#include "gradus/agree.h"

#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "gradus/watchdog.h"

enum { REASON_BYTES = 2048 };

void gd_wait(MPI_Request *request)
{
  int finished = 0;

  /* Short waits are the rule: yield to MPI at first, sleep only later. */
  for (int64_t turn = 0; !finished; turn++) {
    MPI_Test(request, &finished, MPI_STATUS_IGNORE);
    if (turn % 1024 == 0)
      gd_watchdog_feed();
    if (!finished && turn > 1000) {
      const struct timespec nap = {.tv_nsec = 200000};
      nanosleep(&nap, NULL);
    }
  }
}

/* Failures outrank requests to stop, and both outrank those who merely heard
 * of a failure. */
static int64_t weight_of(gd_status st)
{
  switch (st) {
  case GD_OK:
    return 0;
  case GD_ERR_PEER:
    return 1;
  case GD_ERR_STOPPED:
    return 2;
  default:
    return 3;
  }
}

/* Tell every rank the status and reason of the rank that counts: the gravest
 * outcome, and among equals the lowest rank.  Return that rank, or -1 if all
 * are well. */
static int tell(MPI_Comm comm, gd_status mine, gd_status *first,
                char reason[REASON_BYTES])
{
  int rank;
  MPI_Comm_rank(comm, &rank);

  int64_t worst = weight_of(mine);
  if (worst > 0)
    worst = (worst << 32) | (int64_t)(INT32_MAX - rank);
  MPI_Request request;
  MPI_Iallreduce(MPI_IN_PLACE, &worst, 1, MPI_INT64_T, MPI_MAX, comm, &request);
  gd_wait(&request);
  if (worst == 0)
    return -1;

  const int source = INT32_MAX - (int)(worst & INT32_MAX);
  struct {
    int status;
    char reason[REASON_BYTES];
  } news = {.status = (int)mine};
  if (rank == source)
    snprintf(news.reason, sizeof news.reason, "%s", gd_reason());
  MPI_Ibcast(&news, (int)sizeof news, MPI_BYTE, source, comm, &request);
  gd_wait(&request);
  *first = (gd_status)news.status;
  if (weight_of(*first) == weight_of(GD_ERR_IO) && rank != source)
    snprintf(reason, REASON_BYTES, "rank %d: %.2000s", source, news.reason);
  else
    snprintf(reason, REASON_BYTES, "%s", news.reason);
  return source;
}

gd_status gd_agree(MPI_Comm comm, gd_status mine)
{
  char reason[REASON_BYTES];
  gd_status first;
  if (tell(comm, mine, &first, reason) < 0)
    return GD_OK;
  if (weight_of(mine) == weight_of(GD_ERR_IO))
    return mine;
  if (first == GD_ERR_STOPPED)
    return gd_fail(GD_ERR_STOPPED, "%s", reason);
  return gd_fail(GD_ERR_PEER, "%s", reason);
}

gd_status gd_settle(MPI_Comm comm, gd_status mine)
{
  char reason[REASON_BYTES];
  gd_status first;
  if (tell(comm, mine, &first, reason) < 0)
    return GD_OK;
  return gd_fail(first, "%s", reason);
}
