#include "gradus/run.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "gradus/agree.h"
#include "gradus/done.h"
#include "gradus/folder.h"
#include "gradus/stop.h"
#include "stores.h"
#include "test.h"

/*
 * A job of two stages of test: `frames` makes N_UNITS stores, as extract does;
 * `faces` reads them all and writes one text.  What goes wrong is set by the
 * test before a run.
 */
enum { N_UNITS = 7 };

static struct {
  int64_t fail_at;    /* this unit cannot be written */
  int64_t stop_at;    /* the rank that makes this unit is asked to stop */
  int64_t skip_every; /* units that note a skipped item; 0: none */
  int64_t n_first;    /* units of a first list of two; 0: one list */
  int64_t n_made;     /* units made by this rank */
  int n_runs;         /* of `faces` */
} plan;

static int rank;
static char work[GD_PATH_MAX];

/* ------------------------------------------------------------ the test stages
 */

static gd_status run_corpus(gd_stage_env *env)
{
  char path[GD_PATH_MAX];
  gd_status st = gd_stage_path(env, "labels.csv", path);
  if (st == GD_OK && env->rank == 0)
    st = gd_file_write(path, "video\n", 6);
  return gd_agree(env->comm, st);
}

static void name_unit(const void *context, int64_t unit, char out[GD_PATH_MAX])
{
  const int64_t *first = context;
  snprintf(out, GD_PATH_MAX, "frames-%05" PRId64 ".h5",
           unit + (first == NULL ? 0 : *first));
}

static gd_status make_unit(void *context, gd_stage_env *env, int64_t unit,
                           const char *path)
{
  (void)context;
  char item[32];
  if (unit == plan.fail_at)
    return gd_fail(GD_ERR_IO, "%s: no space left", path);
  if (unit == plan.stop_at)
    raise(SIGUSR1);
  const int skips = plan.skip_every > 0 && unit % plan.skip_every == 0;
  snprintf(item, sizeof item, "video %" PRId64, unit);
  plan.n_made++;
  return gd_test_store(path, gd_instance_digest(env->self), unit,
                       skips ? item : NULL);
}

static gd_status count_unit(void *context, gd_stage_env *env, int64_t unit,
                            const char *path)
{
  (void)context;
  (void)unit;
  (void)path;
  gd_stage_count(env, "numbers", 1000);
  return GD_OK;
}

static gd_status run_frames(gd_stage_env *env)
{
  /* The last is the longest, and so the first to be made. */
  const double cost[N_UNITS] = {1, 1, 1, 1, 1, 1, 9};
  const gd_units units = {.n_units = N_UNITS,
                          .cost = cost,
                          .name = name_unit,
                          .make = make_unit,
                          .count = count_unit};
  gd_stage_items(env, N_UNITS);
  if (plan.n_first == 0)
    return gd_stage_units(env, &units);
  gd_units begin = units, rest = units;
  begin.n_units = plan.n_first;
  rest.n_units = N_UNITS - plan.n_first;
  rest.context = &plan.n_first;
  const gd_status st = gd_stage_units(env, &begin);
  return st == GD_OK ? gd_stage_units(env, &rest) : st;
}

static gd_status run_faces(gd_stage_env *env)
{
  const gd_dataset numbers = {
      .name = "numbers", .dtype = GD_I64, .rank = 1, .dims = {1000}};
  int64_t sum = 0;
  gd_status st = GD_OK;
  plan.n_runs++;
  for (int64_t u = 0; st == GD_OK && u < N_UNITS; u++) {
    char name[GD_PATH_MAX], path[GD_PATH_MAX];
    gd_store *store;
    int64_t rows[1000];
    name_unit(NULL, u, name);
    st = gd_path_join(gd_instance_directory(gd_instance_input(env->self, 0)),
                      name, path);
    if (st == GD_OK)
      st = gd_store_verify(path);
    if (st == GD_OK)
      st = gd_store_open(path, "gradus-test", 1, &store);
    if (st != GD_OK)
      break;
    st = gd_store_read(store, &numbers, 0, 1000, rows);
    gd_store_close(store);
    sum += rows[999];
  }
  char path[GD_PATH_MAX], text[32];
  const int n = snprintf(text, sizeof text, "%" PRId64 "\n", sum);
  if (st == GD_OK)
    st = gd_stage_path(env, "sum.csv", path);
  if (st == GD_OK && env->rank == 0)
    st = gd_file_write(path, text, (size_t)n);
  return gd_agree(env->comm, st);
}

