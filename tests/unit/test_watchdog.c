#include "gradus/watchdog.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gradus/stop.h"
#include "test.h"

/* Run `body` in a child whose stderr is caught; return how it ended. */
static int run_child(void (*body)(void), char *said, size_t said_bytes)
{
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    body();
    _exit(0);
  }
  close(ends[1]);
  size_t n = 0;
  ssize_t got;
  while (n < said_bytes - 1 &&
         (got = read(ends[0], said + n, said_bytes - 1 - n)) > 0)
    n += (size_t)got;
  said[n] = '\0';
  close(ends[0]);
  int how;
  assert_int_equal(waitpid(child, &how, 0), child);
  return how;
}

static void hang(void)
{
  gd_watchdog_begin(3, 1);
  gd_watchdog_name("stage model");
  for (;;)
    pause();
}

static void silent_process_is_named_and_ended(void **state)
{
  (void)state;
  char said[1000];
  const int how = run_child(hang, said, sizeof said);
  assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGALRM);
  assert_non_null(strstr(said, "rank 3"));
  assert_non_null(strstr(said, "stage model"));
}

static void show_life(void)
{
  const struct timespec tenth = {.tv_nsec = 100000000};
  gd_watchdog_begin(0, 1);
  for (int i = 0; i < 13; i++) {
    gd_watchdog_feed();
    nanosleep(&tenth, NULL);
  }
  gd_watchdog_end();
  nanosleep(&(struct timespec){.tv_sec = 1, .tv_nsec = 50000000}, NULL);
}

static void fed_watchdog_lets_live_and_ends_when_told(void **state)
{
  (void)state;
  char said[1000];
  const int how = run_child(show_life, said, sizeof said);
  assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
  assert_string_equal(said, "");
}

static void interrupt_twice(void)
{
  gd_stop_begin();
  raise(SIGTERM);
  raise(SIGINT);
  if (gd_stop_requested() != SIGINT)
    _exit(1);
  raise(SIGINT);
}

static void second_interrupt_ends_the_process(void **state)
{
  (void)state;
  char said[1000];
  const int how = run_child(interrupt_twice, said, sizeof said);
  assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGINT);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(silent_process_is_named_and_ended),
    cmocka_unit_test(fed_watchdog_lets_live_and_ends_when_told),
    cmocka_unit_test(second_interrupt_ends_the_process),
};

gd_test_main(tests)
