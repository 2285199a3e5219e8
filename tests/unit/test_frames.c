#include "gradus/frames.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clip.h"
#include "gradus/file.h"
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

/* How the shards of a test are stored. */
static gd_frame_format format = {
    .height_px = H, .width_px = W, .quality = 100, .keeps_damaged = 1};

static gd_frame_writer *begin(const char *name, const gd_video_table *corpus)
{
  gd_frame_writer *w;
  assert_ok(gd_frame_writer_create(gd_test_path(name), (gd_digest){7, 8},
                                   &format, corpus, &w));
  return w;
}

static gd_frame_set *open_set(const char *name)
{
  gd_frame_set *s;
  assert_ok(gd_frame_set_open(gd_test_path(name), GD_FRAMES_TO_USE, &s));
  return s;
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

static int largest_difference(const uint8_t *a, const uint8_t *b, int n)
{
  int most = 0;
  for (int i = 0; i < n; i++)
    most = abs(a[i] - b[i]) > most ? abs(a[i] - b[i]) : most;
  return most;
}

static void check_set(int tolerance)
{
  write_set();
  gd_frame_set *s = open_set("set");
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
      assert_in_range(largest_difference(found, expected, BYTES), 0, tolerance);
    }
  gd_frame_set_close(s);
}

static void set_puts_a_video_of_two_shards_together(void **state)
{
  (void)state;
  static const int tolerances[] = {0, 0, 12};
  for (int i = 0; i < 3; i++) {
    format.storage = (gd_frame_storage)i;
    check_set(tolerances[i]);
  }
  format.storage = GD_FRAMES_LOSSLESS;
}

static void shard_can_be_opened_alone(void **state)
{
  (void)state;
  write_set();
  gd_frame_set *s = open_set("set/frames-00001.h5");
  assert_int_equal(gd_frame_set_videos(s)->n_videos, 2);
  assert_int_equal(gd_frame_set_n_frames(s, 0), 10);
  assert_int_equal(gd_frame_set_info(s, 0, 0).frame_index, 100);
  gd_frame_set_close(s);
}

static void damaged_frames_are_left_out_unless_they_are_kept(void **state)
{
  (void)state;
  gd_frame_set *s;
  format.keeps_damaged = 0;
  write_set();
  format.keeps_damaged = 1;
  s = open_set("set");
  assert_int_equal(gd_frame_set_n_frames(s, 0), 13); /* of 20 */
  assert_int_equal(gd_frame_set_n_frames(s, 1), 2);
  for (int64_t i = 0; i < 13; i++) {
    uint8_t expected[BYTES], found[BYTES];
    const gd_frame_info info = gd_frame_set_info(s, 0, i);
    assert_int_equal(info.status, GD_FRAME_WHOLE);
    paint(1, info.frame_index, expected, BYTES);
    assert_ok(gd_frame_set_read(s, 0, i, found));
    assert_memory_equal(found, expected, BYTES);
  }
  gd_frame_set_close(s);
  assert_ok(gd_frame_set_open(gd_test_path("set"), GD_FRAMES_ALL, &s));
  assert_int_equal(gd_frame_set_n_frames(s, 0), 20);
  gd_frame_set_close(s);
}

/* ------------------------------------------------------------ pictures in */

enum { SIDE = 64, MOST = SIDE * SIDE * 3 };

/* A camera-like picture: 4:2:0, of any size up to SIDE, that differs by seed.
 */
static gd_picture draw(int width, int height, int seed)
{
  static uint8_t y[SIDE * SIDE], u[SIDE * SIDE / 4], v[SIDE * SIDE / 4];
  for (int i = 0; i < SIDE * SIDE; i++)
    y[i] = (uint8_t)(40 + i % SIDE + 2 * (i / SIDE) + i * seed % 5);
  for (int i = 0; i < SIDE * SIDE / 4; i++) {
    u[i] = (uint8_t)(100 + i % (SIDE / 2) + seed);
    v[i] = (uint8_t)(150 - i / (SIDE / 2) + seed);
  }
  return (gd_picture){.layout = gd_picture_layout_of(width, height, "yuv420p"),
                      .planes = {y, u, v},
                      .stride_bytes = {SIDE, SIDE / 2, SIDE / 2}};
}

