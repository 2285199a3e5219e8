#include "video/input.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

static const char *file_of(const char *name, size_t size_bytes)
{
  static const char zeros[4096];
  assert_true(size_bytes <= sizeof zeros);
  const char *path = gd_test_path(name);
  assert_ok(gd_file_write(path, zeros, size_bytes));
  return path;
}

/* Compute until the thread's clock has gone on by some seconds. */
static void compute(double seconds)
{
  struct timespec begin, now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
  do
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  while ((double)(now.tv_sec - begin.tv_sec) +
             1e-9 * (double)(now.tv_nsec - begin.tv_nsec) <
         seconds);
}

static void bytes_are_read_in_order_and_after_a_seek(void **state)
{
  (void)state;
  gd_input *in;
  uint8_t got[16];
  assert_ok(gd_file_write(gd_test_path("abc"), "abcdefgh", 8));
  assert_ok(gd_input_open(gd_test_path("abc"), NULL, &in));
  assert_int_equal(gd_input_size(in), 8);
  assert_int_equal(gd_input_read(in, got, 5), 5);
  assert_memory_equal(got, "abcde", 5);
  assert_int_equal(gd_input_read(in, got, 16), 3);
  assert_int_equal(gd_input_read(in, got, 16), 0);
  gd_input_seek(in, 2);
  assert_int_equal(gd_input_read(in, got, 2), 2);
  assert_memory_equal(got, "cd", 2);
  assert_int_equal(gd_input_position(in), 4);
  gd_input_seek(in, INT64_MAX);
  assert_int_equal(gd_input_read(in, got, 1), 0);
  assert_ok(gd_input_status(in));
  gd_input_close(in);
}

static void file_that_grows_ends_where_it_ended(void **state)
{
  (void)state;
  gd_input *in;
  uint8_t got[4096];
  const char *path = file_of("grows", 1000);
  assert_ok(gd_input_open(path, NULL, &in));
  FILE *more = fopen(path, "ab");
  assert_non_null(more);
  assert_int_equal(fwrite("more", 1, 4, more), 4);
  fclose(more);
  assert_int_equal(gd_input_read(in, got, sizeof got), 1000);
  assert_int_equal(gd_input_read(in, got, sizeof got), 0);
  gd_input_close(in);
}

static void file_that_shrinks_ends_there_without_an_error(void **state)
{
  (void)state;
  gd_input *in;
  uint8_t got[4096];
  const char *path = file_of("shrinks", 1000);
  assert_ok(gd_input_open(path, NULL, &in));
  assert_int_equal(truncate(path, 600), 0);
  assert_int_equal(gd_input_read(in, got, sizeof got), 600);
  assert_int_equal(gd_input_read(in, got, sizeof got), 0);
  assert_ok(gd_input_status(in));
  gd_input_close(in);
}

static void file_that_is_replaced_stays_the_one_that_was_opened(void **state)
{
  (void)state;
  gd_input *in;
  uint8_t got[8];
  const char *path = gd_test_path("replaced");
  assert_ok(gd_file_write(path, "before", 6));
  assert_ok(gd_input_open(path, NULL, &in));
  assert_ok(gd_file_write(path, "after.", 6));
  assert_int_equal(gd_input_read(in, got, 8), 6);
  assert_memory_equal(got, "before", 6);
  gd_input_close(in);
}

static void computing_without_progress_is_given_up_with_the_place(void **state)
{
  (void)state;
  const gd_patience short_one = {.stall_s = 0.6};
  gd_input *in;
  uint8_t got[10];
  assert_ok(gd_input_open(file_of("stall", 1000), &short_one, &in));
  assert_int_equal(gd_input_read(in, got, 10), 10);
  compute(0.4);
  assert_int_equal(gd_input_read(in, got, 10), 10);
  gd_input_progress(in);
  compute(0.4);
  assert_int_equal(gd_input_read(in, got, 10), 10);
  compute(0.4);
  assert_int_equal(gd_input_read(in, got, 10), -1);
  assert_failed(gd_input_look(in), GD_ERR_DECODE,
                "stall: given up at byte 30 of 1000");
  assert_int_equal(gd_input_status(in), GD_ERR_DECODE);
  gd_input_close(in);
}

static gd_status stop_at_once(void *n_calls)
{
  ++*(int *)n_calls;
  return gd_fail(GD_ERR_STOPPED, "stopped by signal 15");
}

static void sign_of_life_is_given_and_may_end_the_reading(void **state)
{
  (void)state;
  int n_calls = 0;
  const gd_patience watched = {.alive = stop_at_once, .context = &n_calls};
  gd_input *in;
  uint8_t got[10];
  const char *path = file_of("alive", 1000);
  /* Again where the machine paused before the first read. */
  for (;;) {
    assert_ok(gd_input_open(path, &watched, &in));
    const int64_t n = gd_input_read(in, got, 10);
    if (n_calls == 0) {
      assert_int_equal(n, 10);
      break;
    }
    gd_input_close(in);
    n_calls = 0;
  }
  compute(0.11);
  assert_int_equal(gd_input_read(in, got, 10), -1);
  assert_int_equal(n_calls, 1);
  assert_int_equal(gd_input_read(in, got, 10), -1);
  assert_int_equal(gd_input_status(in), GD_ERR_STOPPED);
  gd_input_close(in);
}

static void file_that_cannot_be_opened_is_at_fault(void **state)
{
  (void)state;
  gd_input *in;
  char below[2 * GD_PATH_MAX], name[300] = "";
  memset(name, 'x', sizeof name - 1);
  const char *path = file_of("plain", 10);
  snprintf(below, sizeof below, "%s/below", path);
  assert_fails(gd_input_open(gd_test_path("none"), NULL, &in), GD_ERR_DECODE,
               "none: cannot open: No such file");
  assert_fails(gd_input_open(below, NULL, &in), GD_ERR_DECODE, "cannot open");
  assert_fails(gd_input_open(gd_test_path(name), NULL, &in), GD_ERR_DECODE,
               "cannot open");
  assert_null(in);
}

/* Where files are short, the next run may have more. */
static void lack_of_files_is_no_fault_of_the_video(void **state)
{
  (void)state;
  gd_input *in;
  const char *path = file_of("whole", 10);
  gd_test_forbid_files(1);
  const gd_status st = gd_input_open(path, NULL, &in);
  gd_test_forbid_files(0);
  assert_int_equal(st, GD_ERR_IO);
  assert_true(gd_test_has(gd_reason(), "whole: cannot open: "));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(bytes_are_read_in_order_and_after_a_seek),
    cmocka_unit_test(file_that_grows_ends_where_it_ended),
    cmocka_unit_test(file_that_shrinks_ends_there_without_an_error),
    cmocka_unit_test(file_that_is_replaced_stays_the_one_that_was_opened),
    cmocka_unit_test(computing_without_progress_is_given_up_with_the_place),
    cmocka_unit_test(sign_of_life_is_given_and_may_end_the_reading),
    cmocka_unit_test(file_that_cannot_be_opened_is_at_fault),
    cmocka_unit_test(lack_of_files_is_no_fault_of_the_video),
};

gd_test_main(tests)
