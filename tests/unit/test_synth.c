#include "gradus/synth.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/digest.h"
#include "test.h"

enum { WIDTH = 160, HEIGHT = 120, BYTES = WIDTH * HEIGHT * 3 };

/* The corpus of most tests: small, but with all that a large one has. */
static gd_synth small(const char *layout)
{
  gd_synth s = gd_synth_default();
  s.layout = layout;
  s.n_subjects = 8;
  s.n_sessions = 2;
  s.seconds = 0.32;
  s.width_px = WIDTH;
  s.height_px = HEIGHT;
  return s;
}

static void draw(const gd_synth *s, int64_t index, int level, int64_t frame,
                 uint8_t *rgb, double points[GD_SYNTH_POINTS][2])
{
  gd_synth_item item = gd_synth_item_of(s, index);
  item.level = level;
  assert_ok(gd_synth_draw(s, &item, frame, rgb, points));
}

static void same_seed_gives_same_bytes(void **state)
{
  (void)state;
  gd_synth s = small("table");
  const char *names[2] = {"videos/s003_2.avi", "videos/s003_2.csv"};
  gd_digest digests[3][2];
  for (int run = 0; run < 3; run++) {
    char root[32], path[GD_PATH_MAX];
    snprintf(root, sizeof root, "same%d", run);
    s.seed = run == 2 ? 9 : 4;
    /* Another video before must not matter. */
    if (run == 1)
      assert_ok(gd_synth_video(&s, 0, gd_test_path(root), NULL, NULL));
    assert_ok(gd_synth_video(&s, 5, gd_test_path(root), NULL, NULL));
    for (int i = 0; i < 2; i++) {
      assert_ok(gd_path_join(gd_test_path(root), names[i], path));
      assert_ok(gd_digest_of_file(path, &digests[run][i]));
    }
  }
  for (int i = 0; i < 2; i++) {
    assert_true(gd_digest_equal(digests[0][i], digests[1][i]));
    assert_false(gd_digest_equal(digests[0][i], digests[2][i]));
  }
}

static void level_changes_the_head_and_nothing_else(void **state)
{
  (void)state;
  const gd_synth s = small("table");
  uint8_t low[BYTES], high[BYTES];
  for (int64_t index = 0; index < gd_synth_count(&s); index++) {
    double p[2][GD_SYNTH_POINTS][2];
    double x0 = WIDTH, x1 = 0, y0 = HEIGHT, y1 = 0;
    draw(&s, index, 0, 3, low, p[0]);
    draw(&s, index, 63, 3, high, p[1]);
    for (int i = 0; i < GD_SYNTH_POINTS; i++)
      for (int j = 0; j < 2; j++) {
        x0 = fmin(x0, p[j][i][0]);
        x1 = fmax(x1, p[j][i][0]);
        y0 = fmin(y0, p[j][i][1]);
        y1 = fmax(y1, p[j][i][1]);
      }
    /* Hair reaches beyond the landmarks. */
    const double wide = x1 - x0;
    x0 -= 0.3 * wide;
    x1 += 0.3 * wide;
    y1 += 0.4 * wide;
    int64_t n_outside = 0, n_inside_changed = 0;
    for (int y = 0; y < HEIGHT; y++)
      for (int x = 0; x < WIDTH; x++) {
        const int64_t at = 3 * ((int64_t)y * WIDTH + x);
        const int same = memcmp(low + at, high + at, 3) == 0;
        const int inside = x >= x0 && x <= x1 && y <= y1;
        n_inside_changed += inside && !same;
        n_outside += !inside;
        if (!inside && !same)
          fail_msg("video %d: pixel (%d, %d) knows the level", (int)index, x,
                   y);
      }
    assert_true(n_outside > WIDTH * HEIGHT / 5);
    assert_true(n_inside_changed > 200);
  }
}

/* How the face says its level: corners below the middle of the mouth, inner
 * ends of the brows above the outer ones, opening of the lids, in widths of
 * the face. */
