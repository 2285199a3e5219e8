#include "face/looks.h"

#include <math.h>

#include "test.h"

/* A box and landmarks that are level, turned by `roll` about the box's centre
 * (25, 40). */
static gd_box face_turned(double roll)
{
  static const double level[GD_N_LANDMARKS][2] = {
      {-8, -9}, {10, -9}, {1, 2}, {-6, 11}, {7, 11}};
  gd_box face = {.x1 = 10, .y1 = 20, .x2 = 40, .y2 = 60};
  for (int i = 0; i < GD_N_LANDMARKS; i++) {
    face.landmarks[i][0] =
        (float)(25 + cos(roll) * level[i][0] - sin(roll) * level[i][1]);
    face.landmarks[i][1] =
        (float)(40 + sin(roll) * level[i][0] + cos(roll) * level[i][1]);
  }
  return face;
}

static void look_is_a_square_that_is_turned_as_the_face_is(void **state)
{
  (void)state;
  for (double roll = -3; roll <= 3; roll += 0.75) {
    const gd_box face = face_turned(roll);
    const gd_look look = gd_look_at(&face);
    assert_true(look.x == 25 && look.y == 40 && look.side == 40);
    assert_true(fabs(look.roll - roll) < 1e-6);
  }
}

static void other_looks_are_about_the_first_one(void **state)
{
  (void)state;
  const gd_box face = face_turned(0.5);
  const gd_look look = gd_look_at(&face);
  double x = 0, y = 0;
  for (int k = 0; k < GD_N_LOOKS; k++) {
    const gd_look other = gd_look_beside(look, k);
    assert_true(other.roll == look.roll);
    assert_true(k == 0 ? other.side == 40 : fabs(other.side - 40) > 1);
    assert_true(k == 0 || hypot(other.x - 25, other.y - 40) > 1);
    x += other.x;
    y += other.y;
  }
  assert_true(fabs(x / GD_N_LOOKS - 25) < 1e-9);
  assert_true(fabs(y / GD_N_LOOKS - 40) < 1e-9);
}

static void looks_that_cannot_be_taken_are_told(void **state)
{
  (void)state;
  const gd_look fine = {.x = 1, .y = 2, .side = 3, .roll = 4};
  const double bad[] = {NAN, INFINITY, -INFINITY, 1e7};
  assert_true(gd_look_is_sane(fine));
  for (int i = 0; i < 4; i++) {
    gd_look looks[4] = {fine, fine, fine, fine};
    looks[0].x = looks[1].y = looks[2].side = bad[i];
    looks[3].roll = i < 3 ? bad[i] : NAN;
    for (int k = 0; k < 4; k++)
      assert_false(gd_look_is_sane(looks[k]));
  }
  assert_false(gd_look_is_sane((gd_look){.x = 1, .y = 2, .side = 0}));
}

/* Draw a blot about a place of a black image. */
static void draw_blot(const gd_image *image, const float place[2])
{
  for (int y = 0; y < image->height_px; y++)
    for (int x = 0; x < image->width_px; x++) {
      const double far =
          hypot(x + 0.5 - (double)place[0], y + 0.5 - (double)place[1]);
      for (int c = 0; c < 3; c++)
        image->rgb[3 * (y * image->width_px + x) + c] =
            (uint8_t)(250 * exp(-far * far / 8));
    }
}

/* Where it is in a crop, in sides. */
static void find_blot(const float *crop, float *x, float *y)
{
  double mass = 0, across = 0, down = 0;
  for (int at = 0; at < GD_LOOK_PX * GD_LOOK_PX; at++) {
    const double value = (double)crop[3 * at];
    mass += value;
    across += value * (at % GD_LOOK_PX + 0.5);
    down += value * (at / GD_LOOK_PX + 0.5);
  }
  *x = (float)(across / mass / GD_LOOK_PX);
  *y = (float)(down / mass / GD_LOOK_PX);
}

