#include "gradus/corpus.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gradus/synth.h"
#include "test.h"

/* Write a file below a corpus of this program's scratch folder. */
static void put(const char *root, const char *name, const char *text)
{
  char path[GD_PATH_MAX], parent[GD_PATH_MAX];
  assert_ok(gd_path_join(root, name, path));
  snprintf(parent, sizeof parent, "%.*s", (int)(gd_path_base(path) - path) - 1,
           path);
  assert_ok(gd_directory_make(parent));
  assert_ok(gd_file_write(path, text, strlen(text)));
}

static const gd_video *video_of(const gd_corpus *c, const char *id)
{
  for (int64_t i = 0; i < c->n_videos; i++)
    if (strcmp(c->videos[i].id, id) == 0)
      return &c->videos[i];
  fail_msg("no video %s", id);
  return NULL;
}

static int warned(const gd_corpus *c, const char *part)
{
  for (int64_t i = 0; i < c->n_warnings; i++)
    if (gd_test_has(c->warnings[i], part))
      return 1;
  return 0;
}

/* -- table -- */

static const char *table(const char *name, const char *labels)
{
  const char *root = gd_test_path(name);
  put(root, "labels.csv", labels);
  return root;
}

static void assert_table_fails(const char *labels, const char *part)
{
  gd_corpus *c;
  assert_fails(gd_corpus_read("table", table("faulty", labels), 64, &c),
               GD_ERR_USAGE, part);
  assert_null(c);
}

static void table_is_read_in_order_of_ids(void **state)
{
  (void)state;
  gd_corpus *c;
  const char *root =
      table("table", "video,label,subject,partition,task\n"
                     "b/two.avi,63,p2,dev,walk\n"
                     "b/one.avi,0,p1,train,\n"
                     "a.x.avi, 7.5 ,p3,test,\"sit, and wait\"\n");
  put(root, "b/one.csv", "frame\n");
  assert_ok(gd_corpus_read("table", root, 64, &c));
  assert_int_equal(c->n_videos, 3);
  assert_int_equal(c->n_warnings, 0);
  assert_string_equal(c->videos[0].id, "a.x");
  assert_string_equal(c->videos[0].task, "sit, and wait");
  assert_true(c->videos[0].label == 7.5);
  assert_int_equal(c->videos[0].partition, GD_TEST);
  assert_string_equal(c->videos[0].landmarks, "");
  assert_string_equal(c->videos[1].id, "b/one");
  assert_true(gd_test_has(c->videos[1].path, "/table/b/one.avi"));
  assert_true(gd_test_has(c->videos[1].landmarks, "/table/b/one.csv"));
  assert_string_equal(c->videos[1].subject, "p1");
  assert_string_equal(c->videos[1].task, "");
  assert_int_equal(c->videos[2].partition, GD_DEV);
  assert_true(c->videos[2].label == 63.0);
  gd_corpus_free(c);
  gd_corpus_free(NULL);
}

static void table_of_a_spreadsheet_reads_alike(void **state)
{
  (void)state;
  gd_corpus *c;
  const char *root = table("sheet", "\xef\xbb\xbfsubject,\"video\",partition,"
                                    "label,landmarks,id\r\n"
                                    "p1,\"say \"\"a\"\".avi\",train,3,,\r\n"
                                    "\r\n"
                                    "p2,b.avi,test,4,points/b.csv,clip b");
  assert_ok(gd_corpus_read("table", root, 64, &c));
  assert_int_equal(c->n_videos, 2);
  assert_true(video_of(c, "say \"a\"")->label == 3.0);
  assert_true(gd_test_has(video_of(c, "clip b")->landmarks, "points/b.csv"));
  gd_corpus_free(c);
}

