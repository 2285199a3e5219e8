#include "gradus/frames.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "test.h"
#include "videos.h"

enum { H = 6, W = 5, BYTES = H * W * 3 };

static gd_video_table *corpus_table(void)
{
  gd_video_table *t;
  assert_ok(gd_video_table_of_corpus(&gd_test_corpus, &t));
  return t;
}

static void paint(int32_t video, int64_t frame, uint8_t *rgb, int n)
{
  for (int i = 0; i < n; i++)
    rgb[i] = (uint8_t)(17 * video + 3 * frame + i);
}

static gd_frame_info info_of(int64_t frame, int height, int width)
{
  return (gd_frame_info){.frame_index = frame,
                         .time_s = 0.04 * (double)frame,
                         .status =
                             frame % 3 == 0 ? GD_FRAME_DAMAGED : GD_FRAME_WHOLE,
                         .height_px = height,
                         .width_px = width};
}

/* Append frames first, first + 10, ... below end. */
static gd_status append(gd_frame_writer *w, int32_t video, int64_t first,
                        int64_t end)
{
  uint8_t rgb[BYTES];
  gd_status st = GD_OK;
  for (int64_t f = first; st == GD_OK && f < end; f += 10) {
    const gd_frame_info info = info_of(f, H, W);
    paint(video, f, rgb, BYTES);
    const gd_picture picture = gd_picture_of_rgb(W, H, rgb);
    st = gd_frame_writer_append(w, video, &info, &picture);
  }
  return st;
}

static gd_frame_writer *begin(const char *name, const gd_video_table *corpus)
{
  gd_frame_writer *w;
  assert_ok(gd_frame_writer_create(gd_test_path(name), (gd_digest){7, 8}, H, W,
                                   corpus, &w));
  return w;
}

/* Two shards; video 1 begins in the first and ends in the second. */
static void write_set(void)
{
  gd_video_table *corpus = corpus_table();
  assert_ok(gd_directory_make(gd_test_path("set")));
  gd_frame_writer *w = begin("set/frames-00001.h5", corpus);
  assert_ok(append(w, 1, 100, 200));
  assert_ok(gd_frame_writer_note(
      w, &(gd_frame_reading){1, 100, 99, 1, 10, 3, "1 frame is lost"}));
  assert_ok(append(w, 3, 0, 30));
  assert_ok(
      gd_frame_writer_note(w, &(gd_frame_reading){3, 0, 30, 0, 3, 1, ""}));
  assert_ok(gd_frame_writer_commit(w));

  w = begin("set/frames-00000.h5", corpus);
  assert_int_equal(gd_fail(GD_ERR_DECODE, "one.mp4: no video stream"),
                   GD_ERR_DECODE);
  assert_ok(gd_frame_writer_skip(w, 0));
  assert_ok(append(w, 1, 0, 100));
  assert_ok(
      gd_frame_writer_note(w, &(gd_frame_reading){1, 0, 100, 0, 10, 4, ""}));
  assert_ok(gd_frame_writer_commit(w));
  gd_video_table_free(corpus);
}

static void set_puts_a_video_of_two_shards_together(void **state)
{
  (void)state;
  write_set();
  gd_frame_set *s;
  assert_ok(gd_frame_set_open(gd_test_path("set"), &s));
  const gd_video_table *videos = gd_frame_set_videos(s);
  assert_int_equal(videos->n_videos, 2);
  assert_string_equal(videos->videos[0].id, "a/two");
  assert_string_equal(videos->videos[1].id, "c");
  assert_int_equal(gd_frame_set_n_frames(s, 0), 20);
  assert_int_equal(gd_frame_set_n_frames(s, 1), 3);
  for (int64_t v = 0; v < 2; v++)
    for (int64_t i = gd_frame_set_n_frames(s, v) - 1; i >= 0; i--) {
      uint8_t expected[BYTES], found[BYTES];
      const gd_frame_info info = gd_frame_set_info(s, v, i);
      assert_int_equal(info.frame_index, 10 * i);
      assert_true(info.time_s == 0.04 * (double)(10 * i));
      assert_int_equal(info.status, info_of(10 * i, H, W).status);
      assert_int_equal(info.height_px, H);
      assert_int_equal(info.width_px, W);
      paint(videos->index[v], 10 * i, expected, BYTES);
      assert_ok(gd_frame_set_read(s, v, i, found));
      assert_memory_equal(found, expected, BYTES);
    }
  gd_frame_set_close(s);
}

static gd_status collect(void *context, const gd_frame_reading *reading,
                         const char *video_id)
{
  char *text = context;
  char line[200];
  snprintf(line, sizeof line, "%s %d %d %d %d %d %d %s;", video_id,
           reading->video, (int)reading->first_frame, (int)reading->n_decoded,
           (int)reading->n_lost, (int)reading->n_kept, (int)reading->n_damaged,
           reading->note);
  strncat(text, line, 400);
  return GD_OK;
}

