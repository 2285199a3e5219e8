#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gradus/store.h"

static char directory[GD_PATH_MAX];
static int skipped;

int gd_test_has(const char *text, const char *part)
{
  return strstr(text, part) != NULL;
}

void gd_test_forbid_files(int forbidden)
{
  static struct rlimit usual;
  struct rlimit limit;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
  if (forbidden)
    usual = limit;
  limit.rlim_cur = forbidden ? 0 : usual.rlim_cur;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void remove_directory(void)
{
  if (directory[0] == '\0')
    return;
  pid_t child = fork();
  if (child == 0) {
    execlp("rm", "rm", "-rf", "--", directory, (char *)NULL);
    _exit(127);
  }
  if (child > 0)
    waitpid(child, NULL, 0);
}

const char *gd_test_directory(void)
{
  if (directory[0] == '\0') {
    const char *base = getenv("TMPDIR");
    /* Of no letters that mean something in a manifest or in a shell. */
    if (base == NULL || base[0] != '/' || strpbrk(base, "'\"\\#:$\n") != NULL)
      base = "/tmp";
    snprintf(directory, sizeof directory, "%s/gradus_test-XXXXXX", base);
    if (mkdtemp(directory) == NULL)
      fail_msg("cannot make %s", directory);
  }
  return directory;
}

static const char *joined(const char *folder, const char *name)
{
  static char paths[8][GD_PATH_MAX];
  static int next;
  char *path = paths[next++ % 8];
  if (gd_path_join(folder, name, path) != GD_OK)
    fail_msg("%s", gd_reason());
  return path;
}

const char *gd_test_path(const char *name)
{
  return joined(gd_test_directory(), name);
}

const char *gd_test_shared(const char *name)
{
  const char *shared = getenv("GRADUS_SHARED");
  const char *path = joined(shared == NULL ? "../shared" : shared, name);
  if (access(path, R_OK) == 0)
    return path;
  printf("SKIPPED: %s is not there (set GRADUS_SHARED)\n", path);
  skipped++;
  return NULL;
}

void gd_test_say_skip(const char *what)
{
  printf("SKIPPED: %s\n", what);
  skipped++;
}

void gd_test_begin_mpi(int *argc, char ***argv)
{
  int size;
  gd_store_begin(); /* as the program does */
  MPI_Init(argc, argv);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  if (size > 1)
    setenv("CMOCKA_TEST_ABORT", "1", 1);
}

/* Open MPI tries its modules and unloads most of them at once; of a block that
 * an unloaded module kept, nobody can tell whose it is.  So none is unloaded
 * (this definition goes before the C library's), and the suppressions match. */
int dlclose(void *handle);
int dlclose(void *handle)
{
  (void)handle;
  return 0;
}

/* Defined by the sanitizer's runtime; absent from other builds. */
void __lsan_do_leak_check(void) __attribute__((weak));

int gd_test_end(int failed)
{
  int has_mpi;
  MPI_Initialized(&has_mpi);
  /* Rank 0's directory may be the others' too: none is done with it before all
   * are.  A rank whose test fails has ended the job long before. */
  if (has_mpi)
    MPI_Barrier(MPI_COMM_WORLD);
  remove_directory();
  /* MPI unloads its modules when it ends: afterwards, nobody could tell which
   * library kept a block. */
  if (__lsan_do_leak_check != NULL)
    __lsan_do_leak_check();
  if (has_mpi)
    MPI_Finalize();
  if (failed)
    return 1;
  return skipped > 0 ? 77 : 0;
}
