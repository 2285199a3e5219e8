#include "gradus/video_reader.h"

#include <libavutil/imgutils.h>
#include <libavutil/md5.h>
#include <libavutil/pixdesc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clip.h"
#include "gradus/digest.h"
#include "gradus/memory.h"
#include "test.h"

enum { MOST = 400 };

/* What a reading gave: per kept frame its number, time and pixels' digest. */
typedef struct {
  int64_t n;
  gd_frame_info info[MOST];
  gd_digest rgb[MOST];
  gd_frame_reading result;
  char note[640];
} reading;

static gd_status read_sampled(const gd_video_index *x, const gd_sampling *s,
                              const gd_range *part, reading *out)
{
  gd_video_reader *r;
  gd_status st = gd_video_reader_open(x, s, part, NULL, &r);
  const gd_picture *picture;
  gd_frame_info info;
  gd_read_step step;
  *out = (reading){0};
  while (st == GD_OK &&
         (st = gd_video_reader_next(r, &step, &info, &picture)) == GD_OK &&
         step != GD_READ_END) {
    if (step == GD_READ_AGAIN) {
      out->n = 0;
      continue;
    }
    assert_in_range(out->n, 0, MOST - 1);
    out->info[out->n] = info;
    out->rgb[out->n++] =
        gd_digest_of(gd_test_rgb(&info, picture),
                     (size_t)info.width_px * info.height_px * 3);
  }
  if (r != NULL) {
    out->result = gd_video_reader_result(r);
    snprintf(out->note, sizeof out->note, "%s", out->result.note);
  }
  gd_video_reader_close(r);
  return st;
}

static gd_status read_part(const gd_video_index *x, int64_t every,
                           const gd_range *part, reading *out)
{
  return read_sampled(x, &(gd_sampling){.every = every}, part, out);
}

static void assert_same_frame(const reading *a, int64_t i, const reading *b,
                              int64_t j)
{
  assert_int_equal(a->info[i].frame_index, b->info[j].frame_index);
  assert_true(a->info[i].time_s == b->info[j].time_s);
  assert_true(gd_digest_equal(a->rgb[i], b->rgb[j]));
}

static gd_video_index *clip(const char *name, int n_frames)
{
  gd_video_index *x;
  gd_test_clip(gd_test_path(name), n_frames);
  assert_ok(gd_video_index_read(gd_test_path(name), NULL, &x));
  return x;
}

static void every_nth_frame_shows_its_own_number(void **state)
{
  (void)state;
  const char *const names[] = {"a.mp4", "a.avi"};
  const int steps[] = {1, 7, 10, 12, 99, 100, 1000};
  for (int i = 0; i < 2; i++) {
    gd_video_index *x = clip(names[i], 100);
    for (int s = 0; s < 7; s++) {
      gd_video_reader *r;
      gd_frame_info info;
      const gd_picture *picture;
      int64_t n = 0;
      const gd_sampling sampling = {.every = steps[s]};
      gd_read_step step;
      assert_ok(gd_video_reader_open(x, &sampling, NULL, NULL, &r));
      for (;;) {
        assert_ok(gd_video_reader_next(r, &step, &info, &picture));
        if (step == GD_READ_END)
          break;
        assert_int_equal(step, GD_READ_FRAME);
        assert_int_equal(info.frame_index, n * steps[s]);
        assert_int_equal(gd_test_clip_number(gd_test_rgb(&info, picture)),
                         info.frame_index);
        const double time_s = (double)info.frame_index / GD_CLIP_FPS;
        assert_true(info.time_s > time_s - 1e-6 && info.time_s < time_s + 1e-6);
        assert_int_equal(info.status, GD_FRAME_WHOLE);
        n++;
      }
      assert_int_equal(n, (100 + steps[s] - 1) / steps[s]);
      const gd_frame_reading result = gd_video_reader_result(r);
      assert_in_range(result.n_decoded, n, 100);
      assert_int_equal(result.n_kept, n);
      assert_int_equal(result.n_lost + result.n_damaged, 0);
      assert_string_equal(result.note, "");
      gd_video_reader_close(r);
    }
    gd_video_index_free(x);
  }
}

