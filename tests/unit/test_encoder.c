#include "clip.h"
#include "gradus/encoder.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "gradus/digest.h"
#include "gradus/memory.h"
#include "gradus/video_reader.h"
#include "test.h"

enum { WIDTH = 96, HEIGHT = 64 };

static const gd_encoding SMALL = {
    .width_px = WIDTH, .height_px = HEIGHT, .fps = 25.0};

/* A slope that moves from frame to frame. */
static void paint(uint8_t *rgb, int frame)
{
  for (int y = 0; y < HEIGHT; y++)
    for (int x = 0; x < WIDTH; x++, rgb += 3) {
      rgb[0] = (uint8_t)(2 * x);
      rgb[1] = (uint8_t)(3 * y);
      rgb[2] = (uint8_t)(4 * ((x + y + 3 * frame) % 64));
    }
}

static void encode(const char *path, gd_encoding encoding, int n_frames)
{
  uint8_t rgb[WIDTH * HEIGHT * 3];
  gd_encoder *e;
  assert_ok(gd_encoder_create(path, encoding, &e));
  for (int i = 0; i < n_frames; i++) {
    paint(rgb, i);
    assert_ok(gd_encoder_append(e, rgb));
  }
  assert_ok(gd_encoder_commit(e));
}

static void equal_frames_give_equal_private_files(void **state)
{
  (void)state;
  const char *names[2][2] = {{"a.mp4", "b.mp4"}, {"a.avi", "b.avi"}};
  for (int i = 0; i < 2; i++) {
    gd_digest digests[2];
    for (int j = 0; j < 2; j++) {
      const char *path = gd_test_path(names[i][j]);
      encode(path, SMALL, 30);
      assert_ok(gd_digest_of_file(path, &digests[j]));
      struct stat info;
      assert_int_equal(stat(path, &info), 0);
      assert_int_equal(info.st_mode & 0777, 0600);
      assert_true(info.st_size > 2000);
    }
    assert_true(gd_digest_equal(digests[0], digests[1]));
  }
}

static void frames_decode_back_nearly_as_they_were(void **state)
{
  (void)state;
  const char *names[2] = {"back.mp4", "back.avi"};
  for (int i = 0; i < 2; i++) {
    const char *path = gd_test_path(names[i]);
    gd_video_index *index;
    gd_video_reader *reader;
    const gd_sampling seventh = {.every = 7};
    encode(path, SMALL, 30);
    assert_ok(gd_video_index_read(path, NULL, &index));
    assert_int_equal(index->n_frames, 30);
    assert_ok(gd_video_reader_open(index, &seventh, NULL, NULL, &reader));
    for (int frame = 0; frame < 30; frame += 7) {
      uint8_t drawn[WIDTH * HEIGHT * 3];
      const gd_picture *picture;
      gd_frame_info info;
      gd_read_step step;
      double error = 0.0;
      assert_ok(gd_video_reader_next(reader, &step, &info, &picture));
      assert_non_null(picture);
      assert_int_equal(info.height_px, HEIGHT);
      assert_int_equal(info.width_px, WIDTH);
      assert_true(fabs(info.time_s - frame / 25.0) < 1e-3);
      const uint8_t *rgb = gd_test_rgb(&info, picture);
      paint(drawn, frame);
      for (int k = 0; k < WIDTH * HEIGHT; k++)
        error += abs(drawn[3 * k + 1] - rgb[3 * k + 1]);
      assert_true(error / (WIDTH * HEIGHT) < 8.0);
    }
    gd_video_reader_close(reader);
    gd_video_index_free(index);
  }
}

static void other_frames_give_another_file(void **state)
{
  (void)state;
  gd_digest a, b;
  encode(gd_test_path("ten.avi"), SMALL, 10);
  encode(gd_test_path("eleven.avi"), SMALL, 11);
  assert_ok(gd_digest_of_file(gd_test_path("ten.avi"), &a));
  assert_ok(gd_digest_of_file(gd_test_path("eleven.avi"), &b));
  assert_false(gd_digest_equal(a, b));
}

