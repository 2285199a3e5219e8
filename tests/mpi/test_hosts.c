#include "gradus/hosts.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gradus/file.h"
#include "gradus/folder.h"
#include "test.h"

/* Every rank stands for a host: what differs between hosts, differs between
 * ranks here. */

static int rank, size;
static char common[GD_PATH_MAX];

static int set_up(void **state)
{
  (void)state;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  if (rank == 0)
    snprintf(common, sizeof common, "%s", gd_test_directory());
  MPI_Bcast(common, sizeof common, MPI_CHAR, 0, MPI_COMM_WORLD);
  return 0;
}

static int n_files_in(const char *directory)
{
  gd_folder *folder;
  assert_ok(gd_folder_read(directory, &folder));
  const int n = (int)folder->n_files;
  gd_folder_free(folder);
  return n;
}

/* Between two barriers: nobody is writing there. */
static void nothing_is_left_in_common(void)
{
  MPI_Barrier(MPI_COMM_WORLD);
  assert_int_equal(n_files_in(common), 0);
  MPI_Barrier(MPI_COMM_WORLD);
}

static void shared_directory_passes_and_nothing_is_left(void **state)
{
  (void)state;
  assert_ok(gd_hosts_share(MPI_COMM_WORLD, common, 60));
  nothing_is_left_in_common();
}

static void directory_of_its_own_is_named_with_its_host(void **state)
{
  (void)state;
  char own[GD_PATH_MAX], host[64] = "", who[128];
  gethostname(host, sizeof host - 1);
  if (size == 1)
    skip();
  snprintf(own, sizeof own, "%s", rank == 0 ? common : gd_test_path("own"));
  assert_ok(gd_directory_make(own));
  const gd_status st = gd_hosts_share(MPI_COMM_WORLD, own, 0);
  if (rank == 0) {
    assert_ok(st);
  } else {
    assert_int_equal(st, GD_ERR_USAGE);
    assert_true(gd_test_has(gd_reason(), own));
    snprintf(who, sizeof who, "host %s%s cannot see", host,
             size == 3 ? " and 1 more of 3" : "");
    assert_true(gd_test_has(gd_reason(), who));
    assert_int_equal(n_files_in(own), 0);
  }
  nothing_is_left_in_common();
}

static void missing_directory_is_named_too(void **state)
{
  (void)state;
  char none[GD_PATH_MAX];
  snprintf(none, sizeof none, "%s", rank == 0 ? common : "/nowhere/at/all");
  const gd_status st = gd_hosts_share(MPI_COMM_WORLD, none, 0);
  assert_int_equal(st, rank == 0 ? GD_OK : GD_ERR_USAGE);
  if (rank != 0)
    assert_true(gd_test_has(gd_reason(), "/nowhere/at/all: host "));
}

/* As by a file system that shows late what others have done: `own` is the
 * common directory only after this rank has looked, and made a file there. */
static void directory_that_comes_into_sight_late_passes(void **state)
{
  (void)state;
  char own[GD_PATH_MAX], late[GD_PATH_MAX], ready[GD_PATH_MAX];
  snprintf(own, sizeof own, "%s", gd_test_path("late-own"));
  snprintf(late, sizeof late, "%s", gd_test_path("late"));
  snprintf(ready, sizeof ready, "%s", gd_test_path("ready"));
  pid_t child = 0;
  if (rank != 0) {
    assert_ok(gd_directory_make(own));
    assert_int_equal(symlink(own, late), 0);
    assert_int_equal(symlink(common, ready), 0);
    struct stat before, now;
    assert_int_equal(stat(own, &before), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
      alarm(120);
      do
        stat(own, &now);
      while (now.st_mtim.tv_sec == before.st_mtim.tv_sec &&
             now.st_mtim.tv_nsec == before.st_mtim.tv_nsec);
      _exit(rename(ready, late) != 0);
    }
  }
  assert_ok(gd_hosts_share(MPI_COMM_WORLD, rank == 0 ? common : late, 60));
  if (child > 0) {
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
  }
}

/* A path that means another file on each rank: /proc/self is its own. */
static void file_that_one_host_lacks_is_named(void **state)
{
  (void)state;
  char path[GD_PATH_MAX];
  assert_ok(gd_path_join(common, "video", path));
  if (rank == 0)
    assert_ok(gd_file_write(path, "12345", 5));
  MPI_Barrier(MPI_COMM_WORLD);
  const gd_hosts_file all[] = {{path, 5}, {"/proc/self/cwd", -1}};
  assert_ok(gd_hosts_see(MPI_COMM_WORLD, rank == 0 ? 2 : 0,
                         rank == 0 ? all : NULL, 0));
  char own[64];
  snprintf(own, sizeof own, "/proc/self/fd/%d", 1000);
  if (rank != size - 1) {
    assert_int_equal(dup2(0, 1000), 1000);
  }
  const gd_hosts_file other[] = {{path, 5}, {own, -1}};
  const gd_status st = gd_hosts_see(MPI_COMM_WORLD, 2, other, 0);
  assert_int_equal(st, rank == size - 1 ? GD_ERR_USAGE : GD_OK);
  if (st != GD_OK)
    assert_true(gd_test_has(gd_reason(), own));
  close(1000);
  const gd_hosts_file longer[] = {{path, 6}};
  assert_int_equal(gd_hosts_see(MPI_COMM_WORLD, 1, longer, 0), GD_ERR_USAGE);
  MPI_Barrier(MPI_COMM_WORLD);
}

static void ranks_of_one_host_are_one(void **state)
{
  (void)state;
  MPI_Comm hosts = gd_hosts_of(MPI_COMM_WORLD);
  assert_true((hosts != MPI_COMM_NULL) == (rank == 0));
  if (hosts != MPI_COMM_NULL) {
    int n;
    MPI_Comm_size(hosts, &n);
    assert_int_equal(n, 1);
    MPI_Comm_free(&hosts);
  }
}

static void file_that_never_comes_is_an_error(void **state)
{
  (void)state;
  assert_int_equal(gd_hosts_await(gd_test_path("none"), 0), GD_ERR_IO);
  assert_true(gd_test_has(gd_reason(), "/none: another rank has made it"));
}

static void patience_is_read_from_the_environment(void **state)
{
  (void)state;
  int wait_s;
  setenv("GRADUS_HOSTS_WAIT", "7", 1);
  assert_ok(gd_hosts_patience(&wait_s));
  assert_int_equal(wait_s, 7);
  setenv("GRADUS_HOSTS_WAIT", "7s", 1);
  assert_int_equal(gd_hosts_patience(&wait_s), GD_ERR_USAGE);
  unsetenv("GRADUS_HOSTS_WAIT");
  assert_ok(gd_hosts_patience(&wait_s));
  assert_int_equal(wait_s, 60);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(shared_directory_passes_and_nothing_is_left),
    cmocka_unit_test(directory_of_its_own_is_named_with_its_host),
    cmocka_unit_test(missing_directory_is_named_too),
    cmocka_unit_test(directory_that_comes_into_sight_late_passes),
    cmocka_unit_test(file_that_one_host_lacks_is_named),
    cmocka_unit_test(ranks_of_one_host_are_one),
    cmocka_unit_test(file_that_never_comes_is_an_error),
    cmocka_unit_test(patience_is_read_from_the_environment),
};

int main(int argc, char **argv)
{
  gd_test_begin_mpi(&argc, &argv);
  return gd_test_end(cmocka_run_group_tests(tests, set_up, NULL));
}
