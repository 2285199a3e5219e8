#include "gradus/augment.h"

#include <math.h>
#include <string.h>

#include "gradus/random.h"
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

enum { SIDE = 32, ITEMS = SIDE * SIDE * 3 };

static void draw_face(uint8_t rgb[ITEMS])
{
  gd_random r = gd_random_of(2, GD_FOR_TESTS, 0, 0);
  for (int i = 0; i < ITEMS; i++)
    rgb[i] = (uint8_t)gd_random_below(&r, 256);
}

static void change(const gd_augment_draw *d, const uint8_t *rgb, uint8_t *out)
{
  uint8_t scratch[ITEMS];
  memcpy(out, rgb, ITEMS);
  gd_augment_change(d, SIDE, out, scratch);
}

static void nothing_drawn_changes_nothing(void **state)
{
  (void)state;
  uint8_t rgb[ITEMS], out[ITEMS];
  const gd_augment none = {0}, flip = {.flip = 1};
  draw_face(rgb);
  for (int i = 0; i < 20; i++) {
    gd_augment_draw d = gd_augment_of(i % 2 ? &none : &flip, 5, 2, i);
    change(&d, rgb, out);
    assert_memory_equal(rgb, out, ITEMS);
  }
}

/* That one is switched on does not change what another does. */
static void draws_stay_within_their_limits_and_apart(void **state)
{
  (void)state;
  const gd_augment all = {.flip = 1,
                          .rotate = 10,
                          .scale = 0.2,
                          .shift = 0.1,
                          .brightness = 0.3,
                          .contrast = 0.4,
                          .grey = 0.25,
                          .erase = 0.5};
  const gd_augment shift = {.shift = 0.1};
  double most[6] = {0};
  int grey = 0, erased = 0;
  for (int i = 0; i < 2000; i++) {
    const gd_augment_draw d = gd_augment_of(&all, 5, 2, i);
    const gd_augment_draw e = gd_augment_of(&shift, 5, 2, i);
    const double sizes[6] = {d.rotate / 10,      d.scale / 0.2,
                             d.shift_x / 0.1,    d.shift_y / 0.1,
                             d.brightness / 0.3, d.contrast / 0.4};
    for (int k = 0; k < 6; k++)
      most[k] = fmax(most[k], fabs(sizes[k]));
    assert_true(d.shift_x == e.shift_x && d.shift_y == e.shift_y);
    assert_true(e.rotate == 0 && e.erase == 0 && !e.grey && !e.flip);
    assert_true(d.erase == 0 || (d.erase >= 0.02 && d.erase <= 0.33));
    grey += d.grey;
    erased += d.erase > 0;
  }
  for (int k = 0; k < 6; k++)
    assert_true(most[k] <= 1 && most[k] > 0.99);
  assert_in_range(grey, 440, 560);
  assert_in_range(erased, 930, 1070);
}

/* A quarter turn, a doubling and a shift by whole pixels, of a dot. */
static void warp_turns_scales_and_shifts_about_the_centre(void **state)
{
  (void)state;
  uint8_t rgb[ITEMS] = {0}, out[ITEMS];
  const int x = 20, y = 10;
  memset(rgb + 3 * (y * SIDE + x), 255, 3);
  change(&(gd_augment_draw){.rotate = 90}, rgb, out);
  /* (x - c, y - c) goes to (c - y, x - c) about c = 15.5. */
  assert_int_equal(out[3 * ((x)*SIDE + (31 - y))], 255);
  change(&(gd_augment_draw){.shift_x = 2.0 / SIDE, .shift_y = -3.0 / SIDE}, rgb,
         out);
  assert_int_equal(out[3 * ((y - 3) * SIDE + x + 2)], 255);
  change(&(gd_augment_draw){.scale = 1}, rgb, out);
  /* 15.5 + 2 (20 - 15.5) = 24.5, 15.5 + 2 (10 - 15.5) = 4.5 */
  assert_int_equal(out[3 * (4 * SIDE + 24)], out[3 * (5 * SIDE + 25)]);
  assert_true(out[3 * (4 * SIDE + 24)] > 100);
  assert_int_equal(out[3 * (y * SIDE + x)], 0);
}

static void colours_follow_their_definitions(void **state)
{
  (void)state;
  uint8_t rgb[ITEMS], out[ITEMS];
  const gd_augment_draw d = {.brightness = 0.25, .contrast = -0.5},
                        both = {.brightness = 0.25, .contrast = 0.5, .grey = 1};
  double mean = 0;
  draw_face(rgb);
  for (int i = 0; i < ITEMS; i++)
    mean += (i % 3 == 0   ? 0.299
             : i % 3 == 1 ? 0.587
                          : 0.114) *
            fmin(255, 1.25 * rgb[i]) / (SIDE * SIDE);
  change(&d, rgb, out);
  for (int i = 0; i < ITEMS; i++)
    assert_float_equal(out[i], 0.5 * (mean + fmin(255, 1.25 * rgb[i])), 0.501);
  change(&both, rgb, out);
  for (int i = 0; i < ITEMS; i += 3) {
    double grey = 0;
    for (int c = 0; c < 3; c++) {
      const double v = mean + 1.5 * (fmin(255, 1.25 * rgb[i + c]) - mean);
      grey += (c == 0 ? 0.299 : c == 1 ? 0.587 : 0.114) * fmin(255, fmax(0, v));
    }
    assert_float_equal(out[i], grey, 0.501);
    assert_true(out[i] == out[i + 1] && out[i] == out[i + 2]);
  }
}

static void erasing_takes_a_rectangle_of_the_drawn_area(void **state)
{
  (void)state;
  const gd_augment a = {.erase = 1};
  uint8_t rgb[ITEMS] = {0}, out[ITEMS];
  for (int i = 0; i < 200; i++) {
    const gd_augment_draw d = gd_augment_of(&a, 1, 0, i);
    int x0 = SIDE, x1 = -1, y0 = SIDE, y1 = -1, n = 0;
    change(&d, rgb, out);
    for (int p = 0; p < SIDE * SIDE; p++)
      if (out[3 * p] == 127) {
        n++;
        x0 = p % SIDE < x0 ? p % SIDE : x0;
        x1 = p % SIDE > x1 ? p % SIDE : x1;
        y0 = p / SIDE < y0 ? p / SIDE : y0;
        y1 = p / SIDE > y1 ? p / SIDE : y1;
      }
    assert_int_equal(n, (x1 - x0 + 1) * (y1 - y0 + 1));
    assert_true(fabs(n - d.erase * SIDE * SIDE) < 0.1 * SIDE * SIDE);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(pixels_are_normalised_about_zero),
    cmocka_unit_test(channels_and_scale_are_the_networks_own),
    cmocka_unit_test(flip_mirrors_columns_and_keeps_colours),
    cmocka_unit_test(nothing_drawn_changes_nothing),
    cmocka_unit_test(draws_stay_within_their_limits_and_apart),
    cmocka_unit_test(warp_turns_scales_and_shifts_about_the_centre),
    cmocka_unit_test(colours_follow_their_definitions),
    cmocka_unit_test(erasing_takes_a_rectangle_of_the_drawn_area),
    cmocka_unit_test(half_of_the_samples_are_flipped_and_always_the_same),
};

gd_test_main(tests)
