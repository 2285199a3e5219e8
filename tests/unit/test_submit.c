#include "gradus/submit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/done.h"
#include "gradus/ledger.h"
#include "gradus/plan.h"
#include "slurm_stub.h"
#include "test.h"

static const char manifest[] = "job: q\n"
                               "stages:\n"
                               "  corpus: {stage: synth}\n"
                               "  frames: {stage: extract, from: corpus}\n"
                               "  faces: {stage: align, from: frames}\n"
                               "  model: {stage: train, from: faces}\n"
                               "  scores:\n"
                               "    stage: evaluate\n"
                               "    from: [model, faces]\n"
                               "  report: {stage: report, from: scores}\n";

typedef struct {
  gd_job *job;
  gd_site *site;
} scene;

/* Load the job with a sweep, in a work directory of its own. */
static void set_scene(scene *s, const char *work, const char *site,
                      const char *const *more, int n_more)
{
  const char *sets[8];
  char set[GD_PATH_MAX];
  gd_slurm_stub();
  snprintf(set, sizeof set, "work=%s", gd_test_path(work));
  sets[0] = set;
  for (int i = 0; i < n_more; i++)
    sets[i + 1] = more[i];
  const char *path = gd_test_path("q.yaml");
  assert_ok(gd_file_write(path, manifest, strlen(manifest)));
  assert_ok(gd_job_load(path, sets, n_more + 1, &s->job));
  const char *site_path = gd_test_path("site.yaml");
  assert_ok(gd_file_write(site_path, site, strlen(site)));
  assert_ok(gd_site_load(site_path, &s->site));
}

static void end_scene(scene *s)
{
  gd_site_free(s->site);
  gd_job_free(s->job);
}

static void submit(const scene *s)
{
  gd_text out = {0};
  assert_ok(gd_submit_job(s->job, s->site, "gradus", 0, &out));
  gd_text_free(&out);
}

static const gd_instance *find(const scene *s, const char *title)
{
  for (int i = 0; i < gd_job_n_instances(s->job); i++)
    if (strcmp(gd_instance_title(gd_job_instance(s->job, i)), title) == 0)
      return gd_job_instance(s->job, i);
  fail_msg("no instance %s", title);
  return NULL;
}

static void finish(const gd_instance *self)
{
  assert_ok(gd_directory_make(gd_instance_directory(self)));
  assert_ok(gd_done_make(gd_instance_directory(self), gd_instance_digest(self),
                         0, 0));
}

/* Compare what sbatch was given, names without their last 8 digits. */
static void assert_submitted(const char *expected)
{
  char *text = gd_slurm_stub_read("submitted");
  gd_text found = {0};
  for (const char *c = text; *c != '\0'; c++) {
    gd_text_bytes(&found, c, 1);
    if (*c == '-')
      c += 8;
  }
  assert_string_equal(gd_text_get(&found), expected);
  gd_text_free(&found);
  free(text);
}

static void assert_text(const char *file, const char *expected)
{
  char *text = gd_slurm_stub_read(file);
  assert_string_equal(text, expected);
  free(text);
}

/* From now on, the queue is what a sed script makes of it. */
static void edit_queue(const char *sed)
{
  gd_text command = {0};
  gd_text_printf(&command, "[ ! -e queue ] || sed '%s' queue\n", sed);
  gd_slurm_stub_put("squeue", gd_text_get(&command));
  gd_text_free(&command);
}

static const char *const three[] = {"sweep.model.seed=[1, 2, 3]"};

static void
sweep_is_one_array_for_each_stage_behind_one_extraction(void **state)
{
  (void)state;
  scene s;
  gd_text seeds = {0};
  gd_text_add(&seeds, "sweep.model.seed=[1");
  for (int i = 2; i <= 200; i++)
    gd_text_printf(&seeds, ", %d", i);
  gd_text_add(&seeds, "]");
  set_scene(&s, "sweep", "{}\n", (const char *const[]){gd_text_get(&seeds)}, 1);
  submit(&s);
  assert_submitted("1 q.corpus- \n"
                   "2 q.frames- afterok:1\n"
                   "3 q.faces- afterok:2\n"
                   "4 q.model- afterok:3\n"
                   "5 q.scores- afterok:3,aftercorr:4\n"
                   "6 q.report- afterok:5\n");
  gd_ledger *ledger;
  char folder[GD_PATH_MAX];
  assert_ok(gd_ledger_folder(s.job, folder));
  assert_ok(gd_ledger_open(folder, &ledger));
  const gd_errand e = gd_ledger_find(ledger, find(&s, "scores[seed=200]"));
  assert_int_equal(e.phase, GD_ERRAND_QUEUED);
  assert_string_equal(e.job->id, "5_199");
  gd_ledger_free(ledger);
  gd_text_free(&seeds);
  end_scene(&s);
}

