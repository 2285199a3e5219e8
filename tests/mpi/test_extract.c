#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "clip.h"
#include "gradus/agree.h"
#include "gradus/digest.h"
#include "gradus/fingerprint.h"
#include "gradus/frames.h"
#include "gradus/run.h"
#include "gradus/text.h"
#include "test.h"

static int rank;
static char root[GD_PATH_MAX];

/* The stage itself is compiled into this test; a corpus is there already, or
 * drawn by a stage of the test's own. */
extern const gd_stage gd_stage_extract;
static gd_status draw(gd_stage_env *env);
static const gd_stage drawing = {.kind = "synth", .run = draw};
static const gd_stage *const stages[] = {&drawing, &gd_stage_extract, NULL};

/* The linker puts these in place of the library's: they meddle with the file of
 * c/other when it is opened to be decoded, or after that. */
__typeof__(gd_fingerprint_check) __real_gd_fingerprint_check,
    __wrap_gd_fingerprint_check;
__typeof__(gd_file_stat) __real_gd_file_stat, __wrap_gd_file_stat;
static enum { SOUND, SILENT, SILENT_LATER, GONE } trouble;
static int is_silent;

gd_status __wrap_gd_fingerprint_check(const char *path,
                                      const gd_fingerprint *before,
                                      int *touched)
{
  const int is_other = strstr(path, "c/other") != NULL;
  if (is_other && trouble == SILENT)
    return gd_fail(GD_ERR_IO, "%s: the disk is silent", path);
  if (is_other && trouble == GONE)
    assert_ok(gd_file_remove(path));
  is_silent = is_other && trouble == SILENT_LATER;
  return __real_gd_fingerprint_check(path, before, touched);
}

gd_status __wrap_gd_file_stat(const char *path, int64_t *size_bytes,
                              int64_t *modified_ns)
{
  static int n;
  if (is_silent && strstr(path, "c/other") != NULL && n++ > 0) {
    n = is_silent = 0;
    return gd_fail(GD_ERR_IO, "%s: the disk is silent", path);
  }
  return __real_gd_file_stat(path, size_bytes, modified_ns);
}

/* What a rank still does when its frames are read may be waiting for a disk: no
 * note says any more what it works on.  Looked at in the run on one rank. */
__typeof__(gd_frame_writer_commit) __real_gd_frame_writer_commit,
    __wrap_gd_frame_writer_commit;
static int n_commits, n_notes;

gd_status __wrap_gd_frame_writer_commit(gd_frame_writer *w)
{
  char pattern[2 * GD_PATH_MAX];
  glob_t found;
  snprintf(pattern, sizeof pattern, "%s-alone/frames-*/*.attempt", root);
  const int failed = glob(pattern, 0, NULL, &found);
  n_notes += failed ? 0 : (int)found.gl_pathc;
  n_commits++;
  if (!failed)
    globfree(&found);
  return __real_gd_frame_writer_commit(w);
}

enum { LONG_FRAMES = 1300, EVERY = 10 };

