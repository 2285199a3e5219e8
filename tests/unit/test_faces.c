#include "gradus/faces.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "test.h"

enum { SIZE = 8, N_VIDEOS = 4 };

static const gd_video videos[N_VIDEOS] = {
    {.id = "a", .path = "a.avi", .landmarks = "", .subject = "1", .task = ""},
    {.id = "b", .path = "b.avi", .landmarks = "", .subject = "1", .task = ""},
    {.id = "c", .path = "c.avi", .landmarks = "", .subject = "2", .task = ""},
    {.id = "d", .path = "d.avi", .landmarks = "", .subject = "3", .task = ""}};
static const int32_t indices[N_VIDEOS] = {2, 3, 5, 9};
static const gd_video_table corpus = {
    .n_videos = N_VIDEOS, .index = indices, .videos = videos};

static void draw(int32_t video, int64_t frame, uint8_t *rgb)
{
  memset(rgb, (int)(10 * video + frame), 3 * SIZE * SIZE);
}

static void append(gd_face_writer *w, int32_t video, int64_t frame,
                   gd_face_status status)
{
  uint8_t rgb[3 * SIZE * SIZE];
  const gd_face_info info = {.face.box = {1, 2, 3, (float)frame},
                             .face.landmarks = {{4, 5}},
                             .face.confidence = 0.5f,
                             .sharpness = 2,
                             .flags = GD_FACE_PARTIAL,
                             .status = status,
                             .frame_index = frame,
                             .video = video};
  draw(video, frame, rgb);
  assert_ok(gd_face_writer_append(w, &info, rgb));
}

static gd_face_writer *create(const char *path, const char *face_template)
{
  gd_face_writer *w;
  assert_ok(gd_face_writer_create(path, (gd_digest){1, 2}, SIZE, face_template,
                                  &corpus, &w));
  return w;
}

/* Two shards; video 3 gives nothing, video 5 misses two frames. */
static const char *write_shards(const char *name)
{
  char path[GD_PATH_MAX];
  const char *directory = gd_test_path(name);
  assert_ok(gd_directory_make(directory));
  assert_ok(gd_path_join(directory, "faces-00000.h5", path));
  gd_face_writer *w = create(path, "t");
  append(w, 2, 0, GD_FACE_DETECTED);
  append(w, 2, 10, GD_FACE_TRACKED);
  (void)!gd_fail(GD_ERR_DECODE, "no face in it");
  assert_ok(gd_face_writer_skip(w, 3));
  assert_ok(gd_face_writer_commit(w));
  assert_ok(gd_path_join(directory, "faces-00001.h5", path));
  w = create(path, "t");
  append(w, 5, 7, GD_FACE_DETECTED);
  append(w, 5, 9, GD_FACE_FALLBACK);
  gd_face_writer_missing(w, 5, 2);
  append(w, 9, 1, GD_FACE_DETECTED);
  assert_ok(gd_face_writer_commit(w));
  return directory;
}

static void shards_read_back_as_one_table(void **state)
{
  (void)state;
  static const int32_t video[] = {2, 2, 5, 5, 9};
  static const int64_t frame[] = {0, 10, 7, 9, 1}, row[] = {0, 0, 1, 1, 2};
  gd_face_set *s;
  assert_ok(gd_face_set_open(write_shards("set"), &s));
  assert_int_equal(gd_face_set_size_px(s), SIZE);
  assert_string_equal(gd_face_set_template(s), "t");
  assert_int_equal(gd_face_set_n_faces(s), 5);
  assert_int_equal(gd_face_set_videos(s)->n_videos, 3);
  for (int i = 4; i >= 0; i--) {
    uint8_t want[3 * SIZE * SIZE], rgb[3 * SIZE * SIZE];
    const gd_face_info info = gd_face_set_info(s, i);
    assert_int_equal(info.video, video[i]);
    assert_int_equal(info.frame_index, frame[i]);
    assert_int_equal(gd_face_set_video_row(s, i), row[i]);
    assert_true(info.face.box[3] == (float)frame[i] &&
                info.face.landmarks[0][1] == 5);
    assert_true(info.sharpness == 2 && info.flags == GD_FACE_PARTIAL);
    draw(video[i], frame[i], want);
    assert_ok(gd_face_set_read(s, i, rgb));
    assert_memory_equal(rgb, want, sizeof want);
  }
  gd_face_set_close(s);
}