static void members_of_one_input_make_an_array_behind_its_task(void **state)
{
  (void)state;
  scene s;
  set_scene(&s, "product", "{}\n",
            (const char *const[]){"sweep.frames.every=[5, 10]",
                                  "sweep.model.seed=[1, 2]"},
            2);
  submit(&s);
  assert_submitted("1 q.corpus- \n"
                   "2 q.frames- afterok:1\n"
                   "3 q.faces- aftercorr:2\n"
                   "4 q.model- afterok:3_0\n"
                   "5 q.model- afterok:3_1\n"
                   "6 q.scores- afterok:3_0,aftercorr:4\n"
                   "7 q.scores- afterok:3_1,aftercorr:5\n"
                   "8 q.report- afterok:6:7\n");
  end_scene(&s);
}

static void second_submission_adds_nothing_while_all_is_queued(void **state)
{
  (void)state;
  scene s;
  set_scene(&s, "twice", "{}\n", three, 1);
  submit(&s);
  char *before = gd_slurm_stub_read("submitted");
  submit(&s);
  assert_text("submitted", before);
  assert_text("cancelled", "");
  free(before);
  end_scene(&s);
}

/* Killed between sbatch and its note: the job is known by its name. */
static void job_that_was_not_noted_is_not_submitted_twice(void **state)
{
  (void)state;
  scene s;
  set_scene(&s, "unnoted", "{}\n", three, 1);
  submit(&s);
  const char *path = gd_test_path("unnoted/slurm/jobs.txt");
  char *text, *before = gd_slurm_stub_read("submitted");
  gd_text members = {0};
  assert_ok(gd_file_read(path, 1 << 20, &text, NULL));
  for (char *rest = text, *line; (line = strtok_r(rest, "\n", &rest));)
    if (strncmp(line, "member ", 7) == 0)
      gd_text_printf(&members, "%s\n", line);
  free(text);
  assert_ok(gd_file_write(path, gd_text_get(&members), members.length_bytes));
  gd_text_free(&members);
  submit(&s);
  assert_text("submitted", before);
  free(before);
  end_scene(&s);
}

static void done_stages_are_left_out(void **state)
{
  (void)state;
  scene s;
  set_scene(&s, "done", "{}\n", three, 1);
  finish(find(&s, "corpus"));
  finish(find(&s, "frames"));
  finish(find(&s, "faces"));
  finish(find(&s, "model[seed=2]"));
  submit(&s);
  /* The member whose model is there waits for nothing. */
  assert_submitted("1 q.model- \n"
                   "2 q.scores- aftercorr:1\n"
                   "3 q.scores- \n"
                   "4 q.report- afterok:2:3\n");
  end_scene(&s);
}

static void skip_two_of_nine(const gd_instance *self)
{
  assert_ok(gd_directory_make(gd_instance_directory(self)));
  assert_ok(gd_done_make(gd_instance_directory(self), gd_instance_digest(self),
                         9, 2));
}

static void nothing_is_built_on_a_stage_that_skipped_too_much(void **state)
{
  (void)state;
  scene s;
  gd_text out = {0};
  set_scene(&s, "skipped", "{}\n", three, 1);
  finish(find(&s, "corpus"));
  skip_two_of_nine(find(&s, "frames"));
  assert_fails(
      gd_submit_job(s.job, s.site, "gradus", 0, &out), GD_ERR_USAGE,
      "stage frames: 2 of 9 items skipped, max_skipped allows 0; see ");
  assert_text("submitted", "");
  gd_text_free(&out);
  end_scene(&s);
}

static void member_that_skipped_too_much_holds_none_of_the_others(void **state)
{
  (void)state;
  static const char *const two[] = {"sweep.frames.every=[5, 10]"};
  scene s;
  gd_text out = {0};
  set_scene(&s, "over", "{}\n", two, 1);
  finish(find(&s, "corpus"));
  skip_two_of_nine(find(&s, "frames[every=5]"));
  finish(find(&s, "frames[every=10]"));
  assert_fails(gd_submit_job(s.job, s.site, "gradus", 0, &out), GD_ERR_USAGE,
               "stage frames[every=5]: 2 of 9 items skipped");
  assert_submitted("1 q.faces- \n"
                   "2 q.model- aftercorr:1\n"
                   "3 q.scores- aftercorr:2:1\n");
  /* Faces, model and scores of the one, and the report of both. */
  assert_non_null(strstr(gd_text_get(&out), "\n4 held: "));
  gd_text_free(&out);
  end_scene(&s);
}

