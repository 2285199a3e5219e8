#include "gradus/text.h"

#include <string.h>

#include "test.h"

static void text_grows_and_escapes(void **state)
{
  (void)state;
  gd_text t = {0};
  assert_string_equal(gd_text_get(&t), "");
  gd_text_printf(&t, "%d,", 42);
  gd_text_csv(&t, "plain");
  gd_text_csv(&t, "a,\"b\"");
  assert_string_equal(gd_text_get(&t), "42,plain\"a,\"\"b\"\"\"");
  gd_text_free(&t);
  gd_text_html(&t, "<a href=\"x\">'&");
  assert_string_equal(gd_text_get(&t),
                      "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
  gd_text_free(&t);
  gd_text_json(&t, "a\"\\\n\x01");
  assert_string_equal(gd_text_get(&t), "\"a\\\"\\\\\\n\\u0001\"");
  gd_text_free(&t);
  for (int i = 0; i < 10000; i++)
    gd_text_add(&t, "0123456789");
  assert_int_equal(t.length_bytes, 100000);
  assert_ok(gd_text_status(&t));
  gd_text_free(&t);
}

/* A file may be named in Latin-1, or worse. */
static void html_of_any_bytes_is_characters_of_xml(void **state)
{
  (void)state;
#define NONE "\xef\xbf\xbd"
  static const char *const of[][2] = {
      {"a\tb\r\n\x7f", "a\tb\r\n\x7f"},
      {"\xc2\x80\xdf\xbf \xe0\xa0\x80\xef\xbf\xbd",
       "\xc2\x80\xdf\xbf \xe0\xa0\x80\xef\xbf\xbd"},
      {"\xed\x9f\xbf\xee\x80\x80 \xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
       "\xed\x9f\xbf\xee\x80\x80 \xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
      {"caf\xe9<", "caf" NONE "&lt;"}, /* Latin-1 */
      {"\x01\x1f", NONE NONE},         /* control characters */
      {"\xc0\xaf\xe0\x9f\xbf", NONE NONE NONE NONE NONE}, /* too long */
      {"\xed\xa0\x80", NONE NONE NONE},                   /* half of a pair */
      {"\xef\xbf\xbe", NONE NONE NONE},                   /* no character */
      {"\xf4\x90\x80\x80", NONE NONE NONE NONE},          /* beyond U+10FFFF */
      {"\xe2\x82", NONE NONE},                            /* cut off */
      {"\x80\xff", NONE NONE}};
#undef NONE
  for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
    gd_text t = {0};
    gd_text_html(&t, of[i][0]);
    assert_string_equal(gd_text_get(&t), of[i][1]);
    gd_text_free(&t);
  }
}

static void utf8_is_measured_up_to_a_byte_of_none(void **state)
{
  (void)state;
  assert_int_equal(gd_text_utf8(""), 0);
  assert_int_equal(gd_text_utf8("a\x01\xc3\xa9\xe2\x82\xac"), 7);
  assert_int_equal(gd_text_utf8("ab\xe9"), 2);
  assert_int_equal(gd_text_utf8("\xe2\x82"), 0);      /* cut off */
  assert_int_equal(gd_text_utf8("\xc0\xafz"), 0);     /* longer than needed */
  assert_int_equal(gd_text_utf8("z\xed\xa0\x80"), 1); /* half a pair */
}

static void shell_word_means_its_text(void **state)
{
  (void)state;
  gd_text t = {0};
  gd_text_shell(&t, "it's $(id)\n`\"\\");
  assert_string_equal(gd_text_get(&t), "'it'\\''s $(id)\n`\"\\'");
  gd_text_free(&t);
}

/* RFC 4648, section 10. */
static void base64_is_padded(void **state)
{
  (void)state;
  static const char *const of[][2] = {
      {"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
      {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"\xfb\xff", "+/8="}};
  for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
    gd_text t = {0};
    gd_text_base64(&t, of[i][0], strlen(of[i][0]));
    assert_string_equal(gd_text_get(&t), of[i][1]);
    gd_text_free(&t);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(base64_is_padded),
    cmocka_unit_test(text_grows_and_escapes),
    cmocka_unit_test(html_of_any_bytes_is_characters_of_xml),
    cmocka_unit_test(utf8_is_measured_up_to_a_byte_of_none),
    cmocka_unit_test(shell_word_means_its_text),
};

gd_test_main(tests)
