/* Real clips, frame by frame: decoded by the video reader, searched by the
 * detector, compared with the reference's results on the same frames. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clip.h"
#include "gradus/mtcnn.h"
#include "gradus/video_index.h"
#include "gradus/video_reader.h"
#include "reference_faces.h"
#include "test.h"

typedef struct {
  int n_frames, n_same_pixels, n_faces;
  double worst;
} tally;

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
    if (distance > (same ? 1 : 3))
      fail_msg("%s: frame %d: face %d is %g px away", clip, (int)number, i,
               distance);
    if (distance > t->worst)
      t->worst = distance;
    t->n_faces++;
  }
}

static void compare_clip(const char *clip, const char *results, tally *t)
{
  char path[GD_PATH_MAX], *text;
  gd_mtcnn_config config = gd_mtcnn_defaults();
  gd_mtcnn *m;
  gd_video_index *index;
  gd_video_reader *reader;
  gd_frame_info info;
  const gd_picture *picture;
  const gd_sampling all = {.every = 1};
  gd_read_step step;
  config.min_face_px = 60;
  assert_ok(gd_mtcnn_open(gd_test_shared("reference/mtcnn/weights/mtcnn.h5"),
                          &config, &m));
  snprintf(path, sizeof path, "real/video/%s", results);
  assert_ok(gd_file_read(gd_test_shared(path), 1 << 24, &text, NULL));
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
    compare_frame(m, &frame, next, clip, info.frame_index, t);
    next = strstr(next, "\"frame\"");
  }
  gd_video_reader_close(reader);
  gd_video_index_free(index);
  gd_mtcnn_close(m);
  free(text);
}

static void clips_give_the_reference_detections(void **state)
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
    cmocka_unit_test(clips_give_the_reference_detections),
};

gd_test_main(tests)