static const gd_stage corpus = {.kind = "synth", .run = run_corpus};
static const gd_stage frames = {.kind = "extract", .run = run_frames};
static const gd_stage faces = {.kind = "align", .run = run_faces};
static const gd_stage *const stages[] = {&corpus, &frames, &faces, NULL};

/* ----------------------------------------------------------------- running it
 */

/* Work in a directory of rank 0 that all ranks share. */
static void begin_work(const char *name)
{
  if (rank == 0)
    snprintf(work, sizeof work, "%s", gd_test_path(name));
  MPI_Bcast(work, sizeof work, MPI_CHAR, 0, MPI_COMM_WORLD);
  memset(&plan, 0, sizeof plan);
  plan.fail_at = plan.stop_at = -1;
}

static gd_job *load(const char *max_skipped)
{
  char text[GD_PATH_MAX + 400];
  gd_job *job;
  const int n = snprintf(text, sizeof text,
                         "job: test\nwork: %s\nstages:\n"
                         "  corpus: {stage: synth}\n"
                         "  frames: {stage: extract, from: corpus, "
                         "max_skipped: %s}\n"
                         "  faces: {stage: align, from: frames}\n",
                         work, max_skipped);
  const char *path = gd_test_path("job.yaml");
  assert_ok(gd_file_write(path, text, (size_t)n));
  assert_ok(gd_job_load(path, NULL, 0, &job));
  return job;
}

