#include "gradus/plan.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gradus/done.h"
#include "gradus/lock.h"
#include "test.h"

static const char manifest[] = "job: p\n"
                               "stages:\n"
                               "  corpus: {stage: synth}\n"
                               "  frames: {stage: extract, from: corpus}\n"
                               "  faces: {stage: align, from: frames}\n"
                               "  model: {stage: train, from: faces}\n";

/* Load the manifest with its work directory in the test's own. */
static gd_job *load(const char *work, const char *const *more, int n_more)
{
  const char *sets[8];
  char set[GD_PATH_MAX];
  snprintf(set, sizeof set, "work=%s", gd_test_path(work));
  sets[0] = set;
  for (int i = 0; i < n_more; i++)
    sets[i + 1] = more[i];
  const char *path = gd_test_path("p.yaml");
  assert_ok(gd_file_write(path, manifest, strlen(manifest)));
  gd_job *job;
  assert_ok(gd_job_load(path, sets, n_more + 1, &job));
  return job;
}

static void put(const gd_instance *s, const char *name, const char *text)
{
  char path[GD_PATH_MAX];
  assert_ok(gd_path_join(gd_instance_directory(s), name, path));
  assert_ok(gd_file_write(path, text, strlen(text)));
}

/* Leave what a run of an instance leaves. */
static void begin(const gd_instance *s)
{
  gd_text text = {0};
  assert_ok(gd_directory_make(gd_instance_directory(s)));
  gd_instance_describe(s, &text);
  put(s, "stage.yaml", gd_text_get(&text));
  gd_text_free(&text);
}

static void finish(const gd_instance *s)
{
  begin(s);
  put(s, "result.csv", "a\n");
  put(s, "report.yaml", "kind: x\nseconds: 12.500\n");
  assert_ok(
      gd_done_make(gd_instance_directory(s), gd_instance_digest(s), 5, 2));
}

static void assert_plan(const gd_job *job, const char *expected)
{
  gd_text page = {0};
  assert_ok(gd_plan_compose(job, &page));
  /* The last line names the work directory. */
  if (strncmp(gd_text_get(&page), expected, strlen(expected)) != 0)
    fail_msg("got\n%s\nexpected\n%s", gd_text_get(&page), expected);
  gd_text_free(&page);
}

static void nothing_there_is_never_run(void **state)
{
  (void)state;
  gd_job *job = load("none", NULL, 0);
  assert_plan(job, "run      corpus  never run\n"
                   "run      frames  never run\n"
                   "run      faces   never run\n"
                   "run      model   never run\n"
                   "4 stages in ");
  assert_false(gd_path_exists(gd_test_path("none")));
  gd_job_free(job);
}

static void done_and_partial_stages_count_their_files(void **state)
{
  (void)state;
  gd_job *job = load("counts", NULL, 0);
  finish(gd_job_instance(job, 0));
  begin(gd_job_instance(job, 1));
  put(gd_job_instance(job, 1), "units", "150\n");
  put(gd_job_instance(job, 1), "frames-0.h5", "");
  put(gd_job_instance(job, 1), "frames-1.h5.part", "");
  begin(gd_job_instance(job, 2));
  assert_plan(job, "done     corpus  1 file, 2 skipped\n"
                   "partial  frames  1 of 150 files\n"
                   "partial  faces   0 files\n"
                   "run      model   never run\n"
                   "4 stages in ");
  gd_job_free(job);
}

/* As a run would see it: done is what needs no look at its files' content. */
static void done_stage_whose_result_changed_is_partial(void **state)
{
  (void)state;
  gd_job *job = load("gone", NULL, 0);
  char path[GD_PATH_MAX];
  for (int i = 0; i < 3; i++) {
    const gd_instance *s = gd_job_instance(job, i);
    begin(s);
    put(s, "units", "2\n");
    put(s, "first.csv", "a\n");
    finish(s);
    assert_true(gd_plan_is_done(s));
  }
  assert_ok(gd_path_join(gd_instance_directory(gd_job_instance(job, 1)),
                         "first.csv", path));
  assert_ok(gd_file_remove(path));
  put(gd_job_instance(job, 2), "first.csv", "longer\n");
  assert_plan(job, "done     corpus  2 files, 2 skipped\n"
                   "partial  frames  1 of 2 files\n"
                   "partial  faces   2 of 2 files\n"
                   "run      model   never run\n"
                   "4 stages in ");
  for (int i = 0; i < 4; i++)
    assert_int_equal(gd_plan_is_done(gd_job_instance(job, i)), i == 0);
  gd_job_free(job);
}

static void changed_key_is_the_reason_and_travels_downstream(void **state)
{
  (void)state;
  gd_job *before = load("change", NULL, 0);
  for (int i = 0; i < 4; i++)
    finish(gd_job_instance(before, i));
  gd_job *after =
      load("change",
           (const char *const[]){"frames.every=5", "frames.max_skipped=3",
                                 "model.loss=softmax"},
           3);
  assert_plan(after, "done     corpus  1 file, 2 skipped\n"
                     "run      frames  every changed from 10 to 5\n"
                     "run      faces   input frames changed\n"
                     "run      model   loss changed from expectation to "
                     "softmax, input faces changed\n"
                     "4 stages in ");
  gd_job_free(before);
  gd_job_free(after);
}

