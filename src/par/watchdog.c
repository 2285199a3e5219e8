#include "gradus/watchdog.h"

#include <assert.h>
#include <math.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gradus/alive.h"
#include "gradus/clock.h"
#include "gradus/launcher.h"

enum { HOST_BYTES = 128, TAG = 1 };

/* What a rank says to the next one. */
enum { LEAVES, GOES_ON, SOMEBODY_IS_LOST };

/* The alarm clock is the process's, so is what it says. */
static struct {
  int rank;
  unsigned limit_s;
  double fed_s;
  char what[256], line[768];
} watch;

/* The ring: whom this rank hears, and who hears it. */
static struct {
  int joined, before, after;
  MPI_Comm comm;
  char host[HOST_BYTES]; /* of the rank before */
  double looked_s, sent_s, heard_s;
  int sent, heard; /* what is under way */
  MPI_Request send, receive;
} ring;

static void end_process(int signal_number)
{
  /* Only what a signal handler may do: no stdio, no MPI. */
  const ssize_t n = write(STDERR_FILENO, watch.line, strlen(watch.line));
  (void)n;
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

void gd_watchdog_name(const char *what)
{
  char host[HOST_BYTES] = "";
  gethostname(host, sizeof host - 1);
  snprintf(watch.what, sizeof watch.what, "%s", what);
  snprintf(watch.line, sizeof watch.line,
           "gradus: error: rank %d on %s has shown no sign of life for %u s "
           "(%.200s); the run is ended, repeat the same command to go on\n",
           watch.rank, host, watch.limit_s, what);
}

void gd_watchdog_begin(int rank, int limit_s)
{
  assert(limit_s >= 0);

  watch.rank = rank;
  watch.limit_s = (unsigned)limit_s;
  watch.fed_s = 0;
  gd_watchdog_name("start");
  struct sigaction action = {.sa_handler = end_process};
  sigemptyset(&action.sa_mask);
  sigaction(SIGALRM, &action, NULL);
  gd_alive_listen(gd_watchdog_feed);
  gd_watchdog_feed();
}

/* ------------------------------------------------------------------ the ring
 */

static void listen_again(void)
{
  MPI_Irecv(&ring.heard, 1, MPI_INT, ring.before, TAG, ring.comm,
            &ring.receive);
}

/* Tell the rank after this one. */
static void say(int what, double at_s)
{
  int gone = 1;
  MPI_Test(&ring.send, &gone, MPI_STATUS_IGNORE);
  if (!gone)
    return; /* it is the next one that does not listen */
  ring.sent = what;
  ring.sent_s = at_s;
  MPI_Isend(&ring.sent, 1, MPI_INT, ring.after, TAG, ring.comm, &ring.send);
}

static void (*excuse)(void);

void gd_watchdog_excuse(void (*call)(void))
{
  excuse = call;
}

/* Another rank is to blame. */
static void excuse_this_one(void)
{
  if (excuse != NULL)
    excuse();
}

static void end_quietly(void)
{
  excuse_this_one();
  signal(SIGALRM, SIG_DFL);
  raise(SIGALRM);
}

/* A host is lost: mpirun would wait for it, so it is ended where it runs.  The
 * word goes around the ring to the rank before the one that is lost. */
static void end_with_launcher(void)
{
  const struct timespec nap = {.tv_nsec = 10000000};
  excuse_this_one();
  alarm(watch.limit_s + 2); /* the nap is no silence */
  say(SOMEBODY_IS_LOST, gd_clock_s());
  for (int i = 0; i < 100; i++) { /* the word is to leave before the rank */
    int gone;
    MPI_Test(&ring.send, &gone, MPI_STATUS_IGNORE);
    nanosleep(&nap, NULL);
  }
  gd_launcher_end();
  end_quietly();
}

static void name_the_rank_before(double silent_s)
{
  char line[1024]; /* at once: pieces of several ranks' lines would mix */
  snprintf(line, sizeof line,
           "gradus: error: rank %d on %s has not been heard of for %.0f s "
           "(%s): stopped, or its node is gone; the run is ended, repeat the "
           "same command to go on\n",
           ring.before, ring.host, silent_s, watch.what);
  fputs(line, stderr);
  fflush(stderr);
  char own[HOST_BYTES] = "";
  gethostname(own, sizeof own - 1);
  if (strcmp(own, ring.host) != 0)
    end_with_launcher();
  end_quietly();
}

static void look_around(double at_s)
{
  const double limit_s = watch.limit_s;
  int arrived = 1;
  /* Who was away itself looks twice: a message may be on its way in. */
  const int was_away = at_s - ring.looked_s > 1;
  ring.looked_s = at_s;
  while (arrived && ring.receive != MPI_REQUEST_NULL) {
    MPI_Test(&ring.receive, &arrived, MPI_STATUS_IGNORE);
    if (!arrived)
      break;
    ring.heard_s = at_s;
    if (ring.heard == GOES_ON)
      listen_again();
    else if (ring.heard == SOMEBODY_IS_LOST)
      end_with_launcher();
  }
  if (at_s - ring.sent_s > limit_s / 8)
    say(GOES_ON, at_s);
  if (ring.receive != MPI_REQUEST_NULL && !was_away &&
      at_s - ring.heard_s > 1.25 * limit_s + 1)
    name_the_rank_before(at_s - ring.heard_s);
}

void gd_watchdog_join(MPI_Comm comm)
{
  int rank, size;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  if (watch.limit_s == 0 || size == 1)
    return;
  char host[HOST_BYTES] = "";
  gethostname(host, sizeof host - 1);
  MPI_Comm_dup(comm, &ring.comm);
  ring.before = (rank + size - 1) % size;
  ring.after = (rank + 1) % size;
  MPI_Sendrecv(host, HOST_BYTES, MPI_CHAR, ring.after, TAG, ring.host,
               HOST_BYTES, MPI_CHAR, ring.before, TAG, ring.comm,
               MPI_STATUS_IGNORE);
  ring.send = ring.receive = MPI_REQUEST_NULL;
  ring.looked_s = ring.heard_s = ring.sent_s = gd_clock_s();
  ring.joined = 1;
  listen_again();
}

/* Nothing may be left under way: each says that it goes, and hears that. */
static void leave(void)
{
  const struct timespec nap = {.tv_nsec = 200000};
  MPI_Wait(&ring.send, MPI_STATUS_IGNORE);
  say(LEAVES, gd_clock_s());
  ring.sent_s = HUGE_VAL; /* and no more */
  while (ring.receive != MPI_REQUEST_NULL) {
    gd_watchdog_feed();
    nanosleep(&nap, NULL);
  }
  MPI_Wait(&ring.send, MPI_STATUS_IGNORE);
  ring.joined = 0;
  MPI_Comm_free(&ring.comm);
}

/* -------------------------------------------------------------------------- */

void gd_watchdog_feed(void)
{
  static const double every_s = 0.02; /* bounds what a feed costs */
  if (watch.limit_s == 0)
    return;
  const double at_s = gd_clock_s();
  if (at_s - watch.fed_s < every_s)
    return;
  watch.fed_s = at_s;
  alarm(watch.limit_s);
  if (ring.joined)
    look_around(at_s);
}

void gd_watchdog_end(void)
{
  if (ring.joined)
    leave();
  watch.limit_s = 0;
  gd_alive_listen(NULL);
  alarm(0);
  signal(SIGALRM, SIG_DFL);
}