enum { KINDS = 7 };
static gd_picture draw_kind(int kind)
{
  gd_picture p = draw(SIDE, SIDE, kind);
  switch (kind) {
  case 1:
    p.layout.matrix = 1;
    break;
  case 2:
    p.layout.range = GD_RANGE_FULL;
    break;
  case 3:
    p.layout.width_px = 33; /* another shape and size */
    p.layout.height_px = 48;
    break;
  case 4:
    p.layout.display[0] = p.layout.display[3] = 0;
    p.layout.display[1] = 1;
    p.layout.display[2] = -1;
    break;
  case 5:
    p.layout.pixel_aspect[0] = 4;
    p.layout.pixel_aspect[1] = 3;
    break;
  case 6:
    strcpy(p.layout.pixel_format, "gray");
    break;
  }
  return p;
}

static void write_kinds(gd_frame_storage storage, const char *name)
{
  gd_frame_writer *w;
  gd_video_table *corpus = corpus_table();
  const gd_frame_format f = {
      .height_px = SIDE, .width_px = SIDE, .storage = storage, .quality = 95};
  assert_ok(gd_frame_writer_create(gd_test_path(name), (gd_digest){1, 1}, &f,
                                   corpus, &w));
  for (int k = 0; k < 2 * KINDS; k++) {
    const gd_picture picture = draw_kind(k % KINDS);
    gd_frame_info info = info_of(k, SIDE, SIDE);
    info.status = GD_FRAME_WHOLE;
    assert_ok(gd_frame_writer_append(w, 2, &info, &picture));
  }
  assert_ok(gd_frame_writer_commit(w));
  gd_video_table_free(corpus);
}

static void read_frame(const char *name, int64_t i, uint8_t *rgb)
{
  gd_frame_set *s = open_set(name);
  assert_ok(gd_frame_set_read(s, 0, i, rgb));
  gd_frame_set_close(s);
}

/* Colour, turn, pixel shape and size are applied when reading as they would
 * have been when writing. */
static void every_store_gives_the_same_frames(void **state)
{
  (void)state;
  write_kinds(GD_FRAMES_RAW, "raw.h5");
  write_kinds(GD_FRAMES_LOSSLESS, "lossless.h5");
  write_kinds(GD_FRAMES_JPEG, "jpeg.h5");
  static uint8_t rgb[3][MOST], last[MOST];
  for (int64_t k = 2 * KINDS - 1; k >= 0; k--) {
    read_frame("raw.h5", k, rgb[0]);
    read_frame("lossless.h5", k, rgb[1]);
    read_frame("jpeg.h5", k, rgb[2]);
    assert_memory_equal(rgb[0], rgb[1], MOST);
    assert_in_range(largest_difference(rgb[0], rgb[2], MOST), 0, 40);
    assert_memory_not_equal(rgb[0], last, MOST);
    memcpy(last, rgb[0], MOST);
  }
  gd_store *s;
  gd_dataset d;
  assert_ok(gd_store_open(gd_test_path("lossless.h5"), "gradus-frames", 2, &s));
  assert_ok(gd_store_describe(s, "layout/width_px", &d));
  assert_int_equal(d.dims[0], KINDS);
  gd_store_close(s);
}

static void picture_that_cannot_be_shown_is_refused_with_its_video(void **state)
{
  (void)state;
  gd_video_table *corpus = corpus_table();
  uint8_t rgb[BYTES] = {0};
  for (int i = 0; i < 3; i++) {
    format.storage = (gd_frame_storage)i;
    gd_frame_writer *w = begin("odd.h5", corpus);
    const gd_frame_info info = info_of(0, H, W);
    gd_picture picture = gd_picture_of_rgb(W, H, rgb);
    strcpy(picture.layout.pixel_format, "vaapi");
    assert_fails(gd_frame_writer_append(w, 1, &info, &picture), GD_ERR_DECODE,
                 "/data/a/two.avi: pictures");
    assert_true(gd_test_has(gd_reason(), "vaapi"));
    gd_frame_writer_abandon(w);
  }
  format.storage = GD_FRAMES_LOSSLESS;
  gd_video_table_free(corpus);
}

/* ----------------------------------------------------------------- pieces */

static gd_digest write_pieces(int n_forgotten)
{
  gd_video_table *corpus = corpus_table();
  gd_frame_writer *w = begin("pieces.h5", corpus);
  const gd_frame_info info = info_of(0, H, W);
  gd_digest digest;
  for (int v = 0; v < 3; v++) {
    for (int i = 0; v < 2 && i < n_forgotten; i++) {
      /* Of another size, so that its layout is forgotten, too. */
      const gd_picture picture = draw(SIDE / 2, SIDE / 2, i);
      assert_ok(gd_frame_writer_append(w, v, &info, &picture));
      assert_ok(append(w, v, 10, 20 + 10 * i));
      assert_ok(gd_frame_writer_rewind(w));
    }
    if (v == 1) {
      assert_int_equal(gd_fail(GD_ERR_DECODE, "b: broken"), GD_ERR_DECODE);
      if (n_forgotten > 0)
        assert_ok(append(w, v, 0, 50));
      assert_ok(gd_frame_writer_skip(w, v));
      continue;
    }
    assert_ok(append(w, v, 0, 100));
    assert_ok(
        gd_frame_writer_note(w, &(gd_frame_reading){v, 0, 100, 0, 10, 4, ""}));
  }
  assert_ok(gd_frame_writer_commit(w));
  assert_ok(gd_store_verify(gd_test_path("pieces.h5")));
  assert_ok(gd_digest_of_file(gd_test_path("pieces.h5"), &digest));
  gd_video_table_free(corpus);
  return digest;
}

