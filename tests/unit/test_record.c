#include "gradus/record.h"

#include "gradus/text.h"
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

/* "\xc3\xa9" is UTF-8, "\xe9" alone Latin-1: both come back as they are. */
static void record_of_any_bytes_gives_them_back(void **state)
{
  (void)state;
  gd_record *r;
  assert_ok(gd_record_parse(
      "x", "a: \"\xc3\xa9\\n\"\nb\xff: \"\x80\xe9.avi\"\n", &r));
  assert_int_equal(gd_record_n(r), 2);
  assert_string_equal(gd_record_get(r, "a"), "\xc3\xa9\n");
  assert_string_equal(gd_record_get(r, "b\xff"), "\x80\xe9.avi");
  gd_record_free(r);
  for (int b = 1; b < 256; b++) {
    const char name[] = {'a', (char)b, 'z', '\0'};
    gd_text t = {0};
    gd_text_add(&t, "item: ");
    gd_text_json(&t, name);
    assert_ok(gd_record_parse("x", gd_text_get(&t), &r));
    assert_string_equal(gd_record_get(r, "item"), name);
    gd_record_free(r);
    gd_text_free(&t);
  }
  assert_fails(gd_record_parse("x", "a: [\xe9\n", &r), GD_ERR_FORMAT, "x:");
}

/* In a text that is no UTF-8 elsewhere, too. */
static void escaped_character_stays_what_it_is(void **state)
{
  (void)state;
  gd_record *r;
  assert_ok(gd_record_parse(
      "x", "a: \xe9\nb: \"0123456789ab\\u20ac\"\nc: \"\\U0001F600\"\n", &r));
  assert_string_equal(gd_record_get(r, "a"), "\xe9");
  assert_string_equal(gd_record_get(r, "b"), "0123456789ab\xe2\x82\xac");
  assert_string_equal(gd_record_get(r, "c"), "\xf0\x9f\x98\x80");
  gd_record_free(r);
}

/* As many skipped videos as a large corpus has: more nodes than a manifest may
 * have. */
static void record_of_a_large_list_is_read(void **state)
{
  (void)state;
  enum { ITEMS = 100000 };
  gd_record *r;
  gd_text t = {0};
  gd_text_add(&t, "skipped:\n");
  for (int i = 0; i < ITEMS; i++)
    gd_text_printf(&t, "  - {item: \"%d.avi\", reason: \"broken\"}\n", i);
  assert_ok(gd_record_parse("x", gd_text_get(&t), &r));
  assert_int_equal(gd_record_n(r), 2 * ITEMS);
  assert_string_equal(gd_record_key(r, 2 * ITEMS - 1), "skipped.99999.reason");
  assert_string_equal(gd_record_text(r, 2 * ITEMS - 2), "99999.avi");
  gd_record_free(r);
  gd_text_free(&t);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(record_is_flat),
    cmocka_unit_test(damaged_record_is_named_with_its_place),
    cmocka_unit_test(record_of_any_bytes_gives_them_back),
    cmocka_unit_test(escaped_character_stays_what_it_is),
    cmocka_unit_test(record_of_a_large_list_is_read),
};

gd_test_main(tests)
