#include "gradus/chart.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/file.h"
#include "gradus/image.h"
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
  const gd_series s = {.name = "m", .n = 3, .x = x, .y = y, .notes = notes};
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

/* A figure is published; who is behind a point is for the page alone. */
static void figure_of_points_tells_no_note(void **state)
{
  (void)state;
  const double x[] = {0}, y[] = {1};
  const char *notes[] = {"person 204"};
  const gd_series s = {.name = "m", .n = 1, .x = x, .y = y, .notes = notes};
  const gd_chart c = {.kind = GD_CHART_POINTS,
                      .width = 300,
                      .height = 200,
                      .title = "t",
                      .x_label = "x",
                      .y_label = "y",
                      .x = gd_axis_of(0, 2, 6, 0),
                      .y = gd_axis_of(0, 2, 6, 0),
                      .n_series = 1,
                      .series = &s};
  gd_text page = {0}, file = {0};
  gd_chart_svg(&page, &c);
  gd_chart_svg_file(&file, &c);
  assert_true(gd_test_has(gd_text_get(&page), "person 204"));
  assert_false(gd_test_has(gd_text_get(&file), "person 204"));
  assert_int_equal(count(gd_text_get(&file), "<circle"), 1);
  gd_markup_check(strchr(gd_text_get(&file), '\n') + 1);
  gd_text_free(&page);
  gd_text_free(&file);
}

/* A series may be named after a directory, which may be named in Latin-1. */
static void png_of_a_name_that_is_not_utf_8_is_drawn(void **state)
{
  (void)state;
  const double x[] = {0, 1}, y[] = {0, 1};
  const gd_series s = {.name = "caf\xe9", .n = 2, .x = x, .y = y};
  gd_text png = {0};
  assert_ok(gd_chart_png(&png, &(gd_chart){.kind = GD_CHART_LINES,
                                           .width = 300,
                                           .height = 200,
                                           .title = "t",
                                           .x_label = "x",
                                           .y_label = "y",
                                           .x = gd_axis_of(0, 1, 6, 0),
                                           .y = gd_axis_of(0, 1, 6, 0),
                                           .n_series = 1,
                                           .series = &s}));
  gd_text_free(&png);
}

