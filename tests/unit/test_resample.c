#include "gradus/resample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/random.h"
#include "test.h"

static gd_image noise(int width, int height)
{
  gd_image image;
  gd_random random = gd_random_of(5, GD_FOR_TESTS, width, height);
  assert_ok(gd_image_new(width, height, &image));
  for (int i = 0; i < 3 * width * height; i++)
    image.rgb[i] = (uint8_t)gd_random_below(&random, 256);
  return image;
}

/* The definition, with doubles and one output value at a time. */
static double area_mean(const gd_image *image, gd_window w, int x, int y, int c,
                        int width, int height)
{
  const int m = w.x1 - w.x0, n = w.y1 - w.y0;
  const int x0 = (int)floor((double)x * m / width);
  const int x1 = (int)ceil((double)(x + 1) * m / width);
  const int y0 = (int)floor((double)y * n / height);
  const int y1 = (int)ceil((double)(y + 1) * n / height);
  double sum = 0;
  for (int j = y0; j < y1; j++)
    for (int i = x0; i < x1; i++)
      sum += image->rgb[3 * ((w.y0 + j) * image->width_px + w.x0 + i) + c];
  return sum / ((x1 - x0) * (y1 - y0));
}

static void
area_means_are_the_definition_for_windows_and_enlarging(void **state)
{
  (void)state;
  gd_image image = noise(53, 47);
  const gd_window windows[] = {{0, 0, 53, 47}, {5, 7, 30, 9}, {52, 46, 53, 47}};
  const int sizes[][2] = {{17, 12}, {1, 1}, {53, 47}, {80, 60}, {24, 24}};
  uint32_t *scratch = malloc((size_t)gd_area_scratch(53, 80) * sizeof *scratch);
  float *out = malloc(80 * 60 * 3 * sizeof *out);
  for (int k = 0; k < 3; k++)
    for (int i = 0; i < 5; i++) {
      const int w = sizes[i][0], h = sizes[i][1];
      gd_area_resize(&image, windows[k], w, h, 127.5f, 0.0078125f, scratch,
                     out);
      for (int at = 0; at < w * h * 3; at++) {
        const double mean =
            area_mean(&image, windows[k], at / 3 % w, at / 3 / w, at % 3, w, h);
        assert_true(fabs(out[at] - (mean - 127.5) / 128) < 1e-6);
      }
    }
  free(scratch);
  free(out);
  gd_image_free(&image);
}

static void identity_warp_copies_the_image(void **state)
{
  (void)state;
  gd_image image = noise(32, 32);
  uint8_t out[3 * 32 * 32];
  gd_image_warp(&image, &(gd_similarity){1, 0, 0, 0}, 32, out);
  assert_memory_equal(out, image.rgb, sizeof out);
  gd_image_free(&image);
}

static void quarter_turn_moves_every_pixel_to_its_place(void **state)
{
  (void)state;
  gd_image image = noise(16, 16);
  uint8_t out[3 * 16 * 16];
  gd_image_warp(&image, &(gd_similarity){0, 1, 15, 0}, 16, out);
  for (int y = 0; y < 16; y++)
    for (int x = 0; x < 16; x++)
      assert_memory_equal(out + 3 * (x * 16 + 15 - y),
                          image.rgb + 3 * (y * 16 + x), 3);
  gd_image_free(&image);
}

/* Single-pixel stripes shrunk to a quarter: without averaging they would be
 * black or white. */
static void shrinking_warp_does_not_alias(void **state)
{
  (void)state;
  gd_image image;
  uint8_t out[3 * 16 * 16];
  assert_ok(gd_image_new(64, 64, &image));
  for (int i = 0; i < 64 * 64; i++)
    memset(image.rgb + 3 * i, i % 2 == 0 ? 0 : 255, 3);
  gd_image_warp(&image, &(gd_similarity){0.25, 0, -0.375, -0.375}, 16, out);
  for (int i = 0; i < 3 * 16 * 16; i++)
    assert_in_range(out[i], 127, 128);
  gd_image_free(&image);
}

/* Shrunk by a whole number, a pixel is the mean of the pixels that it covers:
 * the definition of antialiasing by areas. */
static void shrinking_warp_is_the_mean_of_the_covered_pixels(void **state)
{
  (void)state;
  enum { SIDE = 12 };
  gd_image image = noise(80, 70);
  uint8_t out[3 * SIDE * SIDE];
  for (int k = 1; k <= 5; k++) {
    const double by = 1.0 / k, at = (0.5 - 4) * by - 0.5; /* from pixel 4, 4 */
    const gd_window covered = {4, 4, 4 + k * SIDE, 4 + k * SIDE};
    gd_image_warp(&image, &(gd_similarity){by, 0, at, at}, SIDE, out);
    for (int i = 0; i < 3 * SIDE * SIDE; i++)
      assert_true(fabs(out[i] - area_mean(&image, covered, i / 3 % SIDE,
                                          i / 3 / SIDE, i % 3, SIDE, SIDE)) <
                  0.501);
  }
  gd_image_free(&image);
}

static void warp_outside_the_image_repeats_its_border(void **state)
{
  (void)state;
  gd_image image;
  uint8_t out[3 * 8 * 8];
  assert_ok(gd_image_new(1, 1, &image));
  memset(image.rgb, 77, 3);
  gd_image_warp(&image, &(gd_similarity){1, 0.5, -1e9, 1e9}, 8, out);
  for (size_t i = 0; i < sizeof out; i++)
    assert_int_equal(out[i], 77);
  gd_image_free(&image);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(area_means_are_the_definition_for_windows_and_enlarging),
    cmocka_unit_test(identity_warp_copies_the_image),
    cmocka_unit_test(quarter_turn_moves_every_pixel_to_its_place),
    cmocka_unit_test(shrinking_warp_does_not_alias),
    cmocka_unit_test(shrinking_warp_is_the_mean_of_the_covered_pixels),
    cmocka_unit_test(warp_outside_the_image_repeats_its_border),
};

gd_test_main(tests)
