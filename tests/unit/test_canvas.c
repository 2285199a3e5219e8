#include "gradus/canvas.h"

#include <math.h>
#include <stdlib.h>

#include "test.h"

enum { WIDTH = 40, HEIGHT = 30 };

static gd_canvas *page(gd_canvas_kind kind)
{
  gd_canvas *c;
  assert_ok(gd_canvas_new(kind, WIDTH, HEIGHT, &c));
  return c;
}

static const uint8_t *pixel(const uint8_t *rgb, int x, int y)
{
  return rgb + 3 * (y * WIDTH + x);
}

static void assert_pixel(const uint8_t *rgb, int x, int y, uint32_t colour)
{
  const uint8_t *p = pixel(rgb, x, y);
  assert_int_equal((uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2], colour);
}

static void new_page_is_white(void **state)
{
  (void)state;
  gd_canvas *c = page(GD_CANVAS_PIXELS);
  uint8_t rgb[WIDTH * HEIGHT * 3];
  assert_ok(gd_canvas_rgb(c, rgb));
  for (size_t i = 0; i < sizeof rgb; i++)
    assert_int_equal(rgb[i], 255);
  assert_int_equal(gd_canvas_width(c), WIDTH);
  assert_int_equal(gd_canvas_height(c), HEIGHT);
  gd_canvas_free(c);
}

static void filled_shapes_cover_their_pixels_only(void **state)
{
  (void)state;
  gd_canvas *c = page(GD_CANVAS_PIXELS);
  uint8_t rgb[WIDTH * HEIGHT * 3];
  gd_canvas_rectangle(c, 2, 3, 5, 6);
  gd_canvas_fill(c, gd_paint_flat(gd_colour_hex(0x102030)));
  gd_canvas_path(c);
  gd_canvas_ellipse(c, 25, 15, 10, 5);
  gd_canvas_fill(c, gd_paint_flat(gd_colour_hex(0xff0000)));
  assert_ok(gd_canvas_rgb(c, rgb));
  assert_pixel(rgb, 2, 3, 0x102030);
  assert_pixel(rgb, 6, 8, 0x102030);
  assert_pixel(rgb, 7, 8, 0xffffff);
  assert_pixel(rgb, 25, 15, 0xff0000);
  assert_pixel(rgb, 33, 15, 0xff0000);
  assert_pixel(rgb, 33, 19, 0xffffff);
  gd_canvas_free(c);
}

static void path_stays_for_a_second_paint(void **state)
{
  (void)state;
  gd_canvas *c = page(GD_CANVAS_PIXELS);
  uint8_t rgb[WIDTH * HEIGHT * 3];
  gd_canvas_rectangle(c, 10, 10, 10, 10);
  gd_canvas_fill(c, gd_paint_flat(gd_colour_hex(0x00ff00)));
  gd_canvas_stroke(c, (gd_stroke){.width = 2},
                   gd_paint_flat(gd_colour_hex(0x0000ff)));
  assert_ok(gd_canvas_rgb(c, rgb));
  assert_pixel(rgb, 9, 15, 0x0000ff);
  assert_pixel(rgb, 15, 15, 0x00ff00);
  gd_canvas_free(c);
}

static void transform_moves_drawing_and_located_points_alike(void **state)
{
  (void)state;
  gd_canvas *c = page(GD_CANVAS_PIXELS);
  uint8_t rgb[WIDTH * HEIGHT * 3];
  double x = 3.0, y = 0.0;
  gd_canvas_begin(c);
  gd_canvas_translate(c, 20, 10);
  gd_canvas_rotate(c, 1.5707963267948966);
  gd_canvas_scale(c, 2.0, 2.0);
  gd_canvas_locate(c, &x, &y);
  gd_canvas_rectangle(c, 2.5, -0.5, 1, 1);
  gd_canvas_fill(c, gd_paint_flat(gd_colour_hex(0)));
  gd_canvas_end(c);
  assert_true(fabs(x - 20.0) < 1e-9 && fabs(y - 16.0) < 1e-9);
  assert_ok(gd_canvas_rgb(c, rgb));
  assert_pixel(rgb, 20, 16, 0);
  assert_pixel(rgb, 20, 14, 0xffffff);
  x = y = 7.0;
  gd_canvas_locate(c, &x, &y);
  assert_true(x == 7.0 && y == 7.0);
  gd_canvas_free(c);
}

