/* Tracking over drawn-up scenes: who is where in each frame is known, and who
 * is followed is found if he is still nearly there. */
#include "gradus/tracker.h"

#include <string.h>

#include "test.h"

enum { MOST = 64, PERSONS = 17 };

/* A person in a frame; side 0: not there. */
typedef struct {
  float x, side;
} place;

typedef struct {
  place places[MOST][PERSONS];
  int n_frames;
  int whole[MOST], parts[MOST]; /* searches of each frame */
  gd_face found[PERSONS];
  int fails_at;
} scene;

static gd_face face_of(place p)
{
  gd_face face = {.box = {p.x, 50, p.x + p.side, 50 + p.side},
                  .confidence = 0.99f};
  for (int i = 0; i < GD_N_LANDMARKS; i++)
    face.landmarks[i][0] = p.x + (float)i;
  return face;
}

/* Does a later person stand in front of this one? */
static int is_hidden(const scene *s, int64_t frame, int person)
{
  const gd_face face = face_of(s->places[frame][person]);
  for (int p = person + 1; p < PERSONS; p++) {
    const gd_face other = face_of(s->places[frame][p]);
    if (gd_face_overlap(&face, &other) > 0.5)
      return 1;
  }
  return 0;
}

static int is_seen(const scene *s, int64_t frame, int person)
{
  return s->places[frame][person].side > 0 && !is_hidden(s, frame, person);
}

/* Is one of the faces that were followed most likely this person? */
static int is_followed(const scene *s, int64_t frame, int person,
                       const gd_face *before, int n)
{
  for (int i = 0; i < n; i++) {
    double most = 0.3;
    int best = -1;
    for (int p = 0; p < PERSONS; p++) {
      const gd_face face = face_of(s->places[frame][p]);
      const double overlap = gd_face_overlap(&before[i], &face);
      if (is_seen(s, frame, p) && overlap > most) {
        most = overlap;
        best = p;
      }
    }
    if (best == person)
      return 1;
  }
  return 0;
}

static gd_status search(void *context, int64_t frame, const gd_face *before,
                        int n_before, const gd_face **faces, int *n)
{
  scene *s = context;
  *n = 0;
  *faces = s->found;
  if (frame == s->fails_at)
    return gd_fail(GD_ERR_FORMAT, "frame %d is broken", (int)frame);
  (before == NULL ? s->whole : s->parts)[frame]++;
  for (int p = 0; p < PERSONS; p++)
    if (is_seen(s, frame, p) &&
        (before == NULL || is_followed(s, frame, p, before, n_before)))
      s->found[(*n)++] = face_of(s->places[frame][p]);
  assert_true(before == NULL || *n <= n_before);
  return GD_OK;
}

static scene empty_scene(int n_frames)
{
  return (scene){.n_frames = n_frames, .fails_at = -1};
}

static void run(scene *s, int64_t every, gd_face_info *out)
{
  const gd_tracker_search how = {.search = search, .context = s};
  const gd_subject_rules rules = {.max_gap = 0};
  gd_subject *subject;
  memset(s->whole, 0, sizeof s->whole);
  memset(s->parts, 0, sizeof s->parts);
  assert_ok(gd_subject_new(&subject));
  assert_ok(gd_tracker_run(s->n_frames, every, &how, subject));
  gd_subject_choose(subject, &rules, out);
  gd_subject_free(subject);
}

static void every_frame_is_searched_whole_once_at_one(void **state)
{
  (void)state;
  gd_face_info out[MOST];
  scene s = empty_scene(12);
  for (int i = 0; i < s.n_frames; i++)
    s.places[i][0] = (place){10 * (float)i, 100};
  run(&s, 1, out);
  for (int i = 0; i < s.n_frames; i++) {
    assert_int_equal(s.whole[i], 1);
    assert_int_equal(s.parts[i], 0);
    assert_true(out[i].face.box[0] == 10 * (float)i);
  }
}

/* A face that moves by a fifth of its size per frame and grows is never lost:
 * only anchors are searched whole. */
