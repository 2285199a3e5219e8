#include "net/workspace.h"
#include "test.h"

#include <omp.h>
#include <stdatomic.h>
#include <string.h>

enum { THREADS = 3, MOST_TASKS = 11 };

static gd_workspace *workspace_of(int n_threads)
{
  gd_workspace *ws;
  omp_set_num_threads(n_threads);
  assert_ok(gd_workspace_new(&ws));
  return ws;
}

static void each_task_is_taken_once(void **state)
{
  (void)state;
  gd_workspace *ws = workspace_of(THREADS);
  for (int n = 0; n <= MOST_TASKS; n++) {
    atomic_int taken[MOST_TASKS];
    memset(taken, 0, sizeof taken);
    gd_workspace_share(ws, n);
#pragma omp parallel num_threads(THREADS)
    for (int i; (i = gd_workspace_next(ws)) >= 0;)
      atomic_fetch_add(&taken[i], 1);
    for (int i = 0; i < MOST_TASKS; i++)
      assert_int_equal(taken[i], i < n);
  }
  gd_workspace_free(ws);
}

/* Thread 1 is held up until all is done; the others begin with their own. */
static void others_take_the_tasks_of_a_thread_that_is_held_up(void **state)
{
  (void)state;
  gd_workspace *ws = workspace_of(THREADS);
  atomic_int taken = 0;
  int first[THREADS] = {-1, -1, -1};
  gd_workspace_share(ws, 3 * THREADS);
#pragma omp parallel num_threads(THREADS)
  {
    const int thread = omp_get_thread_num();
    if (thread != 1) {
      first[thread] = gd_workspace_next(ws);
      atomic_fetch_add(&taken, 1);
    }
#pragma omp barrier
    if (thread != 1)
      while (gd_workspace_next(ws) >= 0)
        atomic_fetch_add(&taken, 1);
#pragma omp barrier
    if (thread == 1)
      first[thread] = gd_workspace_next(ws);
  }
  assert_int_equal(taken, 3 * THREADS);
  assert_int_equal(first[0], 0);
  assert_int_equal(first[1], -1);
  assert_int_equal(first[2], 6);
  gd_workspace_free(ws);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_task_is_taken_once),
    cmocka_unit_test(others_take_the_tasks_of_a_thread_that_is_held_up),
};

gd_test_main(tests)
