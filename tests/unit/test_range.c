#include "gradus/range.h"
#include "test.h"

/* Every item belongs to exactly one rank, in rank order, and no rank has more
 * than one item above any other: checked for every small (n, size). */
static void range_partitions_items_evenly(void **state)
{
  (void)state;
  for (int64_t n = 0; n <= 40; n++)
    for (int size = 1; size <= 12; size++) {
      int64_t next = 0;
      for (int rank = 0; rank < size; rank++) {
        gd_range r = gd_range_of(n, rank, size);
        assert_int_equal(r.first, next);
        assert_in_range(r.end - r.first, n / size, n / size + 1);
        next = r.end;
      }
      assert_int_equal(next, n);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(range_partitions_items_evenly),
};

gd_test_main(tests)