static void measure(double p[GD_SYNTH_POINTS][2], double out[3])
{
  const double wide = hypot(p[16][0] - p[0][0], p[16][1] - p[0][1]);
  out[0] = (p[48][1] + p[54][1] - p[51][1] - p[57][1]) / 2.0 / wide;
  out[1] = (p[17][1] + p[26][1] - p[21][1] - p[22][1]) / 2.0 / wide;
  out[2] = (p[37][1] + p[44][1] - p[41][1] - p[46][1]) / 2.0 / wide;
}

static void face_shows_higher_levels_more(void **state)
{
  (void)state;
  const gd_synth s = small("table");
  uint8_t rgb[BYTES];
  for (int64_t index = 0; index < gd_synth_count(&s); index += 2) {
    double last[3] = {-1e9, -1e9, -1e9};
    for (int level = 0; level <= 63; level += 21) {
      double mean[3] = {0.0, 0.0, 0.0};
      for (int64_t frame = 0; frame < 75; frame += 15) {
        double p[GD_SYNTH_POINTS][2], now[3];
        draw(&s, index, level, frame, rgb, p);
        measure(p, now);
        for (int k = 0; k < 3; k++)
          mean[k] += now[k] / 5.0;
      }
      for (int k = 0; k < 3; k++) {
        assert_true(mean[k] > last[k] + 0.005);
        last[k] = mean[k];
      }
    }
  }
}

static double brightness(const uint8_t *rgb, double x, double y)
{
  const int column = (int)x, row = (int)y;
  double sum = 0.0;
  for (int dy = -1; dy <= 1; dy++)
    for (int dx = -1; dx <= 1; dx++)
      for (int k = 0; k < 3; k++)
        sum += rgb[3 * ((row + dy) * WIDTH + column + dx) + k];
  return sum / 27.0;
}

static double darkest_between(const uint8_t *rgb, const double *a,
                              const double *b)
{
  double least = 255.0;
  for (int i = 0; i <= 8; i++)
    least = fmin(least, brightness(rgb, a[0] + (b[0] - a[0]) * i / 8.0,
                                   a[1] + (b[1] - a[1]) * i / 8.0));
  return least;
}

static void landmarks_lie_on_what_is_drawn(void **state)
{
  (void)state;
  gd_synth s = small("table");
  s.n_subjects = 30;
  uint8_t rgb[BYTES];
  for (int64_t index = 0; index < gd_synth_count(&s); index += 2) {
    double p[GD_SYNTH_POINTS][2];
    draw(&s, index, 10, 6, rgb, p);
    for (int i = 0; i < GD_SYNTH_POINTS; i++)
      assert_true(p[i][0] > 0 && p[i][0] < WIDTH && p[i][1] > 0 &&
                  p[i][1] < HEIGHT);
    /* Skin between nose and eye, beside lids, lips and nostrils. */
    const double cheek = fmax(brightness(rgb, 0.5 * (p[31][0] + p[40][0]),
                                         0.5 * (p[29][1] + p[40][1]) + 2.0),
                              brightness(rgb, 0.5 * (p[35][0] + p[47][0]),
                                         0.5 * (p[29][1] + p[47][1]) + 2.0));
    assert_true(darkest_between(rgb, p[36], p[39]) < 0.92 * cheek);
    assert_true(darkest_between(rgb, p[42], p[45]) < 0.92 * cheek);
    assert_true(darkest_between(rgb, p[32], p[34]) < 0.9 * cheek);
    assert_true(darkest_between(rgb, p[48], p[61]) < 0.9 * cheek);
    /* The chin's edge: neck or cloth below, a step in brightness or colour. */
    double step = 0.0;
    for (int k = 0; k < 3; k++) {
      const int x = (int)p[8][0], y = (int)p[8][1];
      step += abs(rgb[3 * ((y - 3) * WIDTH + x) + k] -
                  rgb[3 * ((y + 3) * WIDTH + x) + k]);
    }
    assert_true(step > 10.0);
  }
}

