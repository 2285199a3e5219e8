#include "gradus/progress.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gradus/agree.h"
#include "gradus/clock.h"
#include "gradus/log.h"
#include "gradus/memory.h"
#include "gradus/stop.h"
#include "gradus/watchdog.h"

enum { TAG_COUNT = 1, TAG_NEWS = 2 };

static const double look_every_s = 0.02; /* bounds what a tick costs */
static const double send_every_s = 0.5;
static const double draw_every_s = 0.2; /* on a terminal */
static const double log_every_s = 30.0; /* elsewhere */

struct gd_progress {
  MPI_Comm comm;
  int rank, size;
  char title[200], unit[32], note[128];
  int64_t n_items, n_before; /* rank 0's */
  double began_s, looked_s, sent_s, shown_s;

  int64_t phase;   /* how often gd_progress_expect() was called */
  int64_t *n_done; /* (size); rank 0: as reported, others: only their own */

  /* (phase, count) on its way to rank 0: `sent` goes out, `count` comes in. */
  int64_t sent[2], count[2];
  int64_t n_sent, n_received;
  MPI_Request send_request, count_request;

  /* News on their way between any two ranks. */
  gd_status told;
  int out_news, news;
  int64_t n_news;
  MPI_Request *tell_requests; /* (size) */
  MPI_Request news_request;
  gd_status heard; /* the gravest */
  int heard_of;    /* by whom */
};

static void listen_counts(gd_progress *p)
{
  MPI_Irecv(p->count, 2, MPI_INT64_T, MPI_ANY_SOURCE, TAG_COUNT, p->comm,
            &p->count_request);
}

static void listen_news(gd_progress *p)
{
  MPI_Irecv(&p->news, 1, MPI_INT, MPI_ANY_SOURCE, TAG_NEWS, p->comm,
            &p->news_request);
}

gd_status gd_progress_begin(MPI_Comm comm, const char *title, gd_progress **out)
{
  assert(title != NULL && out != NULL);
  *out = NULL;

  int size;
  MPI_Comm_size(comm, &size);
  gd_progress *p = gd_alloc(1, sizeof *p);
  if (p != NULL) {
    p->n_done = gd_alloc(size, sizeof *p->n_done);
    p->tell_requests = gd_alloc(size, sizeof(MPI_Request));
  }
  const int failed = p == NULL || p->n_done == NULL || p->tell_requests == NULL;
  gd_status st = gd_agree(comm, failed ? GD_ERR_NOMEM : GD_OK);
  if (st != GD_OK) {
    if (p != NULL) {
      free(p->n_done);
      free(p->tell_requests);
    }
    free(p);
    return st;
  }

  MPI_Comm_dup(comm, &p->comm);
  MPI_Comm_rank(p->comm, &p->rank);
  p->size = size;
  snprintf(p->title, sizeof p->title, "%s", title);
  p->send_request = p->count_request = p->news_request = MPI_REQUEST_NULL;
  for (int r = 0; r < size; r++)
    p->tell_requests[r] = MPI_REQUEST_NULL;
  if (size > 1) {
    listen_news(p);
    if (p->rank == 0)
      listen_counts(p);
  }
  gd_progress_expect(p, 0, 0, "items");
  *out = p;
  return GD_OK;
}

void gd_progress_expect(gd_progress *p, int64_t n_items, int64_t n_done,
                        const char *unit)
{
  p->phase++;
  for (int r = 0; r < p->size; r++)
    p->n_done[r] = 0;
  p->n_items = n_items;
  p->n_before = n_done;
  snprintf(p->unit, sizeof p->unit, "%s", unit);
  p->began_s = p->shown_s = gd_clock_s();
}

void gd_progress_note(gd_progress *p, const char *text)
{
  snprintf(p->note, sizeof p->note, "%s", text);
}

/* ------------------------------------------------------------- showing it */

static void write_duration(double seconds, char *out, size_t out_bytes)
{
  const int64_t s = (int64_t)(seconds + 0.5);
  if (s >= 3600)
    snprintf(out, out_bytes, "%" PRId64 ":%02d:%02d", s / 3600,
             (int)(s / 60 % 60), (int)(s % 60));
  else
    snprintf(out, out_bytes, "%d:%02d", (int)(s / 60), (int)(s % 60));
}

static void compose(const gd_progress *p, double at_s, char *line, size_t bytes)
{
  int64_t n = 0;
  int slowest = 0;
  for (int r = 0; r < p->size; r++) {
    n += p->n_done[r];
    if (p->n_done[r] < p->n_done[slowest])
      slowest = r;
  }
  const double elapsed_s = at_s - p->began_s;
  const double rate = elapsed_s > 0.0 ? (double)n / elapsed_s : 0.0;
  const int64_t total = n + p->n_before;

  char of[32] = "", left[48] = "", late[64] = "";
  if (p->n_items > 0)
    snprintf(of, sizeof of, "/%" PRId64, p->n_items);
  if (p->n_items >= total && rate > 0.0) {
    char time[32];
    write_duration((double)(p->n_items - total) / rate, time, sizeof time);
    snprintf(left, sizeof left, ", %s left", time);
  }
  if (p->size > 1)
    snprintf(late, sizeof late, ", slowest: rank %d (%" PRId64 ")", slowest,
             p->n_done[slowest]);
  snprintf(line, bytes, "%s: %" PRId64 "%s %s, %.3g/s%s%s%s%s", p->title, total,
           of, p->unit, rate, left, late, p->note[0] == '\0' ? "" : ", ",
           p->note);
}

static void show(gd_progress *p, double at_s)
{
  const int terminal = gd_log_is_terminal();
  if (at_s - p->shown_s < (terminal ? draw_every_s : log_every_s))
    return;
  char line[700];
  compose(p, at_s, line, sizeof line);
  if (terminal)
    gd_log_progress(line);
  else
    gd_log(GD_LOG_INFO, "%s", line);
  p->shown_s = at_s;
}

