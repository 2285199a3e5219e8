#include "gradus/scores.h"

#include <math.h>
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
  double sum = 0;
  for (int k = 0; k < 64; k++)
    sum += exp(-0.5 * pow((k - s->expected[29]) / 4, 2));
  for (int k = 0; k < 64; k++)
    assert_float_equal(s->distribution[29 * 64 + k],
                       exp(-0.5 * pow((k - s->expected[29]) / 4, 2)) / sum,
                       1e-7);
  gd_scores_free(s);
  assert_ok(gd_store_verify(path));
}

/* One video of four frames, in a file with an interval. */
static gd_scores *of_four_frames(gd_average average, double half_width)
{
  const int64_t frame[] = {0, 1, 2, 3};
  const double expected[] = {2, 3, 4, 11}, sigma[] = {1, 1, 3, 5};
  const gd_video video = {.id = "a",
                          .path = "a",
                          .landmarks = "",
                          .subject = "s",
                          .task = "",
                          .partition = GD_TEST};
  const int32_t index = 0;
  const gd_video_table table = {1, &index, &video};
  const gd_scores_info info = {.partition = GD_TEST,
                               .loss = "softmax",
                               .n_levels = 64,
                               .average = average,
                               .interval = 0.9,
                               .half_width = half_width,
                               .n_calibration = 50};
  const char *path = gd_test_path("four.h5");
  gd_scores_writer *w;
  gd_scores *s;
  assert_ok(
      gd_scores_writer_create(path, (gd_digest){1, 2}, &info, &table, &w));
  assert_ok(gd_scores_writer_append(w, 0, 4, frame, expected, sigma, NULL));
  assert_ok(gd_scores_writer_commit(w));
  assert_ok(gd_scores_read(path, &s));
  return s;
}

static void videos_are_read_without_their_frames(void **state)
{
  (void)state;
  gd_scores *all = of_four_frames(GD_AVERAGE_MEDIAN, 8), *s;
  assert_ok(gd_scores_read_videos(gd_test_path("four.h5"), &s));
  assert_null(s->frame_index);
  assert_null(s->expected);
  assert_null(s->sigma);
  assert_null(s->distribution);
  assert_int_equal(s->n_frames, 4);
  gd_text expected = {0}, found = {0};
  gd_scores_csv(all, &expected);
  gd_scores_csv(s, &found);
  assert_string_equal(gd_text_get(&found), gd_text_get(&expected));
  gd_text_free(&expected);
  gd_text_free(&found);
  gd_scores_free(s);
  gd_scores_free(all);
}

