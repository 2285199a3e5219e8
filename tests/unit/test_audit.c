#include "gradus/audit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gradus/corpus.h"
#include "test.h"

static void audit_counts_a_test_person_who_is_also_trained_on(void **state)
{
  (void)state;
  const gd_video videos[] = {
      {.subject = "anna", .partition = GD_TRAIN, .label = 4},
      {.subject = "bert", .partition = GD_TRAIN, .label = 40},
      {.subject = "cleo", .partition = GD_DEV, .label = 9},
      {.subject = "anna", .partition = GD_TEST, .label = 63},
      {.subject = "anna", .partition = GD_TEST, .label = 2},
      {.subject = "dora", .partition = GD_TEST, .label = 7},
      {.subject = "cleo", .partition = GD_TEST, .label = 8},
  };
  gd_audit a;
  assert_ok(gd_audit_of(7, videos, 64, &a));
  assert_int_equal(a.n_persons, 4);
  assert_int_equal(a.n_overlap, 2);
  assert_int_equal(a.part[GD_TRAIN].n_videos, 2);
  assert_int_equal(a.part[GD_TRAIN].n_persons, 2);
  assert_float_equal(a.part[GD_TRAIN].mean, 22, 0);
  assert_int_equal(a.part[GD_TEST].n_videos, 4);
  assert_int_equal(a.part[GD_TEST].n_persons, 3);
  assert_float_equal(a.part[GD_TEST].median, 7.5, 0);
  assert_float_equal(a.part[GD_TEST].least, 2, 0);
  assert_float_equal(a.part[GD_TEST].most, 63, 0);
  assert_int_equal(a.bin_levels, 4);
  assert_int_equal(a.n_bins, 16);
  assert_int_equal(a.part[GD_TEST].histogram[0], 1);
  assert_int_equal(a.part[GD_TEST].histogram[1], 1);
  assert_int_equal(a.part[GD_TEST].histogram[2], 1);
  assert_int_equal(a.part[GD_TEST].histogram[15], 1);
}

static void audit_counts_a_development_person_who_is_also_trained_on(void **s)
{
  (void)s;
  const gd_video videos[] = {
      {.subject = "anna", .partition = GD_TRAIN},
      {.subject = "bert", .partition = GD_TRAIN},
      {.subject = "anna", .partition = GD_DEV},
      {.subject = "anna", .partition = GD_DEV},
      {.subject = "cleo", .partition = GD_DEV},
      {.subject = "dora", .partition = GD_TEST},
  };
  gd_audit a;
  assert_ok(gd_audit_of(6, videos, 64, &a));
  assert_int_equal(a.n_dev_overlap, 1);
  assert_int_equal(a.n_overlap, 0);
}

static void audit_of_an_empty_partition_has_no_mean(void **state)
{
  (void)state;
  const gd_video one = {.subject = "a", .partition = GD_TEST, .label = 3};
  gd_audit a;
  assert_ok(gd_audit_of(1, &one, 5, &a));
  assert_int_equal(a.part[GD_TRAIN].n_videos, 0);
  assert_true(isnan(a.part[GD_TRAIN].mean));
  assert_int_equal(a.n_bins, 5);
  assert_int_equal(a.n_overlap, 0);
  assert_ok(gd_audit_of(0, NULL, 64, &a));
  assert_int_equal(a.n_persons, 0);
}

static void audit_bins_hold_every_video_for_any_scale(void **state)
{
  (void)state;
  for (int levels = 1; levels <= 200; levels++) {
    const gd_video ends[] = {
        {.subject = "a", .partition = GD_DEV, .label = 0},
        {.subject = "b", .partition = GD_DEV, .label = levels - 1},
    };
    gd_audit a;
    assert_ok(gd_audit_of(2, ends, levels, &a));
    int64_t sum = 0;
    for (int b = 0; b < a.n_bins; b++)
      sum += a.part[GD_DEV].histogram[b];
    assert_int_equal(sum, 2);
    assert_true(a.part[GD_DEV].histogram[a.n_bins - 1] > 0);
  }
}

/* Write a file below a folder of this program's. */
static void put(const char *root, const char *name, const char *text)
{
  char path[GD_PATH_MAX], parent[GD_PATH_MAX];
  assert_ok(gd_path_join(root, name, path));
  snprintf(parent, sizeof parent, "%.*s", (int)(gd_path_base(path) - path) - 1,
           path);
  assert_ok(gd_directory_make(parent));
  assert_ok(gd_file_write(path, text, strlen(text)));
}

