#include "gradus/attention_picture.h"

#include <stdio.h>
#include <string.h>

#include "gradus/file.h"
#include "gradus/image.h"
#include "gradus/memory.h"
#include "test.h"

enum { SIZE = 64, SIDE = 2, BYTES = SIZE * SIZE * 3 };

static const uint8_t *pixel_at(const uint8_t *rgb, int y, int x)
{
  return rgb + 3 * ((ptrdiff_t)y * SIZE + x);
}

/* Warm where a cell raises the level, cold where it lowers it, the face's grey
 * where it does nothing; the centres of the cells lie a quarter in. */
static void overlay_shows_each_cell_where_it_lies(void **state)
{
  (void)state;
  const float map[SIDE * SIDE] = {2, 0, 0, -2};
  uint8_t rgb[BYTES];
  memset(rgb, 90, BYTES);
  gd_attention_overlay(map, SIDE, SIDE, SIZE, rgb);
  const uint8_t *up = pixel_at(rgb, 4, 4), *down = pixel_at(rgb, 60, 60);
  const uint8_t *none = pixel_at(rgb, 4, 60), *between = pixel_at(rgb, 4, 31);
  assert_true(up[0] > 170 && up[0] > up[2] + 100);
  assert_true(down[2] > 130 && down[2] > down[0] + 80);
  assert_true(none[0] == 90 && none[1] == 90 && none[2] == 90);
  assert_true(between[0] > 90 && between[0] < up[0]);
  assert_memory_equal(pixel_at(rgb, 0, 0), up, 3); /* it goes on outwards */
}

static void overlay_of_nothing_is_the_grey_face(void **state)
{
  (void)state;
  const float zeros[1] = {0};
  uint8_t rgb[BYTES];
  for (int i = 0; i < BYTES; i += 3) {
    rgb[i] = 200;
    rgb[i + 1] = rgb[i + 2] = 0;
  }
  gd_attention_overlay(zeros, 1, 1, SIZE, rgb);
  for (int i = 0; i < BYTES; i++)
    assert_int_equal(rgb[i], 60);
}

static gd_attention_set *make(void)
{
  gd_attention_set *s;
  assert_ok(gd_attention_set_new(1, SIZE, SIDE, SIDE, &s));
  s->partition = GD_TEST;
  s->n_videos = 3;
  s->is_blurred = 1;
  snprintf(s->face_template, sizeof s->face_template, "crop 1.3");
  s->cases[0].id = gd_strdup("v");
  s->cases[0].reason = gd_strdup("a reason that is far too long to fit the "
                                 "picture's width; and goes on");
  s->cases[0].label = 12;
  s->cases[0].predicted = 34.56;
  memset(s->cases[0].rgb, 128, BYTES);
  for (int i = 0; i < SIDE * SIDE; i++)
    s->cases[0].map[i] = s->mean[i] = (float)(i + 1);
  return s;
}

static gd_image draw(const gd_attention_set *s, int which, int is_captioned)
{
  gd_text png = {0};
  gd_image image;
  assert_ok(gd_attention_picture(s, which, is_captioned, &png));
  const char *path = gd_test_path("picture.png");
  assert_ok(gd_file_write(path, png.data, png.length_bytes));
  gd_text_free(&png);
  assert_ok(gd_image_read(path, &image));
  return image;
}

static int64_t dark_pixels(const gd_image *image, int from, int end)
{
  int64_t n = 0;
  for (int64_t i = (int64_t)from * image->width_px;
       i < (int64_t)end * image->width_px; i++)
    n += image->rgb[3 * i] < 100 && image->rgb[3 * i + 1] < 100 &&
         image->rgb[3 * i + 2] < 100;
  return n;
}

static void picture_has_its_caption_below(void **state)
{
  (void)state;
  gd_attention_set *s = make();
  gd_image plain = draw(s, 0, 0), captioned = draw(s, 0, 1);
  const int side = plain.width_px;
  assert_int_equal(plain.height_px, side);
  assert_int_equal(captioned.width_px, side);
  assert_true(captioned.height_px > side);
  assert_memory_equal(plain.rgb, captioned.rgb, 3 * side * side);
  assert_true(dark_pixels(&captioned, side, captioned.height_px) > 50);
  /* A line that is too long is set smaller, not cut. */
  for (int y = side; y < captioned.height_px; y++)
    for (int c = 0; c < 3; c++) {
      assert_int_equal(captioned.rgb[3 * y * side + c], 255);
      assert_int_equal(captioned.rgb[3 * (y * side + side - 1) + c], 255);
    }
  gd_image_free(&plain);
  gd_image_free(&captioned);
  gd_attention_set_free(s);
}

static void template_is_marked_where_no_face_is_to_be_seen(void **state)
{
  (void)state;
  gd_attention_set *s = make();
  gd_image image = draw(s, GD_ATTENTION_MEAN, 0);
  const int side = image.width_px;
  assert_int_equal(dark_pixels(&image, 0, side), 0);
  gd_image_free(&image);
  snprintf(s->face_template, sizeof s->face_template,
           "gradus-1 0.345 0.390 0.655 0.390 0.500 0.570 0.362 0.722 0.638 "
           "0.722");
  for (int which = GD_ATTENTION_MEAN; which < 1; which++) {
    image = draw(s, which, 0);
    assert_true(dark_pixels(&image, side * 70 / 100, side * 75 / 100) > 20);
    assert_int_equal(dark_pixels(&image, side * 80 / 100, side), 0);
    gd_image_free(&image);
  }
  s->is_blurred = 0;
  image = draw(s, 0, 0);
  assert_int_equal(dark_pixels(&image, 0, side), 0);
  gd_image_free(&image);
  gd_attention_set_free(s);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(overlay_shows_each_cell_where_it_lies),
    cmocka_unit_test(overlay_of_nothing_is_the_grey_face),
    cmocka_unit_test(picture_has_its_caption_below),
    cmocka_unit_test(template_is_marked_where_no_face_is_to_be_seen),
};

gd_test_main(tests)
