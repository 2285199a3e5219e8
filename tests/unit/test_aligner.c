#include "gradus/aligner.h"

#include <stdio.h>
#include <string.h>

#include "gradus/alignment.h"
#include "gradus/quality.h"
#include "gradus/text.h"
#include "test.h"

enum { WIDTH = 120, HEIGHT = 90, SIZE = 32, N_FRAMES = 4, N_VIDEOS = 3 };

static char csv[2][GD_PATH_MAX];
static gd_video videos[N_VIDEOS] = {
    {.id = "a",
     .path = "a.avi",
     .landmarks = csv[0],
     .subject = "",
     .task = ""},
    {.id = "b", .path = "b.avi", .landmarks = "", .subject = "", .task = ""},
    {.id = "c",
     .path = "c.avi",
     .landmarks = csv[1],
     .subject = "",
     .task = ""}};
static const int32_t indices[N_VIDEOS] = {0, 1, 2};
static const gd_video_table corpus = {
    .n_videos = N_VIDEOS, .index = indices, .videos = videos};

static gd_status tick(void *context)
{
  ++*(int *)context;
  return GD_OK;
}

/* Landmarks of the template, in frames of WIDTH x HEIGHT, moved by `shift`. */
static void add_row(gd_text *t, int frame, float shift, int success)
{
  float five[5][2];
  gd_template_points(SIZE, five);
  gd_text_printf(t, "%d,%d", frame, success);
  for (int axis = 0; axis < 2; axis++)
    for (int i = 0; i < 68; i++) {
      const int k = i < 36 || i > 54 ? 2
                    : i < 42         ? 0
                    : i < 48         ? 1
                    : i == 48        ? 3
                                     : 4;
      gd_text_printf(t, ",%.4f", (double)(five[k][axis] + shift));
    }
  gd_text_add(t, "\n");
}

static void write_csv(const char *path, int good)
{
  gd_text t = {0};
  gd_text_add(&t, "frame,success");
  for (int axis = 0; axis < 2; axis++)
    for (int i = 0; i < 68; i++)
      gd_text_printf(&t, ",%c_%d", axis == 0 ? 'x' : 'y', i);
  gd_text_add(&t, "\n");
  add_row(&t, 1, 10, 1);
  add_row(&t, 11, 20, 1);
  add_row(&t, 21, 0, 0);
  if (!good)
    gd_text_add(&t, "broken\n");
  assert_ok(gd_text_status(&t));
  assert_ok(gd_file_write(path, gd_text_get(&t), t.length_bytes));
  gd_text_free(&t);
}

/* Three videos of frames 0, 10, 20, 30, each a ramp of grey. */
static gd_frame_set *write_frames(void)
{
  static uint8_t rgb[3 * WIDTH * HEIGHT];
  char path[GD_PATH_MAX];
  gd_frame_writer *w;
  gd_frame_set *s;
  const char *directory = gd_test_path("frames");
  assert_ok(gd_directory_make(directory));
  assert_ok(gd_path_join(directory, "frames-00000.h5", path));
  for (int y = 0; y < HEIGHT; y++)
    for (int x = 0; x < WIDTH; x++)
      memset(rgb + 3 * (y * WIDTH + x), x + y, 3);
  const gd_frame_format format = {.height_px = HEIGHT, .width_px = WIDTH};
  assert_ok(
      gd_frame_writer_create(path, (gd_digest){0, 1}, &format, &corpus, &w));
  for (int v = 0; v < N_VIDEOS; v++)
    for (int i = 0; i < N_FRAMES; i++) {
      const gd_frame_info info = {.frame_index = 10 * i,
                                  .time_s = i,
                                  .height_px = HEIGHT,
                                  .width_px = WIDTH};
      const gd_picture picture = gd_picture_of_rgb(WIDTH, HEIGHT, rgb);
      assert_ok(gd_frame_writer_append(w, v, &info, &picture));
    }
  assert_ok(gd_frame_writer_commit(w));
  assert_ok(gd_frame_set_open(directory, GD_FRAMES_TO_USE, &s));
  return s;
}

