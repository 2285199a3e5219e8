#include "gradus/child.h"

#include <signal.h>
#include <stdio.h>

#include "test.h"

static void words_reach_the_program_as_they_are(void **state)
{
  (void)state;
  const char *const odd = "a b\n'$(id)' \"\\*";
  const char *const words[] = {"printf", "%s|%s", odd, "", NULL};
  gd_child c;
  assert_ok(gd_child_run(words, 100, &c));
  char expected[64];
  snprintf(expected, sizeof expected, "%s|", odd);
  assert_string_equal(gd_text_get(&c.out), expected);
  assert_string_equal(gd_text_get(&c.err), "");
  assert_int_equal(c.exit_code, 0);
  gd_child_free(&c);
}

static void both_outputs_and_the_exit_code_are_kept(void **state)
{
  (void)state;
  const char *const words[] = {"sh", "-c",
                               "echo out; echo err >&2; cat; exit 3", NULL};
  gd_child c;
  assert_ok(gd_child_run(words, 100, &c));
  assert_string_equal(gd_text_get(&c.out), "out\n");
  assert_string_equal(gd_text_get(&c.err), "err\n");
  assert_int_equal(c.exit_code, 3);
  gd_child_free(&c);
}

static void much_output_on_both_is_taken_whole(void **state)
{
  (void)state;
  const char *const words[] = {"sh", "-c",
                               "head -c 300000 /dev/zero | tr '\\0' a; "
                               "head -c 300000 /dev/zero | tr '\\0' b >&2",
                               NULL};
  gd_child c;
  assert_ok(gd_child_run(words, 100, &c));
  assert_int_equal(c.out.length_bytes, 300000);
  assert_int_equal(c.err.length_bytes, 300000);
  gd_child_free(&c);
}

static void program_that_is_not_there_is_an_error(void **state)
{
  (void)state;
  const char *const words[] = {"gradus-no-such-program", NULL};
  gd_child c;
  assert_fails(gd_child_run(words, 100, &c), GD_ERR_IO,
               "gradus-no-such-program: cannot be started");
}

static void program_without_end_is_ended(void **state)
{
  (void)state;
  const char *const words[] = {"sh", "-c", "echo begun; exec tail -f /dev/null",
                               NULL};
  gd_child c;
  assert_fails(gd_child_run(words, 1, &c), GD_ERR_IO, "no answer for 1 s");
  assert_null(c.out.data);
}

static void program_that_is_killed_is_an_error(void **state)
{
  (void)state;
  const char *const words[] = {"sh", "-c", "kill -9 $$", NULL};
  gd_child c;
  assert_fails(gd_child_run(words, 100, &c), GD_ERR_IO, "ended by signal 9");
}

static void silent_program_without_end_is_ended(void **state)
{
  (void)state;
  const char *const words[] = {"sh", "-c",
                               "exec tail -f /dev/null >/dev/null 2>&1", NULL};
  gd_child c;
  assert_fails(gd_child_run(words, 1, &c), GD_ERR_IO, "no answer for 1 s");
}

/* Then the system keeps no exit code: 0 would be a guess. */
static void end_that_nobody_tells_of_is_an_error(void **state)
{
  (void)state;
  const char *const words[] = {"sh", "-c", "exit 7", NULL};
  gd_child c;
  signal(SIGCHLD, SIG_IGN);
  const gd_status st = gd_child_run(words, 100, &c);
  signal(SIGCHLD, SIG_DFL);
  assert_failed(st, GD_ERR_IO, "sh: nobody tells how it ended");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(words_reach_the_program_as_they_are),
    cmocka_unit_test(both_outputs_and_the_exit_code_are_kept),
    cmocka_unit_test(much_output_on_both_is_taken_whole),
    cmocka_unit_test(program_that_is_not_there_is_an_error),
    cmocka_unit_test(program_without_end_is_ended),
    cmocka_unit_test(silent_program_without_end_is_ended),
    cmocka_unit_test(program_that_is_killed_is_an_error),
    cmocka_unit_test(end_that_nobody_tells_of_is_an_error),
};

gd_test_main(tests)
