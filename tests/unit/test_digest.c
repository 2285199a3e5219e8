#include "gradus/digest.h"

#include "test.h"

/* XXH3's own published value for the empty input. */
static void empty_input_has_the_published_digest(void **state)
{
  (void)state;
  char hex[GD_DIGEST_HEX];
  gd_digest_hex(gd_digest_of("", 0), hex);
  assert_string_equal(hex, "99aa06d3014798d86001c324468d497f");
}

static void digits_of_a_digest_are_read_whole_or_not_at_all(void **state)
{
  (void)state;
  static const char *const others[] = {"", "99aa06d3014798d86001c324468d497",
                                       "99aa06d3014798d86001c324468d497f0",
                                       "99aa06d3014798d86001c324468d497g",
                                       "99aa06d3014798d8-001c324468d497f"};
  gd_digest found;
  assert_true(gd_digest_of_hex("99aa06d3014798d86001c324468d497f", &found));
  assert_true(gd_digest_equal(found, gd_digest_of("", 0)));
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
    found = gd_digest_of("", 0);
    assert_false(gd_digest_of_hex(others[i], &found));
    assert_true(gd_digest_equal(found, (gd_digest){0, 0}));
  }
}

static void pieces_give_the_digest_of_the_whole(void **state)
{
  (void)state;
  char data[5000];
  for (size_t i = 0; i < sizeof data; i++)
    data[i] = (char)(i * 31);
  gd_hasher *h;
  assert_ok(gd_hasher_new(&h));
  for (size_t i = 0; i < sizeof data; i += 7)
    gd_hasher_bytes(h, data + i, i + 7 < sizeof data ? 7 : sizeof data - i);
  assert_true(
      gd_digest_equal(gd_hasher_value(h), gd_digest_of(data, sizeof data)));
  assert_true(
      gd_digest_equal(gd_hasher_end(h), gd_digest_of(data, sizeof data)));

  assert_ok(gd_file_write(gd_test_path("d"), data, sizeof data));
  gd_digest d;
  assert_ok(gd_digest_of_file(gd_test_path("d"), &d));
  assert_true(gd_digest_equal(d, gd_digest_of(data, sizeof data)));
}

static void joined_texts_do_not_collide(void **state)
{
  (void)state;
  gd_hasher *a, *b;
  assert_ok(gd_hasher_new(&a));
  assert_ok(gd_hasher_new(&b));
  gd_hasher_text(a, "ab"), gd_hasher_text(a, "c");
  gd_hasher_text(b, "a"), gd_hasher_text(b, "bc");
  assert_false(gd_digest_equal(gd_hasher_end(a), gd_hasher_end(b)));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(empty_input_has_the_published_digest),
    cmocka_unit_test(digits_of_a_digest_are_read_whole_or_not_at_all),
    cmocka_unit_test(pieces_give_the_digest_of_the_whole),
    cmocka_unit_test(joined_texts_do_not_collide),
};

gd_test_main(tests)