static void list_is_videos_of_which_nothing_is_known(void **state)
{
  (void)state;
  gd_corpus *c;
  put(gd_test_path("films"), "clip.csv", "frame");
  char beside[GD_PATH_MAX], text[3 * GD_PATH_MAX];
  snprintf(beside, sizeof beside, "%s/clip.avi", gd_test_path("films"));
  snprintf(text, sizeof text, "b.mp4\r\n\n%s\nb.avi\nb.mp4", beside);
  put(gd_test_path("films"), "list.txt", text);
  assert_ok(gd_corpus_read("list", gd_test_path("films/list.txt"), 5, &c));
  assert_int_equal(c->n_videos, 3);
  assert_true(warned(c, "list.txt:5: video b.mp4 stands in line 1 already"));
  /* As they are named, from here and not from the list's folder. */
  assert_string_equal(video_of(c, "b.mp4")->path, "b.mp4");
  assert_string_equal(video_of(c, "b.avi")->landmarks, "");
  assert_true(gd_test_has(video_of(c, beside)->landmarks, "films/clip.csv"));
  assert_true(isnan(c->videos[0].label));
  assert_int_equal(c->videos[0].partition, GD_TEST);
  assert_string_equal(c->videos[0].subject, "");
  gd_corpus_free(c);
  put(gd_test_path("films"), "none.txt", "\n");
  assert_fails(gd_corpus_read("list", gd_test_path("films/none.txt"), 5, &c),
               GD_ERR_USAGE, "no video of a list corpus");
}

static void table_faults_name_file_and_line(void **state)
{
  (void)state;
  const char *faults[][2] = {
      {"a.avi,1,p,train\nb.avi,,p,train\n", "labels.csv:3: no label for video "
                                            "b.avi"},
      {"a.avi,64,p,train\n", "labels.csv:2: label 64 is not in 0 .. 63"},
      {"a.avi,-1,p,train\n", "labels.csv:2: label -1"},
      {"a.avi,nan,p,train\n", "labels.csv:2: label \"nan\" is no number"},
      {"a.avi,12x,p,train\n", "labels.csv:2: label \"12x\" is no number"},
      {"a.avi,1,p,tset\n", "labels.csv:2: \"tset\" is no partition"},
      {"a.avi,1,,train\n", "labels.csv:2: no subject for video a.avi"},
      {",1,p,train\n", "labels.csv:2: no video"},
      {"a.avi,1,p,train\nb.avi,1,p\n", "labels.csv:3: 3 fields"},
      {"a.avi,1,p,train,x\n", "labels.csv:2: 5 fields"},
      {"a.avi,1,\"p,train\n", "labels.csv:2: a quote that never ends"},
      {"a.avi,1,\"p\"q,train\n", "labels.csv:2: text behind a closing quote"},
      {"a.avi,1,p,train\nc.avi,1,p,train\na.avi,2,p,train\n",
       "labels.csv:4: video a stands in line 2 already"},
      {"a.avi,1,p,train\na.avi,1,p,dev\n", "labels.csv:3: video a stands"},
      {"", "no video"},
  };
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
    char text[512];
    snprintf(text, sizeof text, "video,label,subject,partition\n%s",
             faults[i][0]);
    assert_table_fails(text, faults[i][1]);
  }
}

static void table_may_name_folds(void **state)
{
  (void)state;
  static const char *const faults[][2] = {
      {"a.avi,1,p,train,1\nb.avi,1,q,train,\n",
       "labels.csv:3: no fold for video b: give one to all, or to none"},
      {"a.avi,1,p,train,1\nb.avi,1,q,train,3\n",
       "no video is in fold 2, but there are folds up to 3"},
      {"a.avi,1,p,train,0\n", "fold \"0\" is no whole number from 1"},
      {"a.avi,1,p,train,-1\n", "fold \"-1\" is no whole number from 1"},
      {"a.avi,1,p,train,1.5\n", "fold \"1.5\" is no whole number from 1"},
      {"a.avi,1,p,train,99999999999999999999\n", "is no whole number"},
      {"a.avi,1,p,train,1\na.avi,1,p,train,2\n", "another label"}};
  static const char header[] = "video,label,subject,partition,fold\n";
  gd_corpus *c, *told;
  gd_text message = {0};
  char text[512];
  gd_digest with, without;
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
    snprintf(text, sizeof text, "%s%s", header, faults[i][0]);
    assert_table_fails(text, faults[i][1]);
  }
  snprintf(text, sizeof text, "%s%s", header,
           "a.avi,1,p,train,2\nb.avi,2,p,train,1\nc.avi,2,q,dev,3\n");
  assert_ok(gd_corpus_read("table", table("folds", text), 64, &c));
  assert_int_equal(gd_corpus_n_folds(c), 3);
  assert_int_equal(video_of(c, "a")->fold, 2);
  assert_int_equal(video_of(c, "c")->fold, 3);
  /* Whoever is in two folds is trained on and tested. */
  assert_int_equal(c->n_warnings, 1);
  assert_true(warned(c, "1 person is in more than one fold, p first"));
  gd_corpus_pack(c, &message);
  assert_ok(gd_corpus_unpack(message.data, message.length_bytes, &told));
  assert_int_equal(video_of(told, "a")->fold, 2);
  assert_ok(gd_corpus_digest(c, &with));
  gd_corpus_free(told);
  gd_corpus_free(c);
  gd_text_free(&message);
  /* An empty column is as good as none. */
  snprintf(text, sizeof text, "%s%s", header,
           "a.avi,1,p,train,\nb.avi,2,p,train,\nc.avi,2,q,dev,\n");
  assert_ok(gd_corpus_read("table", table("folds", text), 64, &c));
  assert_int_equal(gd_corpus_n_folds(c), 0);
  assert_int_equal(c->n_warnings, 0);
  assert_ok(gd_corpus_digest(c, &without));
  assert_false(gd_digest_equal(with, without));
  gd_corpus_free(c);
}