/* However few files a process may have open. */
static void many_shards_are_read_in_any_order(void **state)
{
  (void)state;
  enum { SHARDS = 60, FILES = 32 };
  char path[GD_PATH_MAX], name[32];
  const char *directory = gd_test_path("many");
  assert_ok(gd_directory_make(directory));
  for (int i = 0; i < SHARDS; i++) {
    snprintf(name, sizeof name, "faces-%05d.h5", i);
    assert_ok(gd_path_join(directory, name, path));
    gd_face_writer *w = create(path, "t");
    append(w, 2, i, GD_FACE_DETECTED);
    assert_ok(gd_face_writer_commit(w));
  }
  struct rlimit old, few;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
  few = (struct rlimit){FILES, old.rlim_max};
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
  gd_face_set *s;
  assert_ok(gd_face_set_open(directory, &s));
  for (int i = 0; i < 3 * SHARDS; i++) {
    uint8_t want[3 * SIZE * SIZE], rgb[3 * SIZE * SIZE];
    const int at = i * 37 % SHARDS;
    draw(2, at, want);
    assert_ok(gd_face_set_read(s, at, rgb));
    assert_memory_equal(rgb, want, sizeof want);
  }
  gd_face_set_close(s);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
}

static void divided_set_has_other_partitions(void **state)
{
  (void)state;
  static const gd_partition fold[] = {GD_TEST, GD_TRAIN, GD_DEV};
  gd_face_set *s;
  assert_ok(gd_face_set_open(write_shards("divided"), &s));
  gd_face_set_divide(s, fold);
  for (int v = 0; v < 3; v++)
    assert_int_equal(gd_face_set_videos(s)->videos[v].partition, fold[v]);
  gd_face_set_close(s);
}

static void statuses_are_counted_with_the_missing_frames(void **state)
{
  (void)state;
  char path[GD_PATH_MAX];
  int64_t counts[GD_N_FACE_STATUS];
  assert_ok(gd_path_join(write_shards("counted"), "faces-00001.h5", path));
  assert_ok(gd_face_shard_count(path, counts));
  assert_int_equal(counts[GD_FACE_DETECTED], 2);
  assert_int_equal(counts[GD_FACE_TRACKED], 0);
  assert_int_equal(counts[GD_FACE_FALLBACK], 1);
  assert_int_equal(counts[GD_FACE_MISSING], 2);
}

static void shard_without_any_face_is_complete(void **state)
{
  (void)state;
  char path[GD_PATH_MAX];
  int64_t counts[GD_N_FACE_STATUS];
  gd_face_set *s;
  const char *directory = gd_test_path("empty");
  assert_ok(gd_directory_make(directory));
  assert_fails(gd_face_set_open(directory, &s), GD_ERR_IO, "no face shards");
  assert_ok(gd_path_join(directory, "faces-00000.h5", path));
  assert_ok(gd_face_writer_commit(create(path, "t")));
  assert_ok(gd_face_shard_count(path, counts));
  assert_int_equal(counts[GD_FACE_MISSING], 0);
  assert_ok(gd_face_set_open(directory, &s));
  assert_int_equal(gd_face_set_n_faces(s), 0);
  gd_face_set_close(s);
}

static void shards_that_disagree_are_refused(void **state)
{
  (void)state;
  char path[GD_PATH_MAX];
  gd_face_set *s;
  const char *directory = write_shards("disagree");
  assert_ok(gd_path_join(directory, "faces-00002.h5", path));
  assert_ok(gd_face_writer_commit(create(path, "another")));
  assert_fails(gd_face_set_open(directory, &s), GD_ERR_FORMAT, "'another'");
  gd_face_writer *w = create(path, "t");
  append(w, 9, 1, GD_FACE_DETECTED);
  assert_ok(gd_face_writer_commit(w));
  assert_fails(gd_face_set_open(directory, &s), GD_ERR_FORMAT,
               "both hold frame 1 of video 9");
}

static void truncated_shard_is_named(void **state)
{
  (void)state;
  char path[GD_PATH_MAX], *data;
  size_t size;
  gd_face_set *s;
  const char *directory = write_shards("truncated");
  assert_ok(gd_path_join(directory, "faces-00001.h5", path));
  assert_ok(gd_file_read(path, 1 << 20, &data, &size));
  assert_ok(gd_file_write(path, data, size - 100));
  assert_fails(gd_face_set_open(directory, &s), GD_ERR_FORMAT,
               "faces-00001.h5");
  free(data);
}

static void abandoned_shard_leaves_nothing(void **state)
{
  (void)state;
  gd_face_writer *w = create(gd_test_path("gone.h5"), "t");
  append(w, 2, 0, GD_FACE_DETECTED);
  gd_face_writer_abandon(w);
  assert_false(gd_path_exists(gd_test_path("gone.h5")));
  assert_false(gd_path_exists(gd_test_path("gone.h5.part")));
  gd_face_writer_abandon(NULL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(shards_read_back_as_one_table),
    cmocka_unit_test(many_shards_are_read_in_any_order),
    cmocka_unit_test(divided_set_has_other_partitions),
    cmocka_unit_test(statuses_are_counted_with_the_missing_frames),
    cmocka_unit_test(shard_without_any_face_is_complete),
    cmocka_unit_test(shards_that_disagree_are_refused),
    cmocka_unit_test(truncated_shard_is_named),
    cmocka_unit_test(abandoned_shard_leaves_nothing),
};

gd_test_main(tests)
