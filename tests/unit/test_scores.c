#include "gradus/scores.h"

#include <stdlib.h>

#include "gradus/file.h"
#include "gradus/store.h"
#include "scored.h"
#include "test.h"

static void scores_come_back_as_they_were_written(void **state)
{
  (void)state;
  const char *path = gd_test_path("scores.h5");
  gd_scored_write(path, "expectation", 6, 1, 2);
  gd_scores *s = NULL;
  assert_ok(gd_scores_read(path, &s));
  assert_int_equal(s->info.partition, GD_TEST);
  assert_string_equal(s->info.loss, "expectation");
  assert_int_equal(s->info.n_levels, 64);
  assert_true(s->info.has_distribution);
  assert_int_equal(s->videos->n_videos, 12);
  assert_int_equal(s->n_videos, 6);
  assert_int_equal(s->n_frames, 30);
  for (int64_t v = 0; v < s->n_videos; v++) {
    assert_int_equal(gd_scores_video(s, v)->partition, GD_TEST);
    double sum = 0;
    for (int64_t f = s->first_frame[v]; f < s->first_frame[v + 1]; f++)
      sum += s->expected[f];
    assert_true(s->predicted[v] == sum / 5);
  }
  assert_string_equal(gd_scores_video(s, 0)->id, "test/000_1_Freeform_video");
  assert_int_equal(s->frame_index[1], 10);
  assert_float_equal(s->sigma[29], 4, 0);
  assert_float_equal(s->distribution[30 * 64 - 1], 1.0 / 64, 0);
  gd_scores_free(s);
  assert_ok(gd_store_verify(path));
}

static void scores_of_equal_content_are_equal_files(void **state)
{
  (void)state;
  gd_digest a, b;
  gd_scored_write(gd_test_path("a.h5"), "softmax", 4, 0, 1);
  gd_scored_write(gd_test_path("b.h5"), "softmax", 4, 0, 1);
  assert_ok(gd_digest_of_file(gd_test_path("a.h5"), &a));
  assert_ok(gd_digest_of_file(gd_test_path("b.h5"), &b));
  assert_true(gd_digest_equal(a, b));
}

static void scores_without_distribution_have_none(void **state)
{
  (void)state;
  const char *path = gd_test_path("euclidean.h5");
  gd_scored_write(path, "euclidean", 2, 0, 1);
  gd_scores *s = NULL;
  assert_ok(gd_scores_read(path, &s));
  assert_null(s->distribution);
  gd_scores_free(s);
}

static void scores_csv_has_a_line_per_video_and_quotes_names(void **state)
{
  (void)state;
  gd_video video = {.id = "a, b",
                    .path = "",
                    .landmarks = "",
                    .subject = "\"x\"",
                    .task = "",
                    .partition = GD_DEV,
                    .label = 7};
  int32_t index = 0;
  gd_video_table table = {.n_videos = 1, .index = &index, .videos = &video};
  int64_t row = 0, first[] = {0, 3};
  double predicted = 1.0 / 3;
  const gd_scores s = {.videos = &table,
                       .n_videos = 1,
                       .row = &row,
                       .predicted = &predicted,
                       .first_frame = first};
  gd_text csv = {0};
  gd_scores_csv(&s, &csv);
  assert_string_equal(gd_text_get(&csv),
                      "video,task,subject,partition,label,predicted,frames\n"
                      "\"a, b\",,\"\"\"x\"\"\",dev,7.000000,0.333333,3\n");
  gd_text_free(&csv);
}

static void scores_that_are_missing_or_cut_or_foreign_are_refused(void **state)
{
  (void)state;
  gd_scores *s = NULL;
  assert_fails(gd_scores_read(gd_test_path("none.h5"), &s), GD_ERR_IO,
               "none.h5");
  assert_null(s);
  gd_scored_write(gd_test_path("whole.h5"), "softmax", 2, 0, 1);
  char *content = NULL;
  size_t size = 0;
  assert_ok(gd_file_read(gd_test_path("whole.h5"), 1 << 24, &content, &size));
  for (size_t cut = 0; cut < size; cut += size / 7) {
    assert_ok(gd_file_write(gd_test_path("cut.h5"), content, cut));
    assert_fails(gd_scores_read(gd_test_path("cut.h5"), &s), GD_ERR_FORMAT,
                 "cut.h5");
  }
  free(content);

  gd_store_writer *w = NULL;
  assert_ok(gd_store_create(gd_test_path("other.h5"), "gradus-faces", 1,
                            (gd_digest){0, 0}, &w));
  assert_ok(gd_store_commit(w));
  assert_fails(gd_scores_read(gd_test_path("other.h5"), &s), GD_ERR_FORMAT,
               "gradus-faces");
}

/* A store that verifies, but whose columns do not fit together. */
static void scores_whose_columns_disagree_are_refused(void **state)
{
  (void)state;
  const char *path = gd_test_path("odd.h5");
  gd_store_writer *w = NULL;
  assert_ok(gd_store_create(path, "gradus-scores", 1, (gd_digest){0, 0}, &w));
  assert_ok(gd_store_set_text(w, "partition", "test"));
  assert_ok(gd_store_set_text(w, "loss", "softmax"));
  assert_ok(gd_store_set_int(w, "n_levels", 4));
  const int32_t index = 0, video[] = {0, 9};
  const gd_video one = {.id = "a",
                        .path = "a",
                        .landmarks = "",
                        .subject = "s",
                        .task = "",
                        .partition = GD_TEST};
  const gd_video_table table = {.n_videos = 1, .index = &index, .videos = &one};
  assert_ok(gd_video_table_write(&table, w));
  const double predicted[] = {1, 2};
  const int64_t frames[] = {1, 1};
  gd_dataset d = {
      .name = "video/video", .dtype = GD_I32, .rank = 1, .dims = {2}};
  assert_ok(gd_store_put(w, &d, video));
  d = (gd_dataset){
      .name = "video/predicted", .dtype = GD_F64, .rank = 1, .dims = {2}};
  assert_ok(gd_store_put(w, &d, predicted));
  d = (gd_dataset){
      .name = "video/frames", .dtype = GD_I64, .rank = 1, .dims = {2}};
  assert_ok(gd_store_put(w, &d, frames));
  assert_ok(gd_store_commit(w));
  gd_scores *s = NULL;
  assert_fails(gd_scores_read(path, &s), GD_ERR_FORMAT, "video 9");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(scores_come_back_as_they_were_written),
    cmocka_unit_test(scores_of_equal_content_are_equal_files),
    cmocka_unit_test(scores_without_distribution_have_none),
    cmocka_unit_test(scores_csv_has_a_line_per_video_and_quotes_names),
    cmocka_unit_test(scores_that_are_missing_or_cut_or_foreign_are_refused),
    cmocka_unit_test(scores_whose_columns_disagree_are_refused),
};

gd_test_main(tests)