/* Shards could not tell of it. */
static void table_with_an_id_that_is_too_long_is_refused(void **state)
{
  (void)state;
  char labels[1024];
  gd_corpus *c;
  const int n = snprintf(labels, sizeof labels,
                         "id,video,label,subject,partition\n%0767d,a.avi,1,p,"
                         "train\n",
                         7);
  assert_true(n > 767);
  assert_ok(gd_corpus_read("table", table("long", labels), 64, &c));
  gd_corpus_free(c);
  snprintf(labels, sizeof labels,
           "id,video,label,subject,partition\n%0768d,a.avi,1,p,train\n", 7);
  assert_table_fails(labels, "labels.csv:2: id longer than 767 bytes");
}

static void table_header_faults_are_named(void **state)
{
  (void)state;
  assert_table_fails("video,label,partition\na.avi,1,train\n",
                     "labels.csv:1: no column \"subject\"");
  assert_table_fails("video,label,subject,label,partition\n",
                     "labels.csv:1: column \"label\" is there twice");
  assert_table_fails("", "labels.csv:1: no column \"video\"");
  gd_corpus *c;
  const char *root = table("binary", "x");
  char path[GD_PATH_MAX];
  assert_ok(gd_path_join(root, "labels.csv", path));
  assert_ok(gd_file_write(path, "video\0label", 11));
  assert_fails(gd_corpus_read("table", root, 64, &c), GD_ERR_USAGE,
               "zero bytes");
}

static void repeated_row_and_unknown_column_are_warnings(void **state)
{
  (void)state;
  gd_corpus *c;
  assert_ok(gd_corpus_read("table",
                           table("warn", "video,label,subject,partition,mood\n"
                                         "a.avi,1,p,train,x\n"
                                         "a.avi,1,p,train,y\n"
                                         "b.avi,1,p,test,y\n"),
                           64, &c));
  assert_int_equal(c->n_videos, 2);
  assert_true(warned(c, "labels.csv:1: column \"mood\" is not used"));
  assert_true(warned(c, "labels.csv:3: video a stands in line 2 already"));
  assert_true(warned(c, "1 person is in more than one partition, p first"));
  gd_corpus_free(c);
}

static void missing_corpus_and_unknown_layout_are_errors(void **state)
{
  (void)state;
  gd_corpus *c;
  assert_fails(gd_corpus_read("table", "/nonexistent", 64, &c), GD_ERR_FORMAT,
               "/nonexistent/labels.csv");
  assert_fails(gd_corpus_read("avec2014", "/nonexistent", 64, &c),
               GD_ERR_FORMAT, "/nonexistent");
  assert_fails(gd_corpus_read("list", "/nonexistent", 64, &c), GD_ERR_FORMAT,
               "/nonexistent");
  assert_fails(gd_corpus_read("list", "/", 64, &c), GD_ERR_FORMAT,
               "is not a regular file");
  assert_fails(gd_corpus_read("avec2015", "/", 64, &c), GD_ERR_USAGE,
               "avec2015");
}

/* -- avec -- */

