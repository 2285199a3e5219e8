#include "face/looks.h"

#include <math.h>

#include "test.h"

static void first_look_is_the_square_and_the_others_are_about_it(void **state)
{
  (void)state;
  const gd_box box = {.x1 = 10, .y1 = 20, .x2 = 40, .y2 = 60};
  float x = 0, y = 0;
  for (int k = 0; k < GD_N_LOOKS; k++) {
    const gd_box look = gd_look_at(&box, k);
    const double width = (double)look.x2 - (double)look.x1;
    const double height = (double)look.y2 - (double)look.y1;
    assert_true(fabs(width - height) < 1e-4);
    assert_true(k == 0 ? width == 40 : fabs(width - 40) > 2);
    x += 0.5f * (look.x1 + look.x2);
    y += 0.5f * (look.y1 + look.y2);
  }
  const gd_box first = gd_look_at(&box, 0);
  assert_true(first.x1 == 5 && first.y1 == 20 && first.x2 == 45);
  assert_true(fabsf(x / GD_N_LOOKS - 25) < 1e-4f);
  assert_true(fabsf(y / GD_N_LOOKS - 40) < 1e-4f);
}

/* Landmarks at known pixels of a crop, and at those that show the same in its
 * mirror image, where the left eye is the right one. */
static void crop_and_its_mirror_image_tell_the_same_landmarks(void **state)
{
  (void)state;
  enum { SIDE = 8 };
  static const int places[GD_N_LANDMARKS][2] = {
      {1, 2}, {6, 1}, {4, 4}, {2, 6}, {5, 7}};
  static const int mirrored[GD_N_LANDMARKS] = {1, 0, 2, 4, 3};
  const gd_window window = {.x0 = 30, .y0 = 10, .x1 = 46, .y1 = 34};
  float crop[SIDE * SIDE * 3] = {0}, mirror[SIDE * SIDE * 3];
  float points[2][2 * GD_N_LANDMARKS], sums[2][GD_N_LANDMARKS][2] = {{{0}}};
  for (int i = 0; i < GD_N_LANDMARKS; i++)
    crop[3 * (places[i][1] * SIDE + places[i][0]) + 1] = (float)(i + 1);
  gd_look_mirror(SIDE, crop, mirror);
  for (int at = 0; at < SIDE * SIDE; at++) {
    const float x = ((float)(at % SIDE) + 0.5f) / SIDE;
    const float y = ((float)(at / SIDE) + 0.5f) / SIDE;
    const int here = (int)crop[3 * at + 1] - 1;
    const int there = (int)mirror[3 * at + 1] - 1;
    if (here >= 0) {
      points[0][here] = x;
      points[0][GD_N_LANDMARKS + here] = y;
    }
    if (there >= 0) {
      points[1][mirrored[there]] = x;
      points[1][GD_N_LANDMARKS + mirrored[there]] = y;
    }
  }
  for (int k = 0; k < 2; k++)
    gd_look_add(points[k], window, k, sums[k]);
  for (int i = 0; i < GD_N_LANDMARKS; i++) {
    assert_true(sums[0][i][0] == 31 + 2 * (float)places[i][0]);
    assert_true(sums[0][i][1] == 11.5f + 3 * (float)places[i][1]);
    for (int c = 0; c < 2; c++)
      assert_true(fabsf(sums[0][i][c] - sums[1][i][c]) < 1e-4f);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(first_look_is_the_square_and_the_others_are_about_it),
    cmocka_unit_test(crop_and_its_mirror_image_tell_the_same_landmarks),
};

gd_test_main(tests)
