#include "gradus/attention_choice.h"

#include <math.h>

#include "test.h"

/* Scores of videos with two frames each, of a scale of 64 levels. */
enum { MOST = 12 };

typedef struct {
  gd_scores scores;
  gd_video_table table;
  gd_video videos[MOST];
  int32_t index[MOST];
  int64_t row[MOST], first[MOST + 1];
  double predicted[MOST], expected[2 * MOST];
} made_up;

static void make(made_up *m, int n, const double *label, const double *error)
{
  *m = (made_up){0};
  for (int v = 0; v < n; v++) {
    m->videos[v] = (gd_video){.id = "v", .label = label[v]};
    m->index[v] = m->first[v] = 2 * v;
    m->row[v] = v;
    m->predicted[v] = label[v] + error[v];
    m->expected[2 * v] = m->predicted[v] - 2;
    m->expected[2 * v + 1] = m->predicted[v] + 1;
  }
  m->first[n] = 2 * n;
  m->table = (gd_video_table){n, m->index, m->videos};
  m->scores = (gd_scores){.info = {.n_levels = 64},
                          .videos = &m->table,
                          .n_videos = n,
                          .n_frames = 2 * n,
                          .row = m->row,
                          .first_frame = m->first,
                          .predicted = m->predicted,
                          .expected = m->expected};
}

static void expect(const gd_attention_choice *c, int64_t video,
                   const char *reason)
{
  assert_int_equal(c->video, video);
  assert_int_equal(c->frame, 2 * video + 1); /* the nearer of the two */
  assert_string_equal(c->reason, reason);
}

static void bands_come_first_then_the_ends(void **state)
{
  (void)state;
  /* none: 0 1 2 3, mild: 4, moderate: no video, severe: 5 6 7 */
  static const double label[] = {0, 5, 10, 13, 14, 29, 40, 60};
  static const double error[] = {7, -1, 2, -3, 4, 9, -0.5, 6};
  made_up m;
  gd_attention_choice c[MOST];
  int n;
  make(&m, 8, label, error);
  assert_ok(gd_attention_choose(&m.scores, 6, c, &n));
  assert_int_equal(n, 6);
  expect(&c[0], 2, "median error of the band none"); /* of 1 2 3 7 the lower */
  expect(&c[1], 4, "median error of the band mild");
  expect(&c[2], 7, "median error of the band severe");
  expect(&c[3], 6, "smallest error");
  expect(&c[4], 5, "largest error");
  expect(&c[5], 1, "smallest error, no. 2");
  assert_ok(gd_attention_choose(&m.scores, 2, c, &n));
  assert_int_equal(n, 2);
  expect(&c[1], 4, "median error of the band mild");
  assert_ok(gd_attention_choose(&m.scores, MOST, c, &n));
  assert_int_equal(n, 8);
}

static void equal_errors_are_in_the_order_of_the_corpus(void **state)
{
  (void)state;
  static const double label[] = {3, 4, 5}, error[] = {1, -1, 1};
  made_up m;
  gd_attention_choice c[MOST];
  int n;
  make(&m, 3, label, error);
  assert_ok(gd_attention_choose(&m.scores, MOST, c, &n));
  assert_int_equal(n, 3);
  expect(&c[0], 1, "median error of the band none");
  expect(&c[1], 0, "smallest error");
  expect(&c[2], 2, "largest error");
}

static void video_that_is_alone_has_all_reasons(void **state)
{
  (void)state;
  static const double label[] = {30, NAN}, error[] = {1, 1};
  made_up m;
  gd_attention_choice c[MOST];
  int n;
  make(&m, 2, label, error);
  assert_ok(gd_attention_choose(&m.scores, 1, c, &n));
  assert_int_equal(n, 1);
  expect(&c[0], 0,
         "median error of the band severe; smallest error; largest error");
}

static void mean_map_gives_every_video_the_same_weight(void **state)
{
  (void)state;
  static const double zeros[MOST];
  float maps[] = {1, 2, 3, 4, 5, -6}, mean[2];
  made_up m;
  make(&m, 3, zeros, zeros);
  m.scores.info.map_rows = 2;
  m.scores.info.map_columns = 1;
  m.scores.map = maps;
  gd_attention_mean(&m.scores, mean);
  assert_float_equal(mean[0], 3, 0);
  assert_float_equal(mean[1], 0, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(bands_come_first_then_the_ends),
    cmocka_unit_test(equal_errors_are_in_the_order_of_the_corpus),
    cmocka_unit_test(video_that_is_alone_has_all_reasons),
    cmocka_unit_test(mean_map_gives_every_video_the_same_weight),
};

gd_test_main(tests)
