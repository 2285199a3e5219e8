#include "gradus/subject.h"

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

static void choose(gd_subject *s, gd_missing_policy missing, int64_t max_gap,
                   gd_face_info *out)
{
  const gd_subject_rules rules = {.max_gap = max_gap,
                                  .missing = missing,
                                  .stand_in = {.box = {80, 0, 560, 480}}};
  gd_subject_choose(s, &rules, out);
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
  choose(s, GD_MISSING_DROP, 0, out);
  for (int i = 0; i < 5; i++) {
    assert_int_equal(out[i].status, GD_FACE_DETECTED);
    assert_true(out[i].face.box[0] == 100 + (float)i);
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
  choose(s, GD_MISSING_DROP, 0, out);
  for (int i = 0; i < 3; i++)
    assert_true(out[i].face.box[0] == 100);
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
  choose(s, GD_MISSING_DROP, 0, out);
  for (int i = 0; i < 4; i++)
    assert_true(out[i].face.box[0] == 100);
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
  choose(s, policy, 0, out);
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
  assert_true(out[0].face.box[0] == 10 && out[3].face.box[0] == 20);
  assert_true(out[3].face.landmarks[2][0] == 22 && out[3].face.confidence == 0);

  choose_with_gaps(GD_MISSING_CENTRE, out);
  assert_int_equal(out[3].status, GD_FACE_FALLBACK);
  assert_true(out[3].face.box[0] == 80 && out[3].face.box[2] == 560 &&
              out[3].face.box[1] == 0 && out[3].face.box[3] == 480);
}

/* A face in the frames that a text marks with its letter's place; the letters
 * a, b, c stand 10 px apart, '.' is none. */
static void choose_along(const char *frames, int64_t max_gap,
                         gd_missing_policy missing, gd_face_info *out)
{
  gd_subject *s = new_subject();
  for (const char *c = frames; *c != '\0'; c++) {
    const gd_face face = face_at(10 * (float)(*c - 'a'), 50, 0.9f);
    assert_ok(gd_subject_append(s, &face, *c != '.'));
  }
  choose(s, missing, max_gap, out);
  gd_subject_free(s);
}

/* d = detected, t = tracked, f = fallback, m = missing. */
static void expect_statuses(const char *want, const gd_face_info *out)
{
  for (int i = 0; want[i] != '\0'; i++)
    if ("dtfm"[out[i].status] != want[i])
      fail_msg("frame %d of %s has status %d", i, want, (int)out[i].status);
}

static void gap_of_max_gap_is_interpolated_and_a_longer_one_is_not(void **state)
{
  (void)state;
  gd_face_info out[MOST];
  choose_along("a..d", 2, GD_MISSING_DROP, out);
  expect_statuses("dttd", out);
  assert_true(out[1].face.box[0] == 10 && out[2].face.box[2] == 70);
  assert_true(out[1].face.landmarks[3][0] == 13 &&
              out[2].face.landmarks[0][0] == 20);
  assert_true(out[1].face.confidence == 0 && out[1].flags == 0);

  choose_along("a...e", 2, GD_MISSING_DROP, out);
  expect_statuses("dmmmd", out);
  choose_along("a.c", 0, GD_MISSING_DROP, out);
  expect_statuses("dmd", out);
}

/* Both ends are no gaps; `missing` fills what is not interpolated. */
static void ends_and_long_gaps_follow_the_policy(void **state)
{
  (void)state;
  gd_face_info out[MOST];
  choose_along(".a.b...", 5, GD_MISSING_DROP, out);
  expect_statuses("mdtdmmm", out);
  choose_along(".a.b...", 5, GD_MISSING_PREVIOUS, out);
  expect_statuses("fdtdfff", out);
  assert_true(out[0].face.box[0] == 0 && out[6].face.box[0] == 10);
  choose_along("a.b..c.", 1, GD_MISSING_CENTRE, out);
  expect_statuses("dtdffdf", out);
  assert_true(out[3].face.box[0] == 80);
}

/* From one end of the frame to the other within a frame: a cut. */
static void faces_too_far_apart_are_not_interpolated(void **state)
{
  (void)state;
  gd_face_info out[MOST];
  choose_along("a.z", 3, GD_MISSING_DROP, out);
  expect_statuses("dmd", out);
}

/* The subject looks away for four frames; someone far behind does not. */
static void background_face_does_not_stand_in_for_the_subject(void **state)
{
  (void)state;
  enum { FRAMES = 10 };
  gd_face_info out[FRAMES];
  gd_subject *s = new_subject();
  const gd_face both[2] = {face_at(100, 100, 0.99f), face_at(500, 30, 0.99f)};
  for (int i = 0; i < FRAMES; i++)
    assert_ok(i >= 3 && i < 7 ? gd_subject_append(s, both + 1, 1)
                              : gd_subject_append(s, both, 2));
  choose(s, GD_MISSING_DROP, 4, out);
  expect_statuses("dddttttddd", out);
  assert_true(out[3].face.box[0] == 100);
  assert_int_equal(out[2].flags, GD_FACE_SEVERAL);
  assert_int_equal(out[3].flags, 0);
  gd_subject_free(s);
}

/* One who moves to another place within a frame and back is still there: of
 * the same size, it is the same person, though seen less surely. */
static void subject_that_jumps_is_followed(void **state)
{
  (void)state;
  gd_face_info out[MOST];
  gd_subject *s = new_subject();
  for (int i = 0; i < 5; i++) {
    const gd_face face =
        i == 2 ? face_at(250, 50, 0.8f) : face_at(0, 50, 0.99f);
    assert_ok(gd_subject_append(s, &face, 1));
  }
  choose(s, GD_MISSING_DROP, 1, out);
  expect_statuses("ddddd", out);
  gd_subject_free(s);
}

/* Two persons of nearly the same size cross; the larger one is the subject. */
static void persons_who_cross_are_told_apart(void **state)
{
  (void)state;
  enum { FRAMES = 21 };
  gd_face_info out[FRAMES];
  gd_subject *s = new_subject();
  for (int i = 0; i < FRAMES; i++) {
    const gd_face both[2] = {face_at(300 - 15 * (float)i, 90, 0.99f),
                             face_at(15 * (float)i, 100, 0.99f)};
    assert_ok(gd_subject_append(s, both, 2));
  }
  choose(s, GD_MISSING_DROP, 0, out);
  for (int i = 0; i < FRAMES; i++)
    assert_true(out[i].face.box[0] == 15 * (float)i);
  gd_subject_free(s);
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
  choose(s, GD_MISSING_PREVIOUS, 0, out);
  for (int i = 0; i < 3; i++)
    assert_int_equal(out[i].status, GD_FACE_MISSING);
  choose(s, GD_MISSING_CENTRE, 0, out);
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
  choose(s, GD_MISSING_DROP, 0, out);
  for (int i = 0; i < FRAMES; i++)
    assert_true(out[i].face.box[0] == 100);
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
    cmocka_unit_test(gap_of_max_gap_is_interpolated_and_a_longer_one_is_not),
    cmocka_unit_test(ends_and_long_gaps_follow_the_policy),
    cmocka_unit_test(faces_too_far_apart_are_not_interpolated),
    cmocka_unit_test(background_face_does_not_stand_in_for_the_subject),
    cmocka_unit_test(subject_that_jumps_is_followed),
    cmocka_unit_test(persons_who_cross_are_told_apart),
    cmocka_unit_test(video_without_a_face_is_missing_or_centred),
    cmocka_unit_test(long_video_with_many_faces_grows),
    cmocka_unit_test(unknown_policy_is_refused),
};

gd_test_main(tests)