/* A tree as public code has met it: nested label folders, CRLF, a mark. */
static const char *avec(const char *name)
{
  const char *root = gd_test_path(name);
  put(root, "Video/Training/Freeform/205_1_Freeform_video.mp4", "a");
  put(root, "Video/Training/Northwind/205_1_Northwind_video.mp4", "b");
  put(root, "Video/development/Freeform/206_2_Freeform_video.mp4", "c");
  put(root, "Video/TESTING/Freeform/207_1_Freeform_video.mp4", "d");
  put(root, "Labels/Labels/Training_DepressionLabels/205_1_Depression.csv",
      "12\r\n");
  put(root, "Labels/Labels/dev/206_2_Depression.csv", "\xef\xbb\xbf 0");
  put(root, "Testset/Testing/DepressionLabels/207_1_Depression.csv", "45\n");
  return root;
}

static void avec2014_is_read_from_nested_folders(void **state)
{
  (void)state;
  gd_corpus *c;
  const char *root = avec("avec");
  put(root, "Video/Training/Freeform/205_1_Freeform_video.csv", "frame\n");
  put(root, "report.txt", "");
  assert_ok(gd_corpus_read("avec2014", root, 64, &c));
  assert_int_equal(c->n_videos, 4);
  assert_int_equal(c->n_warnings, 3);
  assert_true(warned(c, "Labels/Labels: a folder in one of the same name"));
  assert_true(warned(c, "1 label file with carriage returns, Labels/Labels/"
                        "Training_DepressionLabels/205_1_Depression.csv"));
  assert_true(warned(c, "1 label file with a byte order mark, Labels/Labels/"
                        "dev/206_2_Depression.csv first"));
  const gd_video *v =
      video_of(c, "Video/Training/Freeform/205_1_Freeform_video");
  assert_string_equal(v->subject, "205");
  assert_string_equal(v->task, "Freeform");
  assert_true(v->label == 12.0);
  assert_int_equal(v->partition, GD_TRAIN);
  assert_true(gd_test_has(v->landmarks, "205_1_Freeform_video.csv"));
  v = video_of(c, "Video/Training/Northwind/205_1_Northwind_video");
  assert_string_equal(v->task, "Northwind");
  assert_true(v->label == 12.0);
  assert_string_equal(v->landmarks, "");
  v = video_of(c, "Video/development/Freeform/206_2_Freeform_video");
  assert_int_equal(v->partition, GD_DEV);
  assert_true(v->label == 0.0);
  v = video_of(c, "Video/TESTING/Freeform/207_1_Freeform_video");
  assert_int_equal(v->partition, GD_TEST);
  for (int64_t i = 1; i < c->n_videos; i++)
    assert_true(strcmp(c->videos[i - 1].id, c->videos[i].id) < 0);
  gd_corpus_free(c);
}

static void avec2013_takes_its_own_names_only(void **state)
{
  (void)state;
  gd_corpus *c;
  const char *root = gd_test_path("avec13");
  put(root, "Training/205_1_cut_combined.mp4", "a");
  put(root, "Training/205_1_Freeform_video.mp4", "a");
  put(root, "205_1_Depression.csv", "3");
  assert_ok(gd_corpus_read("avec2013", root, 64, &c));
  assert_int_equal(c->n_videos, 1);
  assert_string_equal(c->videos[0].task, "");
  assert_true(warned(c, "205_1_Freeform_video.mp4: not named like a video"));
  gd_corpus_free(c);
}

static void assert_avec_fails(const char *name, const char *file,
                              const char *text, const char *part)
{
  gd_corpus *c;
  const char *root = avec(name);
  put(root, file, text);
  assert_fails(gd_corpus_read("avec2014", root, 64, &c), GD_ERR_USAGE, part);
  assert_null(c);
}

static void avec_faults_name_the_file(void **state)
{
  (void)state;
  assert_avec_fails("f2", "Other/205_1_Depression.csv", "13",
                    "Other/205_1_Depression.csv:1: label 13, but ");
  assert_avec_fails("f6", "Video/Training/205_1_Freeform_video.avi", "x",
                    "there twice");
  assert_avec_fails("f7", "Copy/test/205_1_Freeform_video.mp4", "x",
                    "is there twice: also as ");
}

