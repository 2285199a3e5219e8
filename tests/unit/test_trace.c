#include "gradus/trace.h"
#include "test.h"

#include <string.h>
#include <time.h>

static double now_s(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Work for about a millisecond. */
static void work(void)
{
  const double end_s = now_s() + 1e-3;
  while (now_s() < end_s)
    ;
}

static void notes_leave_no_gap_between_them(void **state)
{
  (void)state;
  gd_trace t = {.n_layers = 2};
  const double begun_s = now_s();
  gd_trace_begin(&t);
  for (int i = 0; i < 3; i++) {
    work();
    gd_trace_note(&t, i % 2, GD_PHASE_NORM);
  }
  const double noted_s = now_s();
  const double sum =
      t.layers[0].seconds[GD_PHASE_NORM] + t.layers[1].seconds[GD_PHASE_NORM];
  assert_true(sum <= noted_s - begun_s);
  assert_true(t.layers[0].seconds[GD_PHASE_NORM] >= 2e-3);
  assert_true(t.layers[1].seconds[GD_PHASE_NORM] >= 1e-3);
  assert_true(t.layers[0].seconds[GD_PHASE_FORWARD] == 0);
}

static void no_trace_is_no_trouble(void **state)
{
  (void)state;
  gd_trace_begin(NULL);
  gd_trace_note(NULL, 7, GD_PHASE_POOL);
}

static void every_phase_has_a_name(void **state)
{
  (void)state;
  for (gd_phase p = 0; p < GD_N_PHASES; p++)
    assert_true(strlen(gd_phase_name(p)) > 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(notes_leave_no_gap_between_them),
    cmocka_unit_test(no_trace_is_no_trouble),
    cmocka_unit_test(every_phase_has_a_name),
};

gd_test_main(tests)
