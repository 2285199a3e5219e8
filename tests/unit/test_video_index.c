#include "gradus/video_index.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clip.h"
#include "test.h"

static gd_video_index *index_of(const char *path)
{
  gd_video_index *x;
  assert_ok(gd_video_index_read(path, NULL, &x));
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
  assert_fails(gd_video_index_read(gd_test_path("none.mp4"), NULL, &x),
               GD_ERR_DECODE, "none.mp4: cannot open: No such file");
  assert_null(x);
  assert_fails(gd_video_index_read(gd_test_directory(), NULL, &x),
               GD_ERR_DECODE, "is not a regular file");
  assert_int_equal(mkfifo(gd_test_path("pipe.mp4"), 0600), 0);
  assert_fails(gd_video_index_read(gd_test_path("pipe.mp4"), NULL, &x),
               GD_ERR_DECODE, "pipe.mp4: is not a regular file");
  assert_fails(gd_video_index_read("/dev/zero", NULL, &x), GD_ERR_DECODE,
               "is not a regular file");
  assert_ok(gd_file_write(gd_test_path("empty.mp4"), "", 0));
  assert_fails(gd_video_index_read(gd_test_path("empty.mp4"), NULL, &x),
               GD_ERR_DECODE, "empty.mp4: is empty");
  assert_ok(gd_file_write(gd_test_path("text.mp4"), "not a video\n", 12));
  assert_fails(gd_video_index_read(gd_test_path("text.mp4"), NULL, &x),
               GD_ERR_DECODE, "text.mp4: is no video file");
  char longest[GD_PATH_MAX + 100];
  memset(longest, 'a', sizeof longest - 1);
  longest[sizeof longest - 1] = '\0';
  assert_fails(gd_video_index_read(longest, NULL, &x), GD_ERR_DECODE,
               "too long");
}

static void file_that_cannot_be_opened_is_refused(void **state)
{
  (void)state;
  gd_video_index *x;
  assert_int_equal(symlink("loop.mp4", gd_test_path("loop.mp4")), 0);
  assert_fails(gd_video_index_read(gd_test_path("loop.mp4"), NULL, &x),
               GD_ERR_DECODE, "loop.mp4: cannot open: Too many levels");
  gd_test_clip(gd_test_path("secret.mp4"), 3);
  assert_int_equal(chmod(gd_test_path("secret.mp4"), 0), 0);
  if (access(gd_test_path("secret.mp4"), R_OK) != 0) /* root may read any */
    assert_fails(gd_video_index_read(gd_test_path("secret.mp4"), NULL, &x),
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
    assert_fails(gd_video_index_read(path, NULL, &x), GD_ERR_DECODE,
                 "list.mp4: is");
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
 * may begin at one.  Leading pictures of an open group do not hinder. */
static void cuts_are_where_decoding_may_begin(void **state)
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
  assert_int_equal(x->n_cuts, n);
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
      {"resolution_change.ts", "restart"},
      {"ok_mpeg2.mpg", "codec"},
      {"mid_gop_start.ts", "cannot begin"},
      {"trunc_fragmented.mp4", "damaged"}};
  for (int i = 0; i < 5; i++) {
    gd_video_index *x = odd(cases[i][0]);
    if (x == NULL)
      skip();
    assert_int_equal(x->order, GD_ORDER_DECODE);
    assert_true(gd_test_has(x->reason, cases[i][1]));
    assert_int_equal(x->n_cuts, 1);
    gd_video_index_free(x);
  }
}

/* B-pictures of MPEG-4, those of H.264 and HEVC that nothing refers to, every
 * picture of MJPEG. */
