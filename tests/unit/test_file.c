#include "gradus/file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

static void written_file_reads_back_and_is_private(void **state)
{
  (void)state;
  const char *path = gd_test_path("note.txt");
  assert_ok(gd_file_write(path, "hello", 5));
  char *text;
  size_t size;
  assert_ok(gd_file_read(path, 100, &text, &size));
  assert_int_equal(size, 5);
  assert_string_equal(text, "hello");
  free(text);
  struct stat info;
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0600);
  assert_false(gd_path_exists(gd_test_path("note.txt.part")));
}

static void full_disk_is_an_error_with_the_path(void **state)
{
  (void)state;
  assert_fails(gd_file_write("/dev/full/x", "a", 1), GD_ERR_IO, "/dev/full/x");
  assert_fails(gd_file_read("/nonexistent", 10, &(char *){0}, NULL), GD_ERR_IO,
               "/nonexistent");
}

static void longer_file_than_expected_is_refused(void **state)
{
  (void)state;
  char *text;
  assert_ok(gd_file_write(gd_test_path("long"), "0123456789", 10));
  assert_fails(gd_file_read(gd_test_path("long"), 9, &text, NULL),
               GD_ERR_FORMAT, "at most 9");
  assert_null(text);
}

static void directories_are_made_with_their_parents(void **state)
{
  (void)state;
  assert_ok(gd_directory_make(gd_test_path("a/b/c")));
  assert_ok(gd_directory_make(gd_test_path("a/b/c")));
  assert_ok(gd_file_write(gd_test_path("a/file"), "", 0));
  assert_fails(gd_directory_make(gd_test_path("a/file/x")), GD_ERR_IO,
               "a/file: cannot make");
}

static void join_keeps_absolute_names(void **state)
{
  (void)state;
  char out[GD_PATH_MAX];
  assert_ok(gd_path_join("a", "b", out));
  assert_string_equal(out, "a/b");
  assert_ok(gd_path_join("a/", "/b", out));
  assert_string_equal(out, "/b");
  char *longest = calloc(5000, 1);
  memset(longest, 'x', 4999);
  assert_fails(gd_path_join("a", longest, out), GD_ERR_USAGE, "longer");
  free(longest);
  assert_string_equal(gd_path_base("a/b.c"), "b.c");
  assert_string_equal(gd_path_base("b.c"), "b.c");
}

static void ending_stands_behind_a_name(void **state)
{
  (void)state;
  assert_true(gd_path_ends_with("a/b.h5", ".h5"));
  assert_true(gd_path_ends_with("b.h5.h5", ".h5"));
  assert_true(gd_path_ends_with("b.h5", "5"));
  assert_true(gd_path_ends_with("b", ""));
  assert_false(gd_path_ends_with("a/b.h5", ".H5"));
  assert_false(gd_path_ends_with("a/b.h5.part", ".h5"));
  assert_false(gd_path_ends_with("a.h5/b", ".h5"));
  assert_false(gd_path_ends_with("a/.h5", ".h5"));
  assert_false(gd_path_ends_with(".h5", ".h5"));
  assert_false(gd_path_ends_with("5", ".h5"));
  assert_false(gd_path_ends_with("", ".h5"));
}

static void free_space_is_that_of_what_exists_of_a_path(void **state)
{
  (void)state;
  int64_t here, below;
  assert_ok(gd_file_free_bytes(gd_test_directory(), &here));
  assert_ok(gd_file_free_bytes(gd_test_path("none/at/all"), &below));
  assert_true(here > 0 && below > 0);
  assert_ok(gd_file_free_bytes("none/at/all", &here));
  assert_ok(gd_file_free_bytes("/none", &here));
}

static void closed_is_what_is_no_file_and_not_what_may_pass(void **state)
{
  (void)state;
  const char *file = gd_test_path("open");
  assert_ok(gd_file_write(file, "x", 1));
  assert_int_equal(symlink("round", gd_test_path("round")), 0);
  assert_int_equal(mkfifo(gd_test_path("pipe"), 0600), 0);
  assert_true(gd_file_is_closed(gd_test_path("none")));
  assert_true(gd_file_is_closed(gd_test_path("open/below")));
  assert_true(gd_file_is_closed(gd_test_path("round")));
  assert_true(gd_file_is_closed(gd_test_path("pipe")));
  assert_true(gd_file_is_closed(gd_test_directory()));
  assert_false(gd_file_is_closed(file));
  const char *none = gd_test_path("none");
  assert_int_equal(gd_file_judge(GD_ERR_IO, none), GD_ERR_FORMAT);
  assert_int_equal(gd_file_judge(GD_ERR_NOMEM, none), GD_ERR_NOMEM);
  assert_int_equal(gd_file_judge(GD_OK, none), GD_OK);
  assert_int_equal(gd_file_judge(GD_ERR_IO, file), GD_ERR_IO);
  gd_test_forbid_files(1);
  const int is_closed = gd_file_is_closed(file);
  const gd_status judged = gd_file_judge(GD_ERR_IO, file);
  gd_test_forbid_files(0);
  assert_false(is_closed);
  assert_int_equal(judged, GD_ERR_IO);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(closed_is_what_is_no_file_and_not_what_may_pass),
    cmocka_unit_test(free_space_is_that_of_what_exists_of_a_path),
    cmocka_unit_test(written_file_reads_back_and_is_private),
    cmocka_unit_test(full_disk_is_an_error_with_the_path),
    cmocka_unit_test(longer_file_than_expected_is_refused),
    cmocka_unit_test(directories_are_made_with_their_parents),
    cmocka_unit_test(join_keeps_absolute_names),
    cmocka_unit_test(ending_stands_behind_a_name),
};

gd_test_main(tests)