static void readings_are_kept_in_order_with_their_notes(void **state)
{
  (void)state;
  char text[1000] = "";
  write_set();
  assert_ok(gd_frame_shard_readings(gd_test_path("set/frames-00001.h5"),
                                    collect, text));
  assert_string_equal(text,
                      "a/two 1 100 99 1 10 3 1 frame is lost;c 3 0 30 0 3 1 ;");
}

static void skipped_video_is_noted_with_its_reason(void **state)
{
  (void)state;
  gd_store *s;
  char item[GD_STORE_NAME_MAX * 8], reason[1024];
  write_set();
  assert_ok(gd_store_open(gd_test_path("set/frames-00000.h5"), "gradus-frames",
                          1, &s));
  assert_int_equal(gd_store_n_skipped(s), 1);
  assert_ok(gd_store_read_skipped(s, 0, item, reason));
  assert_string_equal(item, "a/one");
  assert_string_equal(reason, "one.mp4: no video stream");
  gd_store_close(s);
}

static void shard_without_frames_is_a_shard(void **state)
{
  (void)state;
  gd_video_table *corpus = corpus_table();
  assert_ok(gd_directory_make(gd_test_path("empty")));
  gd_frame_writer *w = begin("empty/frames-00000.h5", corpus);
  assert_ok(gd_frame_writer_commit(w));
  gd_frame_set *s;
  assert_ok(gd_frame_set_open(gd_test_path("empty"), &s));
  assert_int_equal(gd_frame_set_videos(s)->n_videos, 0);
  gd_frame_set_close(s);
  gd_video_table_free(corpus);
}

static void broken_sets_are_refused_with_the_shard(void **state)
{
  (void)state;
  gd_frame_set *s;
  assert_fails(gd_frame_set_open(gd_test_path("nowhere"), &s), GD_ERR_IO,
               "nowhere");
  assert_null(s);
  assert_ok(gd_directory_make(gd_test_path("bare")));
  assert_fails(gd_frame_set_open(gd_test_path("bare"), &s), GD_ERR_IO,
               "no frame shards");
  /* A shard cut short, and one that repeats another's frames. */
  write_set();
  assert_int_equal(truncate(gd_test_path("set/frames-00001.h5"), 3000), 0);
  assert_fails(gd_frame_set_open(gd_test_path("set"), &s), GD_ERR_FORMAT,
               "frames-00001.h5");
  gd_video_table *corpus = corpus_table();
  gd_frame_writer *w = begin("set/frames-00001.h5", corpus);
  assert_ok(append(w, 1, 90, 200));
  assert_ok(gd_frame_writer_commit(w));
  assert_fails(gd_frame_set_open(gd_test_path("set"), &s), GD_ERR_FORMAT,
               "both hold frame 90");
  gd_video_table_free(corpus);
}

static void equal_frames_give_equal_bytes(void **state)
{
  (void)state;
  gd_digest once, again;
  write_set();
  assert_ok(gd_digest_of_file(gd_test_path("set/frames-00001.h5"), &once));
  write_set();
  assert_ok(gd_digest_of_file(gd_test_path("set/frames-00001.h5"), &again));
  assert_true(gd_digest_equal(once, again));
}

static void full_disk_fails_and_leaves_no_shard(void **state)
{
  (void)state;
  enum { LARGE = 400 };
  uint8_t *rgb = calloc(LARGE * LARGE, 3);
  gd_video_table *corpus = corpus_table();
  const char *path = gd_test_path("full.h5");
  gd_frame_writer *w;
  assert_ok(
      gd_frame_writer_create(path, (gd_digest){0}, LARGE, LARGE, corpus, &w));
  signal(SIGXFSZ, SIG_IGN);
  struct rlimit old, small;
  getrlimit(RLIMIT_FSIZE, &old);
  small = old;
  small.rlim_cur = 1000000;
  setrlimit(RLIMIT_FSIZE, &small);
  gd_status st = GD_OK;
  for (int64_t f = 0; st == GD_OK && f < 20; f++) {
    const gd_frame_info info = info_of(f, LARGE, LARGE);
    const gd_picture picture = gd_picture_of_rgb(LARGE, LARGE, rgb);
    st = gd_frame_writer_append(w, 2, &info, &picture);
  }
  if (st == GD_OK)
    st = gd_frame_writer_commit(w);
  else
    gd_frame_writer_abandon(w);
  setrlimit(RLIMIT_FSIZE, &old);
  assert_int_equal(st, GD_ERR_IO);
  assert_true(gd_test_has(gd_reason(), "full.h5"));
  assert_false(gd_path_exists(path));
  assert_false(gd_path_exists(gd_test_path("full.h5.part")));
  gd_video_table_free(corpus);
  free(rgb);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(set_puts_a_video_of_two_shards_together),
    cmocka_unit_test(readings_are_kept_in_order_with_their_notes),
    cmocka_unit_test(skipped_video_is_noted_with_its_reason),
    cmocka_unit_test(shard_without_frames_is_a_shard),
    cmocka_unit_test(broken_sets_are_refused_with_the_shard),
    cmocka_unit_test(equal_frames_give_equal_bytes),
    cmocka_unit_test(full_disk_fails_and_leaves_no_shard),
};

gd_test_main(tests)