static void abandoned_video_leaves_nothing(void **state)
{
  (void)state;
  uint8_t rgb[WIDTH * HEIGHT * 3];
  gd_encoder *e;
  paint(rgb, 0);
  assert_ok(gd_encoder_create(gd_test_path("gone.mp4"), SMALL, &e));
  assert_true(gd_path_exists(gd_test_path("gone.mp4.part")));
  assert_ok(gd_encoder_append(e, rgb));
  gd_encoder_abandon(e);
  assert_false(gd_path_exists(gd_test_path("gone.mp4.part")));
  assert_false(gd_path_exists(gd_test_path("gone.mp4")));
  gd_encoder_abandon(NULL);
}

static void video_without_frames_is_refused(void **state)
{
  (void)state;
  gd_encoder *e;
  assert_ok(gd_encoder_create(gd_test_path("none.avi"), SMALL, &e));
  assert_fails(gd_encoder_commit(e), GD_ERR_USAGE, "none.avi: a video without");
  assert_false(gd_path_exists(gd_test_path("none.avi.part")));
}

static void impossible_requests_are_named(void **state)
{
  (void)state;
  gd_encoder *e;
  gd_encoding odd = SMALL, slow = SMALL;
  odd.width_px = 97;
  slow.fps = 0.0;
  assert_fails(gd_encoder_create(gd_test_path("x.avi"), odd, &e), GD_ERR_USAGE,
               "97 x 64");
  assert_null(e);
  assert_fails(gd_encoder_create(gd_test_path("x.avi"), slow, &e), GD_ERR_USAGE,
               "0 frames per second");
  assert_fails(gd_encoder_create(gd_test_path("x.mkv"), SMALL, &e),
               GD_ERR_USAGE, ".mp4 or .avi");
  assert_fails(gd_encoder_create("/nonexistent/x.avi", SMALL, &e), GD_ERR_IO,
               "/nonexistent/x.avi");
}

/* The kernel refuses to let files grow, as a full disk does. */
static void full_disk_is_an_error_and_leaves_nothing(void **state)
{
  (void)state;
  const struct rlimit small = {20000, RLIM_INFINITY};
  struct rlimit before;
  const char *names[2] = {"full.mp4", "full.avi"};
  uint8_t *noise = gd_alloc(WIDTH * HEIGHT * 3, 1);
  assert_non_null(noise);
  getrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, SIG_IGN);
  for (int i = 0; i < 2; i++) {
    gd_encoder *e;
    assert_ok(gd_encoder_create(gd_test_path(names[i]), SMALL, &e));
    setrlimit(RLIMIT_FSIZE, &small);
    gd_status st = GD_OK;
    for (unsigned j = 0; st == GD_OK && j < 200; j++) {
      for (unsigned k = 0; k < WIDTH * HEIGHT * 3; k++)
        noise[k] = (uint8_t)((k + 77777 * j) * 2654435761u >> 24);
      st = gd_encoder_append(e, noise);
    }
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(st, GD_ERR_IO);
    assert_true(gd_test_has(gd_reason(), names[i]));
    gd_encoder_abandon(e);
    assert_false(gd_path_exists(gd_test_path(names[i])));
  }
  signal(SIGXFSZ, SIG_DFL);
  free(noise);
}

static void full_disk_at_the_very_end_is_an_error(void **state)
{
  (void)state;
  const struct rlimit small = {500, RLIM_INFINITY};
  struct rlimit before;
  uint8_t rgb[WIDTH * HEIGHT * 3];
  gd_encoder *e;
  paint(rgb, 0);
  getrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, SIG_IGN);
  assert_ok(gd_encoder_create(gd_test_path("late.mp4"), SMALL, &e));
  assert_ok(gd_encoder_append(e, rgb));
  setrlimit(RLIMIT_FSIZE, &small);
  const gd_status st = gd_encoder_commit(e);
  setrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, SIG_DFL);
  assert_int_equal(st, GD_ERR_IO);
  assert_false(gd_path_exists(gd_test_path("late.mp4")));
  assert_false(gd_path_exists(gd_test_path("late.mp4.part")));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(equal_frames_give_equal_private_files),
    cmocka_unit_test(frames_decode_back_nearly_as_they_were),
    cmocka_unit_test(other_frames_give_another_file),
    cmocka_unit_test(abandoned_video_leaves_nothing),
    cmocka_unit_test(video_without_frames_is_refused),
    cmocka_unit_test(impossible_requests_are_named),
    cmocka_unit_test(full_disk_is_an_error_and_leaves_nothing),
    cmocka_unit_test(full_disk_at_the_very_end_is_an_error),
};

gd_test_main(tests)
