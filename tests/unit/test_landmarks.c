#include "gradus/landmarks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gradus/text.h"
#include "test.h"

/* The header as OpenFace writes it, without column `absent`. */
static void add_header(gd_text *t, const char *absent)
{
  gd_text_add(t, "frame, face_id, timestamp, confidence, success");
  for (int axis = 0; axis < 2; axis++)
    for (int i = 0; i < 68; i++) {
      char name[16];
      snprintf(name, sizeof name, "%c_%d", axis == 0 ? 'x' : 'y', i);
      if (strcmp(name, absent) != 0)
        gd_text_printf(t, ", %s", name);
    }
  gd_text_add(t, ", AU01_r\r\n");
}

/* Points of a row: x = shift + i, y = 2 i. */
static void add_row(gd_text *t, int frame, int face, int success, int shift)
{
  gd_text_printf(t, "%d, %d, %.3f, 0.95, %d", frame, face, frame / 30.0,
                 success);
  for (int axis = 0; axis < 2; axis++)
    for (int i = 0; i < 68; i++)
      gd_text_printf(t, ", %.1f", axis == 0 ? shift + i : 2.0 * i);
  gd_text_add(t, ", nan\r\n");
}

static const char *written(gd_text *t)
{
  const char *path = gd_test_path("clip.csv");
  assert_ok(gd_text_status(t));
  assert_ok(gd_file_write(path, gd_text_get(t), t->length_bytes));
  gd_text_free(t);
  return path;
}

static void five_points_come_from_sixty_eight(void **state)
{
  (void)state;
  gd_text t = {0};
  gd_landmarks *l;
  const gd_face *faces;
  add_header(&t, "");
  add_row(&t, 1, 0, 1, 100);
  add_row(&t, 2, 0, 0, 0);
  add_row(&t, 3, 0, 1, 200);
  add_row(&t, 3, 1, 1, 300);
  assert_ok(gd_landmarks_read(written(&t), &l));

  assert_int_equal(gd_landmarks_at(l, 0, &faces), 1);
  const float want[5][2] = {
      {138.5f, 77}, {144.5f, 89}, {130, 60}, {148, 96}, {154, 108}};
  for (int i = 0; i < 5; i++)
    for (int c = 0; c < 2; c++)
      assert_true(fabsf(faces[0].landmarks[i][c] - want[i][c]) < 1e-4f);
  assert_true(faces[0].box[0] == 100 && faces[0].box[2] == 167);
  assert_true(faces[0].box[1] == 0 && faces[0].box[3] == 134);
  assert_true(fabsf(faces[0].confidence - 0.95f) < 1e-6f);

  assert_int_equal(gd_landmarks_at(l, 1, &faces), 0);
  assert_int_equal(gd_landmarks_at(l, 2, &faces), 2);
  assert_true(faces[1].box[0] == 300);
  assert_int_equal(gd_landmarks_at(l, 3, &faces), 0);
  assert_int_equal(gd_landmarks_at(l, -1, &faces), 0);
  gd_landmarks_free(l);
}

static void frames_that_begin_at_zero_count_from_zero(void **state)
{
  (void)state;
  gd_text t = {0};
  gd_landmarks *l;
  const gd_face *faces;
  add_header(&t, "");
  add_row(&t, 0, 0, 1, 10);
  add_row(&t, 1, 0, 1, 20);
  assert_ok(gd_landmarks_read(written(&t), &l));
  assert_int_equal(gd_landmarks_at(l, 1, &faces), 1);
  assert_true(faces[0].box[0] == 20);
  gd_landmarks_free(l);
}

static void faults_are_named_with_their_line(void **state)
{
  (void)state;
  gd_landmarks *l;
  gd_text t = {0};
  assert_fails(gd_landmarks_read("/nonexistent.csv", &l), GD_ERR_IO,
               "/nonexistent.csv");
  assert_fails(gd_landmarks_read(written(&t), &l), GD_ERR_FORMAT,
               "clip.csv:1: no column called frame");

  add_header(&t, "y_54");
  add_row(&t, 1, 0, 1, 0);
  assert_fails(gd_landmarks_read(written(&t), &l), GD_ERR_FORMAT,
               "clip.csv:1: no column called y_54");

  add_header(&t, "");
  assert_fails(gd_landmarks_read(written(&t), &l), GD_ERR_FORMAT,
               "no row behind the header");

  add_header(&t, "");
  add_row(&t, 1, 0, 1, 0);
  gd_text_add(&t, "2, 0, 0.1, 1, 1, 5\n");
  assert_fails(gd_landmarks_read(written(&t), &l), GD_ERR_FORMAT,
               "clip.csv:3: 6 values, the header has 142");

  add_header(&t, "");
  add_row(&t, 2, 0, 1, 0);
  add_row(&t, 1, 0, 1, 0);
  assert_fails(gd_landmarks_read(written(&t), &l), GD_ERR_FORMAT,
               "clip.csv:3: frame 1 after frame 2");

  add_header(&t, "");
  add_row(&t, 1, 0, 1, 0);
  strstr(t.data, "67.0")[0] = 'x';
  assert_fails(gd_landmarks_read(written(&t), &l), GD_ERR_FORMAT,
               "clip.csv:2: not a number: x7.0");

  gd_text_bytes(&t, "frame\0,x", 8);
  assert_fails(gd_landmarks_read(written(&t), &l), GD_ERR_FORMAT, "no text");
  assert_null(l);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(five_points_come_from_sixty_eight),
    cmocka_unit_test(frames_that_begin_at_zero_count_from_zero),
    cmocka_unit_test(faults_are_named_with_their_line),
};

gd_test_main(tests)
