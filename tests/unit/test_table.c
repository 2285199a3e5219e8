#include "gradus/table.h"

#include <math.h>
#include <string.h>

#include "test.h"

static void make(gd_table *t)
{
  static const char *const headers[] = {"model", "MAE", "95 %", "over seeds"};
  gd_table_begin(t, "Errors/per: video", "Errors & more", 4, headers, 1);
  gd_table_text(t, "a_b, \"c\" <50 %>");
  gd_table_number(t, 2, 6.0349);
  gd_table_interval(t, 1, -0.5, 7.25);
  gd_table_spread(t, 2, -1.5, 0.25);
  gd_table_text(t, "none");
  gd_table_number(t, 2, NAN);
  gd_table_interval(t, 1, NAN, NAN);
  gd_table_spread(t, 2, -0.001, NAN);
  assert_ok(gd_table_status(t));
  assert_int_equal(gd_table_rows(t), 2);
}

static void table_in_csv_has_its_digits(void **state)
{
  (void)state;
  gd_table t;
  gd_text out = {0};
  make(&t);
  gd_table_csv(&t, &out);
  assert_string_equal(gd_text_get(&out),
                      "model,MAE,95 %,over seeds\n"
                      "\"a_b, \"\"c\"\" <50 %>\",6.0349,\"[-0.5, 7.25]\","
                      "-1.5 +- 0.25\n"
                      "none,,,-0.001\n");
  gd_text_free(&out);
  gd_table_free(&t);
}

static void table_in_latex_is_escaped_and_ruled(void **state)
{
  (void)state;
  gd_table t;
  gd_text out = {0};
  make(&t);
  gd_table_latex(&t, &out);
  assert_string_equal(gd_text_get(&out),
                      "% \\usepackage{booktabs}\n"
                      "\\begin{table}\n"
                      "  \\centering\n"
                      "  \\caption{Errors \\& more}\n"
                      "  \\label{tab:errors-per-video}\n"
                      "  \\begin{tabular}{lrrr}\n"
                      "    \\toprule\n"
                      "    model & MAE & 95 \\% & over seeds \\\\\n"
                      "    \\midrule\n"
                      "    a\\_b, \"c\" \\textless{}50 \\%\\textgreater{} & "
                      "6.03 & $-$0.5 to 7.2 & "
                      "$-$1.50 $\\pm$ 0.25 \\\\\n"
                      "    none & -- & -- & 0.00 \\\\\n"
                      "    \\bottomrule\n"
                      "  \\end{tabular}\n"
                      "\\end{table}\n");
  gd_text_free(&out);
  gd_table_free(&t);
}

static void name_of_a_long_caption_is_cut(void **state)
{
  (void)state;
  char name[400];
  memset(name, 'a', sizeof name - 1);
  name[sizeof name - 1] = '\0';
  gd_table_make_name(name);
  assert_int_equal(strlen(name), 180);
  name[178] = name[179] = '_'; /* no hyphen is left at the end */
  gd_table_make_name(name);
  assert_int_equal(strlen(name), 178);
}

static void level_has_decimals_where_it_is_not_whole(void **state)
{
  (void)state;
  static const char *const headers[] = {"label"};
  gd_table t;
  gd_text out = {0};
  gd_table_begin(&t, "labels", "Labels", 1, headers, 0);
  gd_table_level(&t, 12);
  gd_table_level(&t, 12.5);
  gd_table_level(&t, NAN);
  gd_table_latex(&t, &out);
  assert_true(gd_test_has(gd_text_get(&out), "    12 \\\\\n"
                                             "    12.50 \\\\\n"
                                             "    -- \\\\\n"));
  gd_text_free(&out);
  gd_table_free(&t);
}

/* The end of a row takes a bracket or a star behind it for its own. */
static void row_in_latex_may_begin_with_a_bracket_or_a_star(void **state)
{
  (void)state;
  static const char *const headers[] = {"sizes", "n"};
  gd_table t;
  gd_text out = {0};
  gd_table_begin(&t, "sizes", "Sizes", 2, headers, 1);
  gd_table_text(&t, "[64, 128]");
  gd_table_number(&t, 0, 1);
  gd_table_text(&t, "*_a");
  gd_table_number(&t, 0, 2);
  gd_table_latex(&t, &out);
  assert_true(gd_test_has(gd_text_get(&out), "    {[}64, 128] & 1 \\\\\n"
                                             "    {*}\\_a & 2 \\\\\n"));
  gd_text_free(&out);
  gd_table_free(&t);
}

static void latex_of_any_bytes_is_utf_8(void **state)
{
  (void)state;
  static const char *const headers[] = {"file"};
  gd_table t;
  gd_text out = {0};
  gd_table_begin(&t, "files", "Files", 1, headers, 1);
  gd_table_text(&t, "caf\xe9_\x01\xc3\xa9");
  gd_table_latex(&t, &out);
  assert_true(gd_test_has(gd_text_get(&out),
                          "    caf\xef\xbf\xbd\\_\xef\xbf\xbd"
                          "\xc3\xa9 \\\\\n"));
  gd_text_free(&out);
  gd_table_free(&t);
}

static void table_in_html_has_dashes_for_what_is_not_known(void **state)
{
  (void)state;
  gd_table t;
  gd_text out = {0};
  make(&t);
  gd_table_html(&t, &out);
  assert_true(gd_test_has(gd_text_get(&out), "Errors &amp; more"));
  assert_true(gd_test_has(gd_text_get(&out), "<td>a_b, "));
  assert_true(gd_test_has(gd_text_get(&out), "<td class=\"n\">\xe2\x88\x92"
                                             "1.50 \xc2\xb1 0.25</td>"));
  assert_true(
      gd_test_has(gd_text_get(&out), "<td class=\"n\">\xe2\x80\x93</td>"));
  gd_text_free(&out);
  gd_table_free(&t);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(table_in_csv_has_its_digits),
    cmocka_unit_test(table_in_latex_is_escaped_and_ruled),
    cmocka_unit_test(name_of_a_long_caption_is_cut),
    cmocka_unit_test(level_has_decimals_where_it_is_not_whole),
    cmocka_unit_test(row_in_latex_may_begin_with_a_bracket_or_a_star),
    cmocka_unit_test(latex_of_any_bytes_is_utf_8),
    cmocka_unit_test(table_in_html_has_dashes_for_what_is_not_known),
};

gd_test_main(tests)
