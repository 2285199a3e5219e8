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

gd_status gd_agree(MPI_Comm comm, gd_status mine)
{
  int rank;
  MPI_Comm_rank(comm, &rank);

  /* The heaviest outcome wins; among equals, the lowest rank. */
  int64_t worst = weight_of(mine);
  if (worst > 0)
    worst = (worst << 32) | (int64_t)(INT32_MAX - rank);
  MPI_Request request;
  MPI_Iallreduce(MPI_IN_PLACE, &worst, 1, MPI_INT64_T, MPI_MAX, comm, &request);
  gd_wait(&request);
  if (worst == 0)
    return GD_OK;

  const int64_t weight = worst >> 32;
  const int first = INT32_MAX - (int)(worst & INT32_MAX);
  char reason[REASON_BYTES] = "";
  if (rank == first)
    snprintf(reason, sizeof reason, "%s", gd_reason());
  MPI_Ibcast(reason, REASON_BYTES, MPI_CHAR, first, comm, &request);
  gd_wait(&request);

  if (rank == first || weight_of(mine) == weight_of(GD_ERR_IO))
    return mine;
  if (weight == weight_of(GD_ERR_STOPPED))
    return gd_fail(GD_ERR_STOPPED, "%s", reason);
  if (weight == weight_of(GD_ERR_PEER))
    return gd_fail(GD_ERR_PEER, "%s", reason);
  return gd_fail(GD_ERR_PEER, "rank %d: %s", first, reason);
}