static void sampling_by_time_gives_the_frames_it_lists(void **state)
{
  (void)state;
  static const gd_sampling cases[] = {
      {.rate = 3},
      {.every = 5, .start_s = 0.9, .stop_s = 2.2},
      {.rate = 7.5, .start_s = 1, .most = 6},
      {.every = 1, .most = 9},
      {.every = 10, .start_s = 100}};
  gd_video_index *x = clip("time.mp4", 100);
  reading *all = gd_alloc(2, sizeof *all), *some = all + 1;
  assert_ok(read_part(x, 1, NULL, all));
  for (int c = 0; c < 5; c++) {
    int64_t *frames, n;
    assert_ok(gd_sampling_select(&cases[c], x, &frames, &n));
    assert_ok(read_sampled(x, &cases[c], NULL, some));
    assert_int_equal(some->n, n);
    for (int64_t i = 0; i < n; i++)
      assert_same_frame(some, i, all, frames[i]);
    free(frames);
  }
  free(all);
  gd_video_index_free(x);
}

/* Frames are chosen while they come out; for `most` they are counted first. */
static void sampling_works_where_only_decoding_tells_the_order(void **state)
{
  (void)state;
  const char *path = gd_test_shared("real/video-odd/ok_mpeg2.mpg");
  gd_video_index *x;
  if (path == NULL)
    skip();
  assert_ok(gd_video_index_read(path, NULL, &x));
  assert_int_equal(x->order, GD_ORDER_DECODE);
  reading *all = gd_alloc(2, sizeof *all), *some = all + 1;
  assert_ok(read_part(x, 1, NULL, all));
  const gd_sampling four = {.every = 3, .most = 4};
  const int64_t m = (all->n + 2) / 3;
  assert_ok(read_sampled(x, &four, NULL, some));
  assert_int_equal(some->n, 4);
  for (int64_t i = 0; i < 4; i++)
    assert_same_frame(some, i, all, 3 * (i * m / 4));
  const gd_sampling window = {.every = 1, .start_s = 0.5, .stop_s = 1.5};
  assert_ok(read_sampled(x, &window, NULL, some));
  assert_in_range(some->n, 20, 35);
  for (int64_t i = 0; i < some->n; i++)
    assert_same_frame(some, i, all, some->info[0].frame_index + i);
  free(all);
  gd_video_index_free(x);
}

/* The first frames are given out before damage is met; then all come again. */
static void damage_makes_the_reader_begin_again_and_say_so(void **state)
{
  (void)state;
  gd_video_index *x = clip("again.avi", 60);
  char *data;
  size_t size;
  assert_ok(gd_file_read(x->path, 1 << 20, &data, &size));
  memset(data + x->packets[48].position_bytes + 40, 0x55, 60);
  assert_ok(gd_file_write(x->path, data, size));
  free(data);
  gd_video_reader *r;
  gd_read_step step;
  gd_frame_info info;
  const gd_picture *picture;
  const gd_sampling twelfth = {.every = 12};
  int n_again = 0;
  int64_t n = 0;
  assert_ok(gd_video_reader_open(x, &twelfth, NULL, NULL, &r));
  for (;;) {
    assert_ok(gd_video_reader_next(r, &step, &info, &picture));
    if (step == GD_READ_END)
      break;
    assert_int_equal(picture == NULL, step == GD_READ_AGAIN);
    n_again += step == GD_READ_AGAIN;
    n = step == GD_READ_AGAIN ? 0 : n + 1;
  }
  assert_int_equal(n_again, 1);
  const gd_frame_reading result = gd_video_reader_result(r);
  assert_int_equal(result.n_kept, n);
  assert_true(n >= 4 && result.n_damaged + result.n_lost > 0);
  assert_true(gd_test_has(result.note, "all of it was decoded"));
  gd_video_reader_close(r);
  gd_video_index_free(x);
}

