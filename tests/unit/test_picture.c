#include "gradus/picture.h"

#include <string.h>

#include "test.h"

static void displayed_size_has_square_pixels_and_is_turned(void **state)
{
  (void)state;
  static const struct {
    int width, height, aspect[2], turned, shown_width, shown_height;
  } cases[] = {{720, 576, {1, 1}, 0, 720, 576},
               {720, 576, {64, 45}, 0, 1024, 576}, /* PAL, wide */
               {720, 576, {16, 15}, 0, 768, 576},
               {720, 480, {8, 9}, 0, 720, 540}, /* enlarged, not narrowed */
               {720, 480, {8, 9}, 1, 540, 720},
               {720, 576, {64, 45}, 1, 576, 1024},
               {641, 479, {1, 1}, 1, 479, 641},
               {640, 480, {8, 1}, 0, 5120, 480},
               {640, 480, {9, 1}, 0, 640, 480}, /* nobody records that */
               {640, 480, {1, 1000}, 0, 640, 480},
               {640, 480, {0, 1}, 0, 640, 480},
               {640, 480, {-4, 3}, 0, 640, 480},
               {640, 480, {1, 0}, 0, 640, 480}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    int width, height;
    gd_picture_layout l =
        gd_picture_layout_of(cases[i].width, cases[i].height, "yuv420p");
    memcpy(l.pixel_aspect, cases[i].aspect, sizeof l.pixel_aspect);
    if (cases[i].turned)
      memcpy(l.display, (int[4]){0, 1, -1, 0}, sizeof l.display);
    gd_picture_displayed(&l, &width, &height);
    assert_int_equal(width, cases[i].shown_width);
    assert_int_equal(height, cases[i].shown_height);
  }
}

static void turn_is_told_in_degrees_and_mirroring(void **state)
{
  (void)state;
  static const struct {
    int display[4], rotation, mirrored;
  } cases[] = {{{1, 0, 0, 1}, 0, 0},     {{0, 1, -1, 0}, 90, 0},
               {{-1, 0, 0, -1}, 180, 0}, {{0, -1, 1, 0}, 270, 0},
               {{-1, 0, 0, 1}, 180, 1},  {{1, 0, 0, -1}, 0, 1},
               {{0, 1, 1, 0}, 90, 1},    {{0, -1, -1, 0}, 270, 1}};
  for (int i = 0; i < 8; i++) {
    gd_picture_layout l = gd_picture_layout_of(4, 4, "gray");
    memcpy(l.display, cases[i].display, sizeof l.display);
    assert_int_equal(gd_picture_rotation(&l), cases[i].rotation);
    assert_int_equal(gd_picture_is_mirrored(&l), cases[i].mirrored);
  }
}

static void layouts_that_differ_in_anything_are_not_equal(void **state)
{
  (void)state;
  const gd_picture_layout a = gd_picture_layout_of(64, 48, "yuv420p");
  gd_picture_layout b[8];
  for (int i = 0; i < 8; i++)
    b[i] = a;
  b[0].width_px++;
  b[1].height_px++;
  b[2].pixel_format[3]++;
  b[3].matrix = 1;
  b[4].range = GD_RANGE_FULL;
  b[5].chroma_site = 1;
  b[6].pixel_aspect[1] = 2;
  b[7].display[0] = -1;
  assert_true(gd_picture_layout_equal(&a, &a));
  for (int i = 0; i < 8; i++)
    assert_false(gd_picture_layout_equal(&a, &b[i]));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(displayed_size_has_square_pixels_and_is_turned),
    cmocka_unit_test(turn_is_told_in_degrees_and_mirroring),
    cmocka_unit_test(layouts_that_differ_in_anything_are_not_equal),
};

gd_test_main(tests)