/* Read the tree with one more file, or one that replaces another. */
static gd_corpus *avec_with(const char *name, const char *file,
                            const char *text)
{
  gd_corpus *c;
  const char *root = avec(name);
  put(root, file, text);
  assert_ok(gd_corpus_read("avec2014", root, 64, &c));
  return c;
}

static void avec_video_without_a_label_is_left_out_and_named(void **state)
{
  (void)state;
  static const char *const labels[][2] = {
      {"64", "206_2_Depression.csv:1: label 64 is not in 0 .. 63"},
      {"\r\n", "206_2_Depression.csv:1: no label: the file is empty"},
      {"score\n3", "206_2_Depression.csv:1: label \"score"}};
  gd_corpus *c =
      avec_with("l0", "Video/Training/208_1_Freeform_video.mp4", "x");
  assert_int_equal(c->n_videos, 4);
  assert_true(warned(c, "208_1_Freeform_video.mp4: left out: no label: no file "
                        "208_1_Depression.csv"));
  gd_corpus_free(c);
  for (int i = 0; i < 3; i++) {
    char name[32];
    snprintf(name, sizeof name, "l%d", i + 1);
    c = avec_with(name, "Labels/Labels/dev/206_2_Depression.csv", labels[i][0]);
    assert_int_equal(c->n_videos, 3);
    assert_true(warned(c, labels[i][1]));
    assert_true(warned(c, "206_2_Freeform_video.mp4: left out: no label"));
    gd_corpus_free(c);
  }
  /* One label that can be read is enough. */
  static const char *const others[] = {"A/206_2_Depression.csv",
                                       "Other/206_2_Depression.csv"};
  for (int i = 0; i < 2; i++) {
    c = avec_with(i == 0 ? "l4" : "l5", others[i], "64");
    assert_int_equal(c->n_videos, 4);
    const char *id = "Video/development/Freeform/206_2_Freeform_video";
    assert_true(video_of(c, id)->label == 0);
    gd_corpus_free(c);
  }
}

static void avec_folder_in_one_of_its_name_is_remarked_on(void **state)
{
  (void)state;
  gd_corpus *c = avec_with("n1", "Deep/Copy/copy/205_1_Depression.csv", "12");
  assert_true(warned(c, "Deep/Copy/copy: a folder in one of the same name"));
  gd_corpus_free(c);
  c = avec_with("n2", "Deep/OldCopy/Copy/205_1_Depression.csv", "12");
  assert_false(warned(c, "Deep/OldCopy/Copy: a folder"));
  gd_corpus_free(c);
}

static void avec_name_in_both_tasks_is_read_once(void **state)
{
  (void)state;
  gd_corpus *c =
      avec_with("t1", "Video/Training/Northwind/205_1_Freeform_video.mp4", "a");
  assert_int_equal(c->n_videos, 4);
  assert_true(warned(c, "Northwind/205_1_Freeform_video.mp4: a Freeform video "
                        "in a Northwind folder, left out: it is also there as "
                        "Video/Training/Freeform/205_1_Freeform_video.mp4"));
  gd_corpus_free(c);
  /* Alone, its name counts. */
  c = avec_with("t2", "Video/TESTING/Freeform/207_1_Northwind_video.mp4", "a");
  assert_int_equal(c->n_videos, 5);
  assert_true(warned(c, "207_1_Northwind_video.mp4: a Northwind video in a "
                        "Freeform folder"));
  assert_string_equal(
      video_of(c, "Video/TESTING/Freeform/207_1_Northwind_video")->task,
      "Northwind");
  gd_corpus_free(c);
}

/* A third copy in a wrong folder hides two right ones from nobody. */
static void
avec_name_in_two_partitions_is_found_beside_a_misplaced_one(void **state)
{
  (void)state;
  gd_corpus *c = NULL;
  const char *root = avec("t3");
  put(root, "A/Training/Northwind/205_1_Freeform_video.mp4", "a");
  put(root, "Video/TESTING/Freeform/205_1_Freeform_video.mp4", "a");
  assert_fails(gd_corpus_read("avec2014", root, 64, &c), GD_ERR_USAGE,
               "Video/TESTING/Freeform/205_1_Freeform_video.mp4: is there "
               "twice: also as Video/Training/Freeform/205_1_Freeform_video");
  assert_null(c);
}

