#include "gradus/watchdog.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gradus/alive.h"
#include "gradus/digest.h"
#include "gradus/fingerprint.h"
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
  sigset_t alarms;
  sigemptyset(&alarms);
  sigaddset(&alarms, SIGALRM);
  sigprocmask(SIG_BLOCK, &alarms, NULL);
  gd_watchdog_begin(3, 1);
  gd_watchdog_name("stage model");
  sigprocmask(SIG_UNBLOCK, &alarms, NULL);
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

/* alarm() is this timer (alarm(2)): seconds until the watchdog ends us. */
static double left_s(void)
{
  struct itimerval t;
  assert_int_equal(getitimer(ITIMER_REAL, &t), 0);
  return (double)t.it_value.tv_sec + 1e-6 * (double)t.it_value.tv_usec;
}

static void fed_watchdog_begins_anew_and_ends_when_told(void **state)
{
  (void)state;
  gd_watchdog_begin(0, 1000);
  const double begun_s = left_s();
  assert_true(begun_s > 500 && begun_s <= 1000);
  double hungry_s, fed_s;
  int n_tries = 0; /* for this process may be put aside between two calls */
  do {
    const double from_s = left_s();
    do
      hungry_s = left_s();
    while (hungry_s > from_s - 0.05);
    gd_watchdog_feed();
    fed_s = left_s();
  } while (fed_s <= hungry_s && ++n_tries < 50);
  assert_true(fed_s > hungry_s);
  gd_watchdog_end();
  assert_true(left_s() == 0);
}

static void *show_another_sign(void *thread)
{
  gd_alive();
  return thread;
}

/* Whoever reads a file, in a room that knows of no watchdog. */
static void reading_is_a_sign_of_life_of_its_own_thread(void **state)
{
  (void)state;
  gd_digest digest;
  gd_fingerprint fingerprint;
  pthread_t thread;
  assert_ok(gd_file_write(gd_test_path("file"), "x", 1));
  gd_watchdog_begin(0, 1000);
  for (int sign = 0; sign < 4; sign++) {
    double hungry_s = 0, fed_s = 0;
    for (int n_tries = 0; n_tries < 50 && fed_s <= hungry_s; n_tries++) {
      const double from_s = left_s();
      do
        hungry_s = left_s();
      while (hungry_s > from_s - 0.05);
      if (sign == 0)
        assert_ok(gd_digest_of_file(gd_test_path("file"), &digest));
      else if (sign == 1)
        assert_ok(gd_fingerprint_take(gd_test_path("file"), &fingerprint));
      else if (sign == 2)
        assert_ok(gd_file_write(gd_test_path("file"), "x", 1));
      else {
        assert_int_equal(pthread_create(&thread, NULL, show_another_sign, NULL),
                         0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        n_tries = 50;
      }
      fed_s = left_s();
    }
    assert_true(sign < 3 ? fed_s > hungry_s : fed_s <= hungry_s);
  }
  gd_watchdog_end();
  gd_alive();
  assert_true(left_s() == 0);
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
    cmocka_unit_test(fed_watchdog_begins_anew_and_ends_when_told),
    cmocka_unit_test(reading_is_a_sign_of_life_of_its_own_thread),
    cmocka_unit_test(second_interrupt_ends_the_process),
};

gd_test_main(tests)