/* Everything that copies of AVEC2014 have been seen with, in one tree. */
static const char *quirks(void)
{
  const char *root = gd_test_path("quirks");
  static const char *const videos[] = {
      "train/Freeform/201_1", "train/Freeform/202_1", "dev/Freeform/203_1",
      "test/Freeform/204_1",  "test/Freeform/205_1",  "test/Freeform/201_2",
      "test/Freeform/206_1",  "test/Northwind/204_1"};
  for (int i = 0; i < 8; i++) {
    char name[96];
    snprintf(name, sizeof name, "Video/%s_Freeform_video.mp4", videos[i]);
    put(root, name, "x");
  }
  put(root, "Video/test/holiday.mp4", "x");
  put(root, "Labels/Labels/train/201_1_Depression.csv", "12\r\n");
  put(root, "Labels/Labels/test/202_1_Depression.csv", "7");
  put(root, "Labels/Labels/dev/203_1_Depression.csv",
      "\xef\xbb\xbf"
      "45");
  put(root, "Labels/Labels/test/204_1_Depression.csv", "3");
  put(root, "Labels/Labels/test/205_1_Depression.csv", "64");
  put(root, "Labels/Labels/test/201_2_Depression.csv", "13");
  put(root, "Labels/Labels/test/207_1_Depression.csv", "20");
  return root;
}

static void quirks_of_a_copied_corpus_all_stand_in_its_audit(void **state)
{
  (void)state;
  static const char *const lines[] = {
      "corpus   avec2014: 5 videos of 4 persons",
      "train: 2 videos, 2 persons, labels 7 to 12, mean 9.5, median 9.5",
      "1 of 2 test persons are also in train or dev",
      "12-15        1      0      1\n", "44-47        0      1      0\n",
      "11 remarks:",
      /* nested folders */
      "Labels/Labels: a folder in one of the same name",
      /* a swapped session */
      "202_1_Freeform_video.mp4: a train video whose label "
      "Labels/Labels/test/202_1_Depression.csv is a test one: swapped",
      "1 label file with carriage returns, Labels/Labels/train/201_1_",
      "1 label file with a byte order mark, Labels/Labels/dev/203_1_",
      /* a label that is missing, and one that is off the scale */
      "206_1_Freeform_video.mp4: left out: no label: no file 206_1_",
      "205_1_Depression.csv:1: label 64 is not in 0 .. 63",
      "205_1_Freeform_video.mp4: left out: no label",
      /* a test person in train */
      "1 person is in more than one partition, 201 first",
      /* a name in two tasks */
      "Northwind/204_1_Freeform_video.mp4: a Freeform video in a Northwind "
      "folder, left out",
      /* a file that is no video of the corpus, a label without a video */
      "Video/test/holiday.mp4: not named like a video of AVEC2014",
      "207_1_Depression.csv: a label without a video"};
  gd_corpus *c;
  gd_text out = {0};
  assert_ok(gd_corpus_read("avec2014", quirks(), 64, &c));
  assert_ok(gd_audit_compose("avec2014", c, 64, &out));
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
    if (!gd_test_has(gd_text_get(&out), lines[i]))
      fail_msg("the audit lacks \"%s\":\n%s", lines[i], gd_text_get(&out));
  gd_text_free(&out);
  gd_corpus_free(c);
}

static void audit_of_videos_without_labels_has_no_numbers(void **state)
{
  (void)state;
  gd_corpus *c;
  gd_text out = {0};
  put(gd_test_path("list"), "videos.txt", "a.mp4\nb.mp4\n");
  assert_ok(gd_corpus_read("list", gd_test_path("list/videos.txt"), 64, &c));
  assert_ok(gd_audit_compose("list", c, 64, &out));
  assert_string_equal(gd_text_get(&out),
                      "corpus   list: 2 videos without labels\n");
  gd_text_free(&out);
  gd_corpus_free(c);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(audit_of_videos_without_labels_has_no_numbers),
    cmocka_unit_test(audit_counts_a_test_person_who_is_also_trained_on),
    cmocka_unit_test(audit_counts_a_development_person_who_is_also_trained_on),
    cmocka_unit_test(audit_of_an_empty_partition_has_no_mean),
    cmocka_unit_test(audit_bins_hold_every_video_for_any_scale),
    cmocka_unit_test(quirks_of_a_copied_corpus_all_stand_in_its_audit),
};

gd_test_main(tests)