static void landmarks_follow_the_motion_of_the_head(void **state)
{
  (void)state;
  const gd_synth s = small("table");
  uint8_t rgb[BYTES];
  double p[2][GD_SYNTH_POINTS][2];
  draw(&s, 2, 5, 0, rgb, p[0]);
  draw(&s, 2, 5, 40, rgb, p[1]);
  assert_true(hypot(p[0][30][0] - p[1][30][0], p[0][30][1] - p[1][30][1]) >
              0.5);
}

static void subjects_stay_in_one_partition(void **state)
{
  (void)state;
  for (int n_subjects = 3; n_subjects <= 40; n_subjects++) {
    gd_synth s = small("avec2014");
    s.n_subjects = n_subjects;
    int64_t count[GD_N_PARTITIONS] = {0};
    gd_partition of[40];
    for (int64_t i = 0; i < gd_synth_count(&s); i++) {
      const gd_synth_item item = gd_synth_item_of(&s, i);
      if (item.session == 0 && item.task == 0)
        of[item.subject] = item.partition;
      assert_int_equal(of[item.subject], item.partition);
      count[item.partition]++;
    }
    for (int p = 0; p < GD_N_PARTITIONS; p++)
      assert_true(count[p] > 0);
    assert_true(n_subjects < 4 || count[GD_TRAIN] >= count[GD_TEST]);
  }
}

static void levels_cover_the_scale_in_every_partition(void **state)
{
  (void)state;
  for (uint64_t seed = 0; seed < 20; seed++) {
    gd_synth s = gd_synth_default();
    s.seed = seed;
    double sum = 0.0, error = 0.0;
    int64_t n_train = 0, n_test = 0;
    int least = 63, most = 0;
    for (int64_t i = 0; i < gd_synth_count(&s); i++) {
      const gd_synth_item item = gd_synth_item_of(&s, i);
      assert_in_range(item.level, 0, 63);
      if (item.partition == GD_TRAIN) {
        sum += item.level;
        n_train++;
      }
    }
    for (int64_t i = 0; i < gd_synth_count(&s); i++) {
      const gd_synth_item item = gd_synth_item_of(&s, i);
      if (item.partition == GD_TEST) {
        error += fabs(item.level - sum / (double)n_train);
        least = item.level < least ? item.level : least;
        most = item.level > most ? item.level : most;
        n_test++;
      }
    }
    /* What predicting the training mean for everyone costs. */
    assert_true(error / (double)n_test > 12.0 && error / (double)n_test < 17.0);
    assert_true(least <= 4 && most >= 55);
  }
}

static void sessions_of_a_task_pair_share_their_level(void **state)
{
  (void)state;
  const gd_synth s = small("avec2014");
  for (int64_t i = 0; i < gd_synth_count(&s); i += 2) {
    const gd_synth_item a = gd_synth_item_of(&s, i);
    const gd_synth_item b = gd_synth_item_of(&s, i + 1);
    assert_int_equal(a.level, b.level);
    assert_int_equal(a.session, b.session);
    assert_int_equal(a.task + 1, b.task);
  }
}

static void assert_name(const char *layout, int64_t index, const char *name)
{
  const gd_synth s = small(layout);
  const gd_synth_item item = gd_synth_item_of(&s, index);
  char out[GD_PATH_MAX];
  gd_synth_name(&s, &item, out);
  assert_string_equal(out, name);
}

static void names_are_those_of_the_layout(void **state)
{
  (void)state;
  assert_name("table", 0, "videos/s001_1.avi");
  assert_name("table", 15, "videos/s008_2.avi");
  assert_name("avec2013", 1, "Training/001_2_cut_combined.mp4");
  assert_name("avec2014", 31, "Testing/Northwind/008_2_Northwind_video.mp4");
}

static void read_text(const char *root, const char *name, char *out,
                      size_t room)
{
  char path[GD_PATH_MAX], *text;
  size_t size;
  assert_ok(gd_path_join(root, name, path));
  assert_ok(gd_file_read(path, room - 1, &text, &size));
  memcpy(out, text, size + 1);
  free(text);
}