/* Align all videos by their CSV files; returns the shard's set. */
static gd_face_set *align_all(gd_missing_policy missing, const char *name,
                              int64_t counts[GD_N_FACE_STATUS])
{
  char path[GD_PATH_MAX];
  int n_ticks = 0;
  const gd_aligner_config config = {.detector = "landmarks",
                                    .search_every = 1,
                                    .missing = missing,
                                    .size_px = SIZE};
  gd_aligner *a;
  gd_face_writer *w;
  gd_face_set *s;
  const char *directory = gd_test_path(name);
  snprintf(csv[0], GD_PATH_MAX, "%s", gd_test_path("a.csv"));
  snprintf(csv[1], GD_PATH_MAX, "%s", gd_test_path("c.csv"));
  write_csv(csv[0], 1);
  write_csv(csv[1], 0);
  gd_frame_set *frames = write_frames();
  assert_ok(gd_directory_make(directory));
  assert_ok(gd_path_join(directory, "faces-00000.h5", path));
  assert_ok(gd_aligner_open(&config, &a));
  assert_ok(gd_face_writer_create(path, (gd_digest){0, 1}, SIZE, "t",
                                  gd_frame_set_videos(frames), &w));
  for (int v = 0; v < N_VIDEOS; v++)
    assert_ok(gd_aligner_video(a, frames, v, w, tick, &n_ticks));
  assert_ok(gd_face_writer_commit(w));
  gd_aligner_close(a);
  gd_frame_set_close(frames);
  assert_ok(gd_face_shard_count(path, counts));
  assert_ok(gd_face_set_open(directory, &s));
  assert_int_equal(n_ticks, N_FRAMES + gd_face_set_n_faces(s));
  return s;
}

/* The template moved by whole pixels is cut out unchanged: the ramp shows by
 * how many. */
static void faces_are_cut_out_where_the_landmarks_are(void **state)
{
  (void)state;
  int64_t counts[GD_N_FACE_STATUS];
  uint8_t face[3 * SIZE * SIZE];
  gd_face_set *s = align_all(GD_MISSING_DROP, "drop", counts);
  assert_int_equal(gd_face_set_n_faces(s), 2);
  for (int i = 0; i < 2; i++) {
    const int shift = 10 * (i + 1);
    assert_int_equal(gd_face_set_info(s, i).frame_index, 10 * i);
    assert_ok(gd_face_set_read(s, i, face));
    for (int y = 0; y < SIZE; y++)
      for (int x = 0; x < SIZE; x++)
        assert_in_range(face[3 * (y * SIZE + x)], x + y + 2 * shift - 1,
                        x + y + 2 * shift + 1);
  }
  assert_int_equal(counts[GD_FACE_DETECTED], 2);
  assert_int_equal(counts[GD_FACE_MISSING], 2);
  gd_face_set_close(s);
}

static void frames_without_a_face_repeat_the_one_before(void **state)
{
  (void)state;
  int64_t counts[GD_N_FACE_STATUS];
  gd_face_set *s = align_all(GD_MISSING_PREVIOUS, "previous", counts);
  assert_int_equal(gd_face_set_n_faces(s), N_FRAMES);
  assert_int_equal(gd_face_set_info(s, 3).status, GD_FACE_FALLBACK);
  assert_true(gd_face_set_info(s, 3).face.box[0] ==
              gd_face_set_info(s, 1).face.box[0]);
  assert_int_equal(counts[GD_FACE_FALLBACK], 2);
  gd_face_set_close(s);
}

/* Video b has no CSV, that of c is broken: noted, with the reason. */
static void videos_without_landmarks_are_noted_as_skipped(void **state)
{
  (void)state;
  int64_t counts[GD_N_FACE_STATUS];
  char path[GD_PATH_MAX], item[GD_STORE_NAME_MAX * 8], reason[1024];
  gd_store *store;
  gd_face_set *s = align_all(GD_MISSING_DROP, "skipped", counts);
  assert_int_equal(gd_face_set_videos(s)->n_videos, 1);
  gd_face_set_close(s);
  assert_ok(gd_path_join(gd_test_path("skipped"), "faces-00000.h5", path));
  assert_ok(gd_store_open(path, NULL, 0, &store));
  assert_int_equal(gd_store_n_skipped(store), 2);
  assert_ok(gd_store_read_skipped(store, 0, item, reason));
  assert_string_equal(item, "b");
  assert_true(gd_test_has(reason, "no landmark CSV"));
  assert_ok(gd_store_read_skipped(store, 1, item, reason));
  assert_string_equal(item, "c");
  assert_true(gd_test_has(reason, "c.csv:5"));
  gd_store_close(store);
}

