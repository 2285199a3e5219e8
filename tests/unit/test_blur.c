#include "gradus/blur.h"

#include <stdlib.h>

#include "test.h"

enum { WIDTH = 40, HEIGHT = 30 };

/* Columns of black and white. */
static gd_image stripes(void)
{
  gd_image image;
  assert_ok(gd_image_new(WIDTH, HEIGHT, &image));
  for (int i = 0; i < WIDTH * HEIGHT * 3; i++)
    image.rgb[i] = (i / 3 % WIDTH) % 2 == 0 ? 0 : 255;
  return image;
}

static int value_at(const gd_image *image, int x, int y)
{
  return image->rgb[3 * (y * WIDTH + x)];
}

static void detail_in_the_box_is_gone_and_outside_it_is_kept(void **state)
{
  (void)state;
  gd_image image = stripes();
  assert_ok(gd_image_blur(&image, (const float[]){10, 5, 30, 25}));
  for (int y = 0; y < HEIGHT; y++)
    for (int x = 0; x + 1 < WIDTH; x++) {
      const int inside = x >= 10 && x + 1 < 30 && y >= 5 && y < 25;
      const int step = abs(value_at(&image, x, y) - value_at(&image, x + 1, y));
      if (inside)
        assert_in_range(step, 0, 16);
      else if (x + 1 < 10 || x >= 30 || y < 5 || y >= 25)
        assert_int_equal(step, 255);
    }
  gd_image_free(&image);
}

static void even_colour_stays_as_it_is(void **state)
{
  (void)state;
  gd_image image;
  assert_ok(gd_image_new(WIDTH, HEIGHT, &image));
  for (int i = 0; i < WIDTH * HEIGHT * 3; i++)
    image.rgb[i] = (uint8_t)(60 + 70 * (i % 3));
  assert_ok(gd_image_blur(&image, (const float[]){-5, -5, 100, 100}));
  for (int i = 0; i < WIDTH * HEIGHT * 3; i++)
    assert_int_equal(image.rgb[i], 60 + 70 * (i % 3));
  gd_image_free(&image);
}

static void box_that_misses_the_image_changes_nothing(void **state)
{
  (void)state;
  static const float boxes[][4] = {
      {-9, -9, -1, -1}, {50, 2, 60, 9}, {20, 9, 10, 3}, {1e30f, 0, 2e30f, 9}};
  gd_image image = stripes();
  for (int b = 0; b < 4; b++)
    assert_ok(gd_image_blur(&image, boxes[b]));
  for (int x = 0; x < WIDTH; x++)
    assert_int_equal(value_at(&image, x, 7), x % 2 == 0 ? 0 : 255);
  gd_image_free(&image);
}

static void single_pixel_is_a_box_too(void **state)
{
  (void)state;
  gd_image image = stripes();
  assert_ok(gd_image_blur(&image, (const float[]){3, 4, 4, 5}));
  assert_int_equal(value_at(&image, 3, 4), 255);
  gd_image_free(&image);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(detail_in_the_box_is_gone_and_outside_it_is_kept),
    cmocka_unit_test(even_colour_stays_as_it_is),
    cmocka_unit_test(box_that_misses_the_image_changes_nothing),
    cmocka_unit_test(single_pixel_is_a_box_too),
};

gd_test_main(tests)