static void moving_face_is_followed_without_full_searches(void **state)
{
  (void)state;
  gd_face_info out[MOST];
  scene s = empty_scene(23);
  for (int i = 0; i < s.n_frames; i++)
    s.places[i][0] = (place){20 * (float)i, 100 + 5 * (float)i};
  run(&s, 10, out);
  for (int i = 0; i < s.n_frames; i++) {
    assert_int_equal(s.whole[i], i % 10 == 0);
    assert_int_equal(s.parts[i], i % 10 != 0);
    assert_int_equal(out[i].status, GD_FACE_DETECTED);
    assert_true(out[i].face.box[0] == 20 * (float)i);
  }
}

/* A face that moves by two fifths overlaps where it was by less than half: what
 * is found there may be part of it, so it is searched for. */
static void fast_face_is_searched_whole(void **state)
{
  (void)state;
  gd_face_info out[MOST];
  scene s = empty_scene(9);
  for (int i = 0; i < s.n_frames; i++)
    s.places[i][0] = (place){40 * (float)i, 100};
  run(&s, 10, out);
  for (int i = 0; i < s.n_frames; i++) {
    assert_int_equal(s.whole[i], 1);
    assert_int_equal(out[i].status, GD_FACE_DETECTED);
  }
}

/* It jumps to the other side in frame 3: searched whole, and found; then it is
 * followed there. */
static void lost_face_is_looked_for_everywhere(void **state)
{
  (void)state;
  gd_face_info out[MOST];
  scene s = empty_scene(10);
  for (int i = 0; i < s.n_frames; i++)
    s.places[i][0] = (place){i < 3 ? 0 : 900, 100};
  run(&s, 10, out);
  for (int i = 0; i < s.n_frames; i++) {
    assert_int_equal(out[i].status, GD_FACE_DETECTED);
    assert_int_equal(s.whole[i], i == 0 || i == 3);
  }
}

/* First at frame 4, last at frame 14 of 25; anchors are 0, 10 and 20. */
static void frames_without_a_face_at_both_ends_are_missing(void **state)
{
  (void)state;
  gd_face_info out[MOST];
  scene s = empty_scene(25);
  for (int i = 4; i <= 14; i++)
    s.places[i][0] = (place){200, 80};
  run(&s, 10, out);
  for (int i = 0; i < s.n_frames; i++) {
    assert_int_equal(out[i].status,
                     i >= 4 && i <= 14 ? GD_FACE_DETECTED : GD_FACE_MISSING);
    assert_int_equal(s.whole[i], i <= 4 || i > 14 || i % 10 == 0);
  }
}

/* No anchor shows it. */
static void face_between_anchors_alone_is_found(void **state)
{
  (void)state;
  gd_face_info out[MOST];
  scene s = empty_scene(10);
  s.places[5][0] = s.places[6][0] = (place){200, 80};
  run(&s, 10, out);
  for (int i = 0; i < s.n_frames; i++)
    assert_int_equal(out[i].status,
                     i == 5 || i == 6 ? GD_FACE_DETECTED : GD_FACE_MISSING);
}

/* A passer-by is larger at first; over the video the other is the person, and
 * has been followed from the first frame on. */
static void person_is_picked_over_the_whole_video(void **state)
{
  (void)state;
  gd_face_info out[MOST];
  scene s = empty_scene(31);
  for (int i = 0; i < s.n_frames; i++) {
    s.places[i][0] = (place){600, i < 5 ? 110 : 60};
    s.places[i][1] = (place){100, 100};
  }
  run(&s, 10, out);
  for (int i = 0; i < s.n_frames; i++)
    assert_true(out[i].face.box[0] == 100);
}

/* The person is away from frame 3 to 7, someone far behind is there: the person
 * is found again at once, not at the next anchor. */
static void smaller_face_does_not_take_the_place_of_the_lost(void **state)
{
  (void)state;
  gd_face_info out[MOST];
  scene s = empty_scene(20);
  for (int i = 0; i < s.n_frames; i++) {
    s.places[i][0] = (place){100, i < 3 || i > 7 ? 100 : 0};
    s.places[i][1] = (place){600, 40};
  }
  run(&s, 10, out);
  for (int i = 0; i < s.n_frames; i++)
    assert_int_equal(s.whole[i], i % 10 == 0 || (i >= 3 && i <= 8));
  assert_true(out[2].face.box[0] == 100 && out[8].face.box[0] == 100);
}