/* Read a video in all its segments and compare with the whole. */
static void check_segments(const gd_video_index *x, int64_t every)
{
  reading *whole = gd_alloc(2, sizeof *whole), *part = whole + 1;
  int64_t next = 0;
  assert_ok(read_part(x, every, NULL, whole));
  for (int64_t c = 0; c < x->n_cuts; c++) {
    const gd_range segment = {x->cuts[c],
                              c + 1 < x->n_cuts ? x->cuts[c + 1] : x->n_frames};
    assert_ok(read_part(x, every, &segment, part));
    assert_int_equal(part->result.first_frame, segment.first);
    assert_in_range(part->result.n_decoded, part->n,
                    segment.end - segment.first);
    assert_string_equal(part->note, "");
    for (int64_t i = 0; i < part->n; i++)
      assert_same_frame(part, i, whole, next++);
  }
  assert_int_equal(next, whole->n);
  free(whole);
}

static void segments_agree_with_the_whole(void **state)
{
  (void)state;
  const char *const names[] = {"s.mp4", "s.avi"};
  for (int i = 0; i < 2; i++) {
    gd_video_index *x = clip(names[i], 50);
    assert_int_equal(x->n_cuts, 5);
    check_segments(x, 1);
    check_segments(x, 7);
    gd_video_index_free(x);
  }
}

static void segments_of_other_codecs_agree_with_the_whole(void **state)
{
  (void)state;
  static const char *const names[] = {
      "h264_fragmented.mp4", "h264_editlist_negstart.mp4", "mpeg4_641x479.avi",
      "mpeg4_dropframes.avi", "mjpeg_fullrange.avi"};
  for (int i = 0; i < 5; i++) {
    char path[GD_PATH_MAX];
    snprintf(path, sizeof path, "real/video-odd/%s", names[i]);
    const char *found = gd_test_shared(path);
    if (found == NULL)
      skip();
    gd_video_index *x;
    assert_ok(gd_video_index_read(found, NULL, &x));
    assert_true(x->n_cuts > 1);
    check_segments(x, 3);
    gd_video_index_free(x);
  }
}

static void lost_segment_does_not_shift_the_next(void **state)
{
  (void)state;
  reading *part = gd_alloc(1, sizeof *part);
  gd_video_index *x = clip("l.mp4", 48);
  /* The index is of the undamaged file: as if a block went bad since. */
  char *data;
  size_t size;
  assert_ok(gd_file_read(x->path, 1 << 20, &data, &size));
  const char start[] = {0, 0, 1, (char)0xb6};
  for (size_t at = 100, seen = 0; at + 400 < size && seen < 20; at++)
    if (memcmp(data + at, start, 4) == 0 && ++seen > 14)
      memset(data + at, 0x55, 12);
  assert_ok(gd_file_write(x->path, data, size));
  free(data);

  const gd_range bad = {12, 24}, behind = {24, 36};
  const gd_status st = read_part(x, 1, &bad, part);
  assert_true(st == GD_OK || st == GD_ERR_DECODE);
  assert_true(part->result.n_lost + part->result.n_damaged > 0);
  assert_true(gd_test_has(part->note, "pictures"));
  assert_ok(read_part(x, 1, &behind, part));
  assert_int_equal(part->n, 12);
  assert_int_equal(part->info[0].frame_index, 24);
  assert_string_equal(part->note, "");
  gd_video_index_free(x);
  free(part);
}

static void real_clips_have_all_their_frames(void **state)
{
  (void)state;
  static const struct {
    const char *name;
    int n_frames, width, height;
  } clips[] = {{"real/video/fr_short_hamilton_clip.mp4", 275, 640, 360},
               {"real/video/pyfeat_face_noface.mov", 169, 960, 540},
               {"real/video/pyfeat_single_face.mp4", 72, 640, 360}};
  reading *all = gd_alloc(1, sizeof *all);
  for (int i = 0; i < 3; i++) {
    const char *path = gd_test_shared(clips[i].name);
    if (path == NULL) {
      free(all);
      skip();
    }
    gd_video_index *x;
    assert_ok(gd_video_index_read(path, NULL, &x));
    assert_int_equal(x->n_frames, clips[i].n_frames);
    assert_int_equal(x->width_px, clips[i].width);
    assert_int_equal(x->height_px, clips[i].height);
    assert_ok(read_part(x, 10, NULL, all));
    assert_in_range(all->result.n_decoded, all->n, clips[i].n_frames);
    assert_int_equal(all->n, (clips[i].n_frames + 9) / 10);
    assert_string_equal(all->note, "");
    gd_video_index_free(x);
  }
  free(all);
}

