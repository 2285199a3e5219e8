#include "gradus/detector_score.h"

#include <math.h>

#include "test.h"

/* A face of 20 px whose eyes are 10 px apart. */
static gd_face face_at(float x, float confidence)
{
  gd_face f = {.box = {x, 0, x + 20, 20}, .confidence = confidence};
  const float points[GD_N_LANDMARKS][2] = {
      {5, 5}, {15, 5}, {10, 10}, {6, 15}, {14, 15}};
  for (int i = 0; i < GD_N_LANDMARKS; i++) {
    f.landmarks[i][0] = x + points[i][0];
    f.landmarks[i][1] = points[i][1];
  }
  return f;
}

static void found_missed_and_wrong_faces_are_counted(void **state)
{
  (void)state;
  gd_detector_score s = {.least_px = 10, .least_visible = 0.75};
  const gd_labelled_image image = {
      .faces = {face_at(0, 1), face_at(100, 1), face_at(200, 1)}, .n_faces = 3};
  gd_face found[4] = {face_at(1, 0.9f), face_at(2, 0.8f), face_at(100, 0.7f),
                      face_at(300, 0.9f)};
  assert_ok(gd_detector_score_add(&s, &image, found, 4));
  assert_int_equal(s.n_faces, 3);
  assert_int_equal(s.n_found, 2);
  assert_int_equal(s.n_wrong, 2); /* the first face twice, and none */
  const gd_detector_result r = gd_detector_score_sum(&s);
  assert_true(fabs(r.recall - 2.0 / 3) < 1e-12);
  assert_true(fabs(r.precision - 0.5) < 1e-12);
  /* Five points 1 px off, five exact, in distances of 10 px. */
  assert_true(fabs(r.mean - 0.05) < 1e-6);
  assert_true(fabs(r.most - 0.1) < 1e-6);
  gd_detector_score_free(&s);
}

static void hidden_and_small_faces_do_not_count(void **state)
{
  (void)state;
  gd_detector_score s = {.least_px = 10, .least_visible = 0.75};
  gd_labelled_image image = {.faces = {face_at(0, 0.5f), face_at(100, 1)},
                             .n_faces = 2};
  image.faces[1].box[2] = 104;
  image.faces[1].box[3] = 4;
  const gd_face found[2] = {face_at(0, 0.9f), face_at(101, 0.9f)};
  assert_ok(gd_detector_score_add(&s, &image, found, 2));
  assert_int_equal(s.n_faces, 0);
  assert_int_equal(s.n_found, 0);
  assert_int_equal(s.n_wrong, 0);
  assert_true(isnan(gd_detector_score_sum(&s).mean));
  gd_detector_score_free(&s);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(found_missed_and_wrong_faces_are_counted),
    cmocka_unit_test(hidden_and_small_faces_do_not_count),
};

gd_test_main(tests)
