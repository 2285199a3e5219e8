#include "gradus/partition.h"

#include "test.h"

static void partition_is_found_by_the_name_it_gives(void **state)
{
  (void)state;
  for (int i = 0; i < GD_N_PARTITIONS; i++) {
    gd_partition found;
    assert_ok(gd_partition_of(gd_partition_name((gd_partition)i), &found));
    assert_int_equal(found, i);
  }
}

static void unknown_partition_is_refused_with_its_name(void **state)
{
  (void)state;
  gd_partition found;
  assert_fails(gd_partition_of("Train", &found), GD_ERR_USAGE, "\"Train\"");
  assert_fails(gd_partition_of("", &found), GD_ERR_USAGE, "train, dev");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(partition_is_found_by_the_name_it_gives),
    cmocka_unit_test(unknown_partition_is_refused_with_its_name),
};

gd_test_main(tests)