static void piece_that_is_read_again_leaves_no_trace(void **state)
{
  (void)state;
  for (int i = 0; i < 3; i++) {
    format.storage = (gd_frame_storage)i;
    const gd_digest plain = write_pieces(0);
    assert_true(gd_digest_equal(write_pieces(1), plain));
    assert_true(gd_digest_equal(write_pieces(3), plain));
    gd_frame_set *s = open_set("pieces.h5");
    assert_int_equal(gd_frame_set_videos(s)->n_videos, 2);
    assert_int_equal(gd_frame_set_n_frames(s, 1), 10);
    gd_frame_set_close(s);
  }
  format.storage = GD_FRAMES_LOSSLESS;
}

/* ----------------------------------------------------------------- damage */

static gd_status read_all(const char *path, gd_digest *out)
{
  gd_frame_set *s;
  gd_hasher *h;
  static uint8_t rgb[MOST];
  assert_ok(gd_hasher_new(&h));
  gd_status st = gd_frame_set_open(path, GD_FRAMES_ALL, &s);
  for (int64_t v = 0; st == GD_OK && v < gd_frame_set_videos(s)->n_videos; v++)
    for (int64_t i = 0; st == GD_OK && i < gd_frame_set_n_frames(s, v); i++) {
      const gd_frame_info info = gd_frame_set_info(s, v, i);
      if (info.height_px != SIDE || info.width_px != SIDE)
        st = gd_fail(GD_ERR_FORMAT, "another size");
      else if ((st = gd_frame_set_read(s, v, i, rgb)) == GD_OK)
        gd_hasher_bytes(h, rgb, MOST);
    }
  gd_frame_set_close(s);
  *out = gd_hasher_end(h);
  return st;
}

static void flipped_bits_never_give_other_frames(void **state)
{
  (void)state;
  for (int i = 0; i < 3; i++) {
    gd_digest whole, found;
    write_kinds((gd_frame_storage)i, "whole.h5");
    assert_ok(read_all(gd_test_path("whole.h5"), &whole));
    for (uint32_t seed = 0; seed < 150; seed++) {
      gd_test_damage(gd_test_path("whole.h5"), gd_test_path("flipped.h5"), -1,
                     1 + (int)(seed % 3), seed);
      const gd_status st = read_all(gd_test_path("flipped.h5"), &found);
      if (st == GD_OK && !gd_digest_equal(whole, found))
        assert_int_equal(gd_store_verify(gd_test_path("flipped.h5")),
                         GD_ERR_FORMAT);
      else
        assert_true(st == GD_OK || st == GD_ERR_FORMAT || st == GD_ERR_IO);
    }
  }
}

