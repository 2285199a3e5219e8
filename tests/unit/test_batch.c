#include "gradus/batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/child.h"
#include "slurm_stub.h"
#include "test.h"

static const char manifest[] = "job: b\n"
                               "stages:\n"
                               "  corpus: {stage: synth}\n"
                               "  frames: {stage: extract, from: corpus}\n"
                               "sweep: {frames: {every: [1, 2, 3, 4, 5]}}\n";

/* Whatever a shell could do with a name. */
static const char odd[] = "it's \"q\" $(touch canary) `touch canary` %a #;&";

typedef struct {
  gd_job *job;
  gd_site *site;
  char directory[GD_PATH_MAX], notes[GD_PATH_MAX];
  const gd_instance *members[5];
  gd_batch batch;
} scene;

/* A batch of the first n members of `frames`, in folders of odd names. */
static void set_scene(scene *s, const char *site, int n, const int *tasks)
{
  gd_text text = {0};
  unsetenv("SLURM_CPUS_PER_TASK");
  unsetenv("SLURM_NTASKS");
  unsetenv("SLURM_JOB_NODELIST");
  gd_slurm_stub();
  assert_ok(gd_path_join(gd_test_directory(), odd, s->directory));
  assert_ok(gd_path_join(s->directory, "slurm", s->notes));
  assert_ok(gd_directory_make(s->notes));
  gd_text_printf(&text, "%swork: ", manifest);
  gd_text_json(&text, s->directory);
  const char *path = gd_test_path("b.yaml");
  assert_ok(gd_file_write(path, gd_text_get(&text), text.length_bytes));
  gd_text_free(&text);
  assert_ok(gd_job_load(path, NULL, 0, &s->job));
  const char *site_path = gd_test_path("site.yaml");
  assert_ok(gd_file_write(site_path, site, strlen(site)));
  assert_ok(gd_site_load(site_path, &s->site));
  for (int i = 0; i < n; i++)
    s->members[i] = gd_job_instance(s->job, 1 + i);
  s->batch = (gd_batch){.site = s->site,
                        .name = "b.frames-12345678",
                        .program = odd,
                        .directory = s->directory,
                        .work = s->directory,
                        .notes = s->notes,
                        .manifest = odd,
                        .n_members = n,
                        .members = s->members,
                        .tasks = tasks};
}

static void end_scene(scene *s)
{
  gd_text path = {0};
  gd_text_printf(&path, "%s/%s.failures", s->notes,
                 gd_path_base(gd_instance_directory(s->members[0])));
  assert_ok(gd_file_remove(gd_text_get(&path)));
  gd_text_free(&path);
  gd_site_free(s->site);
  gd_job_free(s->job);
}

/* Run the script as Slurm would start it; returns its exit code. */
static int run_script(const scene *s, const char *job, const char *task)
{
  gd_text text = {0};
  assert_ok(gd_batch_compose(&s->batch, &text));
  const char *path = gd_test_path("script.sh");
  assert_ok(gd_file_write(path, gd_text_get(&text), text.length_bytes));
  gd_text_free(&text);
  setenv("SLURM_JOB_ID", job, 1);
  if (task != NULL) {
    setenv("SLURM_ARRAY_JOB_ID", job, 1);
    setenv("SLURM_ARRAY_TASK_ID", task, 1);
  } else {
    unsetenv("SLURM_ARRAY_JOB_ID");
    unsetenv("SLURM_ARRAY_TASK_ID");
  }
  gd_text log = {0};
  gd_text_printf(&log, "%s/%s%s%s.out", s->notes, s->batch.name,
                 task == NULL ? "" : "-", task == NULL ? "" : task);
  const char *const words[] = {
      "bash", "-c", "exec bash \"$0\" >>\"$1\" 2>&1", path, gd_text_get(&log),
      NULL};
  gd_child c;
  assert_ok(gd_child_run(words, 60, &c));
  const int code = c.exit_code;
  gd_child_free(&c);
  gd_text_free(&log);
  return code;
}

static void do_work(const char *script)
{
  assert_ok(gd_file_write(gd_slurm_stub_path("work"), script, strlen(script)));
}

static void assert_text(const char *file, const char *expected)
{
  char *text = gd_slurm_stub_read(file);
  assert_string_equal(text, expected);
  free(text);
}