static void avec_video_without_a_partition_is_an_error(void **state)
{
  (void)state;
  gd_corpus *c;
  const char *root = gd_test_path("none");
  put(root, "Video/205_1_Freeform_video.mp4", "x");
  put(root, "205_1_Depression.csv", "1");
  assert_fails(gd_corpus_read("avec2014", root, 64, &c), GD_ERR_USAGE,
               "205_1_Freeform_video.mp4: unknown partition");
  root = gd_test_path("both");
  put(root, "Training/Testing/205_1_Freeform_video.mp4", "x");
  put(root, "205_1_Depression.csv", "1");
  assert_fails(gd_corpus_read("avec2014", root, 64, &c), GD_ERR_USAGE,
               "folders of two partitions");
}

static void avec_quirks_are_warnings(void **state)
{
  (void)state;
  gd_corpus *c;
  const char *root = avec("quirks");
  put(root, "Labels/Labels/dev/209_1_Depression.csv", "5");
  put(root, "Copy/Training/205_1_Depression.csv", "12");
  put(root, "Video/Training/Freeform/210_1_Freeform_video.mp4", "x");
  put(root, "Labels/Testing/210_1_Depression.csv", "7");
  put(root, "Video/Training/Freeform/holiday.mp4", "x");
  assert_ok(gd_corpus_read("avec2014", root, 64, &c));
  assert_int_equal(c->n_videos, 5);
  assert_true(warned(c, "209_1_Depression.csv: a label without a video"));
  assert_true(warned(c, "205_1_Depression.csv: the same label as"));
  assert_true(warned(c, "a train video whose label "
                        "Labels/Testing/210_1_Depression.csv is a test one"));
  assert_true(warned(c, "holiday.mp4: not named like a video of AVEC2014"));
  gd_corpus_free(c);
}

static void folder_that_links_to_itself_is_an_error(void **state)
{
  (void)state;
  gd_corpus *c;
  const char *root = avec("loop");
  assert_int_equal(symlink("..", gd_test_path("loop/Video/up")), 0);
  assert_fails(gd_corpus_read("avec2014", root, 64, &c), GD_ERR_USAGE,
               "does a link lead back");
}

/* -- both -- */

static gd_digest digest_of(const char *layout, const char *root)
{
  gd_corpus *c;
  gd_digest d;
  assert_ok(gd_corpus_read(layout, root, 64, &c));
  assert_ok(gd_corpus_examine(c));
  assert_ok(gd_corpus_digest(c, &d));
  gd_corpus_free(c);
  return d;
}

static void digest_depends_on_content_and_not_on_place(void **state)
{
  (void)state;
  const char *here = avec("here");
  const gd_digest d = digest_of("avec2014", here);
  assert_true(gd_digest_equal(d, digest_of("avec2014", avec("there"))));
  const char *changes[][2] = {
      {"Labels/Labels/dev/206_2_Depression.csv", "1"},
      {"Video/TESTING/Freeform/207_1_Freeform_video.mp4", "longer"},
      {"Video/TESTING/Freeform/207_1_Freeform_video.mp4", "e"},
      {"Video/TESTING/Freeform/207_1_Freeform_video.csv", "frame"}};
  for (int i = 0; i < 4; i++) {
    char name[32];
    snprintf(name, sizeof name, "change%d", i);
    const char *root = avec(name);
    put(root, changes[i][0], changes[i][1]);
    assert_false(gd_digest_equal(d, digest_of("avec2014", root)));
  }
}

static void digest_counts_a_missing_video(void **state)
{
  (void)state;
  const char *root = table("gone", "video,label,subject,partition\n"
                                   "a.avi,1,p,train\n");
  const gd_digest without = digest_of("table", root);
  put(root, "a.avi", "");
  assert_false(gd_digest_equal(without, digest_of("table", root)));
}