static const char *below_root(const char *name)
{
  static char paths[4][2 * GD_PATH_MAX];
  static int next;
  char *path = paths[next++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", root, name);
  return path;
}

/* Break what the first chunk of pictures of an AVI holds, near its end. */
static void hurt_first_picture(const char *path)
{
  char *data;
  size_t size, at = 0;
  assert_ok(gd_file_read(path, 1 << 20, &data, &size));
  while (at + 200 < size && memcmp(data + at, "movi00dc", 8) != 0)
    at++;
  assert_true(at + 200 < size);
  memset(data + at + 72, 0, 40);
  assert_ok(gd_file_write(path, data, size));
  free(data);
}

/* Make the corpus on rank 0: a long video that is cut, short ones, one of which
 * begins with damage, and four that cannot be read. */
static void make_corpus(void)
{
  static const char labels[] = "video,label,subject,partition\n"
                               "a/long.mp4,3,ann,train\n"
                               "a/short.avi,4,ann,train\n"
                               "b/broken.mp4,5,bob,dev\n"
                               "b/empty.mp4,5,bob,dev\n"
                               "b/part.avi,6,bob,dev\n"
                               "c/missing.mp4,7,cid,test\n"
                               "c/other.mp4,8,cid,test\n"
                               "c/text.mp4,9,cid,test\n";
  if (root[0] != '\0')
    return;
  if (rank == 0) {
    int64_t size, modified;
    snprintf(root, sizeof root, "%s", gd_test_path("corpus"));
    assert_ok(gd_directory_make(below_root("a")));
    assert_ok(gd_directory_make(below_root("b")));
    assert_ok(gd_directory_make(below_root("c")));
    gd_test_clip(below_root("a/long.mp4"), LONG_FRAMES);
    gd_test_clip(below_root("a/short.avi"), 95);
    gd_test_clip(below_root("c/other.mp4"), 40);
    assert_ok(gd_file_stat(below_root("a/short.avi"), &size, &modified));
    gd_test_damage(below_root("a/short.avi"), below_root("b/part.avi"),
                   size / 2, 0, 0);
    hurt_first_picture(below_root("b/part.avi"));
    gd_test_damage(below_root("c/other.mp4"), below_root("b/broken.mp4"), 200,
                   0, 0);
    assert_ok(gd_file_write(below_root("b/empty.mp4"), "", 0));
    assert_ok(gd_file_write(below_root("c/text.mp4"), "not a video", 11));
    assert_ok(
        gd_file_write(below_root("labels.csv"), labels, sizeof labels - 1));
  }
  MPI_Bcast(root, sizeof root, MPI_CHAR, 0, MPI_COMM_WORLD);
}

/* Run extract into `<root>/../<work>`; return the exit code and write the run
 * directory into out[2 * GD_PATH_MAX]. */
static int run(MPI_Comm comm, const char *work, const char *max_skipped,
               char *out)
{
  char text[3 * GD_PATH_MAX], name[64];
  gd_job *job;
  int code;
  const int n = snprintf(text, sizeof text,
                         "job: test\nwork: %s-%s\n"
                         "corpus: {layout: table, root: \"%s\"}\n"
                         "stages:\n"
                         "  frames: {stage: extract, from: corpus, every: %d, "
                         "shard_bytes: 128KiB, max_skipped: %s}\n",
                         root, work, root, EVERY, max_skipped);
  snprintf(name, sizeof name, "job-%d.yaml", rank);
  assert_ok(gd_file_write(below_root(name), text, (size_t)n));
  assert_ok(gd_job_load(below_root(name), NULL, 0, &job));
  snprintf(out, 2 * GD_PATH_MAX, "%s",
           gd_instance_directory(gd_job_instance(job, 0)));
  const gd_run_options options = {.stages = stages};
  const gd_status st = gd_run_job(comm, job, &options, &code);
  if (code == GD_EXIT_SKIPPED)
    assert_int_equal(st, GD_OK);
  gd_job_free(job);
  return code;
}

static gd_digest digest_of_shard(const char *directory, int shard)
{
  char path[3 * GD_PATH_MAX];
  gd_digest digest = {0};
  snprintf(path, sizeof path, "%s/frames-%05d.h5", directory, shard);
  if (gd_path_exists(path))
    assert_ok(gd_digest_of_file(path, &digest));
  return digest;
}

static int is_zero(gd_digest d)
{
  return d.high == 0 && d.low == 0;
}

static void shards_have_the_same_bytes_for_any_number_of_ranks(void **state)
{
  (void)state;
  char all[2 * GD_PATH_MAX], alone[2 * GD_PATH_MAX];
  make_corpus();
  assert_int_equal(run(MPI_COMM_WORLD, "all", "4", all), GD_EXIT_DONE);
  if (rank == 0) {
    int n = 0;
    n_commits = 0;
    assert_int_equal(run(MPI_COMM_SELF, "alone", "4", alone), GD_EXIT_DONE);
    assert_true(n_commits > 0 && n_notes == 0);
    for (int i = 0; i < 20; i++) {
      const gd_digest a = digest_of_shard(all, i);
      assert_true(gd_digest_equal(a, digest_of_shard(alone, i)));
      n += !is_zero(a);
    }
    assert_in_range(n, 3, 19);
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

static void every_kept_frame_shows_its_own_number(void **state)
{
  (void)state;
  static uint8_t rgb[GD_CLIP_WIDTH * GD_CLIP_HEIGHT * 3];
  static const char *const ids[] = {"a/long", "a/short", "b/part", "c/other"};
  const int expected[] = {130, 10, -1, 4};
  char directory[2 * GD_PATH_MAX];
  make_corpus();
  assert_int_equal(run(MPI_COMM_WORLD, "read", "4", directory), GD_EXIT_DONE);
  gd_frame_set *s;
  assert_ok(gd_frame_set_open(directory, GD_FRAMES_ALL, &s));
  const gd_video_table *videos = gd_frame_set_videos(s);
  assert_int_equal(videos->n_videos, 4);
  for (int64_t v = 0; v < 4; v++) {
    const int64_t n = gd_frame_set_n_frames(s, v);
    assert_string_equal(videos->videos[v].id, ids[v]);
    if (expected[v] >= 0)
      assert_int_equal(n, expected[v]);
    else
      assert_in_range(n, 1, 9);
    for (int64_t i = 0; i < n; i++) {
      const gd_frame_info info = gd_frame_set_info(s, v, i);
      assert_int_equal(info.frame_index, EVERY * i);
      assert_ok(gd_frame_set_read(s, v, i, rgb));
      if (info.status == GD_FRAME_WHOLE)
        assert_int_equal(gd_test_clip_number(rgb), EVERY * i % 256);
    }
  }
  gd_frame_set_close(s);
  MPI_Barrier(MPI_COMM_WORLD);
}

static void unreadable_videos_are_skipped_with_their_reasons(void **state)
{
  (void)state;
  static const char *const parts[] = {"b/broken", "b/empty.mp4: is empty",
                                      "c/missing.mp4: cannot open: No such",
                                      "c/text.mp4: is no video file",
                                      "videos: 4"};
  char directory[2 * GD_PATH_MAX], path[3 * GD_PATH_MAX];
  make_corpus();
  assert_int_equal(run(MPI_COMM_WORLD, "skip", "3", directory),
                   GD_EXIT_SKIPPED);
  assert_int_equal(run(MPI_COMM_WORLD, "skip", "4", directory), GD_EXIT_DONE);
  if (rank == 0) {
    char *report;
    snprintf(path, sizeof path, "%s/report.yaml", directory);
    assert_ok(gd_file_read(path, 1 << 20, &report, NULL));
    for (int i = 0; i < 5; i++)
      if (!gd_test_has(report, parts[i]))
        fail_msg("\"%s\" is not in %s", parts[i], report);
    assert_true(gd_test_has(report, "damaged: "));
    assert_false(gd_test_has(report, "damaged: 0\n"));
    free(report);
    snprintf(path, sizeof path, "%s/log.txt", directory);
    assert_ok(gd_file_read(path, 1 << 20, &report, NULL));
    assert_true(gd_test_has(report, "b/part: only "));
    free(report);
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

static void lost_shard_is_made_again_and_is_the_same(void **state)
{
  (void)state;
  char directory[2 * GD_PATH_MAX], path[3 * GD_PATH_MAX];
  make_corpus();
  assert_int_equal(run(MPI_COMM_WORLD, "again", "4", directory), GD_EXIT_DONE);
  const gd_digest first = digest_of_shard(directory, 1);
  assert_false(is_zero(first));
  MPI_Barrier(MPI_COMM_WORLD);
  if (rank == 0) {
    snprintf(path, sizeof path, "%s/frames-00001.h5", directory);
    assert_ok(gd_file_remove(path));
  }
  MPI_Barrier(MPI_COMM_WORLD);
  assert_int_equal(run(MPI_COMM_WORLD, "again", "4", directory), GD_EXIT_DONE);
  gd_assert_all(MPI_COMM_WORLD,
                gd_digest_equal(first, digest_of_shard(directory, 1)));
}

static void table_tells_what_became_of_each_video(void **state)
{
  (void)state;
  static const char *const parts[] = {
      "\na/long,ok,mpeg4,mov,96,64,25,52.000,1300,1300,130,",
      "\na/short,ok,mpeg4,avi,96,64,25,3.800,95,95,10,",
      "\nb/empty,skipped,,,",
      "\nb/part,partial,mpeg4,avi,96,64,25,",
      "\nc/missing,skipped,",
      ",40,40,4,"};
  char directory[2 * GD_PATH_MAX], path[3 * GD_PATH_MAX];
  make_corpus();
  assert_int_equal(run(MPI_COMM_WORLD, "table", "4", directory), GD_EXIT_DONE);
  if (rank == 0) {
    char *table;
    int64_t n_lines = 0;
    snprintf(path, sizeof path, "%s/videos.csv", directory);
    assert_ok(gd_file_read(path, 1 << 20, &table, NULL));
    for (int i = 0; i < 6; i++)
      if (!gd_test_has(table, parts[i]))
        fail_msg("\"%s\" is not in %s", parts[i], table);
    for (const char *c = table; *c != '\0'; c++)
      n_lines += *c == '\n';
    assert_int_equal(n_lines, 9);
    free(table);
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

/* Run with limits that leave some videos without a frame: these are skipped,
 * beside the four that cannot be read, and all parts are told of them. */
static void check_skipped(const char *limits, int n_skipped,
                          const char *const *rows, int n_rows)
{
  char directory[2 * GD_PATH_MAX], path[3 * GD_PATH_MAX], text[64];
  snprintf(text, sizeof text, "%d, %s", n_skipped - 1, limits);
  assert_int_equal(run(MPI_COMM_WORLD, "empty", text, directory),
                   GD_EXIT_SKIPPED);
  /* Who goes on from all files that are there finds the same. */
  snprintf(path, sizeof path, "%s/done", directory);
  if (rank == 0)
    assert_ok(gd_file_remove(path));
  MPI_Barrier(MPI_COMM_WORLD);
  snprintf(text, sizeof text, "%d, %s", n_skipped, limits);
  assert_int_equal(run(MPI_COMM_WORLD, "empty", text, directory), GD_EXIT_DONE);
  if (rank == 0) {
    char *table, *report;
    snprintf(text, sizeof text, "n_skipped: %d\n", n_skipped);
    snprintf(path, sizeof path, "%s/videos.csv", directory);
    assert_ok(gd_file_read(path, 1 << 20, &table, NULL));
    snprintf(path, sizeof path, "%s/report.yaml", directory);
    assert_ok(gd_file_read(path, 1 << 20, &report, NULL));
    assert_true(gd_test_has(report, text));
    for (int i = 0; i < n_rows; i++) {
      snprintf(text, sizeof text, "\n%s,skipped,", rows[i]);
      if (!gd_test_has(table, text))
        fail_msg("\"%s\" is not in %s", text, table);
      snprintf(text, sizeof text, "%s\", reason: \"", rows[i]);
      if (!gd_test_has(report, text))
        fail_msg("%s is not in %s", text, report);
    }
    assert_true(gd_test_has(report, ": no frame of it can be used: of "));
    free(table);
    free(report);
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

static void videos_without_a_frame_to_use_are_skipped(void **state)
{
  (void)state;
  static const char *const late[] = {"a/short", "b/part", "c/other"};
  char directory[2 * GD_PATH_MAX];
  make_corpus();
  check_skipped("start: 5", 7, late, 3);
  check_skipped("stop: 0.1", 5, &late[1], 1);
  assert_int_equal(
      run(MPI_COMM_WORLD, "empty", "4, stop: 0.1, damaged: keep", directory),
      GD_EXIT_DONE);
}

static void replaced_video_leaves_nothing_stale(void **state)
{
  (void)state;
  char before[2 * GD_PATH_MAX], after[2 * GD_PATH_MAX];
  make_corpus();
  assert_int_equal(run(MPI_COMM_WORLD, "replace", "4", before), GD_EXIT_DONE);
  if (rank == 0)
    gd_test_clip(below_root("c/other.mp4"), 48);
  MPI_Barrier(MPI_COMM_WORLD);
  assert_int_equal(run(MPI_COMM_WORLD, "replace", "4", after), GD_EXIT_DONE);
  assert_string_not_equal(before, after);
  gd_frame_set *s;
  assert_ok(gd_frame_set_open(after, GD_FRAMES_ALL, &s));
  assert_int_equal(gd_frame_set_n_frames(s, 3), 5);
  gd_frame_set_close(s);
  MPI_Barrier(MPI_COMM_WORLD);
  if (rank == 0)
    gd_test_clip(below_root("c/other.mp4"), 40);
  MPI_Barrier(MPI_COMM_WORLD);
}

static void full_disk_fails_and_the_next_run_goes_on(void **state)
{
  (void)state;
  char directory[2 * GD_PATH_MAX];
  struct rlimit old, small;
  make_corpus();
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &old);
  small = old;
  small.rlim_cur = 300000;
  setrlimit(RLIMIT_FSIZE, &small);
  const int code = run(MPI_COMM_WORLD, "full", "4", directory);
  setrlimit(RLIMIT_FSIZE, &old);
  gd_assert_all(MPI_COMM_WORLD, code == GD_EXIT_FAILED);
  assert_int_equal(run(MPI_COMM_WORLD, "full", "4", directory), GD_EXIT_DONE);
}

/* A video is skipped for good: not for what may pass. */
static void silent_disk_fails_and_skips_no_video(void **state)
{
  (void)state;
  char directory[2 * GD_PATH_MAX];
  make_corpus();
  for (trouble = SILENT; trouble <= SILENT_LATER; trouble++)
    assert_int_equal(run(MPI_COMM_WORLD, "silent", "4", directory),
                     GD_EXIT_FAILED);
  trouble = SOUND;
  assert_int_equal(run(MPI_COMM_WORLD, "silent", "4", directory), GD_EXIT_DONE);
}

static void vanished_video_is_skipped(void **state)
{
  (void)state;
  char directory[2 * GD_PATH_MAX];
  make_corpus();
  trouble = GONE;
  assert_int_equal(run(MPI_COMM_WORLD, "vanished", "4", directory),
                   GD_EXIT_SKIPPED);
  trouble = SOUND;
}

/* One video, and a dozen remarks on it. */
static void write_odd_table(const char *path)
{
  gd_text text = {0};
  gd_text_add(&text, "video,label,subject,partition\n");
  for (int i = 0; i < 13; i++)
    gd_text_add(&text, "none.mp4,3,p,train\n");
  assert_ok(gd_file_write(path, gd_text_get(&text), text.length_bytes));
  gd_text_free(&text);
}

static gd_status draw(gd_stage_env *env)
{
  char path[GD_PATH_MAX];
  const gd_status st = gd_stage_path(env, "labels.csv", path);
  if (st == GD_OK && env->rank == 0)
    write_odd_table(path);
  return gd_agree(env->comm, st);
}

/* Run extract on a corpus; return how often "corpus: " stands in its log. */
static int count_remarks(const char *name, const char *corpus,
                         const char *stages_before, char **log)
{
  char text[4 * GD_PATH_MAX], path[3 * GD_PATH_MAX];
  gd_job *job;
  int code, n = 0;
  const int length = snprintf(text, sizeof text,
                              "job: test\nwork: %s-%s\n%sstages:\n%s"
                              "  frames: {stage: extract, from: corpus, "
                              "max_skipped: 1}\n",
                              root, name, corpus, stages_before);
  assert_ok(gd_file_write(below_root("odd.yaml"), text, (size_t)length));
  assert_ok(gd_job_load(below_root("odd.yaml"), NULL, 0, &job));
  const gd_run_options options = {.stages = stages};
  assert_ok(gd_run_job(MPI_COMM_SELF, job, &options, &code));
  snprintf(
      path, sizeof path, "%s/log.txt",
      gd_instance_directory(gd_job_instance(job, gd_job_n_instances(job) - 1)));
  assert_ok(gd_file_read(path, 1 << 20, log, NULL));
  for (const char *c = *log; (c = strstr(c, " corpus: ")) != NULL; c++)
    n++;
  gd_job_free(job);
  return n;
}

/* Of one that is there already the job's command has told. */
static void remarks_on_a_drawn_corpus_are_few(void **state)
{
  (void)state;
  char *log, corpus[GD_PATH_MAX + 64];
  make_corpus();
  if (rank == 0) {
    assert_int_equal(
        count_remarks("drawn", "", "  corpus: {stage: synth}\n", &log), 11);
    assert_true(gd_test_has(log, "corpus: 2 more remarks\n"));
    free(log);
    assert_ok(gd_directory_make(below_root("odd")));
    write_odd_table(below_root("odd/labels.csv"));
    snprintf(corpus, sizeof corpus,
             "corpus: {layout: table, root: \"%s/odd\"}\n", root);
    assert_int_equal(count_remarks("found", corpus, "", &log), 0);
    free(log);
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(shards_have_the_same_bytes_for_any_number_of_ranks),
    cmocka_unit_test(every_kept_frame_shows_its_own_number),
    cmocka_unit_test(unreadable_videos_are_skipped_with_their_reasons),
    cmocka_unit_test(lost_shard_is_made_again_and_is_the_same),
    cmocka_unit_test(table_tells_what_became_of_each_video),
    cmocka_unit_test(videos_without_a_frame_to_use_are_skipped),
    cmocka_unit_test(replaced_video_leaves_nothing_stale),
    cmocka_unit_test(full_disk_fails_and_the_next_run_goes_on),
    cmocka_unit_test(silent_disk_fails_and_skips_no_video),
    cmocka_unit_test(vanished_video_is_skipped),
    cmocka_unit_test(remarks_on_a_drawn_corpus_are_few),
};

int main(int argc, char **argv)
{
  gd_test_begin_mpi(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return gd_test_end(cmocka_run_group_tests(tests, NULL, NULL));
}
