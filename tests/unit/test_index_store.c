#include "gradus/index_store.h"

#include <stdio.h>

#include "clip.h"
#include "test.h"

static const gd_digest digest = {1, 2};

static const gd_fingerprint seen = {
    .size_bytes = 1000, .modified_ns = 5, .sample = {7, 8}};

static gd_video_index *index_of_clip(int n_frames)
{
  gd_video_index *x;
  gd_test_clip(gd_test_path("clip.mp4"), n_frames);
  assert_ok(gd_video_index_read(gd_test_path("clip.mp4"), NULL, &x));
  return x;
}

/* Write one file of a store: the given ids, with an index of the clip each. */
static const char *write_store(const char *name, const char *const *ids, int n,
                               const gd_fingerprint *fingerprint,
                               const gd_video_index *index, int64_t n_videos)
{
  const char *directory = gd_test_path(name);
  char file[GD_INDEX_NAME_BYTES], path[GD_PATH_MAX];
  gd_index_writer *w;
  assert_ok(gd_directory_make(directory));
  gd_index_store_name(
      gd_index_store_file_of(ids[0], gd_index_store_n_files(n_videos)), file);
  assert_ok(gd_path_join(directory, file, path));
  assert_ok(gd_index_writer_create(path, digest, &w));
  for (int i = 0; i < n; i++)
    assert_ok(gd_index_writer_append(w, ids[i], fingerprint, index));
  assert_ok(gd_index_writer_commit(w));
  return directory;
}

static void video_belongs_to_one_file_wherever_others_are(void **state)
{
  (void)state;
  assert_int_equal(gd_index_store_n_files(0), 32);
  assert_int_equal(gd_index_store_n_files(8192), 32);
  assert_int_equal(gd_index_store_n_files(8193), 64);
  assert_int_equal(gd_index_store_n_files(20000), 128);
  int64_t count[32] = {0};
  for (int i = 0; i < 3200; i++) {
    char id[32];
    snprintf(id, sizeof id, "video%d", i);
    const int64_t file = gd_index_store_file_of(id, 32);
    assert_in_range(file, 0, 31);
    count[file]++;
  }
  for (int f = 0; f < 32; f++)
    assert_in_range(count[f], 50, 150);
}

static void entry_is_found_by_id_and_content(void **state)
{
  (void)state;
  gd_video_index *x = index_of_clip(40), *found;
  const char *const ids[] = {"a/one"};
  const char *const directory = write_store("one", ids, 1, &seen, x, 1);
  gd_index_store *s;
  assert_ok(gd_index_store_open(&directory, 1, 1, &s));
  gd_fingerprint now = seen, then;
  now.modified_ns = 99;
  assert_ok(gd_index_store_find(s, "a/one", "p", &now, &found, &then));
  assert_non_null(found);
  assert_string_equal(found->path, "p");
  assert_int_equal(found->n_frames, x->n_frames);
  assert_int_equal(then.modified_ns, 5);
  gd_video_index_free(found);

  assert_ok(gd_index_store_find(s, "a/two", "p", &seen, &found, NULL));
  assert_null(found);
  now.size_bytes++;
  assert_ok(gd_index_store_find(s, "a/one", "p", &now, &found, NULL));
  assert_null(found);
  now = seen;
  now.sample.low++;
  assert_ok(gd_index_store_find(s, "a/one", "p", &now, &found, NULL));
  assert_null(found);
  int has;
  assert_ok(gd_index_store_has(s, "a/one", &seen, &has, NULL));
  assert_true(has);
  assert_ok(gd_index_store_has(s, "a/one", &now, &has, NULL));
  assert_false(has);
  gd_index_store_close(s);
  gd_video_index_free(x);
}

static void first_directory_that_has_it_serves(void **state)
{
  (void)state;
  gd_video_index *a = index_of_clip(20), *b = index_of_clip(30), *found;
  const char *const ids[] = {"v"};
  char one[GD_PATH_MAX], two[GD_PATH_MAX];
  gd_fingerprint other = seen;
  other.size_bytes = 77;
  snprintf(one, sizeof one, "%s", write_store("d1", ids, 1, &other, a, 1));
  snprintf(two, sizeof two, "%s", write_store("d2", ids, 1, &seen, b, 1));
  const char *const directories[] = {"/nonexistent", one, two};
  gd_index_store *s;
  assert_ok(gd_index_store_open(directories, 3, 1, &s));
  assert_ok(gd_index_store_find(s, "v", "p", &seen, &found, NULL));
  assert_int_equal(found->n_frames, 30);
  gd_video_index_free(found);
  assert_ok(gd_index_store_find(s, "v", "p", &other, &found, NULL));
  assert_int_equal(found->n_frames, 20);
  gd_video_index_free(found);
  gd_index_store_close(s);
  gd_video_index_free(a);
  gd_video_index_free(b);
}

/* Whatever is wrong with a file: there is no entry, or the true one. */
static void damaged_store_is_as_if_it_were_not_there(void **state)
{
  (void)state;
  gd_video_index *x = index_of_clip(40), *found;
  const char *const ids[] = {"v"};
  char name[GD_INDEX_NAME_BYTES], path[GD_PATH_MAX], whole[GD_PATH_MAX + 8];
  int64_t size;
  int n_found = 0;
  const char *const directory = write_store("bad", ids, 1, &seen, x, 1);
  gd_index_store_name(gd_index_store_file_of("v", 32), name);
  assert_ok(gd_path_join(directory, name, path));
  snprintf(whole, sizeof whole, "%s.whole", path);
  gd_test_damage(path, whole, -1, 0, 0);
  assert_ok(gd_file_stat(path, &size, NULL));
  for (int i = 0; i < 60; i++) {
    gd_index_store *s;
    /* Cut off; some bytes changed; now and then none. */
    const int n_flips = i % 2 == 0 ? 0 : i / 2 % 4 * 5;
    gd_test_damage(whole, path, i % 2 == 0 ? size * i / 60 : -1, n_flips,
                   (uint32_t)i);
    assert_ok(gd_index_store_open(&directory, 1, 1, &s));
    assert_ok(gd_index_store_find(s, "v", "p", &seen, &found, NULL));
    if (found != NULL)
      assert_int_equal(found->n_frames, x->n_frames);
    n_found += found != NULL;
    gd_video_index_free(found);
    gd_index_store_close(s);
  }
  assert_in_range(n_found, 7, 30);
  gd_video_index_free(x);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(video_belongs_to_one_file_wherever_others_are),
    cmocka_unit_test(entry_is_found_by_id_and_content),
    cmocka_unit_test(first_directory_that_has_it_serves),
    cmocka_unit_test(damaged_store_is_as_if_it_were_not_there),
};

gd_test_main(tests)