/* The person sits down far from the camera: after a while that is the main
 * face, and not every frame is searched whole. */
static void face_that_has_become_small_is_followed_after_a_while(void **state)
{
  (void)state;
  gd_face_info out[MOST];
  scene s = empty_scene(40);
  for (int i = 0; i < s.n_frames; i++)
    s.places[i][0] = (place){i < 5 ? 0 : 400, i < 5 ? 300 : 100};
  run(&s, 10, out);
  for (int i = 0; i < s.n_frames; i++) {
    assert_int_equal(out[i].status, GD_FACE_DETECTED);
    assert_int_equal(s.whole[i], i % 10 == 0 || (i >= 5 && i <= 15));
  }
}

/* They cross between the anchors, and each is seen where the other was. */
static void persons_who_cross_are_told_apart(void **state)
{
  (void)state;
  gd_face_info out[MOST];
  scene s = empty_scene(31);
  for (int i = 0; i < s.n_frames; i++) {
    s.places[i][0] = (place){450 - 15 * (float)i, 90};
    s.places[i][1] = (place){15 * (float)i, 100};
  }
  run(&s, 10, out);
  for (int i = 0; i < s.n_frames; i++)
    assert_true(out[i].face.box[0] == 15 * (float)i);
}

/* Someone walks past in front of the person, between two anchors: who was
 * hidden is found again where he was, with no search. */
static void hidden_person_is_found_again(void **state)
{
  (void)state;
  gd_face_info out[MOST];
  scene s = empty_scene(40);
  int n_hidden = 0;
  for (int i = 0; i < s.n_frames; i++) {
    s.places[i][0] = (place){300, 100};
    if (i < 20)
      s.places[i][1] = (place){60 + 24 * (float)i, 110};
  }
  run(&s, 20, out);
  for (int i = 0; i < 20; i++) {
    n_hidden += is_hidden(&s, i, 0);
    assert_int_equal(s.whole[i], i == 0);
    assert_true(is_hidden(&s, i, 0) || out[i].face.box[0] == 300);
  }
  assert_true(n_hidden > 0);
}

/* One face more than are followed. */
static void crowd_is_searched_whole(void **state)
{
  (void)state;
  gd_face_info out[MOST];
  scene s = empty_scene(6);
  for (int i = 0; i < s.n_frames; i++)
    for (int p = 0; p < PERSONS - (i > 3); p++)
      s.places[i][p] = (place){60 * (float)p, 50};
  run(&s, 10, out);
  for (int i = 0; i < s.n_frames; i++)
    assert_int_equal(s.whole[i], i < 5);
}

static void failing_search_is_returned(void **state)
{
  (void)state;
  scene s = empty_scene(12);
  const gd_tracker_search how = {.search = search, .context = &s};
  gd_subject *subject;
  for (int i = 0; i < 2; i++) {
    s.fails_at = i == 0 ? 10 : 7;
    assert_ok(gd_subject_new(&subject));
    assert_fails(gd_tracker_run(s.n_frames, 10, &how, subject), GD_ERR_FORMAT,
                 "is broken");
    gd_subject_free(subject);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_frame_is_searched_whole_once_at_one),
    cmocka_unit_test(moving_face_is_followed_without_full_searches),
    cmocka_unit_test(fast_face_is_searched_whole),
    cmocka_unit_test(lost_face_is_looked_for_everywhere),
    cmocka_unit_test(frames_without_a_face_at_both_ends_are_missing),
    cmocka_unit_test(face_between_anchors_alone_is_found),
    cmocka_unit_test(person_is_picked_over_the_whole_video),
    cmocka_unit_test(smaller_face_does_not_take_the_place_of_the_lost),
    cmocka_unit_test(face_that_has_become_small_is_followed_after_a_while),
    cmocka_unit_test(persons_who_cross_are_told_apart),
    cmocka_unit_test(hidden_person_is_found_again),
    cmocka_unit_test(crowd_is_searched_whole),
    cmocka_unit_test(failing_search_is_returned),
};

gd_test_main(tests)
