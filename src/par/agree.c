#include "gradus/agree.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gradus/memory.h"
#include "gradus/watchdog.h"

enum { REASON_BYTES = 2048 };

void gd_pause(int64_t turn)
{
  /* Short waits are the rule: yield to MPI at first, sleep only later.  On a
   * busy machine a turn may be long: each shows a sign of life. */
  gd_watchdog_feed();
  if (turn > 1000) {
    const struct timespec nap = {.tv_nsec = 200000};
    nanosleep(&nap, NULL);
  }
}

void gd_wait(MPI_Request *request)
{
  int finished = 0;
  MPI_Test(request, &finished, MPI_STATUS_IGNORE);
  for (int64_t turn = 0; !finished; turn++) {
    gd_pause(turn);
    MPI_Test(request, &finished, MPI_STATUS_IGNORE);
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

/* An agreement under way: the gravest outcome is found, and among equals the
 * lowest rank; then that rank tells its status and reason. */
struct gd_accord {
  MPI_Comm comm;
  int rank, telling, under_way;
  int64_t worst;
  MPI_Request request;
  struct {
    int status;
    char reason[REASON_BYTES];
  } news;
};

static void begin(struct gd_accord *a, gd_status mine)
{
  a->worst = weight_of(mine);
  if (a->worst > 0)
    a->worst = (a->worst << 32) | (int64_t)(INT32_MAX - a->rank);
  a->telling = 0;
  a->news.status = (int)mine;
  snprintf(a->news.reason, REASON_BYTES, "%s",
           mine == GD_OK ? "" : gd_reason());
  MPI_Iallreduce(MPI_IN_PLACE, &a->worst, 1, MPI_INT64_T, MPI_MAX, a->comm,
                 &a->request);
}

/* The rank that counts, or -1 if all are well. */
static int source_of(const struct gd_accord *a)
{
  return a->worst == 0 ? -1 : INT32_MAX - (int)(a->worst & INT32_MAX);
}

/* Go on after a request has finished; say whether there is another. */
static int go_on(struct gd_accord *a)
{
  if (a->telling || a->worst == 0)
    return 0;
  a->telling = 1;
  MPI_Ibcast(&a->news, (int)sizeof a->news, MPI_BYTE, source_of(a), a->comm,
             &a->request);
  return 1;
}

/* The status that counts, and its reason as this rank is to say it. */
static gd_status outcome_of(const struct gd_accord *a,
                            char reason[REASON_BYTES])
{
  const gd_status st = (gd_status)a->news.status;
  reason[0] = '\0';
  if (a->worst == 0)
    return GD_OK;
  if (weight_of(st) == weight_of(GD_ERR_IO) && a->rank != source_of(a))
    snprintf(reason, REASON_BYTES, "rank %d: %.2000s", source_of(a),
             a->news.reason);
  else
    snprintf(reason, REASON_BYTES, "%s", a->news.reason);
  return st;
}

static gd_status tell(MPI_Comm comm, gd_status mine, char reason[REASON_BYTES])
{
  struct gd_accord a = {.comm = comm};
  MPI_Comm_rank(comm, &a.rank);
  begin(&a, mine);
  do
    gd_wait(&a.request);
  while (go_on(&a));
  return outcome_of(&a, reason);
}

gd_status gd_agree(MPI_Comm comm, gd_status mine)
{
  char reason[REASON_BYTES];
  const gd_status first = tell(comm, mine, reason);
  if (first == GD_OK)
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
  const gd_status first = tell(comm, mine, reason);
  return first == GD_OK ? GD_OK : gd_fail(first, "%s", reason);
}

gd_status gd_accord_new(MPI_Comm comm, gd_accord **out)
{
  assert(out != NULL);
  *out = NULL;
  gd_accord *a = gd_alloc(1, sizeof *a);
  gd_status st = gd_agree(comm, a == NULL ? GD_ERR_NOMEM : GD_OK);
  if (st != GD_OK) {
    free(a);
    return st;
  }
  MPI_Comm_dup(comm, &a->comm);
  MPI_Comm_rank(comm, &a->rank);
  *out = a;
  return GD_OK;
}

void gd_accord_free(gd_accord *a)
{
  if (a == NULL)
    return;
  assert(!a->under_way);
  MPI_Comm_free(&a->comm);
  free(a);
}

void gd_accord_begin(gd_accord *a, gd_status mine)
{
  assert(a != NULL && !a->under_way);
  a->under_way = 1;
  begin(a, mine);
}

int gd_accord_is_reached(gd_accord *a)
{
  assert(a != NULL);
  int finished = 1;
  while (a->under_way) {
    MPI_Test(&a->request, &finished, MPI_STATUS_IGNORE);
    if (!finished)
      return 0;
    a->under_way = go_on(a);
  }
  return 1;
}

gd_status gd_accord_wait(gd_accord *a)
{
  char reason[REASON_BYTES];
  while (a->under_way) {
    gd_wait(&a->request);
    a->under_way = go_on(a);
  }
  const gd_status first = outcome_of(a, reason);
  return first == GD_OK ? GD_OK : gd_fail(first, "%s", reason);
}
