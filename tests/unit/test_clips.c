/* Real clips, frame by frame: decoded by the video reader, searched by the
 * detector, compared with the reference's results on the same frames; and the
 * subject followed through these frames. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clip.h"
#include "gradus/mtcnn.h"
#include "gradus/quality.h"
#include "gradus/tracker.h"
#include "gradus/video_index.h"
#include "gradus/video_reader.h"
#include "reference_faces.h"
#include "test.h"

enum { MOST_FRAMES = 32 }; /* of a clip that the reference looked at */

typedef struct {
  int n_frames, n_same_pixels, n_faces;
  double worst;
} tally;

/* The frames of a clip, and the subject of the reference's faces. */
typedef struct {
  gd_mtcnn *detector;
  gd_image images[MOST_FRAMES];
  int n, n_whole; /* frames, searches of whole ones */
  gd_subject *reference;
} scene;

/* The reference's faces on one frame; where they stand begins at `at`. */
static void compare_frame(gd_mtcnn *m, const gd_image *frame, const char *at,
                          const char *clip, int64_t number, tally *t)
{
  static gd_face want[GD_REFERENCE_FACES];
  const gd_face *found;
  int n_found;
  const int same = gd_reference_pixels(at, frame);
  const int n_want = gd_reference_faces(at, want);
  assert_ok(gd_mtcnn_detect(m, frame, &found, &n_found));
  t->n_frames++;
  t->n_same_pixels += same;
  if (same)
    assert_int_equal(n_found, n_want);
  for (int i = 0; i < n_want; i++) {
    const int k = gd_reference_match(&want[i], found, n_found);
    if (k < 0 || gd_face_overlap(&want[i], &found[k]) <= 0.9) {
      if (want[i].confidence > 0.9f)
        fail_msg("%s: frame %d: face %d was not found", clip, (int)number, i);
      continue;
    }
    const double distance = gd_reference_distance(&want[i], &found[k]);
    if (!(distance <= (same ? 1 : 3)))
      fail_msg("%s: frame %d: face %d is %g px away", clip, (int)number, i,
               distance);
    if (distance > t->worst)
      t->worst = distance;
    t->n_faces++;
  }
}

static void keep_frame(scene *c, const gd_image *frame, const char *at)
{
  static gd_face faces[GD_REFERENCE_FACES];
  assert_true(c->n < MOST_FRAMES);
  gd_image *kept = &c->images[c->n++];
  assert_ok(gd_image_new(frame->width_px, frame->height_px, kept));
  memcpy(kept->rgb, frame->rgb,
         (size_t)frame->width_px * 3 * (size_t)frame->height_px);
  assert_ok(
      gd_subject_append(c->reference, faces, gd_reference_faces(at, faces)));
}

/* Read the frames of a clip that its results name. */
static void read_clip(const char *clip, const char *text, scene *c, tally *t)
{
  char path[GD_PATH_MAX];
  gd_video_index *index;
  gd_video_reader *reader;
  gd_frame_info info;
  const gd_picture *picture;
  const gd_sampling all = {.every = 1};
  gd_read_step step;
  snprintf(path, sizeof path, "real/video/%s", clip);
  assert_ok(gd_video_index_read(gd_test_shared(path), NULL, &index));
  assert_ok(gd_video_reader_open(index, &all, NULL, NULL, &reader));
  const char *next = strstr(text, "\"frames\"");
  long wanted;
  while (next != NULL && (next = strstr(next, "\"boxes\"")) != NULL) {
    assert_int_equal(
        sscanf(strstr(next, "\"frame\""), "\"frame\": %ld", &wanted), 1);
    do
      assert_ok(gd_video_reader_next(reader, &step, &info, &picture));
    while (picture != NULL && info.frame_index < wanted);
    assert_non_null(picture);
    const gd_image frame = {.width_px = info.width_px,
                            .height_px = info.height_px,
                            .rgb = (uint8_t *)gd_test_rgb(&info, picture)};
    compare_frame(c->detector, &frame, next, clip, info.frame_index, t);
    keep_frame(c, &frame, next);
    next = strstr(next, "\"frame\"");
  }
  gd_video_reader_close(reader);
  gd_video_index_free(index);
}

static gd_status search(void *context, int64_t frame, const gd_face *before,
                        int n_before, const gd_face **faces, int *n)
{
  scene *c = context;
  c->n_whole += before == NULL;
  return before == NULL
             ? gd_mtcnn_detect(c->detector, &c->images[frame], faces, n)
             : gd_mtcnn_follow(c->detector, &c->images[frame], before, n_before,
                               faces, n);
}