/* Many files are asked for at once: each answer is that of its file. */
static void each_of_many_videos_has_its_own_fingerprint(void **state)
{
  (void)state;
  enum { MANY = 200 };
  gd_corpus *c;
  gd_digest d, again;
  gd_text rows = {0};
  char name[32];
  gd_text_add(&rows, "video,label,subject,partition\n");
  for (int i = 0; i < MANY; i++)
    gd_text_printf(&rows, "v%03d.avi,1,p%d,train\n", i, i);
  const char *root = table("many", gd_text_get(&rows));
  gd_text_free(&rows);
  for (int i = 0; i < MANY; i += 2) { /* every other one is missing */
    snprintf(name, sizeof name, "v%03d.avi", i);
    put(root, name, name);
    snprintf(name, sizeof name, "v%03d.csv", i);
    put(root, name, name);
  }
  assert_ok(gd_corpus_read("table", root, 64, &c));
  assert_ok(gd_corpus_examine(c));
  for (int i = 0; i < MANY; i++) {
    gd_fingerprint own;
    const gd_status st = gd_fingerprint_take(c->videos[i].path, &own);
    assert_int_equal(st, i % 2 == 0 ? GD_OK : GD_ERR_IO);
    assert_true(gd_fingerprint_same(&own, &c->fingerprints[i]));
  }
  assert_ok(gd_corpus_digest(c, &d));
  put(root, "v100.csv", "other");
  assert_ok(gd_corpus_digest(c, &again));
  assert_false(gd_digest_equal(d, again));
  gd_test_forbid_files(1);
  const gd_status st = gd_corpus_examine(c);
  gd_test_forbid_files(0);
  assert_failed(st, GD_ERR_IO, "many/v000.avi: cannot open: ");
  gd_corpus_free(c);
}

/* Where files are short, the next run may have more: it must find the same
 * corpus. */
static void video_that_cannot_be_read_for_now_is_an_error(void **state)
{
  (void)state;
  gd_corpus *c;
  const char *root = table("short", "video,label,subject,partition\n"
                                    "a.avi,1,p,train\n");
  put(root, "a.avi", "frames");
  assert_ok(gd_corpus_read("table", root, 64, &c));
  gd_test_forbid_files(1);
  const gd_status st = gd_corpus_examine(c);
  gd_test_forbid_files(0);
  assert_int_equal(st, GD_ERR_IO);
  assert_true(gd_test_has(gd_reason(), "short/a.avi: cannot open: "));
  assert_ok(gd_corpus_examine(c));
  gd_corpus_free(c);
}

static void corpus_that_cannot_be_read_for_now_is_no_missing_one(void **state)
{
  (void)state;
  gd_corpus *c;
  const char *root = table("busy", "video,label,subject,partition,landmarks\n"
                                   "a.avi,1,p,train,a.csv\n");
  put(root, "train/205_1_Freeform_video.mp4", "");
  put(root, "train/205_1_Depression.csv", "3");
  char list[GD_PATH_MAX];
  assert_ok(gd_path_join(root, "labels.csv", list));
  const char *const layouts[][2] = {
      {"table", root}, {"list", list}, {"avec2014", root}};
  for (int i = 0; i < 3; i++) {
    gd_test_forbid_files(1);
    const gd_status st = gd_corpus_read(layouts[i][0], layouts[i][1], 64, &c);
    gd_test_forbid_files(0);
    assert_failed(st, GD_ERR_IO, "busy");
  }
  assert_ok(gd_corpus_read("table", root, 64, &c));
  assert_ok(gd_corpus_examine(c));
  gd_digest digest;
  assert_fails(gd_corpus_digest(c, &digest), GD_ERR_FORMAT, "a.csv");
  put(root, "a.csv", "frame\n");
  gd_test_forbid_files(1);
  const gd_status st = gd_corpus_digest(c, &digest);
  gd_test_forbid_files(0);
  assert_failed(st, GD_ERR_IO, "a.csv");
  gd_corpus_free(c);
}

static void unpacked_corpus_is_the_packed_one_without_its_files(void **state)
{
  (void)state;
  gd_corpus *c, *again;
  gd_text message = {0};
  assert_ok(gd_corpus_read("avec2014", avec("sent"), 64, &c));
  assert_ok(gd_corpus_examine(c));
  gd_corpus_pack(c, &message);
  assert_ok(gd_text_status(&message));
  for (size_t n = 0; n < message.length_bytes; n++)
    assert_fails(gd_corpus_unpack(message.data, n, &again), GD_ERR_FORMAT,
                 "message of");
  assert_ok(gd_corpus_unpack(message.data, message.length_bytes, &again));
  assert_int_equal(again->n_videos, c->n_videos);
  for (int64_t i = 0; i < c->n_videos; i++)
    assert_string_equal(again->videos[i].path, c->videos[i].path);
  assert_memory_equal(again->fingerprints, c->fingerprints,
                      (size_t)c->n_videos * sizeof *c->fingerprints);
  gd_digest a, b;
  assert_ok(gd_corpus_digest(c, &a));
  assert_ok(gd_corpus_digest(again, &b));
  assert_true(gd_digest_equal(a, b));
  gd_text_free(&message);
  gd_corpus_free(again);
  gd_corpus_free(c);
}

