/* CMake compiles src/base/processor.c for x86-64-v4 into this test, in place of
 * the library's: a program that was built on a newer machine than this. */
#include "gradus/processor.h"

#include "test.h"

static void what_this_machine_lacks_is_named(void **state)
{
  (void)state;
#ifdef __x86_64__
  const char *lacks = gd_processor_lacks();
  if (!__builtin_cpu_supports("avx2"))
    assert_non_null(lacks);
  else if (__builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && !__builtin_cpu_supports("avx512f"))
    assert_string_equal(lacks, "avx512f");
  else if (__builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq"))
    assert_null(lacks);
  assert_int_equal(gd_processor_suffices(), lacks == NULL);
#else
  assert_null(gd_processor_lacks());
  assert_true(gd_processor_suffices());
#endif
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_this_machine_lacks_is_named),
};

gd_test_main(tests)