static void has(const gd_text *t, const char *line)
{
  if (strstr(gd_text_get(t), line) == NULL)
    fail_msg("no line\n%s\nin\n%s", line, gd_text_get(t));
}

static void resources_and_array_stand_in_sbatchs_lines(void **state)
{
  (void)state;
  static const int tasks[] = {0, 1, 2, 5, 7};
  scene s;
  gd_text text = {0};
  set_scene(&s,
            "array_running: 2\nnotice: 90\nslurm: {nodes: 4, mem: 8G, "
            "exclusive: true, time: \"1-00:00:00\"}\n",
            5, tasks);
  assert_ok(gd_batch_compose(&s.batch, &text));
  assert_int_equal(strncmp(gd_text_get(&text), "#!/usr/bin/env bash\n", 20), 0);
  has(&text, "\n#SBATCH --job-name=\"b.frames-12345678\"\n");
  has(&text, "\n#SBATCH --array=0-2,5,7%2\n");
  has(&text, "\n#SBATCH --nodes=\"4\"\n");
  has(&text, "\n#SBATCH --mem=\"8G\"\n");
  has(&text, "\n#SBATCH --time=\"1-00:00:00\"\n");
  has(&text, "\n#SBATCH --exclusive\n");
  has(&text, "\n#SBATCH --signal=B:USR1@90\n");
  has(&text, "\n#SBATCH --requeue\n");
  has(&text, "\n#SBATCH --open-mode=append\n");
  has(&text, "\n#SBATCH --kill-on-invalid-dep=yes\n");
  assert_null(strstr(gd_text_get(&text), "--partition"));
  gd_text_free(&text);
  end_scene(&s);
}

static void odd_names_stay_words(void **state)
{
  (void)state;
  static const int tasks[] = {3, 4};
  static const char site[] =
      "program: \"$(touch canary)\"\n"
      "container: \"box --bind $(touch canary) 'a\"\n"
      "launcher_options: \"-x `touch` ;touch\"\n"
      "mpi: \"p;touch canary\"\n"
      "slurm: {partition: \"a\\\"b\\\\c $(touch canary) #d\"}\n";
  scene s;
  gd_text text = {0};
  set_scene(&s, site, 2, tasks);
  assert_ok(gd_batch_compose(&s.batch, &text));
  has(&text, "\n#SBATCH --partition=\"a\\\"b\\\\c $(touch canary) #d\"\n");
  has(&text, " %%a #;&/slurm/b.frames-12345678-%a.out\"\n");
  gd_text_free(&text);

  assert_int_equal(run_script(&s, "12", "4"), 0);
  gd_text expected = {0};
  gd_text_printf(&expected,
                 "--mpi=p;touch canary\n--cpus-per-task=1\n"
                 "--kill-on-bad-exit=1\n-x\n`touch`\n;touch\nbox\n--bind\n"
                 "$(touch\ncanary)\n'a\n%s\nrun\n%s\n--stage\n%s\n",
                 odd, odd, gd_path_base(gd_instance_directory(s.members[1])));
  assert_text("started", gd_text_get(&expected));
  gd_text_free(&expected);
  assert_false(gd_path_exists("canary"));
  assert_false(gd_path_exists(gd_slurm_stub_path("canary")));
  end_scene(&s);
}

static void line_breaks_and_backslashes_in_paths_are_refused(void **state)
{
  (void)state;
  scene s;
  gd_text text = {0};
  set_scene(&s, "{}\n", 1, NULL);
  s.batch.directory = "/a\n#SBATCH --wrap=id";
  assert_fails(gd_batch_compose(&s.batch, &text), GD_ERR_USAGE, "line break");
  s.batch.directory = s.directory;
  s.batch.notes = "/a\\b/slurm";
  assert_fails(gd_batch_compose(&s.batch, &text), GD_ERR_USAGE, "backslash");
  gd_text_free(&text);
  end_scene(&s);
}

static void stopped_run_goes_back_into_the_queue(void **state)
{
  (void)state;
  scene s;
  set_scene(&s, "{}\n", 1, NULL);
  gd_slurm_stub_put("squeue", "echo RUNNING\n");
  do_work("exit 75\n");
  assert_int_equal(run_script(&s, "31", NULL), 75);
  assert_text("requeued", "requeue 31\n");
  assert_int_equal(run_script(&s, "32", "0"), 75);
  assert_text("requeued", "requeue 31\nrequeue 32_0\n");
  end_scene(&s);
}

