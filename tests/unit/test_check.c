#include "gradus/check.h"

#include <string.h>
#include <unistd.h>

#include "gradus/done.h"
#include "stores.h"
#include "test.h"

static const gd_digest digest = {1, 2};
static char said[4000];

static void hear(void *context, const char *reason)
{
  (void)context;
  strncat(said, reason, sizeof said - strlen(said) - 2);
  strcat(said, "\n");
}

static gd_check check_of(const char *path, gd_status expected)
{
  gd_check check = {.bad = hear};
  said[0] = '\0';
  assert_int_equal(gd_check_path(&check, path), expected);
  return check;
}

/* work/a: done, two results; work/b: not done, one store and a leftover. */
static void make_work(void)
{
  assert_ok(gd_directory_make(gd_test_path("work/a")));
  assert_ok(gd_directory_make(gd_test_path("work/b")));
  assert_ok(gd_test_store(gd_test_path("work/a/x.h5"), digest, 1, NULL));
  assert_ok(gd_file_write(gd_test_path("work/a/t.csv"), "1,2\n", 4));
  assert_ok(gd_test_store(gd_test_path("work/b/y.h5"), digest, 2, NULL));
  assert_ok(gd_file_write(gd_test_path("work/b/z.h5.part"), "half", 4));
  assert_ok(gd_done_make(gd_test_path("work/a"), (gd_digest){0}, 0, 0));
}

static void whole_work_directory_is_fine(void **state)
{
  (void)state;
  make_work();
  gd_check check = check_of(gd_test_path("work"), GD_OK);
  assert_int_equal(check.n_files, 3);
  assert_int_equal(check.n_bad, 0);
  check = check_of(gd_test_path("work/a"), GD_OK);
  assert_int_equal(check.n_files, 2);
  check = check_of(gd_test_path("work/a/t.csv"), GD_OK);
  assert_int_equal(check.n_files, 1);
  check = check_of(gd_test_path("work/b/y.h5"), GD_OK);
  assert_int_equal(check.n_files, 1);
}

static void every_bad_file_is_named_and_left_alone(void **state)
{
  (void)state;
  make_work();
  gd_test_flip(gd_test_path("work/a/t.csv"), 2);
  gd_test_flip(gd_test_path("work/b/y.h5"), 700);
  assert_ok(gd_file_remove(gd_test_path("work/a/x.h5")));
  gd_check check = check_of(gd_test_path("work"), GD_OK);
  assert_int_equal(check.n_files, 3);
  assert_int_equal(check.n_bad, 3);
  assert_non_null(strstr(said, "work/a/t.csv"));
  assert_non_null(strstr(said, "work/a/x.h5"));
  assert_non_null(strstr(said, "work/b/y.h5"));
  assert_true(gd_path_exists(gd_test_path("work/b/y.h5")));

  check = check_of(gd_test_path("work/a/t.csv"), GD_OK);
  assert_int_equal(check.n_bad, 1);
  assert_int_equal(truncate(gd_test_path("work/b/y.h5"), 100), 0);
  check = check_of(gd_test_path("work/b/y.h5"), GD_OK);
  assert_int_equal(check.n_bad, 1);
}

static void damaged_done_is_a_bad_file(void **state)
{
  (void)state;
  make_work();
  assert_ok(gd_file_write(gd_test_path("work/a/done"), "gradus", 6));
  gd_check check = check_of(gd_test_path("work/a"), GD_OK);
  assert_int_equal(check.n_bad, 1);
  assert_non_null(strstr(said, "work/a/done"));
}

static void what_is_no_result_is_refused(void **state)
{
  (void)state;
  make_work();
  assert_ok(gd_directory_make(gd_test_path("empty")));
  check_of(gd_test_path("empty"), GD_ERR_USAGE);
  check_of(gd_test_path("none"), GD_ERR_IO);
  assert_ok(gd_file_write(gd_test_path("work/a/other"), "", 0));
  check_of(gd_test_path("work/a/other"), GD_ERR_USAGE);
  assert_ok(gd_file_write(gd_test_path("alone.txt"), "", 0));
  check_of(gd_test_path("alone.txt"), GD_ERR_USAGE);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(whole_work_directory_is_fine),
    cmocka_unit_test(every_bad_file_is_named_and_left_alone),
    cmocka_unit_test(damaged_done_is_a_bad_file),
    cmocka_unit_test(what_is_no_result_is_refused),
};

gd_test_main(tests)
