#include "gradus/distributions.h"

#include <math.h>
#include <stdlib.h>

#include "gradus/random.h"
#include "test.h"

enum { K = 64, VIDEOS = 9, MOST_FRAMES = 12 };

/* Scores in memory: video v has some frames, with distributions that are random
 * and sum to one, and labels in all bands. */
typedef struct {
  gd_scores scores;
  gd_video_table table;
  gd_video videos[VIDEOS];
  int64_t row[VIDEOS], first[VIDEOS + 1];
  double predicted[VIDEOS];
  int64_t frame[VIDEOS * MOST_FRAMES];
  double expected[VIDEOS * MOST_FRAMES];
  float distribution[VIDEOS * MOST_FRAMES * K];
} made_up;

static const char *const ids[VIDEOS] = {"a", "b", "c", "d", "e",
                                        "f", "g", "h", "i"};

static void make(made_up *m)
{
  gd_random r = gd_random_of(7, GD_FOR_TESTS, 2, 0);
  int64_t f = 0;
  for (int v = 0; v < VIDEOS; v++) {
    m->videos[v] = (gd_video){.id = ids[v],
                              .label = 7.0 * v,
                              .partition = GD_TEST,
                              .subject = ids[v]};
    m->row[v] = v;
    m->first[v] = f;
    m->predicted[v] = (double)gd_random_below(&r, K);
    for (int i = 0; i < 1 + v; i++, f++) {
      double sum = 0, mean = 0, raw[K];
      for (int k = 0; k < K; k++) {
        raw[k] = gd_random_uniform(&r);
        sum += raw[k];
        mean += k * raw[k];
      }
      for (int k = 0; k < K; k++)
        m->distribution[f * K + k] = (float)(raw[k] / sum);
      m->expected[f] = mean / sum;
      m->frame[f] = 5 * i;
    }
  }
  m->first[VIDEOS] = f;
  m->table = (gd_video_table){.n_videos = VIDEOS, .videos = m->videos};
  m->scores = (gd_scores){.info = {.n_levels = K, .has_distribution = 1},
                          .videos = &m->table,
                          .n_videos = VIDEOS,
                          .row = m->row,
                          .predicted = m->predicted,
                          .first_frame = m->first,
                          .n_frames = f,
                          .frame_index = m->frame,
                          .expected = m->expected,
                          .distribution = m->distribution};
}

/* By plain loops; every video counts once, however many frames it has. */
static void band_means_are_means_of_videos(void **state)
{
  (void)state;
  static made_up m;
  gd_band bands[GD_MAX_BANDS];
  gd_band_distributions d;
  make(&m);
  const int n_bands = gd_severity_bands(K, bands);
  const gd_scores *both[] = {&m.scores, &m.scores};
  for (int n_scores = 1; n_scores <= 2; n_scores++) {
    assert_ok(gd_band_distributions_of(n_scores, both, n_bands, bands, &d));
    for (int b = 0; b < n_bands; b++) {
      int64_t n = 0;
      double sum[K] = {0}, total = 0;
      for (int v = 0; v < VIDEOS; v++) {
        if (m.videos[v].label < bands[b].first ||
            m.videos[v].label > bands[b].last)
          continue;
        n++;
        for (int k = 0; k < K; k++) {
          double mean = 0;
          for (int64_t f = m.first[v]; f < m.first[v + 1]; f++)
            mean += m.distribution[f * K + k];
          sum[k] += mean / (double)(m.first[v + 1] - m.first[v]);
        }
      }
      assert_int_equal(d.n[b], n_scores * n);
      for (int k = 0; k < K; k++) {
        assert_float_equal(d.mean[b * K + k], sum[k] / (double)n, 1e-12);
        total += d.mean[b * K + k];
      }
      assert_float_equal(total, 1, 1e-6);
    }
    gd_band_distributions_free(&d);
  }
}