static void pictures_that_no_other_needs_are_droppable(void **state)
{
  (void)state;
  static const struct {
    const char *name;
    int least, most; /* per cent */
  } cases[] = {
      {"ok_h264_bframes.mp4", 30, 70},  {"ok_h264_nobframes.mp4", 0, 0},
      {"ok_hevc_opengop.mp4", 30, 80},  {"ok_mpeg4_xvid_bframes.avi", 40, 70},
      {"mpeg4_641x479.avi", 0, 0},      {"ok_vp9_altref.webm", 0, 0},
      {"mjpeg_fullrange.avi", 100, 100}};
  for (int i = 0; i < 7; i++) {
    gd_video_index *x = odd(cases[i].name);
    if (x == NULL)
      skip();
    assert_int_equal(x->order, GD_ORDER_EXACT);
    int64_t n = 0;
    for (int64_t p = 0; p < x->n_packets; p++)
      n += x->packets[p].is_droppable;
    if (n * 100 < cases[i].least * x->n_packets ||
        n * 100 > cases[i].most * x->n_packets)
      fail_msg("%s: %d of %d", cases[i].name, (int)n, (int)x->n_packets);
    gd_video_index_free(x);
  }
}

/* An AVI with B-pictures has no time stamps on those it shows late: the types
 * of the pictures tell their order. */
static void order_of_mpeg4_in_avi_follows_from_the_types(void **state)
{
  (void)state;
  gd_video_index *x = odd("ok_mpeg4_xvid_bframes.avi");
  if (x == NULL)
    skip();
  assert_int_equal(x->order, GD_ORDER_EXACT);
  assert_true(x->is_timed);
  int n_moved = 0;
  for (int64_t f = 0; f < x->n_frames; f++) {
    const gd_video_packet *p = &x->packets[x->shown_by[f]];
    const double time_s = gd_video_index_time(x, f);
    n_moved += x->shown_by[f] != f;
    assert_int_equal(p->frame, f);
    assert_true(time_s == p->time_s);
    assert_true(time_s > (double)f / 30 - 1e-6 &&
                time_s < (double)f / 30 + 1e-6);
  }
  assert_true(n_moved > 20);
  gd_video_index_free(x);
}

static void interlaced_video_is_told(void **state)
{
  (void)state;
  gd_video_index *x = odd("h264_interlaced_mbaff.mp4");
  if (x == NULL)
    skip();
  assert_true(x->is_interlaced);
  assert_string_equal(x->pixel_format, "yuv420p");
  gd_video_index_free(x);
  x = odd("h264_10bit_422.mp4");
  assert_false(x->is_interlaced);
  assert_string_equal(x->pixel_format, "yuv422p10le");
  gd_video_index_free(x);
}

static void assert_same_index(const gd_video_index *a, const gd_video_index *b)
{
  assert_string_equal(a->path, b->path);
  assert_string_equal(a->container, b->container);
  assert_string_equal(a->codec, b->codec);
  assert_string_equal(a->pixel_format, b->pixel_format);
  assert_string_equal(a->reason, b->reason);
  assert_string_equal(a->warning, b->warning);
  assert_int_equal(a->width_px, b->width_px);
  assert_int_equal(a->rotation_deg, b->rotation_deg);
  assert_int_equal(a->pixel_aspect[1], b->pixel_aspect[1]);
  assert_int_equal(a->order, b->order);
  assert_int_equal(a->is_timed, b->is_timed);
  assert_true(a->fps == b->fps && a->duration_s == b->duration_s);
  assert_true(a->first_s == b->first_s);
  assert_int_equal(a->size_bytes, b->size_bytes);
  assert_int_equal(a->modified_ns, b->modified_ns);
  assert_int_equal(a->n_frames, b->n_frames);
  assert_int_equal(a->n_packets, b->n_packets);
  assert_int_equal(a->n_cuts, b->n_cuts);
  for (int64_t c = 0; c < a->n_cuts; c++)
    assert_int_equal(a->cuts[c], b->cuts[c]);
  for (int64_t f = 0; f < a->n_frames; f++)
    assert_int_equal(a->shown_by[f], b->shown_by[f]);
  for (int64_t i = 0; i < a->n_packets; i++) {
    const gd_video_packet *p = &a->packets[i], *q = &b->packets[i];
    assert_int_equal(p->frame, q->frame);
    assert_int_equal(p->position_bytes, q->position_bytes);
    assert_int_equal(p->is_access, q->is_access);
    assert_int_equal(p->is_droppable, q->is_droppable);
    assert_true(p->time_s == q->time_s ||
                (isnan(p->time_s) && isnan(q->time_s)));
  }
}