static void cancelled_run_stays_out_of_the_queue(void **state)
{
  (void)state;
  scene s;
  set_scene(&s, "{}\n", 1, NULL);
  gd_slurm_stub_put("squeue", "echo COMPLETING\n");
  do_work("exit 75\n");
  assert_int_equal(run_script(&s, "33", NULL), 75);
  assert_text("requeued", "");
  end_scene(&s);
}

static void silence_of_squeue_is_no_cancelling(void **state)
{
  (void)state;
  scene s;
  set_scene(&s, "{}\n", 1, NULL);
  gd_slurm_stub_put("squeue", "exit 1\n");
  do_work("exit 75\n");
  assert_int_equal(run_script(&s, "41", NULL), 75);
  assert_text("requeued", "requeue 41\n");
  end_scene(&s);
}

/* Sites write into their file what they like. */
static void setup_of_a_site_changes_nothing_of_the_script(void **state)
{
  (void)state;
  static const char setup[] =
      "set -e\nname=x work=y log=/ self=1 mpi=z launcher=none restart=chain "
      "gradus=false manifest=m notes=/ member=0 gd_test_is_set=1\n"
      "say() { exit 9; }\nexport gd_test_is_set\n";
  scene s;
  gd_text site = {0};
  const char *path = gd_test_path("setup.sh");
  assert_ok(gd_file_write(path, setup, strlen(setup)));
  gd_text_printf(&site, "setup: %s\n", path);
  set_scene(&s, gd_text_get(&site), 1, NULL);
  gd_text_free(&site);
  gd_slurm_stub_put("squeue", "echo RUNNING\n");
  do_work("[ \"$gd_test_is_set\" = 1 ] && exit 75\n");
  assert_int_equal(run_script(&s, "42", NULL), 75);
  assert_text("requeued", "requeue 42\n");
  end_scene(&s);
}

static void link_of_a_chain_leaves_it_to_the_next(void **state)
{
  (void)state;
  scene s;
  set_scene(&s, "restart: chain\n", 1, NULL);
  gd_slurm_stub_put("squeue", "echo RUNNING\n");
  do_work("exit 75\n");
  assert_int_equal(run_script(&s, "34", NULL), 75);
  assert_text("requeued", "");
  end_scene(&s);
}

static void done_and_hopeless_runs_are_not_repeated(void **state)
{
  (void)state;
  scene s;
  set_scene(&s, "{}\n", 1, NULL);
  gd_slurm_stub_put("squeue", "echo RUNNING\n");
  static const char *const works[] = {
      "exit 0\n", "echo job.yaml:3:7: error: no; exit 2\n", "exit 3\n"};
  for (int code = 0; code <= 3; code += code == 0 ? 2 : 1) {
    do_work(works[code == 0 ? 0 : code - 1]);
    assert_int_equal(run_script(&s, "35", NULL), code);
  }
  assert_text("requeued", "");
  end_scene(&s);
}

static void write_result(const scene *s, const char *name)
{
  char path[GD_PATH_MAX];
  assert_ok(gd_path_join(gd_instance_directory(s->members[0]), name, path));
  assert_ok(gd_file_write(path, name, strlen(name)));
}

/* One that cannot be read for now stands at its place in the manifest, too. */
static void file_that_cannot_be_read_for_now_is_tried_again(void **state)
{
  (void)state;
  scene s;
  set_scene(&s, "{}\n", 1, NULL);
  gd_slurm_stub_put("squeue", "echo RUNNING\n");
  do_work("echo job.yaml:3:7: error: a.csv: cannot read: busy; exit 1\n");
  for (int i = 0; i < 3; i++)
    assert_int_equal(run_script(&s, "45", NULL), 1);
  assert_text("requeued", "requeue 45\nrequeue 45\n");
  end_scene(&s);
}

/* srun ends so where the program or what it needs is not on the node. */
static void exit_of_a_launcher_is_no_verdict(void **state)
{
  (void)state;
  scene s;
  set_scene(&s, "{}\n", 1, NULL);
  gd_slurm_stub_put("squeue", "echo RUNNING\n");
  do_work("echo 'slurmstepd: error: execve(): gradus: No such file'; exit 2\n");
  assert_int_equal(run_script(&s, "44", NULL), 2);
  assert_text("requeued", "requeue 44\n");
  end_scene(&s);
}

