#include "gradus/launcher.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

/* Is "mpirun" killed by a process below it, with one of this name between? */
static int is_ended_below(const char *between)
{
  const pid_t launcher = fork();
  if (launcher == 0) {
    prctl(PR_SET_NAME, "mpirun");
    const pid_t above = fork();
    if (above == 0) {
      prctl(PR_SET_NAME, between);
      const pid_t rank = fork();
      if (rank == 0)
        _exit(gd_launcher_end() ? 1 : 0);
      waitpid(rank, NULL, 0);
      _exit(0);
    }
    waitpid(above, NULL, 0);
    _exit(0);
  }
  int how = 0;
  assert_int_equal(waitpid(launcher, &how, 0), launcher);
  return WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL;
}

static void mpirun_above_a_rank_is_ended(void **state)
{
  (void)state;
  setenv("OMPI_COMM_WORLD_SIZE", "2", 1);
  assert_true(is_ended_below("a (script) 1"));
}

static void mpirun_of_another_host_is_let_alone(void **state)
{
  (void)state;
  setenv("OMPI_COMM_WORLD_SIZE", "2", 1);
  assert_false(is_ended_below("orted"));
}

static void what_is_no_rank_ends_nothing(void **state)
{
  (void)state;
  unsetenv("OMPI_COMM_WORLD_SIZE");
  assert_false(is_ended_below("script"));
}

static int is_warned_of(const char *size, const char *keepalive)
{
  gd_text line = {0};
  unsetenv("OMPI_COMM_WORLD_SIZE");
  unsetenv("OMPI_MCA_oob_tcp_keepalive_time");
  if (size != NULL)
    setenv("OMPI_COMM_WORLD_SIZE", size, 1);
  if (keepalive != NULL)
    setenv("OMPI_MCA_oob_tcp_keepalive_time", keepalive, 1);
  gd_launcher_judge(&line);
  const int warned = line.length_bytes > 0;
  if (warned)
    assert_non_null(strstr(gd_text_get(&line), "keepalive_time=5"));
  gd_text_free(&line);
  return warned;
}

static void mpirun_without_keepalives_is_warned_of(void **state)
{
  (void)state;
  assert_true(is_warned_of("2", NULL));
  assert_false(is_warned_of("2", "5"));
  assert_false(is_warned_of(NULL, NULL));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(mpirun_above_a_rank_is_ended),
    cmocka_unit_test(mpirun_of_another_host_is_let_alone),
    cmocka_unit_test(what_is_no_rank_ends_nothing),
    cmocka_unit_test(mpirun_without_keepalives_is_warned_of),
};

gd_test_main(tests)