/* The same pictures with and without a display matrix that turns left. */
static void turned_video_is_read_upright(void **state)
{
  (void)state;
  enum { W = 640, H = 480 };
  const char *flat = gd_test_shared("real/video-odd/ok_h264_bframes.mp4");
  const char *left = gd_test_shared("real/video-odd/h264_rotate90.mp4");
  if (flat == NULL || left == NULL)
    skip();
  const char *const paths[2] = {flat, left};
  enum { BYTES = W * H * 3 };
  uint8_t *rgb[2] = {gd_alloc(BYTES, 1), gd_alloc(BYTES, 1)};
  gd_frame_info info;
  for (int i = 0; i < 2; i++) {
    gd_video_index *x;
    gd_video_reader *r;
    const gd_picture *picture;
    assert_ok(gd_video_index_read(paths[i], NULL, &x));
    gd_read_step step;
    assert_ok(
        gd_video_reader_open(x, &(gd_sampling){.every = 1}, NULL, NULL, &r));
    assert_ok(gd_video_reader_next(r, &step, &info, &picture));
    memcpy(rgb[i], gd_test_rgb(&info, picture), BYTES);
    gd_video_reader_close(r);
    gd_video_index_free(x);
  }
  assert_int_equal(info.width_px, H);
  assert_int_equal(info.height_px, W);
  for (int y = 0; y < H; y++)
    for (int col = 0; col < W; col++)
      assert_memory_equal(rgb[0] + 3 * (y * W + col),
                          rgb[1] + 3 * ((W - 1 - col) * H + y), 3);
  free(rgb[0]);
  free(rgb[1]);
}

/* ------------------------------------------------ the collection of oddities
 */

typedef struct {
  char file[128], expect[16];
  char md5[16][33]; /* of every 10th frame's planes */
  int n_md5;
} oddity;

/* Copy the text between the second pair of quotes of a line. */
static void copy_value(const char *line, char *out, size_t room)
{
  const char *at = strchr(line, ':');
  at = at == NULL ? NULL : strchr(at, '"');
  const char *end = at == NULL ? NULL : strrchr(at + 1, '"');
  snprintf(out, room, "%.*s", end == NULL ? 0 : (int)(end - at - 1),
           at == NULL ? "" : at + 1);
}

/* The manifest is JSON with one item per line; "file" begins an entry. */
static int read_oddities(const char *path, oddity *all, int most)
{
  FILE *in = fopen(path, "r");
  char line[512];
  int n = 0;
  while (in != NULL && fgets(line, sizeof line, in) != NULL) {
    const char *at = line + strspn(line, " ");
    if (strncmp(at, "\"file\":", 7) == 0 && n < most)
      copy_value(at, all[n++].file, sizeof all->file);
    else if (strncmp(at, "\"expect\":", 9) == 0)
      copy_value(at, all[n - 1].expect, sizeof all->expect);
    else if (n > 0 && strspn(at + 1, "0123456789abcdef") == 32)
      snprintf(all[n - 1].md5[all[n - 1].n_md5++], 33, "%.32s", at + 1);
  }
  if (in != NULL)
    fclose(in);
  return n;
}

static void md5_of_planes(const gd_picture *picture, char out[33])
{
  uint8_t digest[16];
  const gd_picture_layout *l = &picture->layout;
  const enum AVPixelFormat format = av_get_pix_fmt(l->pixel_format);
  const int size =
      av_image_get_buffer_size(format, l->width_px, l->height_px, 1);
  uint8_t *planes = gd_alloc(size, 1);
  assert_int_equal(av_image_copy_to_buffer(planes, size, picture->planes,
                                           picture->stride_bytes, format,
                                           l->width_px, l->height_px, 1),
                   size);
  av_md5_sum(digest, planes, size);
  for (int i = 0; i < 16; i++)
    snprintf(out + 2 * i, 3, "%02x", digest[i]);
  free(planes);
}

