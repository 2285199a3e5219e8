#include "gradus/skips.h"

#include <stdio.h>
#include <string.h>

#include "gradus/tally.h"
#include "gradus/text.h"
#include "test.h"

static gd_status add_text(const char *text, gd_skips *list)
{
  const char *path = gd_test_path("report.yaml");
  assert_ok(gd_file_write(path, text, strlen(text)));
  return gd_skips_add(list, path, "frames");
}

static void skips_come_back_as_a_report_lists_them(void **state)
{
  (void)state;
  gd_text t = {0};
  gd_text_add(&t, "stage: frames\ncounts:\n  videos: 3\nskipped:\n");
  gd_text_add(&t, "  - {item: ");
  gd_text_json(&t, "a \"b\"\\c\x01.avi");
  gd_text_add(&t, ", reason: ");
  gd_text_json(&t, "a: broken\nat 3");
  gd_text_add(&t, "}\n  - {item: \"d\", reason: \"\"}\nseconds: 3\n");
  gd_skips list = {0};
  assert_ok(add_text(gd_text_get(&t), &list));
  gd_text_free(&t);
  assert_int_equal(list.n, 2);
  assert_string_equal(list.skips[0].stage, "frames");
  assert_string_equal(list.skips[0].item, "a \"b\"\\c .avi");
  assert_string_equal(list.skips[0].reason, "a: broken\nat 3");
  assert_string_equal(list.skips[1].item, "d");
  gd_skips_free(&list);
}

static void skips_of_a_missing_report_are_none(void **state)
{
  (void)state;
  gd_skips list = {0};
  assert_ok(gd_skips_add(&list, gd_test_path("none.yaml"), "x"));
  assert_ok(add_text("skipped: []\n", &list));
  assert_int_equal(list.n, 0);
  gd_skips_free(&list);
}

static void skips_cut_anywhere_are_refused_or_fewer(void **state)
{
  (void)state;
  static const char report[] =
      "stage: frames\nskipped:\n"
      "  - {item: \"a\\u0001\\\"\", reason: \"b\\n\"}\n";
  const size_t list_at = strlen("stage: frames\nskipped:\n");
  for (size_t cut = 0; cut < strlen(report); cut++) {
    char text[sizeof report];
    snprintf(text, sizeof text, "%.*s", (int)cut, report);
    gd_skips list = {0};
    const gd_status st = add_text(text, &list);
    if (cut > list_at + strlen("  ") && cut < strlen(report) - 1)
      assert_int_equal(st, GD_ERR_FORMAT);
    else if (cut == strlen("stage: frames\n") || cut >= list_at)
      assert_int_equal(st, GD_OK);
    else /* a word of the head may be no YAML without its colon */
      assert_true(st == GD_OK || st == GD_ERR_FORMAT);
    assert_int_equal(list.n, cut == strlen(report) - 1);
    gd_skips_free(&list);
  }
}

/* What is written is YAML, whose layout may change. */
static void skips_are_read_in_any_layout(void **state)
{
  (void)state;
  gd_skips list = {0};
  assert_ok(add_text("skipped:\n"
                     "- reason: 'it is \"broken\"'\n"
                     "  item: a.avi\n"
                     "- {\"item\":\"b\",\"reason\":\"c\",\"frame\":3}\n"
                     "items: 2\n",
                     &list));
  assert_int_equal(list.n, 2);
  assert_string_equal(list.skips[0].item, "a.avi");
  assert_string_equal(list.skips[0].reason, "it is \"broken\"");
  assert_string_equal(list.skips[1].item, "b");
  assert_string_equal(list.skips[1].reason, "c");
  gd_skips_free(&list);
  static const char *const refused[] = {
      "skipped:\n- {item: a}\n", "skipped:\n- {reason: b}\n",
      "skipped:\n- {item: a}\n- {reason: b}\n", "skipped:\n- a\n",
      "skipped: {a: b}\n"};
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    assert_fails(add_text(refused[i], &list), GD_ERR_FORMAT, "skipped.0:");
    assert_int_equal(list.n, 0);
    gd_skips_free(&list);
  }
}

/* As a tally lists them: many, and named in any bytes. */
static void skips_of_a_large_corpus_come_back(void **state)
{
  (void)state;
  enum { ITEMS = 100000 };
  gd_tally *tally;
  gd_text t = {0};
  char item[32];
  assert_ok(gd_tally_new(&tally));
  for (int i = 0; i < ITEMS; i++) {
    snprintf(item, sizeof item, "%06d \xe9.avi", i);
    assert_ok(gd_tally_skip(tally, item, "broken: \xc3\xa9"));
  }
  gd_tally_compose(tally, &t);
  gd_tally_free(tally);
  gd_skips list = {0};
  assert_ok(add_text(gd_text_get(&t), &list));
  gd_text_free(&t);
  assert_int_equal(list.n, ITEMS);
  assert_string_equal(list.skips[ITEMS - 1].item, "099999 \xe9.avi");
  assert_string_equal(list.skips[ITEMS - 1].reason, "broken: \xc3\xa9");
  gd_skips_free(&list);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(skips_come_back_as_a_report_lists_them),
    cmocka_unit_test(skips_of_a_missing_report_are_none),
    cmocka_unit_test(skips_cut_anywhere_are_refused_or_fewer),
    cmocka_unit_test(skips_are_read_in_any_layout),
    cmocka_unit_test(skips_of_a_large_corpus_come_back),
};

gd_test_main(tests)
