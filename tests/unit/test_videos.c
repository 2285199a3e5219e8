#include "gradus/videos.h"

#include "test.h"
#include "videos.h"

static void assert_row(const gd_video_table *t, int64_t row, int32_t index)
{
  const gd_video *expected = &gd_test_video_rows[index];
  const gd_video *found = &t->videos[row];
  assert_int_equal(t->index[row], index);
  assert_string_equal(found->id, expected->id);
  assert_string_equal(found->path, expected->path);
  assert_string_equal(found->landmarks, expected->landmarks);
  assert_string_equal(found->subject, expected->subject);
  assert_string_equal(found->task, expected->task);
  assert_int_equal(found->partition, expected->partition);
  assert_true(found->label == expected->label);
  assert_int_equal(found->fold, expected->fold);
}

static void table_survives_a_store(void **state)
{
  (void)state;
  gd_video_table *t, *read;
  gd_store_writer *w;
  gd_store *s;
  const char *path = gd_test_path("videos.h5");
  assert_ok(gd_video_table_of_corpus(&gd_test_corpus, &t));
  assert_ok(gd_store_create(path, "gradus-test", 1, (gd_digest){0}, &w));
  assert_ok(gd_video_table_write(t, w));
  assert_ok(gd_store_commit(w));
  assert_ok(gd_store_open(path, "gradus-test", 1, &s));
  assert_ok(gd_video_table_read(s, &read));
  assert_int_equal(read->n_videos, GD_TEST_VIDEOS);
  for (int v = 0; v < GD_TEST_VIDEOS; v++)
    assert_row(read, v, v);
  gd_store_close(s);
  gd_video_table_free(read);
  gd_video_table_free(t);
}

static void empty_table_survives_a_store(void **state)
{
  (void)state;
  const gd_corpus empty = {0};
  gd_video_table *t, *read;
  gd_store_writer *w;
  gd_store *s;
  const char *path = gd_test_path("empty.h5");
  assert_ok(gd_video_table_of_corpus(&empty, &t));
  assert_ok(gd_store_create(path, "gradus-test", 1, (gd_digest){0}, &w));
  assert_ok(gd_video_table_write(t, w));
  assert_ok(gd_store_commit(w));
  assert_ok(gd_store_open(path, "gradus-test", 1, &s));
  assert_ok(gd_video_table_read(s, &read));
  assert_int_equal(read->n_videos, 0);
  assert_int_equal(gd_video_table_find(read, 0), -1);
  gd_store_close(s);
  gd_video_table_free(read);
  gd_video_table_free(t);
}

static void selection_keeps_the_corpus_index(void **state)
{
  (void)state;
  const int32_t wanted[] = {1, 3};
  gd_video_table *t, *part;
  assert_ok(gd_video_table_of_corpus(&gd_test_corpus, &t));
  assert_ok(gd_video_table_select(t, wanted, 2, &part));
  gd_video_table_free(t);
  assert_int_equal(part->n_videos, 2);
  assert_row(part, 0, 1);
  assert_row(part, 1, 3);
  assert_int_equal(gd_video_table_find(part, 3), 1);
  assert_int_equal(gd_video_table_find(part, 2), -1);
  gd_video_table_free(part);
}

static void merged_tables_keep_each_video_once_in_corpus_order(void **state)
{
  (void)state;
  const int32_t first[] = {1, 3}, second[] = {0, 1};
  gd_video_table *t, *tables[2], *all;
  assert_ok(gd_video_table_of_corpus(&gd_test_corpus, &t));
  assert_ok(gd_video_table_select(t, first, 2, &tables[0]));
  assert_ok(gd_video_table_select(t, second, 2, &tables[1]));
  assert_ok(
      gd_video_table_merge((const gd_video_table *const *)tables, 2, &all));
  assert_int_equal(all->n_videos, 3);
  assert_row(all, 0, 0);
  assert_row(all, 1, 1);
  assert_row(all, 2, 3);
  gd_video_table_free(all);
  gd_video_table_free(tables[0]);
  gd_video_table_free(tables[1]);
  gd_video_table_free(t);
}

static void tables_of_two_corpora_do_not_merge(void **state)
{
  (void)state;
  const gd_corpus other = {.videos = gd_test_video_rows + 1, .n_videos = 2};
  gd_video_table *tables[2], *all;
  assert_ok(gd_video_table_of_corpus(&gd_test_corpus, &tables[0]));
  assert_ok(gd_video_table_of_corpus(&other, &tables[1]));
  assert_fails(
      gd_video_table_merge((const gd_video_table *const *)tables, 2, &all),
      GD_ERR_FORMAT, "two corpora");
  assert_null(all);
  gd_video_table_free(tables[0]);
  gd_video_table_free(tables[1]);
}

typedef struct {
  int64_t n, row;
} skipped;

static gd_status note(void *context, int64_t row, const char *reason)
{
  skipped *s = context;
  s->n++;
  s->row = row;
  return gd_fail(GD_ERR_DECODE, "noted %s", reason);
}

/* Of a part of the corpus, so that rows and corpus differ; a video that the
 * table lacks is nobody's, and the first note that fails ends the walk. */
static void skipped_videos_are_those_of_the_table(void **state)
{
  (void)state;
  const int32_t wanted[] = {1, 3};
  const char *path = gd_test_path("skipped.h5");
  skipped found = {0};
  gd_video_table *t, *part;
  gd_store_writer *w;
  assert_ok(gd_video_table_of_corpus(&gd_test_corpus, &t));
  assert_ok(gd_video_table_select(t, wanted, 2, &part));
  assert_ok(gd_store_create(path, "gradus-test", 1, (gd_digest){0}, &w));
  assert_ok(gd_store_skip(w, gd_test_video_rows[0].id, "not of the part"));
  assert_ok(gd_store_skip(w, gd_test_video_rows[3].id, "no face"));
  assert_ok(gd_store_skip(w, gd_test_video_rows[1].id, "broken"));
  assert_ok(gd_store_commit(w));
  assert_fails(gd_video_table_each_skipped(part, path, note, &found),
               GD_ERR_DECODE, "noted no face");
  assert_int_equal(found.n, 1);
  assert_int_equal(found.row, 1);
  assert_fails(
      gd_video_table_each_skipped(part, gd_test_path("none.h5"), note, &found),
      GD_ERR_IO, "none.h5");
  gd_video_table_free(part);
  gd_video_table_free(t);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(table_survives_a_store),
    cmocka_unit_test(empty_table_survives_a_store),
    cmocka_unit_test(selection_keeps_the_corpus_index),
    cmocka_unit_test(merged_tables_keep_each_video_once_in_corpus_order),
    cmocka_unit_test(tables_of_two_corpora_do_not_merge),
    cmocka_unit_test(skipped_videos_are_those_of_the_table),
};

gd_test_main(tests)