/* However long its log: a pipe's two ends do not end together. */
static void verdict_of_a_run_with_a_long_log_is_final(void **state)
{
  (void)state;
  scene s;
  set_scene(&s, "{}\n", 1, NULL);
  gd_slurm_stub_put("squeue", "echo RUNNING\n");
  do_work("echo 'gradus: info: stage frames'\n"
          "for i in {1..12}; do printf '%100000s\n' x; done\n"
          "exit 2\n");
  assert_int_equal(run_script(&s, "45", NULL), 2);
  assert_text("requeued", "");
  end_scene(&s);
}

static void three_failures_at_one_point_are_enough(void **state)
{
  (void)state;
  scene s;
  set_scene(&s, "{}\n", 1, NULL);
  gd_slurm_stub_put("squeue", "echo RUNNING\n");
  assert_ok(gd_directory_make(gd_instance_directory(s.members[0])));
  do_work("echo 'gradus: info: stage frames'; exit 1\n");
  assert_int_equal(run_script(&s, "36", NULL), 1);
  write_result(&s, "metrics.jsonl"); /* a journal is no progress */
  assert_int_equal(run_script(&s, "36", NULL), 1);
  assert_text("requeued", "requeue 36\nrequeue 36\n");
  assert_int_equal(run_script(&s, "36", NULL), 1);
  assert_text("requeued", "requeue 36\nrequeue 36\n");
  /* Nor does a fourth begin. */
  assert_ok(gd_file_remove(gd_slurm_stub_path("started")));
  assert_int_equal(run_script(&s, "36", NULL), 1);
  assert_text("started", "");
  end_scene(&s);
}

/* Preemption is no failure, and a lost node is not the member's. */
static void
runs_that_slurm_ends_or_cannot_start_are_not_its_failures(void **state)
{
  (void)state;
  scene s;
  set_scene(&s, "{}\n", 1, NULL);
  do_work("echo 'gradus: info: stage frames'; exit 1\n");
  gd_slurm_stub_put("squeue", "echo COMPLETING\n");
  for (int i = 0; i < 4; i++)
    assert_int_equal(run_script(&s, "43", NULL), 1);
  gd_slurm_stub_put("squeue", "echo RUNNING\n");
  do_work("echo 'srun: error: launch failed'; exit 1\n");
  for (int i = 0; i < 9; i++)
    assert_int_equal(run_script(&s, "43", NULL), 1);
  char *requeued = gd_slurm_stub_read("requeued");
  assert_int_equal(strlen(requeued), 9 * strlen("requeue 43\n"));
  /* Ten are: a program that is not there never starts. */
  assert_int_equal(run_script(&s, "43", NULL), 1);
  assert_text("requeued", requeued);
  free(requeued);
  end_scene(&s);
}

static void failures_that_get_further_are_tried_again(void **state)
{
  (void)state;
  scene s;
  char file[GD_PATH_MAX];
  set_scene(&s, "{}\n", 1, NULL);
  gd_slurm_stub_put("squeue", "echo RUNNING\n");
  assert_ok(gd_directory_make(gd_instance_directory(s.members[0])));
  do_work("echo 'gradus: info: stage frames'; exit 1\n");
  for (int i = 0; i < 5; i++) {
    char name[32];
    snprintf(name, sizeof name, "frames-%d.h5", i);
    assert_ok(gd_path_join(gd_instance_directory(s.members[0]), name, file));
    assert_ok(gd_file_write(file, "x", 1));
    assert_int_equal(run_script(&s, "37", NULL), 1);
  }
  assert_text("requeued", "requeue 37\nrequeue 37\nrequeue 37\nrequeue 37\n"
                          "requeue 37\n");
  end_scene(&s);
}

/* The script's own process gets the signal, as with `--signal=B:`; the
 * launcher gets SIGUSR1, whichever it was. */
static void signal_is_passed_on_and_its_end_awaited(void **state)
{
  (void)state;
  static const char *const signals[] = {"USR1", "TERM"};
  for (int i = 0; i < 2; i++) {
    scene s;
    char work[256];
    set_scene(&s, "{}\n", 1, NULL);
    gd_slurm_stub_put("squeue", "echo RUNNING\n");
    snprintf(work, sizeof work,
             "trap 'echo heard >>started; exit 75' USR1\n"
             "kill -%s $PPID\n"
             "for i in {1..60}; do read -rt 1 <> <(:) || :; done\n",
             signals[i]);
    do_work(work);
    assert_int_equal(run_script(&s, "38", NULL), 75);
    char *started = gd_slurm_stub_read("started");
    assert_non_null(strstr(started, "\nheard\n"));
    free(started);
    assert_text("requeued", "requeue 38\n");
    end_scene(&s);
  }
}