/* Half a line, of a writer whose disk was full, spoils no other. */
static void half_a_line_of_the_ledger_is_passed_over(void **state)
{
  (void)state;
  scene s;
  set_scene(&s, "half", "{}\n", three, 1);
  assert_ok(gd_directory_make(gd_test_path("half/slurm")));
  const char *path = gd_test_path("half/slurm/jobs.txt");
  assert_ok(gd_file_write(path, "member q.corpus-1 -1 cor", 24));
  submit(&s);
  char *before = gd_slurm_stub_read("submitted");
  submit(&s);
  assert_text("submitted", before);
  free(before);
  end_scene(&s);
}

/* Member 2 has failed, and Slurm has taken its scores out of the queue; the
 * report still waits for them, in vain. */
static void failed_member_is_submitted_anew_with_what_waits_for_it(void **state)
{
  (void)state;
  scene s;
  set_scene(&s, "failed", "{}\n", three, 1);
  submit(&s);
  finish(find(&s, "corpus"));
  finish(find(&s, "frames"));
  finish(find(&s, "faces"));
  finish(find(&s, "model[seed=1]"));
  edit_queue("/^[123]|/d; /^4_[01]|/d; /^5_1|/d; "
             "/^4_2|/s/PENDING/RUNNING/");
  submit(&s);
  assert_submitted("1 q.corpus- \n"
                   "2 q.frames- afterok:1\n"
                   "3 q.faces- afterok:2\n"
                   "4 q.model- afterok:3\n"
                   "5 q.scores- afterok:3,aftercorr:4\n"
                   "6 q.report- afterok:5\n"
                   "7 q.model- \n"
                   "8 q.scores- aftercorr:7\n"
                   "9 q.report- afterok:5_0:8:5_2\n");
  assert_text("cancelled", "6\n");
  end_scene(&s);
}

static void nothing_is_submitted_while_slurm_is_silent(void **state)
{
  (void)state;
  scene s;
  set_scene(&s, "silent", "{}\n", three, 1);
  submit(&s);
  gd_slurm_stub_put("squeue", "echo 'cannot contact controller' >&2; exit 1\n");
  gd_text out = {0};
  assert_fails(gd_submit_job(s.job, s.site, "gradus", 0, &out), GD_ERR_IO,
               "what is queued already cannot be told: squeue: exit code 1: "
               "cannot contact controller");
  gd_text_free(&out);
  end_scene(&s);
}

static void
refused_script_gives_slurms_reason_and_the_rest_comes_later(void **state)
{
  (void)state;
  scene s;
  set_scene(&s, "refused", "{}\n", three, 1);
  gd_slurm_stub_put("sbatch", "echo 'sbatch: error: invalid account' >&2\n"
                              "exit 1\n");
  gd_text out = {0};
  assert_fails(gd_submit_job(s.job, s.site, "gradus", 0, &out), GD_ERR_IO,
               "invalid account");
  gd_text_free(&out);
  gd_slurm_stub();
  submit(&s);
  assert_submitted("1 q.corpus- \n"
                   "2 q.frames- afterok:1\n"
                   "3 q.faces- afterok:2\n"
                   "4 q.model- afterok:3\n"
                   "5 q.scores- afterok:3,aftercorr:4\n"
                   "6 q.report- afterok:5\n");
  end_scene(&s);
}

static void large_sweep_is_cut_into_arrays_that_correspond(void **state)
{
  (void)state;
  scene s;
  set_scene(&s, "large", "array_size: 2\n", three, 1);
  submit(&s);
  assert_submitted("1 q.corpus- \n"
                   "2 q.frames- afterok:1\n"
                   "3 q.faces- afterok:2\n"
                   "4 q.model- afterok:3\n"
                   "5 q.model- afterok:3\n"
                   "6 q.scores- afterok:3,aftercorr:4\n"
                   "7 q.scores- afterok:3,aftercorr:5\n"
                   "8 q.report- afterok:6:7\n");
  end_scene(&s);
}

static void chain_waits_link_for_link(void **state)
{
  (void)state;
  scene s;
  set_scene(&s, "chain", "restart: chain\nlinks: 2\n", NULL, 0);
  submit(&s);
  assert_submitted("1 q.corpus- \n"
                   "2 q.corpus- afterany:1\n"
                   "3 q.frames- afterok:2\n"
                   "4 q.frames- afterany:3\n"
                   "5 q.faces- afterok:4\n"
                   "6 q.faces- afterany:5\n"
                   "7 q.model- afterok:6\n"
                   "8 q.model- afterany:7\n"
                   "9 q.scores- afterok:8:6\n"
                   "10 q.scores- afterany:9\n"
                   "11 q.report- afterok:10\n"
                   "12 q.report- afterany:11\n");
  submit(&s);
  char *text = gd_slurm_stub_read("submitted");
  assert_null(strstr(text, "\n13 "));
  free(text);
  end_scene(&s);
}