/* A shard whose checksums are right, but which says what cannot be. */
static void write_liar(const int64_t *offset, int32_t layout, int display)
{
  gd_video_table *corpus = corpus_table(), *one;
  gd_store_writer *w;
  const int32_t size = 2, zero = 0, aspect[2] = {1, 1},
                turn[4] = {display, 0, 0, 1}, which[1] = {1};
  const uint8_t bytes[12] = {0}, status = 0;
  const int64_t index = 0;
  const double time_s = 0;
  const char *format_name = "rgb24", *packing = "planes";
  static const char *const columns[] = {"layout/width_px", "layout/height_px",
                                        "layout/matrix", "layout/range",
                                        "layout/chroma_site"};
  assert_ok(gd_store_create(gd_test_path("liar.h5"), "gradus-frames", 2,
                            (gd_digest){0}, &w));
  assert_ok(gd_store_set_text(w, "store", "lossless"));
  assert_ok(gd_store_set_text(w, "damaged", "drop"));
  assert_ok(gd_store_set_int(w, "height_px", 2));
  assert_ok(gd_store_set_int(w, "width_px", 2));
  for (int i = 0; i < 5; i++)
    assert_ok(gd_store_put(w, &(gd_dataset){.name = columns[i], GD_I32, 1, {1}},
                           i < 2 ? &size : &zero));
  assert_ok(gd_store_put(
      w, &(gd_dataset){.name = "layout/pixel_aspect", GD_I32, 2, {1, 2}},
      aspect));
  assert_ok(gd_store_put(
      w, &(gd_dataset){.name = "layout/display", GD_I32, 2, {1, 4}}, turn));
  assert_ok(gd_store_put_texts(w, "layout/pixel_format", 1, &format_name));
  assert_ok(gd_store_put_texts(w, "layout/packing", 1, &packing));
  assert_ok(gd_store_put(
      w, &(gd_dataset){.name = "layout/header", GD_U8, 2, {1, 1}}, bytes));
  assert_ok(
      gd_store_put(w, &(gd_dataset){.name = "bytes", GD_U8, 1, {12}}, bytes));
  assert_ok(
      gd_store_put(w, &(gd_dataset){.name = "offset", GD_I64, 1, {2}}, offset));
  assert_ok(gd_store_put(w, &(gd_dataset){.name = "layout_of", GD_I32, 1, {1}},
                         &layout));
  assert_ok(gd_store_put(
      w, &(gd_dataset){.name = "frame_index", GD_I64, 1, {1}}, &index));
  assert_ok(gd_store_put(w, &(gd_dataset){.name = "time_s", GD_F64, 1, {1}},
                         &time_s));
  assert_ok(
      gd_store_put(w, &(gd_dataset){.name = "status", GD_U8, 1, {1}}, &status));
  assert_ok(
      gd_store_put(w, &(gd_dataset){.name = "video", GD_I32, 1, {1}}, which));
  assert_ok(gd_video_table_select(corpus, which, 1, &one));
  assert_ok(gd_video_table_write(one, w));
  assert_ok(gd_store_commit(w));
  gd_video_table_free(one);
  gd_video_table_free(corpus);
}

static void shards_that_contradict_themselves_are_refused(void **state)
{
  (void)state;
  static const struct {
    int64_t offset[2];
    int32_t layout;
    int display;
    const char *reason;
  } cases[] = {{{0, 12}, 0, 1, NULL}, /* no lie */
               {{0, 11}, 0, 1, "does not cover"},
               {{1, 12}, 0, 1, "does not cover"},
               {{0, INT64_MAX}, 0, 1, "does not cover"},
               {{12, 0}, 0, 1, "does not ascend"},
               {{0, 12}, 1, 1, "has no row in /layout"},
               {{0, 12}, -1, 1, "has no row in /layout"},
               {{0, 12}, 0, 2, "describes no picture"},
               {{0, 12}, 0, 0, "describes no picture"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    uint8_t rgb[12];
    gd_frame_set *s;
    write_liar(cases[i].offset, cases[i].layout, cases[i].display);
    s = open_set("liar.h5");
    const gd_status st = gd_frame_set_read(s, 0, 0, rgb);
    if (cases[i].reason == NULL)
      assert_ok(st);
    else
      assert_failed(st, GD_ERR_FORMAT, cases[i].reason);
    gd_frame_set_close(s);
  }
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
                          2, &s));
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
  gd_frame_set *s = open_set("empty");
  assert_int_equal(gd_frame_set_videos(s)->n_videos, 0);
  gd_frame_set_close(s);
  gd_video_table_free(corpus);
}

