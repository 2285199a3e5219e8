#include "gradus/temporary.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gradus/file.h"
#include "test.h"

static void note_in(const gd_temporary *t)
{
  char folder[GD_PATH_MAX], path[GD_PATH_MAX];
  assert_ok(gd_path_join(gd_temporary_path(t), "sub", folder));
  assert_ok(gd_directory_make(folder));
  assert_ok(gd_path_join(folder, "note", path));
  assert_ok(gd_file_write(path, "x", 1));
}

static void folder_is_private_and_removed_with_all_in_it(void **state)
{
  (void)state;
  gd_temporary *t;
  struct stat info;
  char path[GD_PATH_MAX];
  assert_int_equal(setenv("TMPDIR", gd_test_directory(), 1), 0);
  assert_ok(gd_temporary_new(&t));
  note_in(t);
  strcpy(path, gd_temporary_path(t));
  assert_non_null(strstr(path, gd_test_directory()));
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0700);
  assert_ok(gd_temporary_remove(t));
  assert_false(gd_path_exists(path));
}

/* Start a child that has a folder, and tell its path. */
static pid_t start_owner(char path[GD_PATH_MAX])
{
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    gd_temporary *t;
    if (gd_temporary_new(&t) == GD_OK &&
        write(ends[1], gd_temporary_path(t), GD_PATH_MAX) == GD_PATH_MAX)
      pause();
    _exit(1);
  }
  close(ends[1]);
  assert_int_equal(read(ends[0], path, GD_PATH_MAX), GD_PATH_MAX);
  close(ends[0]);
  return child;
}

static void folder_of_a_killed_process_goes_with_the_next(void **state)
{
  (void)state;
  gd_temporary *t;
  char lives[GD_PATH_MAX], dies[GD_PATH_MAX];
  assert_int_equal(setenv("TMPDIR", gd_test_directory(), 1), 0);
  const pid_t living = start_owner(lives), dying = start_owner(dies);
  kill(dying, SIGKILL);
  assert_int_equal(waitpid(dying, NULL, 0), dying);
  assert_true(gd_path_exists(lives) && gd_path_exists(dies));
  assert_ok(gd_temporary_new(&t));
  assert_true(gd_path_exists(lives) && !gd_path_exists(dies));
  assert_ok(gd_temporary_remove(t));
  kill(living, SIGKILL);
  assert_int_equal(waitpid(living, NULL, 0), living);
}

static void missing_parent_is_an_error_with_its_path(void **state)
{
  (void)state;
  gd_temporary *t;
  assert_int_equal(setenv("TMPDIR", "/nonexistent", 1), 0);
  assert_fails(gd_temporary_new(&t), GD_ERR_IO, "/nonexistent/gradus-");
  assert_null(t);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(folder_is_private_and_removed_with_all_in_it),
    cmocka_unit_test(folder_of_a_killed_process_goes_with_the_next),
    cmocka_unit_test(missing_parent_is_an_error_with_its_path),
};

gd_test_main(tests)
