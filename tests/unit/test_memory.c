/* RUSAGE_THREAD is Linux's own. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "gradus/memory.h"

#include <omp.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "test.h"

enum { N_THREADS = 2, LARGE_BYTES = (64 << 20) + 7 };

static void memory_is_aligned_and_zero(void **state)
{
  (void)state;
  const int64_t counts[] = {0, 1, 1000, LARGE_BYTES};
  omp_set_num_threads(3);
  for (int i = 0; i < 4; i++) {
    char *m = gd_alloc(counts[i], 1);
    assert_non_null(m);
    assert_int_equal((uintptr_t)m % GD_ALIGN_BYTES, 0);
    int64_t n_other = 0;
    for (int64_t k = 0; k < counts[i]; k++)
      n_other += m[k] != 0;
    assert_int_equal(n_other, 0);
    free(m);
  }
}

static void size_that_overflows_is_no_memory(void **state)
{
  (void)state;
  assert_null(gd_alloc(INT64_MAX, 8));
  assert_true(gd_test_has(gd_reason(), "out of memory: 9223372036854775807 "
                                       "items of 8 bytes"));
}

/* Pages that the calling thread was the first to touch. */
static long touched(void)
{
  struct rusage used;
  getrusage(RUSAGE_THREAD, &used);
  return used.ru_minflt;
}

static void each_thread_touches_its_part_of_large_memory(void **state)
{
  (void)state;
  long before[N_THREADS] = {0}, after[N_THREADS] = {0};
  omp_set_dynamic(0);
  omp_set_num_threads(N_THREADS);
#pragma omp parallel
  before[omp_get_thread_num()] = touched();
  void *m = gd_alloc(LARGE_BYTES, 1);
#pragma omp parallel
  after[omp_get_thread_num()] = touched();
  assert_non_null(m);
  for (int t = 0; t < N_THREADS; t++)
    assert_true(after[t] - before[t] >= 8); /* huge pages: 16 a thread */
  free(m);
}

static void copy_of_a_text_is_its_own(void **state)
{
  (void)state;
  char text[] = "faces";
  char *copy = gd_strdup(text);
  text[0] = 'F';
  assert_string_equal(copy, "faces");
  free(copy);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(memory_is_aligned_and_zero),
    cmocka_unit_test(size_that_overflows_is_no_memory),
    cmocka_unit_test(each_thread_touches_its_part_of_large_memory),
    cmocka_unit_test(copy_of_a_text_is_its_own),
};

gd_test_main(tests)
