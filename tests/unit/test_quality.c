#include "gradus/quality.h"

#include <math.h>
#include <string.h>

#include "test.h"

static gd_face_info upright(void)
{
  return (gd_face_info){.face.box = {100, 100, 200, 220},
                        .face.landmarks = {{120, 140},
                                           {180, 140},
                                           {150, 170},
                                           {125, 200},
                                           {175, 200}},
                        .face.confidence = 0.75f,
                        .sharpness = 30};
}

static void tilt_is_the_angle_of_the_eyes(void **state)
{
  (void)state;
  const float level[2][2] = {{0, 5}, {10, 5}}, right[2][2] = {{0, 0}, {7, 7}},
              left[2][2] = {{0, 0}, {0, -3}};
  assert_true(gd_face_tilt_deg(level) == 0);
  assert_true(fabs(gd_face_tilt_deg(right) - 45) < 1e-9);
  assert_true(fabs(gd_face_tilt_deg(left) + 90) < 1e-9);
}

/* Also where the head is tilted: along the line between the eyes. */
static void nose_beyond_an_eye_is_a_profile(void **state)
{
  (void)state;
  float points[5][2] = {{0, 0}, {10, 10}, {0, 12}};
  assert_false(gd_face_is_profile(points));
  points[2][0] = -14;
  assert_true(gd_face_is_profile(points));
  points[2][0] = 9;
  assert_true(gd_face_is_profile(points));
}

static void box_beyond_a_border_is_partial(void **state)
{
  (void)state;
  const float boxes[][4] = {{0, 0, 64, 48},
                            {-0.5f, 0, 64, 48},
                            {0, -1, 64, 48},
                            {0, 0, 64.5f, 48},
                            {0, 0, 64, 49}};
  for (int i = 0; i < 5; i++)
    assert_int_equal(gd_face_is_partial(boxes[i], 64, 48), i > 0);
}

/* A checkerboard of 0 and 100: the Laplacian is 400 or -400 in all of it. */
static void sharpness_is_the_variance_of_the_laplacian(void **state)
{
  (void)state;
  enum { S = 10 };
  uint8_t rgb[3 * S * S];
  for (int y = 0; y < S; y++)
    for (int x = 0; x < S; x++)
      memset(rgb + 3 * (y * S + x), (x + y) % 2 * 100, 3);
  assert_true(fabsf(gd_face_sharpness(rgb, S) - 160000) < 1);
  memset(rgb, 200, sizeof rgb);
  assert_true(gd_face_sharpness(rgb, S) == 0);
  assert_true(gd_face_sharpness(rgb, 2) == 0);
}

/* Five points move by 3 and 4 px, the eyes are 60 px apart. */
static void jitter_is_in_distances_between_the_eyes(void **state)
{
  (void)state;
  const gd_face_info a = upright();
  float moved[5][2];
  for (int i = 0; i < 5; i++) {
    moved[i][0] = a.face.landmarks[i][0] + 3;
    moved[i][1] = a.face.landmarks[i][1] - 4;
  }
  const double jitter = gd_face_jitter((const float(*)[2])a.face.landmarks,
                                       (const float(*)[2])moved);
  assert_true(fabs(jitter - 5.0 / 60) < 1e-9);
}

static void rows_hold_counts_and_means_of_detected_faces(void **state)
{
  (void)state;
  gd_quality q = {0};
  gd_text t = {0};
  gd_face_info a = upright(), b = upright();
  const gd_face_info missing = {.status = GD_FACE_MISSING},
                     tracked = {.status = GD_FACE_TRACKED,
                                .flags = GD_FACE_SEVERAL};
  a.flags = GD_FACE_SEVERAL | GD_FACE_PARTIAL;
  b.face.confidence = 0.25f;
  b.sharpness = 10;
  b.face.landmarks[0][0] += 15; /* 15 of 60 for one of five points */
  b.flags = GD_FACE_PROFILE;
  gd_quality_row(&q, &t);
  assert_string_equal(gd_text_get(&t), "0,0,0,0,0,0,0,0,,,,,");
  gd_text_free(&t);

  gd_quality_add(&q, &a, NULL);
  gd_quality_add(&q, &b, &a);
  gd_quality_add(&q, &tracked, &b);
  gd_quality_add(&q, &a, &tracked); /* no pair: one was not detected */
  gd_quality_add(&q, &missing, &a);
  gd_quality_row(&q, &t);
  assert_string_equal(gd_text_get(&t),
                      "5,3,1,0,1,3,1,2,0.5833,109.5,23.3,0.0,0.0500");
  gd_text_free(&t);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(tilt_is_the_angle_of_the_eyes),
    cmocka_unit_test(nose_beyond_an_eye_is_a_profile),
    cmocka_unit_test(box_beyond_a_border_is_partial),
    cmocka_unit_test(sharpness_is_the_variance_of_the_laplacian),
    cmocka_unit_test(jitter_is_in_distances_between_the_eyes),
    cmocka_unit_test(rows_hold_counts_and_means_of_detected_faces),
};

gd_test_main(tests)
