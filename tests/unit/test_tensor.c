#include "gradus/tensor.h"
#include "test.h"

#include <stdio.h>

static void tensors_lie_one_behind_the_other(void **state)
{
  (void)state;
  gd_tensor_table t = {0};
  char name[GD_TENSOR_NAME];
  int64_t offset = 0;

  for (int i = 1; i <= 37; i++) {
    snprintf(name, sizeof name, "layer%d.weight", i);
    assert_ok(
        gd_tensor_table_add(&t, name, GD_TENSOR_CONV, 4, (int[]){i, 2, 3, 1}));
  }
  assert_int_equal(t.n_entries, 37);
  for (int i = 0; i < t.n_entries; i++) {
    assert_int_equal(t.entries[i].offset, offset);
    assert_int_equal(t.entries[i].count, 6 * (i + 1));
    offset += t.entries[i].count;
  }
  assert_int_equal(t.count, offset);
  gd_tensor_table_free(&t);
  assert_int_equal(t.count, 0);
}

static void tensor_is_found_by_name_and_by_place(void **state)
{
  (void)state;
  gd_tensor_table t = {0};
  assert_ok(gd_tensor_table_add(&t, "a", GD_TENSOR_DENSE, 2, (int[]){4, 5}));
  assert_ok(gd_tensor_table_add(&t, "b", GD_TENSOR_BIAS, 1, (int[]){1}));
  assert_ok(gd_tensor_table_add(&t, "c", GD_TENSOR_BIAS, 1, (int[]){9}));

  assert_int_equal(gd_tensor_table_find(&t, "c")->offset, 21);
  assert_null(gd_tensor_table_find(&t, "ab"));
  assert_string_equal(gd_tensor_table_at(&t, 0)->name, "a");
  assert_string_equal(gd_tensor_table_at(&t, 19)->name, "a");
  assert_string_equal(gd_tensor_table_at(&t, 20)->name, "b");
  assert_string_equal(gd_tensor_table_at(&t, 21)->name, "c");
  assert_string_equal(gd_tensor_table_at(&t, 29)->name, "c");
  gd_tensor_table_free(&t);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(tensors_lie_one_behind_the_other),
    cmocka_unit_test(tensor_is_found_by_name_and_by_place),
};

gd_test_main(tests)