static void packed_index_is_small_and_comes_back_the_same(void **state)
{
  (void)state;
  static const char *const names[] = {"ok_h264_bframes.mp4",
                                      "h264_vfr.mp4",
                                      "h264_editlist_negstart.mp4",
                                      "mpeg4_dropframes.avi",
                                      "ok_vp9_altref.webm",
                                      "mpeg4_packed_divx.avi",
                                      "resolution_change.ts",
                                      "h264_rotate90.mp4",
                                      "trunc.avi"};
  for (int i = 0; i < 9; i++) {
    gd_video_index *x = odd(names[i]), *y;
    uint8_t *bytes;
    size_t n;
    if (x == NULL)
      skip();
    assert_ok(gd_video_index_pack(x, &bytes, &n));
    assert_in_range(n, 50, 300 + 10 * (size_t)x->n_packets);
    assert_ok(gd_video_index_unpack(x->path, bytes, n, &y));
    assert_same_index(x, y);
    gd_video_index_free(x);
    gd_video_index_free(y);
    free(bytes);
  }
}

static void packed_index_that_is_damaged_is_refused(void **state)
{
  (void)state;
  gd_test_clip(gd_test_path("packed.mp4"), 30);
  gd_video_index *x = index_of(gd_test_path("packed.mp4")), *y;
  uint8_t *bytes;
  size_t n;
  assert_ok(gd_video_index_pack(x, &bytes, &n));
  for (size_t at = 0; at < n; at++) {
    bytes[at] ^= 0x41;
    assert_fails(gd_video_index_unpack("a.mp4", bytes, n, &y), GD_ERR_FORMAT,
                 "a.mp4: its index");
    assert_null(y);
    bytes[at] ^= 0x41;
    assert_fails(gd_video_index_unpack("a.mp4", bytes, at, &y), GD_ERR_FORMAT,
                 "a.mp4: its index");
  }
  assert_ok(gd_video_index_unpack("a.mp4", bytes, n, &y));
  gd_video_index_free(x);
  gd_video_index_free(y);
  free(bytes);
}

/* Parts of a video cost together what the whole does, and less is less. */
static void cost_is_that_of_the_pictures_that_must_be_decoded(void **state)
{
  (void)state;
  gd_test_clip(gd_test_path("cost.avi"), 96);
  gd_video_index *x = index_of(gd_test_path("cost.avi"));
  const int64_t wanted[] = {0, 50, 95};
  const gd_range whole = {0, 96}, idle = {12, 48};
  const double all = gd_video_index_cost(x, NULL, 0, whole);
  const double some = gd_video_index_cost(x, wanted, 3, whole);
  double sum = 0;
  for (int64_t c = 0; c < x->n_cuts; c++) {
    const gd_range part = {x->cuts[c],
                           c + 1 < x->n_cuts ? x->cuts[c + 1] : x->n_frames};
    sum += gd_video_index_cost(x, NULL, 0, part);
  }
  assert_true(sum > 0.999 * all && sum < 1.001 * all);
  /* 1 + 3 + 12 of 96 pictures lead to the three. */
  assert_true(some > 0.1 * all && some < 0.35 * all);
  assert_true(gd_video_index_cost(x, wanted, 3, idle) == 0);
  gd_video_index_free(x);
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
    cmocka_unit_test(cuts_are_where_decoding_may_begin),
    cmocka_unit_test(preroll_and_empty_chunks_have_no_number),
    cmocka_unit_test(unknown_order_is_said_with_its_reason),
    cmocka_unit_test(pictures_that_no_other_needs_are_droppable),
    cmocka_unit_test(order_of_mpeg4_in_avi_follows_from_the_types),
    cmocka_unit_test(interlaced_video_is_told),
    cmocka_unit_test(packed_index_is_small_and_comes_back_the_same),
    cmocka_unit_test(packed_index_that_is_damaged_is_refused),
    cmocka_unit_test(cost_is_that_of_the_pictures_that_must_be_decoded),
    cmocka_unit_test(rotation_and_pixel_shape_are_told),
};

gd_test_main(tests)