static void label_files_state_every_level(void **state)
{
  (void)state;
  static char text[8192];
  gd_synth s = small("table");
  const char *root = gd_test_path("labels");
  assert_ok(gd_synth_labels(&s, root));
  read_text(root, "labels.csv", text, sizeof text);
  assert_memory_equal(text, "video,label,subject,partition,task\n", 35);
  for (int64_t i = 0; i < gd_synth_count(&s); i++) {
    const gd_synth_item item = gd_synth_item_of(&s, i);
    char line[128];
    snprintf(line, sizeof line, "\nvideos/s%03d_%d.avi,%d,s%03d,%s,talk\n",
             item.subject + 1, item.session + 1, item.level, item.subject + 1,
             gd_partition_name(item.partition));
    assert_true(gd_test_has(text, line));
  }
  s.layout = "avec2014";
  assert_ok(gd_synth_labels(&s, root));
  read_text(root,
            "DepressionLabels/Training_DepressionLabels/001_1_Depression.csv",
            text, sizeof text);
  char number[16];
  snprintf(number, sizeof number, "%d\r\n", gd_synth_item_of(&s, 0).level);
  assert_string_equal(text, number);
}

/* The error is normal, of the deviation that was asked for, and the same for
 * both tasks of a session; level and picture stay as they were. */
static void noisy_labels_err_about_levels_as_asked(void **state)
{
  (void)state;
  gd_synth s = small("avec2014");
  s.n_subjects = 999;
  s.n_sessions = 9;
  s.n_levels = 1000; /* wide: hardly a label is held at an end */
  const gd_synth clean = s;
  s.label_noise = 20;
  double sum = 0, squares = 0, product = 0, last = 0;
  int n = 0, n_beyond = 0;
  for (int64_t i = 0; i < gd_synth_count(&s); i += 2) {
    const gd_synth_item item = gd_synth_item_of(&s, i);
    const double error = item.label - item.level;
    assert_int_equal(item.level, gd_synth_item_of(&clean, i).level);
    assert_int_equal(item.label, gd_synth_item_of(&s, i + 1).label);
    assert_int_equal(gd_synth_item_of(&clean, i).label, item.level);
    assert_in_range(item.label, 0, 999);
    if (item.level < 100 || item.level > 900)
      continue;
    sum += error;
    squares += error * error;
    product += error * last;
    n_beyond += fabs(error) > 20;
    last = error;
    n++;
  }
  assert_true(n > 6000);
  assert_true(fabs(sum / n) < 0.8);
  assert_true(fabs(sqrt(squares / n) - 20) < 0.7);
  assert_true(fabs(product / n) < 0.05 * 400);
  assert_true(fabs((double)n_beyond / n - 0.3173) < 0.025);
}

static void label_files_state_noisy_labels(void **state)
{
  (void)state;
  static char text[8192];
  gd_synth s = small("table");
  s.label_noise = 6;
  const char *root = gd_test_path("noisy");
  assert_ok(gd_synth_labels(&s, root));
  read_text(root, "labels.csv", text, sizeof text);
  int n_off = 0;
  for (int64_t i = 0; i < gd_synth_count(&s); i++) {
    const gd_synth_item item = gd_synth_item_of(&s, i);
    char line[128];
    snprintf(line, sizeof line, "\nvideos/s%03d_%d.avi,%d,s", item.subject + 1,
             item.session + 1, item.label);
    assert_true(gd_test_has(text, line));
    n_off += item.label != item.level;
  }
  assert_true(n_off > gd_synth_count(&s) / 2);
}