static void check_landmark(gd_look look, const gd_image *image, int landmark,
                           const float place[2])
{
  enum { CROP = GD_LOOK_PX * GD_LOOK_PX * 3 };
  static const int mirrored[GD_N_LANDMARKS] = {1, 0, 2, 4, 3};
  static const float offset[4] = {0};
  static float crops[2][CROP];
  gd_look_take(look, image, 0, 1, crops[0]);
  gd_look_mirror(crops[0], crops[1]);
  for (int k = 0; k < 2; k++) {
    const int told = k == 0 ? landmark : mirrored[landmark];
    float points[2 * GD_N_LANDMARKS] = {0};
    gd_box sum = {0};
    find_blot(crops[k], &points[told], &points[GD_N_LANDMARKS + told]);
    gd_look_add(look, offset, points, k, &sum);
    for (int c = 0; c < 2; c++)
      assert_true(fabsf(sum.landmarks[landmark][c] - place[c]) < 0.1f);
  }
}

/* What is told of a crop, or of its mirror image, where the left eye is the
 * right one, lies where it is in the image. */
static void crop_and_its_mirror_image_tell_where_the_landmarks_are(void **state)
{
  (void)state;
  gd_image image;
  assert_ok(gd_image_new(60, 80, &image));
  for (double roll = -0.6; roll <= 0.6; roll += 0.4) {
    const gd_box face = face_turned(roll);
    for (int i = 0; i < GD_N_LANDMARKS; i++) {
      draw_blot(&image, face.landmarks[i]);
      check_landmark(gd_look_at(&face), &image, i, face.landmarks[i]);
    }
  }
  gd_image_free(&image);
}

/* A box that is not where the look is: moved and turned along with it. */
static void box_that_is_told_turns_with_the_look(void **state)
{
  (void)state;
  const double quarter = acos(0);
  const gd_look look = {.x = 50, .y = 60, .side = 20, .roll = quarter};
  const float offset[4] = {0.2f, 0.1f, 0, 0.3f}, points[10] = {0};
  gd_box straight = {0}, mirror = {0};
  gd_look_add(look, offset, points, 0, &straight);
  gd_look_add(look, offset, points, 1, &mirror);
  /* 16 x 24, 2 to the right and 4 down: down is to the left in the image. */
  assert_true(fabsf(straight.x1 - (46 - 8)) < 1e-4f);
  assert_true(fabsf(straight.x2 - (46 + 8)) < 1e-4f);
  assert_true(fabsf(straight.y1 - (62 - 12)) < 1e-4f);
  assert_true(fabsf(straight.y2 - (62 + 12)) < 1e-4f);
  assert_true(fabsf(mirror.x1 - straight.x1) < 1e-4f);
  assert_true(fabsf(mirror.y1 - (58 - 12)) < 1e-4f);
}

static void what_is_wanted_of_a_look_is_the_face(void **state)
{
  (void)state;
  const gd_box face = face_turned(0.3);
  gd_look look = gd_look_at(&face);
  float offset[4], points[2 * GD_N_LANDMARKS];
  look.x += 2, look.y -= 3, look.side *= 1.1, look.roll -= 0.1;
  gd_box sum = {0};
  gd_look_want(look, &face, offset, points);
  gd_look_add(look, offset, points, 0, &sum);
  assert_true(fabsf(sum.x1 - 10) < 1e-4f && fabsf(sum.y1 - 20) < 1e-4f);
  assert_true(fabsf(sum.x2 - 40) < 1e-4f && fabsf(sum.y2 - 60) < 1e-4f);
  for (int i = 0; i < GD_N_LANDMARKS; i++)
    for (int c = 0; c < 2; c++)
      assert_true(fabsf(sum.landmarks[i][c] - face.landmarks[i][c]) < 1e-4f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(look_is_a_square_that_is_turned_as_the_face_is),
    cmocka_unit_test(other_looks_are_about_the_first_one),
    cmocka_unit_test(looks_that_cannot_be_taken_are_told),
    cmocka_unit_test(crop_and_its_mirror_image_tell_where_the_landmarks_are),
    cmocka_unit_test(box_that_is_told_turns_with_the_look),
    cmocka_unit_test(what_is_wanted_of_a_look_is_the_face),
};

gd_test_main(tests)
