#include "gradus/chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "markup.h"
#include "test.h"

static int count(const char *text, const char *part)
{
  int n = 0;
  for (; (text = strstr(text, part)) != NULL; text += strlen(part))
    n++;
  return n;
}

static void chart_of_points_marks_each_value_and_escapes_its_note(void **state)
{
  (void)state;
  const double x[] = {0, 10, 20}, y[] = {1, NAN, 19};
  const char *notes[] = {"a<b>", "gap", "\"c\" & d"};
  const gd_series s = {"m", 0, 3, x, y, notes};
  gd_text out = {0};
  gd_chart_svg(&out, &(gd_chart){.kind = GD_CHART_POINTS,
                                 .width = 300,
                                 .height = 200,
                                 .title = "<script>",
                                 .x_label = "true & false",
                                 .y_label = "y",
                                 .x = gd_axis_of(0, 20, 6, 0),
                                 .y = gd_axis_of(0, 20, 6, 0),
                                 .identity = 1,
                                 .n_series = 1,
                                 .series = &s});
  gd_markup_check(gd_text_get(&out));
  assert_int_equal(count(gd_text_get(&out), "<circle"), 2);
  assert_true(gd_test_has(gd_text_get(&out), "a&lt;b&gt;"));
  assert_true(gd_test_has(gd_text_get(&out), "aria-label=\"&lt;script&gt;\""));
  assert_false(gd_test_has(gd_text_get(&out), "nan"));
  gd_text_free(&out);
}

static void chart_of_lines_breaks_at_a_gap(void **state)
{
  (void)state;
  const double x[] = {1, 2, 3, 4}, y[] = {4, 3, INFINITY, 1};
  const gd_series s = {"m", 9, 4, x, y, NULL};
  gd_text out = {0};
  gd_chart_svg(&out, &(gd_chart){.kind = GD_CHART_LINES,
                                 .width = 300,
                                 .height = 200,
                                 .title = "t",
                                 .x_label = "x",
                                 .y_label = "y",
                                 .x = gd_axis_of(1, 4, 6, 1),
                                 .y = gd_axis_of(0, 4, 6, 0),
                                 .n_series = 1,
                                 .series = &s});
  gd_markup_check(gd_text_get(&out));
  const char *path = strstr(gd_text_get(&out), " d=\"M");
  assert_non_null(path);
  const char *end = strchr(path + 4, '"');
  int moves = 0;
  for (const char *c = path; c < end; c++)
    moves += *c == 'M';
  assert_int_equal(moves, 2);
  /* The tenth series repeats the second colour, with dashes. */
  assert_true(gd_test_has(gd_text_get(&out), "class=\"curve s1 d1\""));
  gd_text_free(&out);
}

/* The bars of all series must stand inside their group, one after another. */
static void chart_bars_do_not_overlap(void **state)
{
  (void)state;
  const double y[] = {3, 5, 0, 7};
  const char *names[] = {"none\n0-13", "mild\n14-19", "moderate\n20-28",
                         "severe\n29-63"};
  gd_series s[5];
  for (int i = 0; i < 5; i++)
    s[i] = (gd_series){"m", i, 4, NULL, y, NULL};
  gd_text out = {0};
  gd_chart_svg(&out, &(gd_chart){.kind = GD_CHART_BARS,
                                 .width = 400,
                                 .height = 200,
                                 .title = "t",
                                 .x_label = "x",
                                 .y_label = "y",
                                 .y = gd_axis_of(0, 7, 6, 0),
                                 .n_categories = 4,
                                 .categories = names,
                                 .n_series = 5,
                                 .series = s});
  gd_markup_check(gd_text_get(&out));
  double left[20], width[20];
  int n = 0;
  for (const char *at = gd_text_get(&out);
       (at = strstr(at, "<rect x=\"")) != NULL; n++) {
    assert_true(n < 20);
    left[n] = strtod(at += strlen("<rect x=\""), NULL);
    width[n] = strtod(strstr(at, "width=\"") + strlen("width=\""), NULL);
  }
  assert_int_equal(n, 20);
  for (int i = 0; i < 20; i++)
    for (int j = 0; j < i; j++)
      assert_true(left[i] >= left[j] + width[j] - 0.02 ||
                  left[j] >= left[i] + width[i] - 0.02);
  gd_text_free(&out);
}

static void chart_legend_names_every_series(void **state)
{
  (void)state;
  const gd_series s[] = {{.name = "a & b", .colour = 0},
                         {.name = "constant", .colour = GD_CHART_GREY}};
  gd_text out = {0};
  gd_chart_legend(&out, 2, s, GD_CHART_LINES);
  gd_markup_check(gd_text_get(&out));
  assert_true(gd_test_has(gd_text_get(&out), "a &amp; b"));
  assert_true(gd_test_has(gd_text_get(&out), "curve grey"));
  gd_text_free(&out);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(chart_of_points_marks_each_value_and_escapes_its_note),
    cmocka_unit_test(chart_of_lines_breaks_at_a_gap),
    cmocka_unit_test(chart_bars_do_not_overlap),
    cmocka_unit_test(chart_legend_names_every_series),
};

gd_test_main(tests)