static void clip_ends_with_its_scope(void **state)
{
  (void)state;
  gd_canvas *c = page(GD_CANVAS_PIXELS);
  uint8_t rgb[WIDTH * HEIGHT * 3];
  gd_canvas_begin(c);
  gd_canvas_rectangle(c, 0, 0, 10, HEIGHT);
  gd_canvas_clip(c);
  gd_canvas_cover(c, gd_paint_flat(gd_colour_hex(0x00ff00)));
  gd_canvas_end(c);
  gd_canvas_path(c);
  gd_canvas_rectangle(c, 20, 0, 10, HEIGHT);
  gd_canvas_fill(c, gd_paint_flat(gd_colour_hex(0x0000ff)));
  assert_ok(gd_canvas_rgb(c, rgb));
  assert_pixel(rgb, 5, 5, 0x00ff00);
  assert_pixel(rgb, 15, 5, 0xffffff);
  assert_pixel(rgb, 25, 5, 0x0000ff);
  gd_canvas_free(c);
}

static void gradients_run_between_their_stops(void **state)
{
  (void)state;
  gd_canvas *c = page(GD_CANVAS_PIXELS);
  uint8_t rgb[WIDTH * HEIGHT * 3];
  gd_paint p = gd_paint_linear(0, 0, WIDTH, 0);
  gd_paint_stop(&p, 0.0, gd_colour_hex(0x000000));
  gd_paint_stop(&p, 1.0, gd_colour_hex(0xffffff));
  gd_canvas_cover(c, p);
  assert_ok(gd_canvas_rgb(c, rgb));
  assert_in_range(pixel(rgb, 0, 9)[0], 0, 8);
  assert_in_range(pixel(rgb, WIDTH / 2, 9)[0], 120, 136);
  assert_in_range(pixel(rgb, WIDTH - 1, 9)[0], 247, 255);
  p = gd_paint_radial(20, 15, 0, 10);
  gd_paint_stop(&p, 0.0, gd_colour_hex(0xff0000));
  gd_paint_stop(&p, 1.0, gd_colour_hex(0x0000ff));
  gd_canvas_cover(c, p);
  assert_ok(gd_canvas_rgb(c, rgb));
  assert_true(pixel(rgb, 20, 15)[0] > 230);
  assert_pixel(rgb, 0, 0, 0x0000ff);
  gd_canvas_free(c);
}

static void smooth_curve_passes_through_its_points(void **state)
{
  (void)state;
  const double square[8] = {10, 5, 30, 5, 30, 25, 10, 25};
  gd_canvas *c = page(GD_CANVAS_PIXELS);
  uint8_t rgb[WIDTH * HEIGHT * 3];
  gd_canvas_smooth(c, 4, square, 1);
  gd_canvas_stroke(c, (gd_stroke){.width = 3, .round = 1},
                   gd_paint_flat(gd_colour_hex(0)));
  assert_ok(gd_canvas_rgb(c, rgb));
  for (int i = 0; i < 4; i++)
    assert_pixel(rgb, (int)square[2 * i], (int)square[2 * i + 1], 0);
  assert_pixel(rgb, 20, 15, 0xffffff);
  gd_canvas_free(c);
}

static void image_fills_its_rectangle_to_the_edge(void **state)
{
  (void)state;
  const uint8_t two[6] = {255, 0, 0, 0, 0, 255};
  gd_canvas *c = page(GD_CANVAS_PIXELS);
  uint8_t rgb[WIDTH * HEIGHT * 3];
  gd_canvas_image(c, two, 2, 1, 10, 10, 20, 10);
  assert_ok(gd_canvas_rgb(c, rgb));
  assert_pixel(rgb, 10, 10, 0xff0000);
  assert_pixel(rgb, 29, 19, 0x0000ff);
  assert_pixel(rgb, 9, 15, 0xffffff);
  assert_pixel(rgb, 30, 15, 0xffffff);
  gd_canvas_free(c);
}

static void text_is_anchored_and_measured(void **state)
{
  (void)state;
  const gd_font font = {.size = 12, .anchor = 1.0};
  gd_canvas *c = page(GD_CANVAS_PIXELS);
  uint8_t rgb[WIDTH * HEIGHT * 3];
  const double width = gd_canvas_text_width(c, font, "MAE");
  assert_true(width > 12 && width < WIDTH - 4);
  gd_canvas_text(c, WIDTH - 2, 20, font, gd_colour_hex(0), "MAE");
  assert_ok(gd_canvas_rgb(c, rgb));
  int64_t left = 0, right = 0;
  for (int y = 0; y < HEIGHT; y++)
    for (int x = 0; x < WIDTH; x++)
      if (pixel(rgb, x, y)[0] < 128) {
        left += x < WIDTH - 2 - (int)width - 1;
        right += 1;
      }
  assert_int_equal(left, 0);
  assert_true(right > 10);
  gd_canvas_free(c);
}