/* Another member of the same sweep is no reason for this one. */
static void nearest_old_result_explains_and_members_do_not(void **state)
{
  (void)state;
  static const char *const sweep[] = {"sweep.model.loss=[softmax, euclidean]"};
  gd_job *job = load("members", sweep, 1);
  for (int i = 0; i < 4; i++)
    finish(gd_job_instance(job, i));
  assert_plan(job, "done     corpus                 1 file, 2 skipped\n"
                   "done     frames                 1 file, 2 skipped\n"
                   "done     faces                  1 file, 2 skipped\n"
                   "done     model[loss=softmax]    1 file, 2 skipped\n"
                   "run      model[loss=euclidean]  never run\n"
                   "5 stages in ");
  gd_job_free(job);
  gd_job *other = load("members",
                       (const char *const[]){"model.loss=softmax",
                                             "model.seed=7", "model.batch=8"},
                       3);
  assert_plan(other,
              "done     corpus  1 file, 2 skipped\n"
              "done     frames  1 file, 2 skipped\n"
              "done     faces   1 file, 2 skipped\n"
              "run      model   batch changed from 32 to 8, seed changed "
              "from 1 to 7\n");
  gd_job_free(other);
}

static void thousand_members_take_a_few_lines(void **state)
{
  (void)state;
  gd_text seeds = {0};
  gd_text_add(&seeds, "sweep.model.seed=[1");
  for (int i = 2; i <= 1000; i++)
    gd_text_printf(&seeds, ", %d", i);
  gd_text_add(&seeds, "]");
  gd_job *job = load("many", (const char *const[]){gd_text_get(&seeds)}, 1);
  finish(gd_job_instance(job, 5));
  begin(gd_job_instance(job, 9));
  assert_plan(job, "run      corpus            never run\n"
                   "run      frames            never run\n"
                   "run      faces             never run\n"
                   "done     model[...]        1 of 1000 members\n"
                   "run      model[...]        998 of 1000 members: never run\n"
                   "partial  model[seed=7]     0 files\n"
                   "1003 stages in ");
  gd_job_free(job);
  gd_text_free(&seeds);
}

static void status_tells_seconds_and_the_last_word_of_the_log(void **state)
{
  (void)state;
  gd_job *job = load("status", NULL, 0);
  finish(gd_job_instance(job, 0));
  begin(gd_job_instance(job, 1));
  put(gd_job_instance(job, 1), "log.txt", "first\nstep 12 of 40\n");
  gd_text page = {0};
  int n_active;
  assert_ok(gd_plan_compose_status(job, &n_active, &page));
  const char expected[] = "done     corpus  1 file, 2 skipped, 12.5 s\n"
                          "stopped  frames  0 files\n"
                          "         step 12 of 40\n"
                          "not run  faces\n"
                          "not run  model\n"
                          "4 stages in ";
  if (strncmp(gd_text_get(&page), expected, strlen(expected)) != 0)
    fail_msg("got\n%s", gd_text_get(&page));
  gd_text_free(&page);
  gd_job_free(job);
}

static void running_stage_is_known_by_its_lock(void **state)
{
  (void)state;
  gd_job *job = load("running", NULL, 0);
  const gd_instance *s = gd_job_instance(job, 0);
  begin(s);
  int ready[2], end[2];
  char c;
  assert_int_equal(pipe(ready) | pipe(end), 0);
  const pid_t child = fork();
  if (child == 0) {
    gd_lock *lock;
    close(end[1]);
    if (gd_lock_begin(gd_instance_directory(s), &lock) != GD_OK ||
        write(ready[1], "x", 1) != 1)
      _exit(1);
    _exit(read(end[0], &c, 1) != 0); /* until the parent closes its end */
  }
  assert_int_equal(read(ready[0], &c, 1), 1);
  gd_text page = {0};
  int n_active;
  assert_ok(gd_plan_compose_status(job, &n_active, &page));
  char wanted[64];
  snprintf(wanted, sizeof wanted, "process %d\n", (int)child);
  assert_int_equal(strncmp(gd_text_get(&page), "running  corpus", 15), 0);
  assert_non_null(strstr(gd_text_get(&page), wanted));
  gd_text_free(&page);
  close(end[0]);
  close(end[1]);
  assert_int_equal(waitpid(child, NULL, 0), child);
  assert_ok(gd_plan_compose_status(job, &n_active, &page));
  assert_int_equal(strncmp(gd_text_get(&page), "stopped  corpus", 15), 0);
  gd_text_free(&page);
  gd_job_free(job);
}

static void damaged_papers_are_no_reason_to_fail(void **state)
{
  (void)state;
  gd_job *job = load("damaged", NULL, 0);
  begin(gd_job_instance(job, 0));
  put(gd_job_instance(job, 0), "done", "rubbish");
  put(gd_job_instance(job, 0), "units", "many");
  put(gd_job_instance(job, 0), "report.yaml", "[");
  assert_ok(gd_directory_make(gd_test_path("damaged/frames-00000000")));
  assert_ok(gd_file_write(gd_test_path("damaged/frames-00000000/stage.yaml"),
                          "{{{", 3));
  assert_plan(job, "partial  corpus  0 files\n"
                   "run      frames  never run\n");
  gd_job_free(job);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(nothing_there_is_never_run),
    cmocka_unit_test(done_and_partial_stages_count_their_files),
    cmocka_unit_test(done_stage_whose_result_changed_is_partial),
    cmocka_unit_test(changed_key_is_the_reason_and_travels_downstream),
    cmocka_unit_test(nearest_old_result_explains_and_members_do_not),
    cmocka_unit_test(thousand_members_take_a_few_lines),
    cmocka_unit_test(status_tells_seconds_and_the_last_word_of_the_log),
    cmocka_unit_test(running_stage_is_known_by_its_lock),
    cmocka_unit_test(damaged_papers_are_no_reason_to_fail),
};

gd_test_main(tests)
