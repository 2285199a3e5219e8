#include "gradus/skips.h"

#include <stdio.h>
#include <string.h>

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
  static const char line[] = "  - {item: \"a\\u0001\\\"\", reason: \"b\\n\"}\n";
  for (size_t cut = 0; cut < strlen(line); cut++) {
    char text[sizeof line];
    snprintf(text, sizeof text, "%.*s", (int)cut, line);
    gd_skips list = {0};
    const gd_status st = add_text(text, &list);
    if (cut >= strlen("  - {item: ") && cut < strlen(line) - 2)
      assert_int_equal(st, GD_ERR_FORMAT);
    else
      assert_int_equal(st, GD_OK);
    gd_skips_free(&list);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(skips_come_back_as_a_report_lists_them),
    cmocka_unit_test(skips_of_a_missing_report_are_none),
    cmocka_unit_test(skips_cut_anywhere_are_refused_or_fewer),
};

gd_test_main(tests)
