#include "gradus/folder.h"

#include <unistd.h>

#include "test.h"

static void files_are_listed_in_order_with_their_folders(void **state)
{
  (void)state;
  assert_ok(gd_directory_make(gd_test_path("tree/b/c")));
  assert_ok(gd_directory_make(gd_test_path("tree/empty")));
  assert_ok(gd_file_write(gd_test_path("tree/z.h5"), "", 0));
  assert_ok(gd_file_write(gd_test_path("tree/b/c/x"), "", 0));
  assert_ok(gd_file_write(gd_test_path("tree/a"), "", 0));
  assert_int_equal(symlink("nowhere", gd_test_path("tree/dangling")), 0);
  gd_folder *f;
  assert_ok(gd_folder_read(gd_test_path("tree"), &f));
  assert_int_equal(f->n_files, 3);
  assert_string_equal(f->names[0], "a");
  assert_string_equal(f->names[1], "b/c/x");
  assert_string_equal(f->names[2], "z.h5");
  gd_folder_free(f);
}

static void missing_folder_is_an_error_with_its_path(void **state)
{
  (void)state;
  gd_folder *f;
  assert_fails(gd_folder_read(gd_test_path("none"), &f), GD_ERR_IO,
               "No such file");
  assert_null(f);
  gd_folder_free(NULL);
}

static void link_to_its_own_parent_ends(void **state)
{
  (void)state;
  gd_folder *f;
  assert_ok(gd_directory_make(gd_test_path("loop")));
  assert_int_equal(symlink(".", gd_test_path("loop/again")), 0);
  assert_fails(gd_folder_read(gd_test_path("loop"), &f), GD_ERR_IO, "deeper");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(files_are_listed_in_order_with_their_folders),
    cmocka_unit_test(missing_folder_is_an_error_with_its_path),
    cmocka_unit_test(link_to_its_own_parent_ends),
};

gd_test_main(tests)
