#include "gradus/record.h"

#include "test.h"

static void record_is_flat(void **state)
{
  (void)state;
  gd_record *r;
  assert_ok(gd_record_parse("x",
                            "kind: train\n"
                            "parameters: # these count\n"
                            "  optimizer.rate: 1e-4\n"
                            "  list: [1, 2]\n"
                            "settings:\n"
                            "skipped:\n"
                            "  - {item: \"a, b.avi\", reason: broken}\n",
                            &r));
  assert_int_equal(gd_record_n(r), 7);
  assert_string_equal(gd_record_get(r, "kind"), "train");
  assert_string_equal(gd_record_get(r, "parameters.optimizer.rate"), "1e-4");
  assert_string_equal(gd_record_get(r, "parameters.list.1"), "2");
  assert_string_equal(gd_record_get(r, "settings"), "");
  assert_string_equal(gd_record_get(r, "skipped.0.item"), "a, b.avi");
  assert_null(gd_record_get(r, "skipped.1.item"));
  assert_string_equal(gd_record_key(r, 0), "kind");
  assert_string_equal(gd_record_text(r, 0), "train");
  gd_record_free(r);
}

static void damaged_record_is_named_with_its_place(void **state)
{
  (void)state;
  gd_record *r;
  const char *path = gd_test_path("stage.yaml");
  assert_fails(gd_record_read(path, &r), GD_ERR_IO, "stage.yaml");
  assert_ok(gd_file_write(path, "a: 1\nb: [\n", 10));
  assert_fails(gd_record_read(path, &r), GD_ERR_FORMAT, "stage.yaml:");
  assert_null(r);
  assert_ok(gd_file_write(path, "", 0));
  assert_fails(gd_record_read(path, &r), GD_ERR_FORMAT, "empty");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(record_is_flat),
    cmocka_unit_test(damaged_record_is_named_with_its_place),
};

gd_test_main(tests)
