#include "gradus/video_index.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clip.h"
#include "test.h"

static gd_video_index *index_of(const char *path)
{
  gd_video_index *x;
  assert_ok(gd_video_index_read(path, &x));
  return x;
}

/* Index a file of the collection of odd videos. */
static gd_video_index *odd(const char *name)
{
  char path[GD_PATH_MAX];
  snprintf(path, sizeof path, "real/video-odd/%s", name);
  const char *found = gd_test_shared(path);
  return found == NULL ? NULL : index_of(found);
}

static void clip_is_described_and_may_be_cut_at_key_pictures(void **state)
{
  (void)state;
  const char *const names[] = {"clip.mp4", "clip.avi"};
  for (int i = 0; i < 2; i++) {
    gd_test_clip(gd_test_path(names[i]), 30);
    gd_video_index *x = index_of(gd_test_path(names[i]));
    assert_string_equal(x->codec, "mpeg4");
    assert_string_equal(x->container, i == 0 ? "mov" : "avi");
    assert_int_equal(x->width_px, GD_CLIP_WIDTH);
    assert_int_equal(x->height_px, GD_CLIP_HEIGHT);
    assert_int_equal(x->rotation_deg, 0);
    assert_int_equal(x->n_frames, 30);
    assert_int_equal(x->order, GD_ORDER_EXACT);
    assert_string_equal(x->warning, "");
    assert_true(x->fps > 24.99 && x->fps < 25.01);
    assert_true(x->duration_s > 1.19 && x->duration_s < 1.21);
    assert_int_equal(x->n_cuts, 3);
    for (int c = 0; c < 3; c++)
      assert_int_equal(x->cuts[c], 12 * c);
    for (int64_t p = 0; p < x->n_packets; p++) {
      assert_int_equal(x->packets[p].frame, p);
      assert_int_equal(x->packets[p].is_access, p % 12 == 0);
    }
    gd_video_index_free(x);
  }
}

static void what_is_no_video_is_refused_with_its_path_and_reason(void **state)
{
  (void)state;
  gd_video_index *x;
  assert_fails(gd_video_index_read(gd_test_path("none.mp4"), &x), GD_ERR_DECODE,
               "none.mp4: cannot open: No such file");
  assert_null(x);
  assert_fails(gd_video_index_read(gd_test_directory(), &x), GD_ERR_DECODE,
               "is not a regular file");
  assert_int_equal(mkfifo(gd_test_path("pipe.mp4"), 0600), 0);
  assert_fails(gd_video_index_read(gd_test_path("pipe.mp4"), &x), GD_ERR_DECODE,
               "pipe.mp4: is not a regular file");
  assert_fails(gd_video_index_read("/dev/zero", &x), GD_ERR_DECODE,
               "is not a regular file");
  assert_ok(gd_file_write(gd_test_path("empty.mp4"), "", 0));
  assert_fails(gd_video_index_read(gd_test_path("empty.mp4"), &x),
               GD_ERR_DECODE, "empty.mp4: is empty");
  assert_ok(gd_file_write(gd_test_path("text.mp4"), "not a video\n", 12));
  assert_fails(gd_video_index_read(gd_test_path("text.mp4"), &x), GD_ERR_DECODE,
               "text.mp4: is no video file");
  char longest[GD_PATH_MAX + 100];
  memset(longest, 'a', sizeof longest - 1);
  longest[sizeof longest - 1] = '\0';
  assert_fails(gd_video_index_read(longest, &x), GD_ERR_DECODE, "too long");
}

static void file_that_cannot_be_opened_is_refused(void **state)
{
  (void)state;
  gd_video_index *x;
  assert_int_equal(symlink("loop.mp4", gd_test_path("loop.mp4")), 0);
  assert_fails(gd_video_index_read(gd_test_path("loop.mp4"), &x), GD_ERR_DECODE,
               "loop.mp4: cannot open: Too many levels");
  gd_test_clip(gd_test_path("secret.mp4"), 3);
  assert_int_equal(chmod(gd_test_path("secret.mp4"), 0), 0);
  if (geteuid() != 0) /* root may read any file */
    assert_fails(gd_video_index_read(gd_test_path("secret.mp4"), &x),
                 GD_ERR_DECODE, "Permission denied");
}

/* A playlist opens whatever it names: FFmpeg's own program falls for these. */
static void playlists_with_a_videos_name_are_refused(void **state)
{
  (void)state;
  gd_test_clip(gd_test_path("target.mp4"), 3);
  static const char *const scripts[] = {
      "ffconcat version 1.0\nfile target.mp4\n",
      "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\ntarget.mp4\n"
      "#EXT-X-ENDLIST\n",
      "<?xml version=\"1.0\"?><MPD><BaseURL>target.mp4</BaseURL></MPD>"};
  for (int i = 0; i < 3; i++) {
    gd_video_index *x;
    const char *path = gd_test_path("list.mp4");
    assert_ok(gd_file_write(path, scripts[i], strlen(scripts[i])));
    assert_fails(gd_video_index_read(path, &x), GD_ERR_DECODE, "list.mp4: is");
  }
}

static void any_characters_may_be_in_a_name(void **state)
{
  (void)state;
  static const char *const names[] = {"a b:%d \xc3\xa9.mp4", "http:x.mp4",
                                      "-i.mp4", "concat:a|b.avi"};
  for (int i = 0; i < 4; i++) {
    gd_test_clip(gd_test_path(names[i]), 3);
    gd_video_index *x = index_of(gd_test_path(names[i]));
    assert_int_equal(x->n_frames, 3);
    gd_video_index_free(x);
  }
}