static void video_has_an_average_an_interval_and_two_spreads(void **state)
{
  (void)state;
  gd_scores *s = of_four_frames(GD_AVERAGE_MEDIAN, 8);
  assert_float_equal(s->predicted[0], 3.5, 1e-12);
  assert_float_equal(s->low[0], 0, 0); /* the scale ends there */
  assert_float_equal(s->high[0], 11.5, 1e-12);
  assert_float_equal(s->within[0], 3, 1e-12);
  assert_float_equal(s->between[0], sqrt(12.5), 1e-12);
  assert_int_equal(s->info.average, GD_AVERAGE_MEDIAN);
  assert_float_equal(s->info.interval, 0.9, 0);
  assert_int_equal(s->info.n_calibration, 50);
  gd_scores_free(s);
  s = of_four_frames(GD_AVERAGE_MEAN, INFINITY);
  assert_float_equal(s->predicted[0], 5, 1e-12);
  assert_float_equal(s->low[0], 0, 0);
  assert_float_equal(s->high[0], 63, 0);
  gd_scores_free(s);
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

/* Two videos, the second with a map that is not the first's. */
static void scores_keep_the_map_of_each_video(void **state)
{
  (void)state;
  const int64_t frame = 0;
  const double expected = 2, sigma = 1;
  static const float maps[2][6] = {{1, 2, 3, 4, 5, 6}, {-1, 0, 7, 8, 9, 0.5f}};
  const gd_video videos[2] = {
      {.id = "a", .path = "", .landmarks = "", .subject = "", .task = ""},
      {.id = "b", .path = "", .landmarks = "", .subject = "", .task = ""}};
  const int32_t index[2] = {4, 7};
  const gd_video_table table = {2, index, videos};
  const gd_scores_info info = {.partition = GD_TEST,
                               .loss = "euclidean",
                               .n_levels = 64,
                               .map_rows = 3,
                               .map_columns = 2};
  const char *path = gd_test_path("maps.h5");
  gd_scores_writer *w;
  gd_scores *s;
  assert_ok(
      gd_scores_writer_create(path, (gd_digest){1, 2}, &info, &table, &w));
  for (int v = 0; v < 2; v++) {
    assert_ok(gd_scores_writer_append(w, index[v], 1, &frame, &expected, &sigma,
                                      NULL));
    assert_ok(gd_scores_writer_map(w, maps[v]));
  }
  assert_ok(gd_scores_writer_commit(w));
  assert_ok(gd_scores_read(path, &s));
  assert_int_equal(s->info.map_rows, 3);
  assert_int_equal(s->info.map_columns, 2);
  assert_memory_equal(s->map, maps, sizeof maps);
  gd_scores_free(s);
  gd_scored_write(gd_test_path("mapless.h5"), "softmax", 2, 0, 1);
  assert_ok(gd_scores_read(gd_test_path("mapless.h5"), &s));
  assert_null(s->map);
  assert_int_equal(s->info.map_rows, 0);
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
  double predicted = 1.0 / 3, low = 0, high = 2, within = 1.5, between = NAN;
  const gd_scores s = {.videos = &table,
                       .n_videos = 1,
                       .row = &row,
                       .predicted = &predicted,
                       .low = &low,
                       .high = &high,
                       .within = &within,
                       .between = &between,
                       .first_frame = first};
  gd_text csv = {0};
  gd_scores_csv(&s, &csv);
  assert_string_equal(gd_text_get(&csv),
                      "video,task,subject,partition,label,predicted,low,high,"
                      "within,between,frames\n"
                      "\"a, b\",,\"\"\"x\"\"\",dev,7.000000,0.333333,0.000000,"
                      "2.000000,1.500000,,3\n");
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
  assert_ok(gd_store_create(path, "gradus-scores", 2, (gd_digest){0, 0}, &w));
  assert_ok(gd_store_set_text(w, "partition", "test"));
  assert_ok(gd_store_set_text(w, "loss", "softmax"));
  assert_ok(gd_store_set_int(w, "n_levels", 4));
  assert_ok(gd_store_set_text(w, "average", "mean"));
  assert_ok(gd_store_set_real(w, "interval", 0));
  assert_ok(gd_store_set_real(w, "half_width", 0));
  assert_ok(gd_store_set_int(w, "n_calibration", 0));
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
  static const char *const reals[] = {"video/predicted", "video/low",
                                      "video/high", "video/within",
                                      "video/between"};
  for (int i = 0; i < 5; i++) {
    d = (gd_dataset){.name = reals[i], .dtype = GD_F64, .rank = 1, .dims = {2}};
    assert_ok(gd_store_put(w, &d, predicted));
  }
  d = (gd_dataset){
      .name = "video/frames", .dtype = GD_I64, .rank = 1, .dims = {2}};
  assert_ok(gd_store_put(w, &d, frames));
  assert_ok(gd_store_commit(w));
  gd_scores *s = NULL;
  assert_fails(gd_scores_read(path, &s), GD_ERR_FORMAT, "video 9");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(scores_come_back_as_they_were_written),
    cmocka_unit_test(videos_are_read_without_their_frames),
    cmocka_unit_test(video_has_an_average_an_interval_and_two_spreads),
    cmocka_unit_test(scores_of_equal_content_are_equal_files),
    cmocka_unit_test(scores_without_distribution_have_none),
    cmocka_unit_test(scores_keep_the_map_of_each_video),
    cmocka_unit_test(scores_csv_has_a_line_per_video_and_quotes_names),
    cmocka_unit_test(scores_that_are_missing_or_cut_or_foreign_are_refused),
    cmocka_unit_test(scores_whose_columns_disagree_are_refused),
};

gd_test_main(tests)