/* What is told of the subject that a clip's faces make up. */
static gd_quality quality_of(gd_subject *s, int n, gd_face_info *infos)
{
  gd_quality q = {0};
  gd_subject_choose(s, &(gd_subject_rules){.max_gap = 0}, infos);
  for (int i = 0; i < n; i++)
    gd_quality_add(&q, &infos[i], i > 0 ? &infos[i - 1] : NULL);
  return q;
}

/* Where one face is, the subject's is the reference's in every frame. */
static void compare_places(const gd_face_info *ours, const gd_face_info *theirs,
                           int n)
{
  double off = 0;
  int n_faces = 0;
  for (int i = 0; i < n; i++) {
    if (theirs[i].status != GD_FACE_DETECTED)
      continue;
    assert_true(gd_face_overlap(&ours[i].face, &theirs[i].face) > 0.85);
    off += gd_face_jitter((const float(*)[2])theirs[i].face.landmarks,
                          (const float(*)[2])ours[i].face.landmarks);
    n_faces++;
  }
  print_message("  landmarks %.4f off, in distances of the eyes\n",
                off / n_faces);
  assert_true(off / n_faces < 0.03);
}

/* The subject is followed as the reference's faces tell, and its landmarks move
 * no more from frame to frame than the reference's do. */
static void compare_track(const char *clip, scene *c)
{
  static gd_face_info our_faces[MOST_FRAMES], their_faces[MOST_FRAMES];
  const gd_tracker_search how = {.search = search, .context = c};
  gd_subject *subject;
  gd_text row = {0};
  assert_ok(gd_subject_new(&subject));
  c->n_whole = 0;
  assert_ok(gd_tracker_run(c->n, 10, &how, subject));
  const gd_quality ours = quality_of(subject, c->n, our_faces);
  const gd_quality theirs = quality_of(c->reference, c->n, their_faces);
  gd_quality_row(&ours, &row);
  print_message("%s: %d of %d frames searched whole, jitter %.7f, the "
                "reference's %.7f\n  %s: %s\n",
                clip, c->n_whole, c->n, ours.jitter / (double)ours.n_pairs,
                theirs.jitter / (double)theirs.n_pairs, gd_quality_header,
                gd_text_get(&row));
  assert_int_equal(ours.n[GD_FACE_DETECTED], theirs.n[GD_FACE_DETECTED]);
  assert_int_equal(ours.n_pairs, theirs.n_pairs);
  assert_true(ours.jitter <= theirs.jitter * (1 + 1e-4));
  if (theirs.n_several == 0)
    compare_places(our_faces, their_faces, c->n);
  gd_text_free(&row);
  gd_subject_free(subject);
}

static void compare_clip(const char *clip, const char *results, tally *t)
{
  char path[GD_PATH_MAX], *text;
  gd_mtcnn_config config = gd_mtcnn_defaults();
  scene c = {.n = 0};
  config.min_face_px = 60;
  assert_ok(gd_mtcnn_open(gd_test_shared("reference/mtcnn/weights/mtcnn.h5"),
                          &config, &c.detector));
  assert_ok(gd_subject_new(&c.reference));
  snprintf(path, sizeof path, "real/video/%s", results);
  assert_ok(gd_file_read(gd_test_shared(path), 1 << 24, &text, NULL));
  read_clip(clip, text, &c, t);
  compare_track(clip, &c);
  for (int i = 0; i < c.n; i++)
    gd_image_free(&c.images[i]);
  gd_subject_free(c.reference);
  gd_mtcnn_close(c.detector);
  free(text);
}

static void clips_give_the_reference_detections_and_no_more_jitter(void **state)
{
  (void)state;
  if (gd_test_shared("real/video/fr_short_hamilton_clip.mp4") == NULL)
    skip();
  static const char *const names[][2] = {
      {"fr_short_hamilton_clip.mp4", "fr_short_hamilton_clip.mtcnn.json"},
      {"pyfeat_face_noface.mov", "pyfeat_face_noface.mtcnn.json"},
      {"pyfeat_single_face.mp4", "pyfeat_single_face.mtcnn.json"}};
  tally t = {0};
  for (int i = 0; i < 3; i++)
    compare_clip(names[i][0], names[i][1], &t);
  print_message("%d frames (%d with the reference's pixels), %d faces, worst "
                "%.2g px\n",
                t.n_frames, t.n_same_pixels, t.n_faces, t.worst);
  assert_int_equal(t.n_frames, 53);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(clips_give_the_reference_detections_and_no_more_jitter),
};

gd_test_main(tests)