static void chart_of_lines_breaks_at_a_gap(void **state)
{
  (void)state;
  const double x[] = {1, 2, 3, 4}, y[] = {4, 3, INFINITY, 1};
  const gd_series s = {.name = "m", .colour = 9, .n = 4, .x = x, .y = y};
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
    s[i] = (gd_series){.name = "m", .colour = i, .n = 4, .y = y};
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

/* The shares of pixels of a colour, red to blue, in a PNG. */
static int64_t count_pixels(const gd_chart *c, uint32_t colour)
{
  gd_text png = {0};
  gd_image image;
  int64_t n = 0;
  assert_ok(gd_chart_png(&png, c));
  const char *path = gd_test_path("chart.png");
  assert_ok(gd_file_write(path, png.data, png.length_bytes));
  assert_ok(gd_image_read(path, &image));
  assert_int_equal(image.width_px, 2 * c->width);
  assert_true(image.height_px > 2 * c->height); /* the legend */
  for (int64_t i = 0; i < (int64_t)image.width_px * image.height_px; i++)
    n += image.rgb[3 * i] == (colour >> 16) &&
         image.rgb[3 * i + 1] == (colour >> 8 & 255) &&
         image.rgb[3 * i + 2] == (colour & 255);
  gd_image_free(&image);
  gd_text_free(&png);
  return n;
}

/* A bar of half the plot's height has half as many pixels as one of all. */
static void png_shows_bars_in_proportion_and_a_legend(void **state)
{
  (void)state;
  const double whole[] = {10}, half[] = {5};
  const char *names[] = {"all"};
  gd_series s[2] = {{.name = "one", .colour = 0, .n = 1, .y = whole},
                    {.name = "<two>", .colour = 1, .n = 1, .y = half}};
  const gd_chart c = {.kind = GD_CHART_BARS,
                      .width = 300,
                      .height = 200,
                      .title = "bars",
                      .x_label = "x",
                      .y_label = "y",
                      .y = gd_axis_of(0, 10, 6, 0),
                      .n_categories = 1,
                      .categories = names,
                      .n_series = 2,
                      .series = s};
  const double swatch = 24 * 20; /* of the legend, at two pixels a unit */
  const double one = (double)count_pixels(&c, 0x0072b2) - swatch;
  const double two = (double)count_pixels(&c, 0xd55e00) - swatch;
  assert_true(one > 10000);
  assert_true(fabs(two / one - 0.5) < 0.03);

  gd_text svg = {0};
  gd_chart_svg_file(&svg, &c);
  const char *text = gd_text_get(&svg);
  assert_true(gd_test_has(text, "<?xml version=\"1.0\""));
  gd_markup_check(strchr(text, '\n') + 1);
  assert_true(gd_test_has(text, ">one</text>"));
  assert_true(gd_test_has(text, ">&lt;two&gt;</text>"));
  assert_true(gd_test_has(text, ".bar.s1{fill:#d55e00}"));
  assert_int_equal(count(text, "<rect"), 1 + 2 + 2);
  gd_text_free(&svg);
}

static void
chart_of_points_has_whiskers_where_there_is_an_interval(void **state)
{
  (void)state;
  const double x[] = {1, 2, 3}, y[] = {1, 2, 3};
  const double low[] = {0.5, NAN, 2}, high[] = {1.5, NAN, 4};
  const gd_series s = {
      .name = "m", .n = 3, .x = x, .y = y, .low = low, .high = high};
  gd_text out = {0};
  const gd_chart c = {.kind = GD_CHART_POINTS,
                      .width = 300,
                      .height = 200,
                      .title = "t",
                      .x_label = "x",
                      .y_label = "y",
                      .x = gd_axis_of(0, 4, 6, 0),
                      .y = gd_axis_of(0, 4, 6, 0),
                      .n_series = 1,
                      .series = &s};
  gd_chart_svg(&out, &c);
  gd_markup_check(gd_text_get(&out));
  assert_int_equal(count(gd_text_get(&out), "class=\"whisker"), 2);
  assert_int_equal(count(gd_text_get(&out), "<circle"), 3);
  gd_text_free(&out);
}

/* Cells of one shade are drawn together; what is 0 is not drawn. */
static void heat_covers_its_cells_by_shade(void **state)
{
  (void)state;
  /* Two columns of three rows, the lowest first. */
  const double value[] = {1, 1, 0, 0, 0.5, 0};
  gd_text out = {0};
  const gd_chart c = {.kind = GD_CHART_HEAT,
                      .width = 300,
                      .height = 200,
                      .title = "t",
                      .x_label = "x",
                      .y_label = "y",
                      .x = gd_axis_of(0, 2, 6, 0),
                      .y = gd_axis_of(0, 3, 6, 0),
                      .heat = {.n_columns = 2,
                               .n_rows = 3,
                               .x_high = 2,
                               .y_high = 3,
                               .value = value}};
  gd_chart_svg(&out, &c);
  const char *text = gd_text_get(&out);
  gd_markup_check(text);
  assert_int_equal(count(text, "<rect"), 2); /* 1 and 1 are one */
  const char *half = strstr(text, "fill-opacity=\"0.53\"><rect");
  const char *full = strstr(text, "fill-opacity=\"1.00\"><rect");
  assert_true(half != NULL && full != NULL);
  double x[2], y[2], width[2], height[2];
  const char *at[2] = {strstr(half, "x="), strstr(full, "x=")};
  for (int i = 0; i < 2; i++)
    assert_int_equal(sscanf(at[i],
                            "x=\"%lf\" y=\"%lf\" width=\"%lf\" "
                            "height=\"%lf\"",
                            &x[i], &y[i], &width[i], &height[i]),
                     4);
  assert_float_equal(x[0], x[1] + width[1], 0.02);
  assert_float_equal(height[1], 2 * height[0], 0.2);
  assert_float_equal(y[0], y[1], 0.11); /* both tops are at 2 */
  gd_text_free(&out);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(chart_of_points_marks_each_value_and_escapes_its_note),
    cmocka_unit_test(figure_of_points_tells_no_note),
    cmocka_unit_test(png_of_a_name_that_is_not_utf_8_is_drawn),
    cmocka_unit_test(chart_of_lines_breaks_at_a_gap),
    cmocka_unit_test(chart_bars_do_not_overlap),
    cmocka_unit_test(png_shows_bars_in_proportion_and_a_legend),
    cmocka_unit_test(chart_of_points_has_whiskers_where_there_is_an_interval),
    cmocka_unit_test(heat_covers_its_cells_by_shade),
    cmocka_unit_test(chart_legend_names_every_series),
};

gd_test_main(tests)