/* What synth writes is what the layouts read. */
static void drawn_corpus_reads_back_with_its_levels(void **state)
{
  (void)state;
  const char *layouts[3] = {"table", "avec2013", "avec2014"};
  for (int k = 0; k < 3; k++) {
    gd_synth s = gd_synth_default();
    s.layout = layouts[k];
    s.n_subjects = 4;
    s.n_sessions = 1;
    s.seconds = 0.2;
    s.width_px = s.height_px = 64;
    char name[32];
    snprintf(name, sizeof name, "drawn%d", k);
    const char *root = gd_test_path(name);
    assert_ok(gd_synth_labels(&s, root));
    for (int64_t i = 0; i < gd_synth_count(&s); i++)
      assert_ok(gd_synth_video(&s, i, root, NULL, NULL));
    gd_corpus *c;
    assert_ok(gd_corpus_read(layouts[k], root, 64, &c));
    assert_int_equal(c->n_videos, gd_synth_count(&s));
    /* Label files of AVEC end their lines like those of the licensed corpora.
     */
    assert_int_equal(c->n_warnings, k > 0);
    assert_true(k == 0 || warned(c, "label files with carriage returns"));
    for (int64_t i = 0; i < c->n_videos; i++) {
      const gd_synth_item item = gd_synth_item_of(&s, i);
      char path[GD_PATH_MAX];
      gd_synth_name(&s, &item, path);
      path[strlen(path) - 4] = '\0';
      const gd_video *v = video_of(c, path);
      assert_true(v->label == item.level);
      assert_int_equal(v->partition, item.partition);
      assert_true(v->landmarks[0] != '\0');
    }
    gd_corpus_free(c);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(table_is_read_in_order_of_ids),
    cmocka_unit_test(table_of_a_spreadsheet_reads_alike),
    cmocka_unit_test(list_is_videos_of_which_nothing_is_known),
    cmocka_unit_test(table_faults_name_file_and_line),
    cmocka_unit_test(table_may_name_folds),
    cmocka_unit_test(table_with_an_id_that_is_too_long_is_refused),
    cmocka_unit_test(table_header_faults_are_named),
    cmocka_unit_test(repeated_row_and_unknown_column_are_warnings),
    cmocka_unit_test(missing_corpus_and_unknown_layout_are_errors),
    cmocka_unit_test(avec2014_is_read_from_nested_folders),
    cmocka_unit_test(avec2013_takes_its_own_names_only),
    cmocka_unit_test(avec_faults_name_the_file),
    cmocka_unit_test(avec_video_without_a_label_is_left_out_and_named),
    cmocka_unit_test(avec_folder_in_one_of_its_name_is_remarked_on),
    cmocka_unit_test(avec_name_in_both_tasks_is_read_once),
    cmocka_unit_test(
        avec_name_in_two_partitions_is_found_beside_a_misplaced_one),
    cmocka_unit_test(avec_video_without_a_partition_is_an_error),
    cmocka_unit_test(avec_quirks_are_warnings),
    cmocka_unit_test(folder_that_links_to_itself_is_an_error),
    cmocka_unit_test(digest_depends_on_content_and_not_on_place),
    cmocka_unit_test(digest_counts_a_missing_video),
    cmocka_unit_test(each_of_many_videos_has_its_own_fingerprint),
    cmocka_unit_test(video_that_cannot_be_read_for_now_is_an_error),
    cmocka_unit_test(corpus_that_cannot_be_read_for_now_is_no_missing_one),
    cmocka_unit_test(unpacked_corpus_is_the_packed_one_without_its_files),
    cmocka_unit_test(drawn_corpus_reads_back_with_its_levels),
};

gd_test_main(tests)