static void dry_run_shows_all_and_changes_nothing(void **state)
{
  (void)state;
  scene s;
  gd_text out = {0};
  set_scene(&s, "dry", "{}\n", three, 1);
  assert_ok(gd_submit_job(s.job, s.site, "gradus", 1, &out));
  assert_non_null(strstr(gd_text_get(&out), "#SBATCH --array=0-2\n"));
  assert_non_null(strstr(gd_text_get(&out), "--dependency=afterok:<q.faces-"));
  assert_non_null(strstr(gd_text_get(&out), "10 to submit in 6 scripts\n"));
  assert_text("submitted", "");
  assert_false(gd_path_exists(gd_test_path("dry")));
  gd_text_free(&out);
  end_scene(&s);
}

static void status_tells_what_slurm_and_the_scripts_know(void **state)
{
  (void)state;
  scene s;
  set_scene(&s, "status", "{}\n", three, 1);
  submit(&s);
  finish(find(&s, "corpus"));
  finish(find(&s, "frames"));
  finish(find(&s, "faces"));
  const gd_instance *failed = find(&s, "model[seed=2]");
  char folder[GD_PATH_MAX], path[GD_PATH_MAX];
  static const char note[] = "2026-01-01T00:00:00\t4_1\tnode7\t137\t12-3-\t"
                             "slurmstepd: error: out of memory\n";
  assert_ok(gd_directory_make(gd_instance_directory(failed)));
  assert_ok(gd_ledger_folder(s.job, folder));
  assert_ok(gd_ledger_failures(folder, failed, path));
  assert_ok(gd_file_write(path, note, strlen(note)));
  edit_queue("/^[123]|/d; /^4_1|/d; /^5_1|/d; "
             "/^4_0|/s/PENDING\\(.*\\)||.*/RUNNING\\1|node[1-2]|None/; "
             "/^4_2|/s/PENDING\\(.*\\)||.*/REQUEUED\\1|node2|BeginTime/");
  gd_text page = {0};
  int n_active;
  assert_ok(gd_plan_compose_status(s.job, &n_active, &page));
  static const char expected[] =
      "done     corpus          0 files\n"
      "done     frames          0 files\n"
      "done     faces           0 files\n"
      "running  model[seed=1]   Slurm job 4_0 on node[1-2], 1:00 left\n"
      "failed   model[seed=2]   0 files  no job of it is left in Slurm's "
      "queue\n"
      "         1 run ended early, the last in job 4_1 on node7: slurmstepd: "
      "error: out of memory\n"
      "queued   model[seed=3]   Slurm job 4_2 waits: BeginTime\n"
      "queued   scores[seed=1]  Slurm job 5_0 waits: Dependency\n"
      "not run  scores[seed=2]  no job of it is left in Slurm's queue\n"
      "queued   scores[seed=3]  Slurm job 5_2 waits: Dependency\n"
      "queued   report          Slurm job 6 waits: Dependency\n"
      "10 stages in ";
  if (strncmp(gd_text_get(&page), expected, strlen(expected)) != 0)
    fail_msg("got\n%s", gd_text_get(&page));
  assert_int_equal(n_active, 5);
  gd_text_free(&page);

  gd_slurm_stub_put("squeue", "exit 1\n");
  assert_ok(gd_plan_compose_status(s.job, &n_active, &page));
  assert_non_null(strstr(gd_text_get(&page), "\nstopped  model[seed=2]"));
  assert_non_null(strstr(gd_text_get(&page), "from files alone: squeue"));
  assert_int_equal(n_active, 0);
  gd_text_free(&page);
  end_scene(&s);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(sweep_is_one_array_for_each_stage_behind_one_extraction),
    cmocka_unit_test(members_of_one_input_make_an_array_behind_its_task),
    cmocka_unit_test(second_submission_adds_nothing_while_all_is_queued),
    cmocka_unit_test(job_that_was_not_noted_is_not_submitted_twice),
    cmocka_unit_test(done_stages_are_left_out),
    cmocka_unit_test(nothing_is_built_on_a_stage_that_skipped_too_much),
    cmocka_unit_test(member_that_skipped_too_much_holds_none_of_the_others),
    cmocka_unit_test(half_a_line_of_the_ledger_is_passed_over),
    cmocka_unit_test(failed_member_is_submitted_anew_with_what_waits_for_it),
    cmocka_unit_test(nothing_is_submitted_while_slurm_is_silent),
    cmocka_unit_test(
        refused_script_gives_slurms_reason_and_the_rest_comes_later),
    cmocka_unit_test(large_sweep_is_cut_into_arrays_that_correspond),
    cmocka_unit_test(chain_waits_link_for_link),
    cmocka_unit_test(dry_run_shows_all_and_changes_nothing),
    cmocka_unit_test(status_tells_what_slurm_and_the_scripts_know),
};

gd_test_main(tests)
