#include "gradus/watchdog.h"

#include <assert.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The alarm clock is the process's, so is what it says. */
static struct {
  int rank;
  unsigned limit_s;
  char line[512];
} watch;

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
  char host[128] = "";
  gethostname(host, sizeof host - 1);
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
  gd_watchdog_name("start");
  struct sigaction action = {.sa_handler = end_process};
  sigemptyset(&action.sa_mask);
  sigaction(SIGALRM, &action, NULL);
  gd_watchdog_feed();
}

void gd_watchdog_feed(void)
{
  if (watch.limit_s > 0)
    alarm(watch.limit_s);
}

void gd_watchdog_end(void)
{
  watch.limit_s = 0;
  alarm(0);
  signal(SIGALRM, SIG_DFL);
}