/* ---------------------------------------------------------- what is heard */

static void receive_counts(gd_progress *p)
{
  while (p->count_request != MPI_REQUEST_NULL) {
    int arrived;
    MPI_Status from;
    MPI_Test(&p->count_request, &arrived, &from);
    if (!arrived)
      return;
    if (p->count[0] == p->phase)
      p->n_done[from.MPI_SOURCE] = p->count[1];
    p->n_received++;
    listen_counts(p);
  }
}

static void receive_news(gd_progress *p)
{
  while (p->news_request != MPI_REQUEST_NULL) {
    int arrived;
    MPI_Status from;
    MPI_Test(&p->news_request, &arrived, &from);
    if (!arrived)
      return;
    /* A failure outranks a request to stop. */
    if (p->heard != GD_ERR_PEER) {
      p->heard = p->news == (int)GD_ERR_STOPPED ? GD_ERR_STOPPED : GD_ERR_PEER;
      p->heard_of = from.MPI_SOURCE;
    }
    p->n_news++;
    listen_news(p);
  }
}

static void send_count(gd_progress *p, double at_s)
{
  int sent = 1;
  const int64_t mine = p->n_done[p->rank];
  if ((p->sent[0] == p->phase && p->sent[1] == mine) ||
      at_s - p->sent_s < send_every_s)
    return;
  MPI_Test(&p->send_request, &sent, MPI_STATUS_IGNORE);
  if (!sent)
    return;
  p->sent[0] = p->phase;
  p->sent[1] = mine;
  MPI_Isend(p->sent, 2, MPI_INT64_T, 0, TAG_COUNT, p->comm, &p->send_request);
  p->n_sent++;
  p->sent_s = at_s;
}

static void look_around(gd_progress *p)
{
  const double at_s = gd_clock_s();
  if (at_s - p->looked_s < look_every_s)
    return;
  p->looked_s = at_s;
  gd_watchdog_feed();
  receive_news(p);
  if (p->rank == 0) {
    receive_counts(p);
    show(p, at_s);
  } else {
    send_count(p, at_s);
  }
}

gd_status gd_progress_add(gd_progress *p, int64_t n_items)
{
  assert(p != NULL && n_items >= 0);

  p->n_done[p->rank] += n_items;
  look_around(p);
  if (p->heard == GD_ERR_PEER)
    return gd_fail(GD_ERR_PEER, "rank %d has failed", p->heard_of);
  if (gd_stop_requested()) {
    gd_progress_tell(p, GD_ERR_STOPPED);
    return gd_fail(GD_ERR_STOPPED, "stopped by signal %d", gd_stop_requested());
  }
  if (p->heard == GD_ERR_STOPPED)
    return gd_fail(GD_ERR_STOPPED, "rank %d was asked to stop", p->heard_of);
  return GD_OK;
}

void gd_progress_tell(gd_progress *p, gd_status st)
{
  /* Who only repeats what another rank said has no news. */
  if (st == GD_OK || st == GD_ERR_PEER || p->told != GD_OK ||
      (st == GD_ERR_STOPPED && p->heard == GD_ERR_STOPPED))
    return;
  p->told = st;
  p->out_news = (int)st;
  for (int r = 0; r < p->size; r++)
    if (r != p->rank)
      MPI_Isend(&p->out_news, 1, MPI_INT, r, TAG_NEWS, p->comm,
                &p->tell_requests[r]);
}

/* ----------------------------------------------------------------- waiting */

static void wait_looking(gd_progress *p, MPI_Request *request)
{
  const struct timespec nap = {.tv_nsec = 500000};
  int finished = 0;
  for (;;) {
    look_around(p);
    MPI_Test(request, &finished, MPI_STATUS_IGNORE);
    if (finished)
      return;
    nanosleep(&nap, NULL);
  }
}

void gd_progress_wait(gd_progress *p)
{
  MPI_Request request;
  MPI_Ibarrier(p->comm, &request);
  wait_looking(p, &request);
}

int64_t gd_progress_n_done(const gd_progress *p, int r)
{
  assert(r >= 0 && r < p->size);
  return p->n_done[r];
}

/* No message may be left behind when the communicator goes: all ranks learn
 * how many were sent, and take those still on their way. */
static void drain(gd_progress *p)
{
  int64_t totals[2] = {p->n_sent, p->told != GD_OK};
  MPI_Request request;
  MPI_Iallreduce(MPI_IN_PLACE, totals, 2, MPI_INT64_T, MPI_SUM, p->comm,
                 &request);
  gd_wait(&request);
  while (p->rank == 0 && p->n_received < totals[0])
    receive_counts(p);
  while (p->n_news < totals[1] - (p->told != GD_OK))
    receive_news(p);

  MPI_Wait(&p->send_request, MPI_STATUS_IGNORE);
  MPI_Waitall(p->size, p->tell_requests, MPI_STATUSES_IGNORE);
  MPI_Request *const listening[2] = {&p->count_request, &p->news_request};
  for (int i = 0; i < 2; i++)
    if (*listening[i] != MPI_REQUEST_NULL) {
      MPI_Cancel(listening[i]);
      MPI_Wait(listening[i], MPI_STATUS_IGNORE);
    }
}

void gd_progress_end(gd_progress *p)
{
  if (p == NULL)
    return;
  gd_progress_wait(p);
  if (p->size > 1)
    drain(p);
  if (p->rank == 0)
    gd_log_progress(NULL);
  MPI_Comm_free(&p->comm);
  free(p->n_done);
  free(p->tell_requests);
  free(p);
}