/* Read every 10th frame; count those that are not as the manifest tells. */
static gd_status compare(const gd_video_index *x, const oddity *o,
                         gd_frame_reading *result, int *n_other)
{
  gd_video_reader *r;
  gd_frame_info info;
  const gd_picture *picture;
  char md5[33];
  int n = 0;
  *n_other = 0;
  gd_read_step step;
  const gd_sampling tenth = {.every = 10};
  gd_status st = gd_video_reader_open(x, &tenth, NULL, NULL, &r);
  while (st == GD_OK &&
         (st = gd_video_reader_next(r, &step, &info, &picture)) == GD_OK &&
         step != GD_READ_END) {
    if (step == GD_READ_AGAIN) {
      n = *n_other = 0;
      continue;
    }
    md5_of_planes(picture, md5);
    assert_int_equal(info.frame_index, 10 * n);
    *n_other += n >= o->n_md5 || strcmp(md5, o->md5[n]) != 0;
    n++;
  }
  if (st == GD_OK) {
    assert_int_equal(n, o->n_md5);
    *result = gd_video_reader_result(r);
    result->note = NULL;
  }
  gd_video_reader_close(r);
  return st;
}

static const char *verdict_of(const char *path, const oddity *o, int *n_other)
{
  gd_video_index *x;
  gd_frame_reading result = {0};
  *n_other = 0;
  gd_status st = gd_video_index_read(path, NULL, &x);
  int is_whole = st == GD_OK && x->warning[0] == '\0';
  if (st == GD_OK)
    st = compare(x, o, &result, n_other);
  is_whole = is_whole && result.n_lost == 0 && result.n_damaged == 0;
  gd_video_index_free(x);
  if (st != GD_OK)
    assert_true(gd_status_is_item(st) && gd_test_has(gd_reason(), o->file));
  return st != GD_OK ? "reject" : is_whole ? "ok" : "partial";
}

static void odd_videos_end_as_their_manifest_tells(void **state)
{
  (void)state;
  static oddity all[64];
  const char *manifest = gd_test_shared("real/video-odd/manifest.json");
  if (manifest == NULL)
    skip();
  const int n = read_oddities(manifest, all, 64);
  assert_int_equal(n, 42);
  for (int i = 0; i < n; i++) {
    char name[256];
    int n_other;
    snprintf(name, sizeof name, "real/video-odd/%.200s", all[i].file);
    const char *verdict = verdict_of(gd_test_shared(name), &all[i], &n_other);
    if (strcmp(all[i].expect, "ok_or_reject") == 0) {
      /* Pictures change size: ours are scaled after the planes' digest. */
      assert_string_equal(verdict, "ok");
      continue;
    }
    if (strcmp(verdict, all[i].expect) != 0 || n_other > 0)
      fail_msg("%s: %s, expected %s; %d frames differ: %s", all[i].file,
               verdict, all[i].expect, n_other, gd_reason());
  }
}

static void odd_videos_give_the_same_frames_for_every_step(void **state)
{
  (void)state;
  static oddity files[64];
  const char *manifest = gd_test_shared("real/video-odd/manifest.json");
  if (manifest == NULL)
    skip();
  const int n_files = read_oddities(manifest, files, 64);
  reading *all = gd_alloc(2, sizeof *all), *part = all + 1;
  for (int i = 0; i < n_files; i++) {
    char name[256];
    gd_video_index *x;
    snprintf(name, sizeof name, "real/video-odd/%.200s", files[i].file);
    if (gd_video_index_read(gd_test_shared(name), NULL, &x) != GD_OK)
      continue;
    assert_ok(read_part(x, 1, NULL, all));
    assert_ok(read_part(x, 7, NULL, part));
    assert_int_equal(part->n, (all->n + 6) / 7);
    for (int64_t f = 0; f < part->n; f++)
      assert_same_frame(part, f, all, 7 * f);
    gd_video_index_free(x);
  }
  free(all);
}