static void text_that_is_not_utf8_fails_when_taken_out(void **state)
{
  (void)state;
  gd_canvas *c = page(GD_CANVAS_PIXELS);
  uint8_t rgb[WIDTH * HEIGHT * 3];
  gd_canvas_text(c, 0, 20, (gd_font){.size = 12}, gd_colour_hex(0), "\xff\xfe");
  gd_canvas_cover(c, gd_paint_flat(gd_colour_hex(0)));
  assert_fails(gd_canvas_rgb(c, rgb), GD_ERR_USAGE, "drawing failed");
  gd_canvas_free(c);
}

static void draw_chart(gd_canvas *c)
{
  const uint8_t pixels[6] = {255, 0, 0, 0, 0, 255};
  gd_canvas_image(c, pixels, 2, 1, 10, 10, 20, 10);
  gd_canvas_text(c, 2, 10, (gd_font){.size = 8}, gd_colour_hex(0), "MAE");
  gd_canvas_move(c, 2, 28);
  gd_canvas_curve(c, 10, 2, 20, 28, 38, 4);
  gd_canvas_stroke(c, (gd_stroke){.width = 1, .on = 3, .off = 2},
                   gd_paint_flat(gd_colour_fade(gd_colour_hex(0x0000aa), 0.5)));
}

static void equal_drawing_gives_equal_files(void **state)
{
  (void)state;
  const char *names[2] = {"chart.png", "chart.svg"};
  const char *starts[2] = {"\x89PNG", "<?xml"};
  for (int kind = 0; kind < 2; kind++) {
    gd_text files[2] = {{0}, {0}};
    for (int i = 0; i < 2; i++) {
      gd_canvas *c = page(kind == 0 ? GD_CANVAS_PIXELS : GD_CANVAS_VECTORS);
      draw_chart(c);
      assert_ok(gd_canvas_encode(c, &files[i]));
      if (i == 0)
        assert_ok(gd_canvas_write(c, gd_test_path(names[kind])));
      gd_canvas_free(c);
    }
    char *written;
    size_t size;
    assert_ok(
        gd_file_read(gd_test_path(names[kind]), 1 << 20, &written, &size));
    assert_int_equal(size, files[0].length_bytes);
    assert_int_equal(size, files[1].length_bytes);
    assert_memory_equal(written, files[0].data, size);
    assert_memory_equal(written, files[1].data, size);
    assert_memory_equal(written, starts[kind], 4);
    free(written);
    gd_text_free(&files[0]);
    gd_text_free(&files[1]);
  }
}

static void svg_is_measured_in_pixels(void **state)
{
  (void)state;
  gd_canvas *c = page(GD_CANVAS_VECTORS);
  gd_text svg = {0};
  uint8_t rgb[WIDTH * HEIGHT * 3];
  assert_fails(gd_canvas_rgb(c, rgb), GD_ERR_USAGE, "no pixels");
  draw_chart(c);
  assert_ok(gd_canvas_encode(c, &svg));
  assert_true(gd_test_has(gd_text_get(&svg), "viewBox=\"0 0 40 30\""));
  assert_true(gd_test_has(gd_text_get(&svg), "width=\"40px\""));
  assert_true(gd_test_has(gd_text_get(&svg), "</svg>"));
  gd_text_free(&svg);
  gd_canvas_free(c);
}

static void impossible_size_or_place_is_an_error(void **state)
{
  (void)state;
  gd_canvas *c;
  assert_fails(gd_canvas_new(GD_CANVAS_PIXELS, 0, 5, &c), GD_ERR_USAGE,
               "0 x 5");
  assert_null(c);
  assert_fails(gd_canvas_new(GD_CANVAS_PIXELS, 5, 20000, &c), GD_ERR_USAGE,
               "16384");
  c = page(GD_CANVAS_PIXELS);
  assert_fails(gd_canvas_write(c, "/nonexistent/a.png"), GD_ERR_IO,
               "/nonexistent/a.png");
  gd_canvas_free(c);
  gd_canvas_free(NULL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(new_page_is_white),
    cmocka_unit_test(filled_shapes_cover_their_pixels_only),
    cmocka_unit_test(path_stays_for_a_second_paint),
    cmocka_unit_test(transform_moves_drawing_and_located_points_alike),
    cmocka_unit_test(clip_ends_with_its_scope),
    cmocka_unit_test(gradients_run_between_their_stops),
    cmocka_unit_test(smooth_curve_passes_through_its_points),
    cmocka_unit_test(image_fills_its_rectangle_to_the_edge),
    cmocka_unit_test(text_is_anchored_and_measured),
    cmocka_unit_test(text_that_is_not_utf8_fails_when_taken_out),
    cmocka_unit_test(equal_drawing_gives_equal_files),
    cmocka_unit_test(svg_is_measured_in_pixels),
    cmocka_unit_test(impossible_size_or_place_is_an_error),
};

gd_test_main(tests)