/* Run the job; return the exit code, after a check that all ranks agree. */
static int run_with(gd_run_options options, const char *max_skipped)
{
  gd_job *job = load(max_skipped);
  int code = -1;
  options.stages = stages;
  plan.n_made = 0;
  plan.n_runs = 0;
  MPI_Barrier(MPI_COMM_WORLD);
  gd_status st = gd_run_job(MPI_COMM_WORLD, job, &options, &code);
  gd_assert_all(MPI_COMM_WORLD, code == GD_EXIT_SKIPPED
                                    ? st == GD_OK
                                    : code == gd_exit_code(st));
  int most = code;
  MPI_Allreduce(MPI_IN_PLACE, &most, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  gd_assert_all(MPI_COMM_WORLD, most == code);
  MPI_Allreduce(MPI_IN_PLACE, &plan.n_made, 1, MPI_INT64_T, MPI_SUM,
                MPI_COMM_WORLD);
  gd_job_free(job);
  return code;
}

static int run(void)
{
  return run_with((gd_run_options){0}, "0");
}

/* Return the path of `name` in the run directory of a stage; borrowed until
 * the next call. */
static const char *in_stage(const char *stage, const char *name)
{
  static char path[2 * GD_PATH_MAX];
  gd_job *job = load("0");
  path[0] = '\0';
  for (int i = 0; i < gd_job_n_instances(job); i++)
    if (strcmp(gd_instance_name(gd_job_instance(job, i)), stage) == 0)
      snprintf(path, sizeof path, "%s/%s",
               gd_instance_directory(gd_job_instance(job, i)), name);
  gd_job_free(job);
  assert_string_not_equal(path, "");
  return path;
}

static int has(const char *stage, const char *name)
{
  return gd_path_exists(in_stage(stage, name));
}

/* Digest of all results of a stage, housekeeping aside. */
static gd_digest results_of(const char *stage)
{
  gd_folder *folder;
  gd_hasher *h;
  assert_ok(gd_hasher_new(&h));
  assert_ok(gd_folder_read(in_stage(stage, ""), &folder));
  for (int64_t i = 0; i < folder->n_files; i++) {
    gd_digest d;
    if (gd_done_is_housekeeping(folder->names[i]))
      continue;
    gd_hasher_text(h, folder->names[i]);
    assert_ok(gd_digest_of_file(in_stage(stage, folder->names[i]), &d));
    gd_hasher_digest(h, d);
  }
  gd_folder_free(folder);
  return gd_hasher_end(h);
}

/* Let one rank change files, the others see it done. */
#define on_rank_0(action)                                                      \
  do {                                                                         \
    MPI_Barrier(MPI_COMM_WORLD);                                               \
    if (rank == 0)                                                             \
      action;                                                                  \
    MPI_Barrier(MPI_COMM_WORLD);                                               \
  } while (0)

/* --------------------------------------------------------------------- tests
 */

static void finished_job_is_not_done_again(void **state)
{
  (void)state;
  begin_work("again");
  assert_int_equal(run(), GD_EXIT_DONE);
  assert_int_equal(plan.n_made, N_UNITS);
  assert_true(has("frames", "done") && has("frames", "stage.yaml"));
  assert_true(has("frames", "report.yaml") && has("frames", "log.txt"));
  assert_true(has("faces", "sum.csv") && !has("faces", "lock"));
  char *text;
  assert_ok(
      gd_file_read(in_stage("frames", "report.yaml"), 10000, &text, NULL));
  assert_non_null(strstr(text, "numbers: 7000"));
  assert_non_null(strstr(text, "planned: 7, made: 7"));
  free(text);

  assert_int_equal(run(), GD_EXIT_DONE);
  assert_int_equal(plan.n_made, 0);
  assert_int_equal(plan.n_runs, 0);
}

/* Of a stage's results: its report and the file of their number. */
static void assert_counts(const char *planned, const char *ticked)
{
  char *report, *units;
  assert_ok(
      gd_file_read(in_stage("frames", "report.yaml"), 10000, &report, NULL));
  assert_ok(gd_file_read(in_stage("frames", "units"), 64, &units, NULL));
  assert_non_null(strstr(report, planned));
  assert_non_null(strstr(report, ticked));
  assert_string_equal(units, "7\n");
  free(report);
  free(units);
}

static void units_of_two_lists_are_counted_together(void **state)
{
  (void)state;
  begin_work("lists");
  plan.n_first = 3;
  assert_int_equal(run(), GD_EXIT_DONE);
  assert_counts("planned: 7, made: 7", "unit: units, number: 7");
  on_rank_0({
    assert_ok(gd_file_remove(in_stage("frames", "frames-00001.h5")));
    assert_ok(gd_file_remove(in_stage("frames", "frames-00005.h5")));
  });
  assert_int_equal(run(), GD_EXIT_DONE);
  assert_counts("planned: 7, made: 2", "unit: units, number: 2");
}

/* A launcher hands rank 0's environment to the ranks of its own host only. */
static void environment_is_rank_0s(void **state)
{
  (void)state;
  begin_work("environment");
  setenv("GRADUS_HOSTS_WAIT", rank == 0 ? "7" : "soon", 1);
  if (rank > 0)
    setenv("GRADUS_GEMM", "none", 1);
  assert_int_equal(run(), GD_EXIT_DONE);
  assert_string_equal(getenv("GRADUS_HOSTS_WAIT"), "7");
  assert_null(getenv("GRADUS_GEMM"));
  unsetenv("GRADUS_HOSTS_WAIT");
}

static int is_alone(void)
{
  int size;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  return size == 1;
}

static void failed_run_is_resumed_to_the_same_files(void **state)
{
  (void)state;
  begin_work("whole");
  assert_int_equal(run(), GD_EXIT_DONE);
  const gd_digest whole = results_of("frames");

  begin_work("failing");
  plan.fail_at = 3;
  assert_int_equal(run(), GD_EXIT_FAILED);
  const int64_t n_first = plan.n_made;
  assert_in_range(n_first, 1, N_UNITS - 1);
  if (is_alone()) /* units 6, 0, 1 and 2 are before it */
    assert_int_equal(n_first, 4);
  assert_false(has("frames", "done"));
  assert_false(has("frames", "lock"));
  on_rank_0(assert_ok(
      gd_file_write(in_stage("frames", "frames-00003.h5.part"), "x", 1)));

  plan.fail_at = -1;
  assert_int_equal(run(), GD_EXIT_DONE);
  assert_int_equal(plan.n_made, N_UNITS - n_first);
  assert_false(has("frames", "frames-00003.h5.part"));
  assert_true(gd_digest_equal(results_of("frames"), whole));
}

static void damaged_and_missing_results_are_made_anew(void **state)
{
  (void)state;
  begin_work("damaged");
  assert_int_equal(run(), GD_EXIT_DONE);
  const gd_digest frames_before = results_of("frames");
  const gd_digest faces_before = results_of("faces");

  on_rank_0(gd_test_flip(in_stage("frames", "frames-00002.h5"), 700));
  assert_int_equal(run(), GD_EXIT_DONE);
  assert_int_equal(plan.n_made, 1);
  assert_int_equal(plan.n_runs, 0);

  on_rank_0(assert_ok(gd_file_remove(in_stage("frames", "frames-00005.h5"))));
  on_rank_0(gd_test_flip(in_stage("faces", "sum.csv"), 2));
  assert_int_equal(run(), GD_EXIT_DONE);
  assert_int_equal(plan.n_made, 1);
  assert_int_equal(plan.n_runs, 1);
  assert_true(gd_digest_equal(results_of("frames"), frames_before));
  assert_true(gd_digest_equal(results_of("faces"), faces_before));

  /* A truncated `done` proves nothing: the stores do. */
  on_rank_0(assert_ok(gd_file_write(in_stage("frames", "done"), "gradus", 6)));
  assert_int_equal(run(), GD_EXIT_DONE);
  assert_int_equal(plan.n_made, 0);
}

static void touched_but_equal_results_are_kept(void **state)
{
  (void)state;
  begin_work("touched");
  assert_int_equal(run(), GD_EXIT_DONE);
  const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
  on_rank_0(assert_int_equal(
      utimensat(AT_FDCWD, in_stage("frames", "frames-00001.h5"), times, 0), 0));
  assert_int_equal(run(), GD_EXIT_DONE);
  assert_int_equal(plan.n_made, 0);
  assert_int_equal(plan.n_runs, 0);
}

/* Bits that rot leave size and time alone: the one who reads them finds out,
 * and the next run makes them anew. */
static void rotten_input_is_found_by_its_reader_and_healed(void **state)
{
  (void)state;
  begin_work("rotten");
  assert_int_equal(run(), GD_EXIT_DONE);
  const gd_digest before = results_of("frames");
  MPI_Barrier(MPI_COMM_WORLD);
  if (rank == 0) {
    const char *path = in_stage("frames", "frames-00004.h5");
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    gd_test_flip(path, 700);
    const struct timespec times[2] = {info.st_mtim, info.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_ok(gd_file_remove(in_stage("faces", "sum.csv")));
  }
  MPI_Barrier(MPI_COMM_WORLD);
  assert_int_equal(run(), GD_EXIT_FAILED);
  assert_false(has("frames", "frames-00004.h5"));
  assert_int_equal(run(), GD_EXIT_DONE);
  assert_int_equal(plan.n_made, 1);
  assert_true(gd_digest_equal(results_of("frames"), before));
}

static void too_many_skipped_ends_with_3_until_allowed(void **state)
{
  (void)state;
  begin_work("skipping");
  plan.skip_every = 3;
  assert_int_equal(run_with((gd_run_options){0}, "2"), GD_EXIT_SKIPPED);
  assert_true(has("frames", "done"));
  assert_int_equal(plan.n_runs, 0);
  char *text;
  assert_ok(
      gd_file_read(in_stage("frames", "report.yaml"), 10000, &text, NULL));
  assert_non_null(strstr(text, "n_skipped: 3"));
  assert_non_null(strstr(text, "{item: \"video 6\", reason: \"is broken\"}"));
  free(text);
  /* Asked again, the answer is the same, and nothing is done. */
  assert_int_equal(run_with((gd_run_options){0}, "2"), GD_EXIT_SKIPPED);
  assert_int_equal(plan.n_made, 0);
  assert_int_equal(run_with((gd_run_options){0}, "3"), GD_EXIT_DONE);
  assert_int_equal(plan.n_made, 0);
  assert_int_equal(plan.n_runs, 1);
}

static void one_stage_needs_its_inputs_done(void **state)
{
  (void)state;
  begin_work("single");
  assert_int_equal(run_with((gd_run_options){.stage = "faces"}, "0"),
                   GD_EXIT_USAGE);
  assert_int_equal(run_with((gd_run_options){.stage = "none"}, "0"),
                   GD_EXIT_USAGE);
  assert_int_equal(run_with((gd_run_options){.stage = "corpus"}, "0"),
                   GD_EXIT_DONE);
  assert_int_equal(run_with((gd_run_options){.stage = "frames"}, "0"),
                   GD_EXIT_DONE);
  assert_int_equal(plan.n_made, N_UNITS);
  assert_int_equal(run_with((gd_run_options){.stage = "faces"}, "0"),
                   GD_EXIT_DONE);
  assert_int_equal(plan.n_runs, 1);
}

static void dry_run_touches_nothing(void **state)
{
  (void)state;
  begin_work("dry");
  assert_int_equal(run_with((gd_run_options){.dry_run = 1}, "0"), GD_EXIT_DONE);
  assert_false(gd_path_exists(work));
}

static void unwritable_work_directory_fails_with_1(void **state)
{
  (void)state;
  begin_work("file");
  on_rank_0(assert_ok(gd_file_write(work, "", 0)));
  assert_int_equal(run(), GD_EXIT_FAILED);
}

static void results_of_another_stage_are_not_taken_for_ours(void **state)
{
  (void)state;
  begin_work("foreign");
  assert_int_equal(run(), GD_EXIT_DONE);
  gd_done *done;
  if (rank == 0) {
    char directory[GD_PATH_MAX];
    snprintf(directory, sizeof directory, "%s", in_stage("frames", "."));
    assert_ok(gd_done_read(directory, &done));
    done->digest.low ^= 1;
    assert_ok(gd_done_write(directory, done));
    gd_done_free(done);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  assert_int_equal(run(), GD_EXIT_FAILED);
}

/* Last of all: the stop flag stays. */
static void signal_to_one_rank_ends_with_75_and_work_is_kept(void **state)
{
  (void)state;
  begin_work("stopped");
  gd_stop_begin();
  plan.stop_at = 6;
  assert_int_equal(run(), GD_EXIT_STOPPED);
  /* How much the others finish before they hear of it is their business. */
  assert_in_range(plan.n_made, 1, N_UNITS);
  if (is_alone())
    assert_int_equal(plan.n_made, 1);
  assert_true(has("frames", "frames-00006.h5"));
  assert_false(has("frames", "done"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(finished_job_is_not_done_again),
    cmocka_unit_test(units_of_two_lists_are_counted_together),
    cmocka_unit_test(environment_is_rank_0s),
    cmocka_unit_test(failed_run_is_resumed_to_the_same_files),
    cmocka_unit_test(damaged_and_missing_results_are_made_anew),
    cmocka_unit_test(touched_but_equal_results_are_kept),
    cmocka_unit_test(rotten_input_is_found_by_its_reader_and_healed),
    cmocka_unit_test(too_many_skipped_ends_with_3_until_allowed),
    cmocka_unit_test(one_stage_needs_its_inputs_done),
    cmocka_unit_test(dry_run_touches_nothing),
    cmocka_unit_test(unwritable_work_directory_fails_with_1),
    cmocka_unit_test(results_of_another_stage_are_not_taken_for_ours),
    cmocka_unit_test(signal_to_one_rank_ends_with_75_and_work_is_kept),
};

int main(int argc, char **argv)
{
  gd_test_begin_mpi(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return gd_test_end(cmocka_run_group_tests(tests, NULL, NULL));
}