static void truncated_clip_is_indexed_with_a_warning(void **state)
{
  (void)state;
  int64_t size, modified;
  gd_test_clip(gd_test_path("whole.avi"), 100);
  assert_ok(gd_file_stat(gd_test_path("whole.avi"), &size, &modified));
  gd_test_damage(gd_test_path("whole.avi"), gd_test_path("part.avi"),
                 size * 6 / 10, 0, 0);
  gd_video_index *x = index_of(gd_test_path("part.avi"));
  assert_in_range(x->n_frames, 30, 90);
  assert_true(gd_test_has(x->warning, "of 100 announced frames are there"));
  gd_video_index_free(x);
}

static void presentation_order_follows_the_time_stamps(void **state)
{
  (void)state;
  gd_video_index *x = odd("ok_h264_bframes.mp4");
  if (x == NULL)
    skip();
  assert_int_equal(x->order, GD_ORDER_EXACT);
  assert_int_equal(x->n_frames, 90);
  int seen[90] = {0}, moved = 0;
  for (int64_t p = 0; p < x->n_packets; p++) {
    assert_in_range(x->packets[p].frame, 0, 89);
    seen[x->packets[p].frame]++;
    moved += x->packets[p].frame != p;
    assert_true(x->packets[p].time_s > x->packets[p].frame / 30.0 - 0.001 &&
                x->packets[p].time_s < x->packets[p].frame / 30.0 + 0.001);
  }
  assert_true(moved > 40);
  for (int f = 0; f < 90; f++)
    assert_int_equal(seen[f], 1);
  gd_video_index_free(x);
}

/* The key flag stands on 13 pictures of the file with intra refresh; decoding
 * may begin at one.  Open groups have leading pictures: no cuts. */
static void key_flags_and_open_groups_give_no_cuts(void **state)
{
  (void)state;
  gd_video_index *x = odd("h264_intra_refresh.mp4");
  if (x == NULL)
    skip();
  int n = 0;
  for (int64_t p = 0; p < x->n_packets; p++)
    n += x->packets[p].is_access;
  assert_int_equal(n, 1);
  assert_int_equal(x->n_cuts, 1);
  gd_video_index_free(x);
  x = odd("ok_hevc_opengop.mp4");
  n = 0;
  for (int64_t p = 0; p < x->n_packets; p++)
    n += x->packets[p].is_access;
  assert_true(n >= 3);
  assert_int_equal(x->n_cuts, 1);
  gd_video_index_free(x);
}

static void preroll_and_empty_chunks_have_no_number(void **state)
{
  (void)state;
  gd_video_index *x = odd("h264_editlist_negstart.mp4");
  if (x == NULL)
    skip();
  assert_int_equal(x->n_packets, 90);
  assert_int_equal(x->n_frames, 79);
  assert_int_equal(x->packets[0].frame, -1);
  gd_video_index_free(x);
  x = odd("mpeg4_dropframes.avi");
  assert_int_equal(x->n_frames, 50);
  assert_string_equal(x->warning, "");
  gd_video_index_free(x);
}

static void unknown_order_is_said_with_its_reason(void **state)
{
  (void)state;
  static const char *const cases[][2] = {
      {"mpeg4_packed_divx.avi", "several pictures"},
      {"ok_mpeg4_xvid_bframes.avi", "without time stamp"},
      {"resolution_change.ts", "restart"},
      {"ok_mpeg2.mpg", "codec"},
      {"mid_gop_start.ts", "cannot begin"},
      {"trunc_fragmented.mp4", "damaged"}};
  for (int i = 0; i < 6; i++) {
    gd_video_index *x = odd(cases[i][0]);
    if (x == NULL)
      skip();
    assert_int_equal(x->order, GD_ORDER_DECODE);
    assert_true(gd_test_has(x->reason, cases[i][1]));
    assert_int_equal(x->n_cuts, 1);
    gd_video_index_free(x);
  }
}

static void rotation_and_pixel_shape_are_told(void **state)
{
  (void)state;
  gd_video_index *x = odd("h264_rotate90.mp4");
  if (x == NULL)
    skip();
  assert_int_equal(x->width_px, 480);
  assert_int_equal(x->height_px, 640);
  assert_int_equal(x->rotation_deg, 270); /* the file turns to the left */
  assert_int_equal(x->is_mirrored, 0);
  gd_video_index_free(x);
  x = odd("h264_sar_8_9.mp4");
  assert_int_equal(x->width_px, 720);
  assert_int_equal(x->height_px, 540);
  assert_int_equal(x->pixel_aspect[0], 8);
  assert_int_equal(x->pixel_aspect[1], 9);
  gd_video_index_free(x);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(clip_is_described_and_may_be_cut_at_key_pictures),
    cmocka_unit_test(what_is_no_video_is_refused_with_its_path_and_reason),
    cmocka_unit_test(file_that_cannot_be_opened_is_refused),
    cmocka_unit_test(playlists_with_a_videos_name_are_refused),
    cmocka_unit_test(any_characters_may_be_in_a_name),
    cmocka_unit_test(truncated_clip_is_indexed_with_a_warning),
    cmocka_unit_test(presentation_order_follows_the_time_stamps),
    cmocka_unit_test(key_flags_and_open_groups_give_no_cuts),
    cmocka_unit_test(preroll_and_empty_chunks_have_no_number),
    cmocka_unit_test(unknown_order_is_said_with_its_reason),
    cmocka_unit_test(rotation_and_pixel_shape_are_told),
};

gd_test_main(tests)