/* A landmark CSV of zeros, as of a tool that fills what it has not found. */
static void videos_of_which_no_face_aligns_are_noted_as_skipped(void **state)
{
  (void)state;
  int n_ticks = 0;
  int64_t counts[GD_N_FACE_STATUS];
  char path[GD_PATH_MAX], item[GD_STORE_NAME_MAX * 8], reason[1024];
  const gd_aligner_config config = {.detector = "landmarks",
                                    .search_every = 1,
                                    .missing = GD_MISSING_DROP,
                                    .size_px = SIZE};
  gd_aligner *a;
  gd_face_writer *w;
  gd_store *store;
  gd_text zeros = {0};
  gd_text_add(&zeros, "frame");
  for (int i = 0; i < 2 * 68; i++)
    gd_text_printf(&zeros, ",%c_%d", i < 68 ? 'x' : 'y', i % 68);
  for (int frame = 1; frame <= 31; frame++) {
    gd_text_printf(&zeros, "\n%d", frame);
    for (int i = 0; i < 2 * 68; i++)
      gd_text_add(&zeros, ",0");
  }
  snprintf(csv[0], GD_PATH_MAX, "%s", gd_test_path("zeros.csv"));
  assert_ok(gd_file_write(csv[0], gd_text_get(&zeros), zeros.length_bytes));
  gd_text_free(&zeros);
  gd_frame_set *frames = write_frames();
  snprintf(path, sizeof path, "%s", gd_test_path("zeros.h5"));
  assert_ok(gd_aligner_open(&config, &a));
  assert_ok(gd_face_writer_create(path, (gd_digest){0, 1}, SIZE, "t",
                                  gd_frame_set_videos(frames), &w));
  assert_ok(gd_aligner_video(a, frames, 0, w, tick, &n_ticks));
  assert_ok(gd_face_writer_commit(w));
  gd_aligner_close(a);
  gd_frame_set_close(frames);
  assert_ok(gd_face_shard_count(path, counts));
  assert_int_equal(counts[GD_FACE_MISSING], 0);
  assert_ok(gd_store_open(path, NULL, 0, &store));
  assert_int_equal(gd_store_n_skipped(store), 1);
  assert_ok(gd_store_read_skipped(store, 0, item, reason));
  assert_string_equal(item, "a");
  assert_true(gd_test_has(reason, "no face in any of its 4 frames can be"));
  gd_store_close(store);
}

/* Where files are short, the next run may have more: video a is not skipped. */
static void landmarks_that_cannot_be_read_for_now_are_an_error(void **state)
{
  (void)state;
  int n_ticks = 0;
  const gd_aligner_config config = {
      .detector = "landmarks", .search_every = 1, .size_px = SIZE};
  gd_aligner *a;
  gd_face_writer *w;
  snprintf(csv[0], GD_PATH_MAX, "%s", gd_test_path("a.csv"));
  write_csv(csv[0], 1);
  gd_frame_set *frames = write_frames();
  assert_ok(gd_aligner_open(&config, &a));
  assert_ok(gd_face_writer_create(gd_test_path("short.h5"), (gd_digest){0, 1},
                                  SIZE, "t", gd_frame_set_videos(frames), &w));
  gd_test_forbid_files(1);
  const gd_status st = gd_aligner_video(a, frames, 0, w, tick, &n_ticks);
  gd_test_forbid_files(0);
  assert_int_equal(st, GD_ERR_IO);
  assert_true(gd_test_has(gd_reason(), "a.csv: cannot read: "));
  gd_face_writer_abandon(w);
  gd_aligner_close(a);
  gd_frame_set_close(frames);
}

static void faces_are_described_in_the_shard(void **state)
{
  (void)state;
  int64_t counts[GD_N_FACE_STATUS];
  uint8_t face[3 * SIZE * SIZE];
  gd_face_set *s = align_all(GD_MISSING_DROP, "described", counts);
  for (int i = 0; i < 2; i++) {
    const gd_face_info info = gd_face_set_info(s, i);
    assert_ok(gd_face_set_read(s, i, face));
    assert_true(info.sharpness == gd_face_sharpness(face, SIZE));
    assert_int_equal(info.flags, 0);
  }
  gd_face_set_close(s);
}

static void missing_weights_are_an_error(void **state)
{
  (void)state;
  gd_aligner *a;
  const gd_aligner_config config = {.detector = "/nonexistent.h5",
                                    .mtcnn = gd_mtcnn_defaults(),
                                    .search_every = 1,
                                    .size_px = SIZE};
  assert_fails(gd_aligner_open(&config, &a), GD_ERR_IO, "/nonexistent.h5");
  assert_null(a);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(faces_are_cut_out_where_the_landmarks_are),
    cmocka_unit_test(frames_without_a_face_repeat_the_one_before),
    cmocka_unit_test(videos_without_landmarks_are_noted_as_skipped),
    cmocka_unit_test(videos_of_which_no_face_aligns_are_noted_as_skipped),
    cmocka_unit_test(landmarks_that_cannot_be_read_for_now_are_an_error),
    cmocka_unit_test(faces_are_described_in_the_shard),
    cmocka_unit_test(missing_weights_are_an_error),
};

gd_test_main(tests)
