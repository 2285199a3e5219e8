#include "gradus/subject.h"

#include <string.h>

#include "test.h"

enum { MOST = 8 };

static gd_face face_at(float x, float side, float confidence)
{
  gd_face face = {.box = {x, 50, x + side, 50 + side},
                  .confidence = confidence};
  for (int i = 0; i < GD_N_LANDMARKS; i++)
    face.landmarks[i][0] = x + (float)i;
  return face;
}

static gd_subject *new_subject(void)
{
  gd_subject *s;
  assert_ok(gd_subject_new(&s));
  return s;
}

/* A passer-by is larger in one frame; the subject is there in all. */
static void subject_stays_when_another_face_is_larger_for_a_moment(void **state)
{
  (void)state;
  gd_subject *s = new_subject();
  gd_face_info out[MOST];
  for (int i = 0; i < 5; i++) {
    const gd_face both[2] = {face_at(300, 140, 0.99f),
                             face_at(100 + (float)i, 100, 0.98f)};
    assert_ok(i == 2 ? gd_subject_append(s, both, 2)
                     : gd_subject_append(s, both + 1, 1));
  }
  gd_subject_choose(s, GD_MISSING_DROP, 640, 480, out);
  for (int i = 0; i < 5; i++) {
    assert_int_equal(out[i].status, GD_FACE_DETECTED);
    assert_true(out[i].box[0] == 100 + (float)i);
  }
  gd_subject_free(s);
}

static void larger_of_two_lasting_faces_is_the_subject(void **state)
{
  (void)state;
  gd_subject *s = new_subject();
  gd_face_info out[MOST];
  const gd_face both[2] = {face_at(400, 60, 0.99f), face_at(100, 120, 0.99f)};
  for (int i = 0; i < 3; i++)
    assert_ok(gd_subject_append(s, both, 2));
  gd_subject_choose(s, GD_MISSING_DROP, 640, 480, out);
  for (int i = 0; i < 3; i++)
    assert_true(out[i].box[0] == 100);
  gd_subject_free(s);
}

/* The other comes nearer at the end: the whole video counts, not its end. */
static void subject_is_who_was_large_for_most_of_the_video(void **state)
{
  (void)state;
  gd_subject *s = new_subject();
  gd_face_info out[MOST];
  for (int i = 0; i < 4; i++) {
    const gd_face both[2] = {face_at(300, i < 3 ? 60 : 100, 0.99f),
                             face_at(100, i < 3 ? 100 : 80, 0.99f)};
    assert_ok(gd_subject_append(s, both, 2));
  }
  gd_subject_choose(s, GD_MISSING_DROP, 640, 480, out);
  for (int i = 0; i < 4; i++)
    assert_true(out[i].box[0] == 100);
  gd_subject_free(s);
}

/* Frames 0 and 3 have no face; 1 and 2 do. */
static void choose_with_gaps(gd_missing_policy policy, gd_face_info out[4])
{
  gd_subject *s = new_subject();
  const gd_face a = face_at(10, 50, 0.9f), b = face_at(20, 50, 0.8f);
  assert_ok(gd_subject_append(s, NULL, 0));
  assert_ok(gd_subject_append(s, &a, 1));
  assert_ok(gd_subject_append(s, &b, 1));
  assert_ok(gd_subject_append(s, NULL, 0));
  gd_subject_choose(s, policy, 640, 480, out);
  assert_int_equal(out[1].status, GD_FACE_DETECTED);
  assert_int_equal(out[2].status, GD_FACE_DETECTED);
  gd_subject_free(s);
}

static void missing_frames_follow_the_policy(void **state)
{
  (void)state;
  gd_face_info out[4];
  choose_with_gaps(GD_MISSING_DROP, out);
  assert_int_equal(out[0].status, GD_FACE_MISSING);
  assert_int_equal(out[3].status, GD_FACE_MISSING);

  choose_with_gaps(GD_MISSING_PREVIOUS, out);
  assert_int_equal(out[0].status, GD_FACE_FALLBACK);
  assert_int_equal(out[3].status, GD_FACE_FALLBACK);
  assert_true(out[0].box[0] == 10 && out[3].box[0] == 20);
  assert_true(out[3].landmarks[2][0] == 22 && out[3].confidence == 0);

  choose_with_gaps(GD_MISSING_CENTRE, out);
  assert_int_equal(out[3].status, GD_FACE_FALLBACK);
  assert_true(out[3].box[0] == 80 && out[3].box[2] == 560 &&
              out[3].box[1] == 0 && out[3].box[3] == 480);
}

static void video_without_a_face_is_missing_or_centred(void **state)
{
  (void)state;
  gd_subject *s = new_subject();
  gd_face_info out[MOST];
  const gd_face a = face_at(10, 50, 0.9f);
  assert_ok(gd_subject_append(s, &a, 1));
  gd_subject_clear(s);
  for (int i = 0; i < 3; i++)
    assert_ok(gd_subject_append(s, NULL, 0));
  gd_subject_choose(s, GD_MISSING_PREVIOUS, 100, 100, out);
  for (int i = 0; i < 3; i++)
    assert_int_equal(out[i].status, GD_FACE_MISSING);
  gd_subject_choose(s, GD_MISSING_CENTRE, 100, 100, out);
  for (int i = 0; i < 3; i++)
    assert_int_equal(out[i].status, GD_FACE_FALLBACK);
  gd_subject_free(s);
}

static void long_video_with_many_faces_grows(void **state)
{
  (void)state;
  enum { FRAMES = 3000 };
  static gd_face_info out[FRAMES];
  gd_subject *s = new_subject();
  const gd_face both[2] = {face_at(0, 10, 0.5f), face_at(100, 90, 0.9f)};
  for (int i = 0; i < FRAMES; i++)
    assert_ok(gd_subject_append(s, both, 2));
  gd_subject_choose(s, GD_MISSING_DROP, 640, 480, out);
  for (int i = 0; i < FRAMES; i++)
    assert_true(out[i].box[0] == 100);
  gd_subject_free(s);
}

static void unknown_policy_is_refused(void **state)
{
  (void)state;
  gd_missing_policy policy;
  assert_ok(gd_missing_policy_of("previous", &policy));
  assert_int_equal(policy, GD_MISSING_PREVIOUS);
  assert_fails(gd_missing_policy_of("guess", &policy), GD_ERR_USAGE, "guess");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(subject_stays_when_another_face_is_larger_for_a_moment),
    cmocka_unit_test(larger_of_two_lasting_faces_is_the_subject),
    cmocka_unit_test(subject_is_who_was_large_for_most_of_the_video),
    cmocka_unit_test(missing_frames_follow_the_policy),
    cmocka_unit_test(video_without_a_face_is_missing_or_centred),
    cmocka_unit_test(long_video_with_many_faces_grows),
    cmocka_unit_test(unknown_policy_is_refused),
};

gd_test_main(tests)
