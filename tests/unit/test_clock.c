#include "gradus/clock.h"
#include "test.h"

#include <time.h>

/* At least as much of it as the processor worked for this process. */
static void clock_goes_on_in_seconds(void **state)
{
  (void)state;
  const double begun_s = gd_clock_s();
  const clock_t begun = clock();
  double before_s = begun_s;
  while (clock() - begun < CLOCKS_PER_SEC / 20) {
    const double now_s = gd_clock_s();
    assert_true(now_s >= before_s);
    before_s = now_s;
  }
  assert_true(gd_clock_s() - begun_s >= 0.045);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(clock_goes_on_in_seconds),
};

gd_test_main(tests)
