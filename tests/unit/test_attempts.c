#include "gradus/attempts.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

static const char UNIT[] = "frames-00012.h5";

/* An empty run directory. */
static const char *directory_of(const char *name)
{
  const char *path = gd_test_path(name);
  assert_ok(gd_directory_make(path));
  return path;
}

/* Run a process that works on an item of a unit and ends by a signal. */
static void fall(const char *directory, const char *unit, const char *item,
                 int number)
{
  const pid_t child = fork();
  if (child == 0) {
    const struct rlimit none = {0, 0};
    gd_attempts *a;
    setrlimit(RLIMIT_CORE, &none);
    /* The sanitizers' own handlers would tell of the crash at length. */
    for (int s = 1; s < 32; s++)
      if (s != SIGKILL && s != SIGSTOP && s != SIGCHLD)
        signal(s, SIG_DFL);
    if (gd_attempts_new(directory, "", &a) == GD_OK &&
        gd_attempts_begin(a, unit, "an item before") == GD_OK &&
        gd_attempts_begin(a, unit, item) == GD_OK)
      raise(number);
    _exit(0);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFSIGNALED(status));
  assert_int_equal(WTERMSIG(status), number);
}

/* What the next run makes of what it finds. */
static gd_attempts *collect(const char *directory)
{
  gd_text falls = {0};
  gd_attempts *a;
  assert_ok(gd_attempts_collect(directory, &falls));
  assert_ok(gd_attempts_new(directory, gd_text_get(&falls), &a));
  gd_text_free(&falls);
  return a;
}

static int is_suspect(const char *directory, const char *unit)
{
  gd_attempts *a = collect(directory);
  const int found = gd_attempts_is_suspect(a, unit);
  gd_attempts_free(a);
  return found;
}

static void
crash_is_noted_with_its_signal_and_makes_the_unit_suspect(void **state)
{
  (void)state;
  static const int numbers[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};
  for (int i = 0; i < 5; i++) {
    char name[32], how[64], *text;
    snprintf(name, sizeof name, "crash-%d", i);
    snprintf(how, sizeof how, "signal %02d\t%s\ta/long\t", numbers[i], UNIT);
    const char *directory = directory_of(name);
    fall(directory, UNIT, "a/long", numbers[i]);
    assert_true(is_suspect(directory, UNIT));
    assert_false(is_suspect(directory, "frames-00013.h5"));
    char path[GD_PATH_MAX];
    assert_ok(gd_path_join(directory, "attempts.txt", path));
    assert_ok(gd_file_read(path, 1 << 16, &text, NULL));
    assert_true(gd_test_has(text, how));
    free(text);
    assert_ok(gd_path_join(directory, "frames-00012.h5.attempt", path));
    assert_false(gd_path_exists(path));
  }
}

static void kill_that_no_handler_sees_counts_as_a_fall(void **state)
{
  (void)state;
  const char *directory = directory_of("kill");
  fall(directory, UNIT, "a/long", SIGKILL);
  assert_true(is_suspect(directory, UNIT));
}

static void request_to_stop_is_no_fall(void **state)
{
  (void)state;
  static const int numbers[] = {SIGTERM, SIGUSR1, SIGINT, SIGHUP,
                                SIGXCPU, SIGUSR2, SIGQUIT};
  const char *directory = directory_of("stop");
  for (int i = 0; i < 7; i++) {
    fall(directory, UNIT, "a/long", numbers[i]);
    assert_false(is_suspect(directory, UNIT));
  }
}

static void item_that_fell_twice_in_a_unit_is_refused_in_all_units(void **state)
{
  (void)state;
  const char *directory = directory_of("twice");
  fall(directory, UNIT, "a/long", SIGSEGV);
  gd_attempts *a = collect(directory);
  assert_ok(gd_attempts_begin(a, UNIT, "a/long"));
  gd_attempts_free(a);
  fall(directory, UNIT, "a/long", SIGSEGV);
  a = collect(directory);
  assert_false(gd_attempts_is_suspect(a, UNIT));
  assert_fails(gd_attempts_begin(a, UNIT, "a/long"), GD_ERR_DECODE,
               "a/long: brought a rank down twice, in frames-00012.h5");
  assert_fails(gd_attempts_begin(a, "frames-00013.h5", "a/long"), GD_ERR_DECODE,
               "to try again remove attempts.txt and the results beside it");
  assert_ok(gd_attempts_begin(a, UNIT, "a/lon"));
  assert_ok(gd_attempts_begin(a, UNIT, "a/longer"));
  gd_attempts_free(a);
}

static void falls_in_two_units_do_not_add_up(void **state)
{
  (void)state;
  const char *directory = directory_of("apart");
  fall(directory, UNIT, "a/long", SIGKILL);
  assert_true(is_suspect(directory, UNIT));
  fall(directory, "frames-00013.h5", "a/long", SIGKILL);
  gd_attempts *a = collect(directory);
  assert_ok(gd_attempts_begin(a, UNIT, "a/long"));
  assert_true(gd_attempts_is_suspect(a, "frames-00013.h5"));
  gd_attempts_free(a);
}

