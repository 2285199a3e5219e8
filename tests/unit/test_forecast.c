#include "gradus/forecast.h"

#include "clip.h"
#include "test.h"

static const gd_sampling every_10th = {.every = 10};

static gd_forecast of_clip(int n_frames, int n_videos)
{
  gd_forecast f = {0};
  gd_video_index *x;
  gd_test_clip(gd_test_path("clip.avi"), n_frames);
  assert_ok(gd_video_index_read(gd_test_path("clip.avi"), NULL, &x));
  for (int i = 0; i < n_videos; i++)
    assert_ok(gd_forecast_add(&f, &every_10th, x));
  gd_video_index_free(x);
  return f;
}

static void sums_are_those_of_the_videos(void **state)
{
  (void)state;
  const gd_forecast f = of_clip(95, 3);
  assert_int_equal(f.n_seen, 3);
  assert_true(f.n_frames == 3 * 95 && f.n_kept == 3 * 10);
  assert_true(f.n_decoded >= f.n_kept && f.n_decoded <= f.n_frames);
  assert_true(f.kept_pixels == 30.0 * GD_CLIP_WIDTH * GD_CLIP_HEIGHT);
  assert_true(f.seconds > 11.39 && f.seconds < 11.41 && f.core_s > 0);
}

static void some_videos_stand_for_the_others(void **state)
{
  (void)state;
  gd_forecast part = of_clip(40, 2), f = of_clip(95, 1);
  gd_forecast_add_unreadable(&part);
  gd_forecast_add_scaled(&f, &part, 300);
  assert_int_equal(f.n_seen, 4);
  assert_int_equal(f.n_unreadable, 1);
  assert_true(f.n_frames == 95 + 100 * 2 * 40);
}

static void lines_say_what_is_exact(void **state)
{
  (void)state;
  gd_text t = {0};
  const gd_forecast f = {.n_seen = 150,
                         .seconds = 48.2 * 3600,
                         .n_frames = 2880000,
                         .n_decoded = 612345,
                         .n_kept = 28800,
                         .kept_pixels = 8847360000,
                         .core_s = 1800};
  gd_forecast_compose(&f, 150, GD_FRAMES_LOSSLESS, 95,
                      512 * INT64_C(1000000000), "runs", 2, &t);
  assert_string_equal(
      gd_text_get(&t),
      "150 videos, 48.2 hours: 28,800 of 2,880,000 frames kept, 612,345 "
      "decoded\n"
      "  about 26.5 GB raw, 3.2 GB lossless (as `store` says), 2.1 GB jpeg\n"
      "  about 30.0 core-minutes; 512 GB free in runs\n");
  gd_text_free(&t);
  gd_forecast_compose(&f, 20000, GD_FRAMES_RAW, 95, -1, "runs", 2, &t);
  assert_string_equal(
      gd_text_get(&t),
      "20,000 videos, about 48.2 hours: 28,800 of 2,880,000 frames kept, "
      "612,000 decoded; from 150 of the videos\n"
      "  about 26.5 GB raw (as `store` says), 3.2 GB lossless, 2.1 GB jpeg\n"
      "  about 30.0 core-minutes\n");
  gd_text_free(&t);
}

static void bytes_are_written_for_people(void **state)
{
  (void)state;
  const struct {
    double bytes;
    const char *text;
  } all[] = {{0, "0 bytes"},      {999, "999 bytes"}, {1000, "1.0 kB"},
             {999499, "999 kB"},  {999500, "1.0 MB"}, {99.94e9, "99.9 GB"},
             {99.96e9, "100 GB"}, {1.25e12, "1.2 TB"}};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
    char text[32];
    gd_forecast_bytes(all[i].bytes, text);
    assert_string_equal(text, all[i].text);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(sums_are_those_of_the_videos),
    cmocka_unit_test(some_videos_stand_for_the_others),
    cmocka_unit_test(lines_say_what_is_exact),
    cmocka_unit_test(bytes_are_written_for_people),
};

gd_test_main(tests)
