#include "gradus/stop.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t requested;

static void note(int signal_number)
{
  if (signal_number == SIGINT && requested == SIGINT) {
    signal(SIGINT, SIG_DFL);
    raise(SIGINT);
  }
  requested = signal_number;
}

void gd_stop_begin(void)
{
  static const int signals[] = {SIGTERM, SIGUSR1, SIGINT};
  struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
    sigaction(signals[i], &action, NULL);
}

int gd_stop_requested(void)
{
  return (int)requested;
}