static void band_without_a_video_has_no_distribution(void **state)
{
  (void)state;
  static made_up m;
  gd_band bands[GD_MAX_BANDS];
  gd_band_distributions d;
  make(&m);
  m.scores.n_videos = 2; /* labels 0 and 7 */
  const int n_bands = gd_severity_bands(K, bands);
  assert_ok(gd_band_distributions_of(1, (const gd_scores *[]){&m.scores},
                                     n_bands, bands, &d));
  assert_int_equal(d.n[0], 2);
  assert_int_equal(d.n[3], 0);
  assert_true(isnan(d.mean[3 * K]));
  gd_band_distributions_free(&d);
}

static void timeline_of_few_frames_has_a_column_for_each(void **state)
{
  (void)state;
  static made_up m;
  gd_timeline t;
  make(&m);
  const int64_t first = m.first[6];
  m.frame[first + 6] = 40; /* 0, 5, ... 25, then 30 and 35 are missing */
  assert_ok(gd_timeline_of(&m.scores, 6, 60, 64, &t));
  assert_int_equal(t.n_columns, 9);
  assert_int_equal(t.n_rows, K);
  assert_float_equal(t.first_frame, 0, 0);
  assert_float_equal(t.frames, 5, 0);
  for (int c = 0; c < 9; c++) {
    const int64_t f = c < 6 ? first + c : c == 8 ? first + 6 : -1;
    assert_float_equal(t.frame[c], 5 * c + 2.5, 1e-12);
    if (f < 0)
      assert_true(isnan(t.expected[c]));
    else
      assert_float_equal(t.expected[c], m.expected[f], 1e-12);
    for (int k = 0; k < K; k++)
      assert_float_equal(t.density[c * K + k],
                         f < 0 ? 0 : m.distribution[f * K + k], 1e-12);
  }
  gd_timeline_free(&t);
}

/* Nine frames on four columns and 64 levels on ten rows: seven levels a row. */
static void timeline_of_many_frames_shares_columns_and_rows(void **state)
{
  (void)state;
  static made_up m;
  gd_timeline t;
  make(&m);
  const int64_t first = m.first[8];
  assert_ok(gd_timeline_of(&m.scores, 8, 4, 10, &t));
  assert_int_equal(t.n_columns, 3);
  assert_float_equal(t.frames, 15, 0);
  assert_int_equal(t.levels, 7);
  assert_int_equal(t.n_rows, 10);
  for (int c = 0; c < 3; c++) {
    double expected = 0;
    for (int f = 0; f < 3; f++)
      expected += m.expected[first + 3 * c + f] / 3;
    assert_float_equal(t.expected[c], expected, 1e-12);
    for (int row = 0; row < 10; row++) {
      double sum = 0;
      for (int f = 0; f < 3; f++)
        for (int k = 7 * row; k < 7 * row + 7 && k < K; k++)
          sum += m.distribution[(first + 3 * c + f) * K + k] / 21.0;
      assert_float_equal(t.density[c * 10 + row], sum, 1e-9);
    }
  }
  gd_timeline_free(&t);
}

static int by_value(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void chosen_video_is_the_median_of_those_with_frames(void **state)
{
  (void)state;
  static made_up m;
  double errors[VIDEOS - 1];
  make(&m); /* video 0 has one frame: it has no time */
  for (int v = 1; v < VIDEOS; v++)
    errors[v - 1] = fabs(m.predicted[v] - m.videos[v].label);
  qsort(errors, VIDEOS - 1, sizeof *errors, by_value);
  const int64_t v = gd_timeline_choose(&m.scores);
  assert_true(v > 0);
  assert_float_equal(fabs(m.predicted[v] - m.videos[v].label),
                     errors[(VIDEOS - 2) / 2], 0);
  /* Among equals, the id decides. */
  for (int i = 0; i < VIDEOS; i++)
    m.predicted[i] = m.videos[i].label;
  assert_int_equal(gd_timeline_choose(&m.scores), 4);
  m.scores.n_videos = 1;
  assert_int_equal(gd_timeline_choose(&m.scores), -1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(band_means_are_means_of_videos),
    cmocka_unit_test(band_without_a_video_has_no_distribution),
    cmocka_unit_test(timeline_of_few_frames_has_a_column_for_each),
    cmocka_unit_test(timeline_of_many_frames_shares_columns_and_rows),
    cmocka_unit_test(chosen_video_is_the_median_of_those_with_frames),
};

gd_test_main(tests)
