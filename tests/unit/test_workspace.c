#include "net/workspace.h"
#include "test.h"

#include <omp.h>
#include <stdatomic.h>
#include <string.h>

enum { THREADS = 3, MOST_TASKS = 6000 };

/* What tasks find and leave. */
typedef struct {
  int n, n_before;
  atomic_int n_done, n_met;
  atomic_int n_runs[MOST_TASKS];
  int thread[MOST_TASKS];
} board;

static board all;

static void run(const void *context, gd_scratch scratch, int i)
{
  (void)context;
  float volatile *busy = scratch.slab;
  if (*busy > 0)
    atomic_fetch_add(&all.n_met, 1);
  for (int work = 1; work <= 1000; work++)
    *busy = (float)work;
  all.thread[i] = omp_get_thread_num();
  atomic_fetch_add(&all.n_runs[i], 1);
  atomic_fetch_add(&all.n_done, 1);
  *busy = 0;
}

/* The first task of thread 1's part is held up until all others are done. */
static void run_held_up(const void *context, gd_scratch scratch, int i)
{
  if (i == all.n / THREADS) {
    const double end_s = omp_get_wtime() + 120;
    while (all.n_done < all.n - 1 && omp_get_wtime() < end_s)
      ;
    all.n_before = all.n_done;
  }
  run(context, scratch, i);
}

static void run_all(int n, gd_task *f)
{
  gd_workspace *ws;
  omp_set_dynamic(0);
  omp_set_num_threads(THREADS);
  assert_ok(gd_workspace_new(&ws));
  memset(&all, 0, sizeof all);
  all.n = n;
  gd_workspace_run(ws, n, f, NULL);
  gd_workspace_free(ws);
  for (int i = 0; i < MOST_TASKS; i++)
    assert_int_equal(all.n_runs[i], i < n);
  assert_int_equal(all.n_met, 0); /* in one thread's memory */
}

static void each_task_is_run_once(void **state)
{
  (void)state;
  for (int n = 0; n <= 2 * THREADS; n++)
    run_all(n, run);
  for (int again = 0; again < 20; again++)
    run_all(MOST_TASKS, run);
}

static void fewer_threads_than_asked_for_run_all_tasks(void **state)
{
  (void)state;
  const int levels = omp_get_max_active_levels();
  omp_set_max_active_levels(0);
  run_all(MOST_TASKS, run);
  omp_set_max_active_levels(levels);
  for (int i = 0; i < MOST_TASKS; i++)
    assert_int_equal(all.thread[i], 0);
}

static void others_take_the_tasks_of_a_thread_that_is_held_up(void **state)
{
  (void)state;
  run_all(3 * THREADS, run_held_up);
  assert_int_equal(all.n_before, all.n - 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_task_is_run_once),
    cmocka_unit_test(fewer_threads_than_asked_for_run_all_tasks),
    cmocka_unit_test(others_take_the_tasks_of_a_thread_that_is_held_up),
};

gd_test_main(tests)
