#include "gradus/lock.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

/* Start a child that takes the lock and keeps it; return when it has it. */
static pid_t start_holder(void)
{
  int ends[2];
  char ready = 0;
  assert_int_equal(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    gd_lock *lock;
    if (gd_lock_begin(gd_test_directory(), &lock) == GD_OK &&
        write(ends[1], "y", 1) == 1)
      pause();
    _exit(1);
  }
  close(ends[1]);
  assert_int_equal(read(ends[0], &ready, 1), 1);
  close(ends[0]);
  return child;
}

static void lock_of_another_process_is_refused_and_says_whose(void **state)
{
  (void)state;
  char pid[32];
  gd_lock *lock;
  gd_test_directory();
  const pid_t child = start_holder();
  snprintf(pid, sizeof pid, "process %d", (int)child);
  assert_fails(gd_lock_begin(gd_test_directory(), &lock), GD_ERR_IO, pid);
  assert_null(lock);

  /* Killed without a chance to clean up: its file is there, its lock is not. */
  kill(child, SIGKILL);
  assert_int_equal(waitpid(child, NULL, 0), child);
  assert_true(gd_path_exists(gd_test_path("lock")));
  assert_ok(gd_lock_begin(gd_test_directory(), &lock));
  gd_lock_end(lock);
  assert_false(gd_path_exists(gd_test_path("lock")));
}

static void lock_can_be_taken_again_after_its_end(void **state)
{
  (void)state;
  gd_lock *lock;
  for (int i = 0; i < 3; i++) {
    assert_ok(gd_lock_begin(gd_test_directory(), &lock));
    gd_lock_end(lock);
  }
  gd_lock_end(NULL);
}

static void missing_directory_cannot_be_locked(void **state)
{
  (void)state;
  gd_lock *lock;
  assert_fails(gd_lock_begin(gd_test_path("none"), &lock), GD_ERR_IO, "none");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(lock_of_another_process_is_refused_and_says_whose),
    cmocka_unit_test(lock_can_be_taken_again_after_its_end),
    cmocka_unit_test(missing_directory_cannot_be_locked),
};

gd_test_main(tests)