static void signal_that_the_launcher_swallows_is_repeated(void **state)
{
  (void)state;
  scene s;
  set_scene(&s, "{}\n", 1, NULL);
  gd_slurm_stub_put("squeue", "echo RUNNING\n");
  do_work("n=0\n"
          "trap 'n=$((n + 1)); [ $n -lt 2 ] || exit 75' USR1\n"
          "kill -USR1 $PPID\n"
          "for i in {1..30}; do read -rt 1 <> <(:) || :; done\n");
  assert_int_equal(run_script(&s, "41", NULL), 75);
  assert_text("requeued", "requeue 41\n");
  end_scene(&s);
}

static void mpirun_gets_what_it_needs(void **state)
{
  (void)state;
  scene s;
  set_scene(&s, "launcher: mpirun\n", 1, NULL);
  gd_slurm_stub_put(
      "mpirun",
      "{ printf '%s ' \"$@\" | cut -d ' ' -f 1-4\n"
      "  echo \"$OMPI_MCA_mpi_yield_when_idle "
      "$OMPI_MCA_oob_tcp_keepalive_probes $PMIX_MCA_gds\"; } >started\n");
  setenv("SLURM_NTASKS", "6", 1);
  assert_int_equal(run_script(&s, "39", NULL), 0);
  unsetenv("SLURM_NTASKS");
  assert_text("started", "-n 6 --bind-to none\n1 3 hash\n");
  end_scene(&s);
}

static void signal_before_anything_has_begun_is_heard(void **state)
{
  (void)state;
  scene s;
  set_scene(&s, "modules: gcc\n", 1, NULL);
  gd_slurm_stub_put("squeue", "echo RUNNING\n");
  gd_slurm_stub_put("module", "kill -USR1 $PPID\n");
  assert_int_equal(run_script(&s, "44", NULL), 75);
  assert_text("started", "");
  assert_text("requeued", "requeue 44\n");
  gd_slurm_stub_put("module", "exit 0\n");
  end_scene(&s);
}

static void module_that_is_missing_ends_the_job(void **state)
{
  (void)state;
  scene s;
  set_scene(&s, "modules: gcc hdf5\n", 1, NULL);
  gd_slurm_stub_put("module", "echo \"$*\" >started; exit 1\n");
  assert_int_equal(run_script(&s, "40", NULL), 2);
  assert_text("started", "load gcc hdf5\n");
  gd_slurm_stub_put("module", "exit 0\n");
  assert_int_equal(run_script(&s, "40", NULL), 0);
  end_scene(&s);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(resources_and_array_stand_in_sbatchs_lines),
    cmocka_unit_test(odd_names_stay_words),
    cmocka_unit_test(line_breaks_and_backslashes_in_paths_are_refused),
    cmocka_unit_test(stopped_run_goes_back_into_the_queue),
    cmocka_unit_test(cancelled_run_stays_out_of_the_queue),
    cmocka_unit_test(silence_of_squeue_is_no_cancelling),
    cmocka_unit_test(setup_of_a_site_changes_nothing_of_the_script),
    cmocka_unit_test(link_of_a_chain_leaves_it_to_the_next),
    cmocka_unit_test(done_and_hopeless_runs_are_not_repeated),
    cmocka_unit_test(file_that_cannot_be_read_for_now_is_tried_again),
    cmocka_unit_test(exit_of_a_launcher_is_no_verdict),
    cmocka_unit_test(verdict_of_a_run_with_a_long_log_is_final),
    cmocka_unit_test(three_failures_at_one_point_are_enough),
    cmocka_unit_test(runs_that_slurm_ends_or_cannot_start_are_not_its_failures),
    cmocka_unit_test(failures_that_get_further_are_tried_again),
    cmocka_unit_test(signal_is_passed_on_and_its_end_awaited),
    cmocka_unit_test(signal_that_the_launcher_swallows_is_repeated),
    cmocka_unit_test(mpirun_gets_what_it_needs),
    cmocka_unit_test(signal_before_anything_has_begun_is_heard),
    cmocka_unit_test(module_that_is_missing_ends_the_job),
};

gd_test_main(tests)
