#include "gradus/augment.h"

#include "test.h"

enum { S = 4 };

static const gd_normalisation usual = {.mean = {127.5, 127.5, 127.5},
                                       .deviation = {128, 128, 128}};

static void pixels_are_normalised_about_zero(void **state)
{
  (void)state;
  uint8_t rgb[S * S * 3];
  float x[S * S * 3];
  for (int i = 0; i < S * S * 3; i++)
    rgb[i] = (uint8_t)(i * 5);
  rgb[0] = 0, rgb[1] = 255;
  const gd_augment_draw nothing = {0};
  gd_augment_apply(&nothing, &usual, S, rgb, x);
  assert_true(x[0] == -127.5f / 128 && x[1] == 127.5f / 128);
  for (int i = 0; i < S * S * 3; i++)
    assert_true(x[i] == ((float)rgb[i] - 127.5f) / 128.0f);
}

static void channels_and_scale_are_the_networks_own(void **state)
{
  (void)state;
  const gd_normalisation bgr = {
      .is_bgr = 1, .mean = {131, 104, 91}, .deviation = {1, 2, 4}};
  const uint8_t rgb[3] = {200, 100, 50};
  float x[3];
  gd_augment_apply(&(gd_augment_draw){0}, &bgr, 1, rgb, x);
  assert_true(x[0] == -10.25f && x[1] == -2 && x[2] == 69);
}

static void flip_mirrors_columns_and_keeps_colours(void **state)
{
  (void)state;
  uint8_t rgb[S * S * 3];
  float x[S * S * 3], mirrored[S * S * 3];
  for (int i = 0; i < S * S * 3; i++)
    rgb[i] = (uint8_t)(i * 5);
  gd_augment_apply(&(gd_augment_draw){0}, &usual, S, rgb, x);
  gd_augment_apply(&(gd_augment_draw){.flip = 1}, &usual, S, rgb, mirrored);
  for (int row = 0; row < S; row++)
    for (int column = 0; column < S; column++)
      for (int c = 0; c < 3; c++)
        assert_true(mirrored[(row * S + column) * 3 + c] ==
                    x[(row * S + S - 1 - column) * 3 + c]);
}

static void half_of_the_samples_are_flipped_and_always_the_same(void **state)
{
  (void)state;
  const gd_augment a = {.flip = 1}, none = {0};
  int flips = 0, changed = 0;
  for (int i = 0; i < 1000; i++) {
    const gd_augment_draw d = gd_augment_of(&a, 5, 2, i);
    flips += d.flip;
    changed += d.flip != gd_augment_of(&a, 5, 3, i).flip;
    assert_int_equal(d.flip, gd_augment_of(&a, 5, 2, i).flip);
    assert_int_equal(gd_augment_of(&none, 5, 2, i).flip, 0);
  }
  assert_in_range(flips, 450, 550);
  assert_in_range(changed, 400, 600);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(pixels_are_normalised_about_zero),
    cmocka_unit_test(channels_and_scale_are_the_networks_own),
    cmocka_unit_test(flip_mirrors_columns_and_keeps_colours),
    cmocka_unit_test(half_of_the_samples_are_flipped_and_always_the_same),
};

gd_test_main(tests)