static void landmark_csv_has_a_row_for_every_frame(void **state)
{
  (void)state;
  static char text[1 << 17];
  const gd_synth s = small("avec2013");
  const char *root = gd_test_path("csv");
  assert_ok(gd_synth_video(&s, 3, root, NULL, NULL));
  read_text(root, "Training/002_2_cut_combined.csv", text, sizeof text);
  assert_memory_equal(
      text, "frame, face_id, timestamp, confidence, success, x_0, x_1,", 57);
  assert_true(gd_test_has(text, ", x_67, y_0, y_1,"));
  assert_true(gd_test_has(text, ", y_67\n1, 0, 0.000, 0.98, 1, "));
  assert_true(gd_test_has(text, "\n8, 0, 0.280, 0.98, 1, "));
  int n_lines = 0, n_commas = 0;
  for (const char *c = text; *c != '\0'; c++) {
    n_lines += *c == '\n';
    n_commas += *c == ',';
  }
  assert_int_equal(n_lines, 1 + gd_synth_frames(&s));
  assert_int_equal(n_commas, n_lines * (5 + 2 * GD_SYNTH_POINTS - 1));
}

static void impossible_corpora_are_refused(void **state)
{
  (void)state;
  gd_synth s = gd_synth_default();
  assert_ok(gd_synth_check(&s));
  s.layout = "avec2015";
  assert_fails(gd_synth_check(&s), GD_ERR_USAGE, "avec2015");
  s = gd_synth_default();
  s.n_subjects = 2;
  assert_fails(gd_synth_check(&s), GD_ERR_USAGE, "subjects is 2");
  s = gd_synth_default();
  s.seconds = NAN;
  assert_fails(gd_synth_check(&s), GD_ERR_USAGE, "seconds");
  s = gd_synth_default();
  s.width_px = 161;
  assert_fails(gd_synth_check(&s), GD_ERR_USAGE, "even");
  s = gd_synth_default();
  s.label_noise = -1;
  assert_fails(gd_synth_check(&s), GD_ERR_USAGE, "label_noise is -1");
}

static void corpus_that_cannot_be_written_says_where(void **state)
{
  (void)state;
  const gd_synth s = small("table");
  assert_ok(gd_file_write(gd_test_path("plain"), "", 0));
  assert_fails(gd_synth_video(&s, 0, gd_test_path("plain"), NULL, NULL),
               GD_ERR_IO, "plain");
  assert_fails(gd_synth_labels(&s, gd_test_path("plain/below")), GD_ERR_IO,
               "plain");
}

static gd_status stop_at_third_frame(void *context)
{
  int *n_calls = context;
  return ++*n_calls < 3 ? GD_OK : gd_fail(GD_ERR_STOPPED, "enough");
}

static void stopped_video_leaves_nothing(void **state)
{
  (void)state;
  const gd_synth s = small("table");
  int n_calls = 0;
  assert_fails(gd_synth_video(&s, 0, gd_test_path("stop"), stop_at_third_frame,
                              &n_calls),
               GD_ERR_STOPPED, "enough");
  assert_int_equal(n_calls, 3);
  assert_false(gd_path_exists(gd_test_path("stop/videos/s001_1.avi")));
  assert_false(gd_path_exists(gd_test_path("stop/videos/s001_1.avi.part")));
  assert_false(gd_path_exists(gd_test_path("stop/videos/s001_1.csv")));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(same_seed_gives_same_bytes),
    cmocka_unit_test(level_changes_the_head_and_nothing_else),
    cmocka_unit_test(face_shows_higher_levels_more),
    cmocka_unit_test(landmarks_lie_on_what_is_drawn),
    cmocka_unit_test(landmarks_follow_the_motion_of_the_head),
    cmocka_unit_test(subjects_stay_in_one_partition),
    cmocka_unit_test(levels_cover_the_scale_in_every_partition),
    cmocka_unit_test(sessions_of_a_task_pair_share_their_level),
    cmocka_unit_test(names_are_those_of_the_layout),
    cmocka_unit_test(label_files_state_every_level),
    cmocka_unit_test(noisy_labels_err_about_levels_as_asked),
    cmocka_unit_test(label_files_state_noisy_labels),
    cmocka_unit_test(landmark_csv_has_a_row_for_every_frame),
    cmocka_unit_test(stopped_video_leaves_nothing),
    cmocka_unit_test(impossible_corpora_are_refused),
    cmocka_unit_test(corpus_that_cannot_be_written_says_where),
};

gd_test_main(tests)
