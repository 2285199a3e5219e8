#include "test.h"

static void failure_keeps_its_sentence(void **state)
{
  (void)state;
  assert_fails(gd_fail(GD_ERR_IO, "%s: cannot %s", "a.h5", "open"), GD_ERR_IO,
               "a.h5: cannot open");
}

static void reason_may_be_quoted_in_the_next_reason(void **state)
{
  (void)state;
  (void)!gd_fail(GD_ERR_IO, "disk full");
  assert_failed(gd_fail(GD_ERR_PEER, "rank 3: %s", gd_reason()), GD_ERR_PEER,
                "rank 3: disk full");
}

static void only_broken_input_is_an_item(void **state)
{
  (void)state;
  assert_true(gd_status_is_item(GD_ERR_DECODE));
  assert_true(gd_status_is_item(GD_ERR_FORMAT));
  assert_false(gd_status_is_item(GD_ERR_IO));
  assert_false(gd_status_is_item(GD_OK));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(failure_keeps_its_sentence),
    cmocka_unit_test(reason_may_be_quoted_in_the_next_reason),
    cmocka_unit_test(only_broken_input_is_an_item),
};

gd_test_main(tests)
