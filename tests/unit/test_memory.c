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

static void array_that_grows_keeps_its_items(void **state)
{
  (void)state;
  int32_t *items = NULL;
  int64_t room = 0, n_moves = 0;
  assert_ok(gd_grow(&items, 0, &room, sizeof *items));
  assert_null(items);
  for (int32_t i = 0; i < 100000; i++) {
    const int64_t before = room;
    assert_ok(gd_grow(&items, i + 1, &room, sizeof *items));
    assert_true(room > i);
    n_moves += room != before;
    items[i] = i;
  }
  assert_in_range(n_moves, 1, 17); /* it doubles */
  int64_t n_other = 0;
  for (int32_t i = 0; i < 100000; i++)
    n_other += items[i] != i;
  assert_int_equal(n_other, 0);
  assert_ok(gd_grow(&items, 3 * room, &room, sizeof *items));
  assert_int_equal(items[99999], 99999);
  items[room - 1] = 1;
  free(items);
}

static void array_that_cannot_grow_stays_as_it_is(void **state)
{
  (void)state;
  int64_t *items = NULL, room = 0;
  assert_ok(gd_grow(&items, 1, &room, sizeof *items));
  const int64_t before = room;
  int64_t *const at = items;
  items[0] = 7;
  /* 2^61 + 1 items of 8 bytes are 8 bytes, if nobody looks. */
  assert_fails(gd_grow(&items, ((int64_t)1 << 61) + 1, &room, sizeof *items),
               GD_ERR_NOMEM, "2305843009213693953 items of 8 bytes");
#ifndef __SANITIZE_ADDRESS__ /* which ends a program that asks for so much */
  assert_fails(gd_grow(&items, INT64_MAX, &room, 1), GD_ERR_NOMEM,
               "9223372036854775807 items of 1 bytes");
#endif
  assert_ptr_equal(items, at);
  assert_int_equal(room, before);
  assert_int_equal(items[0], 7);
  free(items);
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
    cmocka_unit_test(array_that_grows_keeps_its_items),
    cmocka_unit_test(array_that_cannot_grow_stays_as_it_is),
    cmocka_unit_test(each_thread_touches_its_part_of_large_memory),
    cmocka_unit_test(copy_of_a_text_is_its_own),
};

gd_test_main(tests)