/* ------------------------------------------------------------------- damage */

static void flipped_bytes_never_crash(void **state)
{
  (void)state;
  const char *const kinds[] = {"mp4", "avi"};
  reading *some = gd_alloc(1, sizeof *some);
  for (int i = 0; i < 2; i++) {
    char from[32], to[32];
    snprintf(from, sizeof from, "whole.%s", kinds[i]);
    snprintf(to, sizeof to, "flipped.%s", kinds[i]);
    gd_test_clip(gd_test_path(from), 40);
    for (uint32_t seed = 0; seed < 60; seed++) {
      gd_video_index *x;
      gd_test_damage(gd_test_path(from), gd_test_path(to), -1,
                     1 + (int)(seed % 30), seed);
      gd_status st = gd_video_index_read(gd_test_path(to), NULL, &x);
      if (st == GD_OK)
        st = read_part(x, 1 + seed % 5, NULL, some);
      if (st == GD_OK && x->n_cuts > 1) {
        const gd_range segment = {x->cuts[1], x->n_frames};
        st = read_part(x, 1, &segment, some);
      }
      if (st != GD_OK && !gd_status_is_item(st))
        fail_msg("seed %u: %s: %s", seed, gd_status_text(st), gd_reason());
      gd_video_index_free(x);
    }
  }
  free(some);
}

static void truncated_video_gives_what_is_whole_and_says_so(void **state)
{
  (void)state;
  reading *all = gd_alloc(2, sizeof *all), *part = all + 1;
  gd_video_index *x = clip("t.avi", 100);
  int64_t size, modified;
  assert_ok(read_part(x, 1, NULL, all));
  assert_ok(gd_file_stat(x->path, &size, &modified));
  gd_video_index_free(x);
  for (int tenth = 0; tenth < 10; tenth++) {
    gd_test_damage(gd_test_path("t.avi"), gd_test_path("cut.avi"),
                   size * tenth / 10, 0, 0);
    gd_status st = gd_video_index_read(gd_test_path("cut.avi"), NULL, &x);
    if (st == GD_OK)
      st = read_part(x, 1, NULL, part);
    assert_true(st == GD_OK || gd_status_is_item(st));
    if (st == GD_OK) {
      assert_true(gd_test_has(part->note, "announced frames"));
      for (int64_t f = 0; f < part->n; f++)
        if (part->info[f].status == GD_FRAME_WHOLE)
          assert_true(gd_digest_equal(part->rgb[f], all->rgb[f]));
    }
    gd_video_index_free(x);
  }
  free(all);
}

static void video_that_is_gone_since_it_was_indexed_is_refused(void **state)
{
  (void)state;
  gd_video_index *x = clip("gone.mp4", 20);
  gd_video_reader *r;
  assert_ok(gd_file_remove(x->path));
  assert_fails(
      gd_video_reader_open(x, &(gd_sampling){.every = 1}, NULL, NULL, &r),
      GD_ERR_DECODE, "gone.mp4");
  assert_null(r);
  gd_video_index_free(x);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_nth_frame_shows_its_own_number),
    cmocka_unit_test(sampling_by_time_gives_the_frames_it_lists),
    cmocka_unit_test(sampling_works_where_only_decoding_tells_the_order),
    cmocka_unit_test(damage_makes_the_reader_begin_again_and_say_so),
    cmocka_unit_test(segments_agree_with_the_whole),
    cmocka_unit_test(segments_of_other_codecs_agree_with_the_whole),
    cmocka_unit_test(lost_segment_does_not_shift_the_next),
    cmocka_unit_test(real_clips_have_all_their_frames),
    cmocka_unit_test(turned_video_is_read_upright),
    cmocka_unit_test(odd_videos_end_as_their_manifest_tells),
    cmocka_unit_test(odd_videos_give_the_same_frames_for_every_step),
    cmocka_unit_test(flipped_bytes_never_crash),
    cmocka_unit_test(truncated_video_gives_what_is_whole_and_says_so),
    cmocka_unit_test(video_that_is_gone_since_it_was_indexed_is_refused),
};

gd_test_main(tests)
