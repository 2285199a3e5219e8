#include "gradus/jpeg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"
#include "test.h"

static gd_image draw(int width, int height, int noise)
{
  gd_image image;
  assert_ok(gd_image_new(width, height, &image));
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++) {
      uint8_t *p = image.rgb + 3 * ((size_t)y * (size_t)width + (size_t)x);
      const uint32_t r =
          ((uint32_t)x * 73856093u ^ (uint32_t)y * 19349663u) * 2654435761u;
      p[0] = noise ? (uint8_t)(r >> 8) : (uint8_t)(x * 255 / width);
      p[1] = noise ? (uint8_t)(r >> 16) : (uint8_t)(y * 255 / height);
      p[2] = noise ? (uint8_t)(r >> 24) : (uint8_t)(x % 2 ? 180 : 120);
    }
  return image;
}

/* Peak signal-to-noise ratio. */
static double psnr_db(const gd_image *a, const gd_image *b)
{
  const int n = a->width_px * a->height_px * 3;
  double sum = 0;
  for (int i = 0; i < n; i++)
    sum += (a->rgb[i] - b->rgb[i]) * (a->rgb[i] - b->rgb[i]);
  return 10 * log10(255.0 * 255.0 * n / (sum + 1e-9));
}

/* Columns of colour one pixel wide are lost when colour is subsampled. */
static void colour_is_kept_at_full_resolution(void **state)
{
  (void)state;
  gd_image image = draw(200, 100, 0), back;
  gd_jpeg *j;
  const uint8_t *bytes;
  size_t size, finer;
  assert_ok(gd_image_new(200, 100, &back));
  assert_ok(gd_jpeg_new(&j));
  assert_ok(gd_jpeg_encode(j, &image, 95, &bytes, &size));
  assert_ok(gd_jpeg_decode_into("x", bytes, size, &back));
  assert_true(psnr_db(&image, &back) > 40);
  assert_ok(gd_jpeg_encode(j, &image, 50, &bytes, &finer));
  assert_true(finer < size);
  gd_jpeg_free(j);
  gd_image_free(&image);
  gd_image_free(&back);
}

static void images_of_any_content_and_size_fit_one_encoder(void **state)
{
  (void)state;
  static const int sizes[][2] = {{1, 1}, {300, 200}, {7, 5}, {16, 400}};
  gd_jpeg *j;
  assert_ok(gd_jpeg_new(&j));
  for (int i = 0; i < 8; i++) {
    gd_image image = draw(sizes[i / 2][0], sizes[i / 2][1], i % 2), back;
    const uint8_t *bytes;
    size_t size;
    assert_ok(gd_image_new(image.width_px, image.height_px, &back));
    assert_ok(gd_jpeg_encode(j, &image, 100, &bytes, &size));
    assert_ok(gd_jpeg_decode_into("x", bytes, size, &back));
    assert_true(psnr_db(&image, &back) > 35);
    gd_image_free(&image);
    gd_image_free(&back);
  }
  gd_jpeg_free(j);
}

static void damaged_or_other_images_are_refused(void **state)
{
  (void)state;
  gd_image image = draw(64, 48, 0), back;
  gd_jpeg *j;
  const uint8_t *bytes;
  size_t size;
  assert_ok(gd_image_new(48, 64, &back));
  assert_ok(gd_jpeg_new(&j));
  assert_ok(gd_jpeg_encode(j, &image, 90, &bytes, &size));
  assert_fails(gd_jpeg_decode_into("that one", bytes, size, &back),
               GD_ERR_FORMAT, "that one: a JPEG of 64 x 48, expected 48 x 64");
  back.width_px = 64;
  back.height_px = 48;
  for (size_t cut = 0; cut < size; cut += 37)
    assert_fails(gd_jpeg_decode_into("that one", bytes, cut, &back),
                 GD_ERR_FORMAT, "that one");
  gd_image wide = {.width_px = 70000, .height_px = 1, .rgb = image.rgb};
  assert_fails(gd_jpeg_encode(j, &wide, 90, &bytes, &size), GD_ERR_USAGE,
               "70000");
  assert_ok(gd_jpeg_encode(j, &image, 90, &bytes, &size));
  gd_jpeg_free(j);
  gd_image_free(&image);
  gd_image_free(&back);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(colour_is_kept_at_full_resolution),
    cmocka_unit_test(images_of_any_content_and_size_fit_one_encoder),
    cmocka_unit_test(damaged_or_other_images_are_refused),
};

gd_test_main(tests)