static void
ranks_that_were_ended_along_with_a_crash_are_not_blamed(void **state)
{
  (void)state;
  const char *directory = directory_of("along");
  fall(directory, "frames-00001.h5", "first", SIGKILL);
  fall(directory, UNIT, "a/long", SIGSEGV);
  fall(directory, "frames-00002.h5", "second", SIGTERM);
  gd_attempts *a = collect(directory);
  assert_true(gd_attempts_is_suspect(a, UNIT));
  assert_false(gd_attempts_is_suspect(a, "frames-00001.h5"));
  assert_false(gd_attempts_is_suspect(a, "frames-00002.h5"));
  gd_attempts_free(a);
}

static void unit_that_ends_in_order_leaves_nothing(void **state)
{
  (void)state;
  const char *directory = directory_of("order");
  char note[GD_PATH_MAX], history[GD_PATH_MAX];
  assert_ok(gd_path_join(directory, "frames-00012.h5.attempt", note));
  assert_ok(gd_path_join(directory, "attempts.txt", history));
  gd_attempts *a = collect(directory);
  assert_ok(gd_attempts_begin(a, UNIT, "a/long"));
  assert_true(gd_path_exists(note));
  assert_ok(gd_attempts_begin(a, UNIT, "b"));
  assert_ok(gd_attempts_end(a));
  assert_false(gd_path_exists(note));
  assert_ok(gd_attempts_end(a));
  assert_ok(gd_attempts_begin(a, UNIT, "c"));
  gd_attempts_free(a);
  assert_false(gd_path_exists(note));
  assert_false(gd_path_exists(history));
}

static void any_characters_may_be_in_an_items_name(void **state)
{
  (void)state;
  static const char odd[] = "a\tb\n%09 \xc3\xa9 \xff";
  const char *directory = directory_of("odd");
  for (int i = 0; i < 2; i++) {
    fall(directory, UNIT, odd, SIGSEGV);
    gd_attempts_free(collect(directory));
  }
  gd_attempts *a = collect(directory);
  assert_fails(gd_attempts_begin(a, UNIT, odd), GD_ERR_DECODE, "twice");
  assert_ok(gd_attempts_begin(a, UNIT, "a"));
  assert_ok(gd_attempts_begin(a, UNIT, "a\tb\n%09 \xc3\xa9 "));
  gd_attempts_free(a);
}

static void unreadable_and_edited_histories_do_no_harm(void **state)
{
  (void)state;
  static const char edited[] = "# mine\n\nsignal 11\nsignal 11\tu.h5\n"
                               "signal 11\tu.h5\tvideo\n\t\t\t\nsignal 11";
  const char *directory = directory_of("edited");
  char path[GD_PATH_MAX];
  assert_ok(gd_path_join(directory, "attempts.txt", path));
  assert_ok(gd_file_write(path, edited, sizeof edited - 1));
  assert_ok(gd_path_join(directory, "v.h5.attempt", path));
  assert_ok(gd_file_write(path, "", 0));
  assert_ok(gd_path_join(directory, "w.h5.attempt", path));
  assert_ok(gd_file_write(path, "working  \tw.h5\tvid", 18));
  gd_attempts *a = collect(directory);
  assert_true(gd_attempts_is_suspect(a, "u.h5"));
  assert_false(gd_attempts_is_suspect(a, "v.h5"));
  assert_false(gd_attempts_is_suspect(a, "w.h5"));
  assert_ok(gd_attempts_begin(a, "u.h5", "video"));
  gd_attempts_free(a);
}

static void note_that_cannot_be_written_is_an_error(void **state)
{
  (void)state;
  gd_attempts *a;
  assert_ok(gd_attempts_new(gd_test_path("nowhere"), "", &a));
  assert_fails(gd_attempts_begin(a, UNIT, "a/long"), GD_ERR_IO,
               "frames-00012.h5.attempt: cannot create");
  gd_attempts_free(a);
}

static int n_heard;
static void hear(int number)
{
  (void)number;
  n_heard++;
}

/* Who asked to be told of a signal is told, before and after. */
static void requests_reach_those_who_had_them_before(void **state)
{
  (void)state;
  gd_attempts *a;
  signal(SIGUSR1, hear);
  signal(SIGHUP, SIG_IGN);
  assert_ok(gd_attempts_new(directory_of("heard"), "", &a));
  assert_ok(gd_attempts_begin(a, UNIT, "a/long"));
  raise(SIGUSR1);
  raise(SIGHUP);
  assert_int_equal(n_heard, 1);
  gd_attempts_free(a);
  raise(SIGUSR1);
  assert_int_equal(n_heard, 2);
  signal(SIGUSR1, SIG_DFL);
  signal(SIGHUP, SIG_DFL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(crash_is_noted_with_its_signal_and_makes_the_unit_suspect),
    cmocka_unit_test(kill_that_no_handler_sees_counts_as_a_fall),
    cmocka_unit_test(request_to_stop_is_no_fall),
    cmocka_unit_test(item_that_fell_twice_in_a_unit_is_refused_in_all_units),
    cmocka_unit_test(falls_in_two_units_do_not_add_up),
    cmocka_unit_test(ranks_that_were_ended_along_with_a_crash_are_not_blamed),
    cmocka_unit_test(unit_that_ends_in_order_leaves_nothing),
    cmocka_unit_test(any_characters_may_be_in_an_items_name),
    cmocka_unit_test(unreadable_and_edited_histories_do_no_harm),
    cmocka_unit_test(note_that_cannot_be_written_is_an_error),
    cmocka_unit_test(requests_reach_those_who_had_them_before),
};

gd_test_main(tests)