static void broken_sets_are_refused_with_the_shard(void **state)
{
  (void)state;
  gd_frame_set *s;
  assert_fails(gd_frame_set_open(gd_test_path("nowhere"), GD_FRAMES_TO_USE, &s),
               GD_ERR_IO, "nowhere");
  assert_null(s);
  assert_ok(gd_directory_make(gd_test_path("bare")));
  assert_fails(gd_frame_set_open(gd_test_path("bare"), GD_FRAMES_TO_USE, &s),
               GD_ERR_IO, "no frame shards");
  /* A shard cut short, and one that repeats another's frames. */
  write_set();
  assert_int_equal(truncate(gd_test_path("set/frames-00001.h5"), 3000), 0);
  assert_fails(gd_frame_set_open(gd_test_path("set"), GD_FRAMES_TO_USE, &s),
               GD_ERR_FORMAT, "frames-00001.h5");
  gd_video_table *corpus = corpus_table();
  gd_frame_writer *w = begin("set/frames-00001.h5", corpus);
  assert_ok(append(w, 1, 90, 200));
  assert_ok(gd_frame_writer_commit(w));
  assert_fails(gd_frame_set_open(gd_test_path("set"), GD_FRAMES_TO_USE, &s),
               GD_ERR_FORMAT, "both hold frame 90");
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

/* Write 20 frames of noise to a disk with room for `room_bytes`. */
static gd_status fill_disk(gd_frame_storage storage, rlim_t room_bytes)
{
  enum { LARGE = 400 };
  static uint8_t rgb[LARGE * LARGE * 3];
  const gd_frame_format large = {
      .height_px = LARGE, .width_px = LARGE, .storage = storage, .quality = 95};
  gd_video_table *corpus = corpus_table();
  gd_frame_writer *w;
  struct rlimit old, small;
  uint32_t random = 1;
  for (size_t i = 0; i < sizeof rgb; i++)
    rgb[i] = (uint8_t)((random = random * 1664525u + 1013904223u) >> 24);
  assert_ok(gd_frame_writer_create(gd_test_path("full.h5"), (gd_digest){0},
                                   &large, corpus, &w));
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &old);
  small = old;
  small.rlim_cur = room_bytes;
  setrlimit(RLIMIT_FSIZE, &small);
  gd_status st = GD_OK;
  for (int64_t f = 0; st == GD_OK && f < 20; f++) {
    const gd_frame_info info = info_of(f, LARGE, LARGE);
    const gd_picture picture = gd_picture_of_rgb(LARGE, LARGE, rgb);
    st = gd_frame_writer_append(w, 2, &info, &picture);
    if (st == GD_OK && f % 6 == 5)
      st = gd_frame_writer_rewind(w);
  }
  if (st == GD_OK)
    st = gd_frame_writer_commit(w);
  else
    gd_frame_writer_abandon(w);
  setrlimit(RLIMIT_FSIZE, &old);
  gd_video_table_free(corpus);
  return st;
}

static void full_disk_fails_and_leaves_no_shard(void **state)
{
  (void)state;
  for (int i = 0; i < 3; i++)
    for (rlim_t room = 1000; room < 900000; room += 100000) {
      assert_int_equal(fill_disk((gd_frame_storage)i, room), GD_ERR_IO);
      assert_true(gd_test_has(gd_reason(), "full.h5"));
      assert_false(gd_path_exists(gd_test_path("full.h5")));
      assert_false(gd_path_exists(gd_test_path("full.h5.part")));
    }
}

static void better_quality_is_expected_to_take_more_bytes(void **state)
{
  (void)state;
  double last = 0;
  for (int q = 1; q <= 100; q++) {
    const double bytes = gd_frame_storage_bytes_per_pixel(GD_FRAMES_JPEG, q);
    assert_true(bytes > last && bytes < 0.5);
    last = bytes;
  }
  assert_true(gd_frame_storage_bytes_per_pixel(GD_FRAMES_RAW, 0) == 3);
  assert_true(gd_frame_storage_bytes_per_pixel(GD_FRAMES_LOSSLESS, 0) < 1);
}

static void storage_has_one_word(void **state)
{
  (void)state;
  gd_frame_storage found;
  for (int i = GD_FRAMES_LOSSLESS; i <= GD_FRAMES_JPEG; i++) {
    const char *word = gd_frame_storage_name((gd_frame_storage)i);
    assert_ok(gd_frame_storage_of(word, &found));
    assert_int_equal(found, i);
  }
  assert_fails(gd_frame_storage_of("JPEG", &found), GD_ERR_USAGE,
               "\"JPEG\" is no way to store frames: lossless, raw and jpeg");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(set_puts_a_video_of_two_shards_together),
    cmocka_unit_test(shard_can_be_opened_alone),
    cmocka_unit_test(damaged_frames_are_left_out_unless_they_are_kept),
    cmocka_unit_test(every_store_gives_the_same_frames),
    cmocka_unit_test(picture_that_cannot_be_shown_is_refused_with_its_video),
    cmocka_unit_test(piece_that_is_read_again_leaves_no_trace),
    cmocka_unit_test(flipped_bits_never_give_other_frames),
    cmocka_unit_test(shards_that_contradict_themselves_are_refused),
    cmocka_unit_test(storage_has_one_word),
    cmocka_unit_test(better_quality_is_expected_to_take_more_bytes),
    cmocka_unit_test(readings_are_kept_in_order_with_their_notes),
    cmocka_unit_test(skipped_video_is_noted_with_its_reason),
    cmocka_unit_test(shard_without_frames_is_a_shard),
    cmocka_unit_test(broken_sets_are_refused_with_the_shard),
    cmocka_unit_test(equal_frames_give_equal_bytes),
    cmocka_unit_test(full_disk_fails_and_leaves_no_shard),
};

gd_test_main(tests)
