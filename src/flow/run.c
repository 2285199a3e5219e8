#include "gradus/run.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gradus/agree.h"
#include "gradus/corpus.h"
#include "gradus/gemm.h"
#include "gradus/hosts.h"
#include "gradus/launcher.h"
#include "gradus/log.h"
#include "gradus/placement.h"
#include "gradus/version.h"
#include "gradus/watchdog.h"
#include "rundir.h"
#include "state.h"

enum { SILENCE_S = 600 }; /* longest, unless GRADUS_WATCHDOG says otherwise */
enum { MOST_LOOKS = 64 }; /* videos that every host is asked for */

int gd_exit_code(gd_status st)
{
  switch (st) {
  case GD_OK:
    return GD_EXIT_DONE;
  case GD_ERR_USAGE:
    return GD_EXIT_USAGE;
  case GD_ERR_STOPPED:
    return GD_EXIT_STOPPED;
  default:
    return GD_EXIT_FAILED;
  }
}

/* --------------------------------------------------------- one stage's papers
 */

static gd_status write_text(const gd_stage_env *env, const char *name,
                            gd_text *text)
{
  char path[GD_PATH_MAX];
  gd_status st = gd_text_status(text);
  if (st == GD_OK)
    st = gd_stage_path(env, name, path);
  if (st == GD_OK)
    st = gd_file_write(path, gd_text_get(text), text->length_bytes);
  gd_text_free(text);
  return st;
}

static gd_status write_stage_yaml(const gd_stage_env *env)
{
  gd_text text = {0};
  char host[128] = "";
  gethostname(host, sizeof host - 1);
  gd_instance_describe(env->self, &text);
  gd_text_printf(&text,
                 "run:\n  gradus: %s\n  gemm: %s\n  host: %s\n  ranks: %d\n"
                 "  threads: %d\n",
                 gd_version(), gd_gemm_backend(), host, env->size,
                 env->threads);
  return write_text(env, "stage.yaml", &text);
}

static gd_status write_report_yaml(const gd_stage_env *env, double seconds,
                                   int64_t n_ticked)
{
  const gd_stage_state *state = env->state;
  gd_text text = {0};
  gd_text_add(&text, "stage: ");
  gd_text_json(&text, gd_instance_title(env->self));
  gd_text_printf(&text, "\nkind: %s\nranks: %d\nthreads: %d\nseconds: %.3f\n",
                 gd_instance_kind(env->self), env->size, env->threads, seconds);
  if (state->n_units >= 0)
    gd_text_printf(&text, "units: {planned: %" PRId64 ", made: %" PRId64 "}\n",
                   state->n_units, state->n_units - state->n_resumed);
  if (n_ticked > 0 && seconds > 0.0)
    gd_text_printf(&text,
                   "done: {unit: %s, number: %" PRId64 ", per_second: %.4g}\n",
                   state->unit, n_ticked, (double)n_ticked / seconds);
  gd_text_printf(&text, "items: %" PRId64 "\nn_skipped: %" PRId64 "\n",
                 state->n_items, gd_tally_n_skipped(state->tally));
  gd_tally_compose(state->tally, &text);
  return write_text(env, "report.yaml", &text);
}

/* ------------------------------------------------------------- running a stage
 */

/* Threads of a rank: what OMP_NUM_THREADS says, else its share of the node's
 * cores.  A rank that is bound to some cores sees only these. */
static int settle_threads(MPI_Comm comm)
{
  MPI_Comm node;
  int n_local, threads = omp_get_max_threads();
  MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
  MPI_Comm_size(node, &n_local);
  MPI_Comm_free(&node);
  if (getenv("OMP_NUM_THREADS") == NULL) {
    const int cores = omp_get_num_procs();
    const int bound = cores < (int)sysconf(_SC_NPROCESSORS_ONLN);
    threads = bound ? cores : cores / n_local;
  }
  if (threads < 1)
    threads = 1;
  omp_set_num_threads(threads);
  return threads;
}

/* A bad placement is no failure, only slow. */
static void warn_of_placement(MPI_Comm comm)
{
  gd_text line = {0};
  const gd_placement worst = gd_placement_worst(comm, settle_threads(comm));
  gd_placement_judge(&worst, &line);
  if (line.length_bytes > 0)
    gd_log(GD_LOG_WARNING, "%s", gd_text_get(&line));
  gd_text_free(&line);
}

/* Several hosts are several that may be lost. */
static void warn_of_launcher(MPI_Comm hosts)
{
  int rank;
  gd_text line = {0};
  MPI_Comm_rank(hosts, &rank);
  gd_launcher_judge(&line);
  if (rank == 0 && line.length_bytes > 0)
    gd_log(GD_LOG_WARNING, "%s", gd_text_get(&line));
  gd_text_free(&line);
}

static gd_status settle_silence(int *limit_s)
{
  const char *text = getenv("GRADUS_WATCHDOG");
  *limit_s = SILENCE_S;
  if (text == NULL || *text == '\0')
    return GD_OK;
  char *end;
  errno = 0;
  const long value = strtol(text, &end, 10);
  if (*end != '\0' || errno != 0 || value < 0 || value > 1000000)
    return gd_fail(GD_ERR_USAGE,
                   "GRADUS_WATCHDOG=%s: expected seconds, 0 for no watch",
                   text);
  *limit_s = (int)value;
  return GD_OK;
}

static gd_status open_papers(const gd_stage_env *env)
{
  char path[GD_PATH_MAX];
  gd_status st = gd_stage_path(env, "log.txt", path);
  if (st == GD_OK)
    st = gd_log_file(path);
  if (st == GD_OK)
    st = write_stage_yaml(env);
  return st;
}

/* Rank 0's last acts, in this order: `done` stands for all before it. */
static gd_status close_papers(const gd_stage_env *env, double seconds,
                              int64_t n_ticked, gd_standing *out)
{
  gd_stage_state *state = env->state;
  const int64_t n_skipped = gd_tally_n_skipped(state->tally);
  if (state->n_items < 0)
    state->n_items = state->n_units > n_skipped ? state->n_units : n_skipped;
  gd_status st = write_report_yaml(env, seconds, n_ticked);
  if (st == GD_OK)
    st = gd_rundir_finish(env->self, state->n_items, n_skipped);
  if (st == GD_OK)
    *out = (gd_standing){1, state->n_items, n_skipped};
  return st;
}

/* The stage itself and what follows it, every step agreed. */
static gd_status work(gd_stage_env *env, const gd_stage *stage,
                      gd_standing *out)
{
  const double began_s = MPI_Wtime();
  gd_stage_state *state = env->state;

  gd_status st = stage->run(env);
  if (st == GD_OK)
    st = state->failed;
  gd_progress_tell(state->progress, st);
  gd_progress_wait(state->progress);
  st = gd_agree(env->comm, st);
  if (st == GD_OK)
    st = gd_tally_gather(env->comm, state->tally);
  if (st != GD_OK)
    return st;

  int64_t n_ticked = 0;
  MPI_Reduce(&state->n_ticked, &n_ticked, 1, MPI_INT64_T, MPI_SUM, 0,
             env->comm);
  const double seconds = MPI_Wtime() - began_s;
  if (env->rank == 0) {
    st = close_papers(env, seconds, n_ticked, out);
    if (st == GD_OK)
      gd_log(GD_LOG_INFO, "stage %s: done in %.1f s, %" PRId64 " skipped",
             gd_instance_title(env->self), seconds, out->n_skipped);
  }
  return gd_agree(env->comm, st);
}

static gd_status run_stage(MPI_Comm comm, const gd_job *job,
                           const gd_instance *self, const gd_stage *stage,
                           gd_standing *out)
{
  gd_stage_state state = {.n_items = -1, .n_units = -1, .unit = "items"};
  gd_stage_env env = {.job = job,
                      .self = self,
                      .directory = gd_instance_directory(self),
                      .state = &state};
  MPI_Comm_dup(comm, &env.comm);
  MPI_Comm_rank(comm, &env.rank);
  MPI_Comm_size(comm, &env.size);
  env.threads = settle_threads(comm);

  gd_status st = env.rank == 0 ? open_papers(&env) : GD_OK;
  if (st == GD_OK)
    st = gd_tally_new(&state.tally);
  st = gd_agree(env.comm, st);
  if (st == GD_OK)
    st = gd_progress_begin(env.comm, gd_instance_title(self), &state.progress);
  if (st == GD_OK) {
    gd_log(GD_LOG_INFO, "stage %s: %s, ranks: %d, threads each: %d, in %s",
           gd_instance_title(self), stage->kind, env.size, env.threads,
           env.directory);
    st = work(&env, stage, out);
    gd_progress_end(state.progress);
  }
  gd_tally_free(state.tally);
  MPI_Comm_free(&env.comm);
  return st;
}

/* ----------------------------------------------------------------- one
 * instance */

/* Rank 0 knows how an instance stands; all must act on the same. */
static void share_standing(MPI_Comm comm, gd_standing *standing)
{
  MPI_Bcast(standing, (int)sizeof *standing, MPI_BYTE, 0, comm);
}

/* With --stage, nobody made the inputs just now. */
static gd_status require_inputs(const gd_instance *self)
{
  for (int i = 0; i < gd_instance_n_inputs(self); i++) {
    const gd_instance *input = gd_instance_input(self, i);
    gd_standing standing;
    gd_status st = gd_rundir_look(input, &standing);
    if (st != GD_OK)
      return st;
    if (!standing.done)
      return gd_fail(GD_ERR_USAGE,
                     "its input %s is not done: run --stage %s first",
                     gd_instance_title(input), gd_instance_name(input));
  }
  return GD_OK;
}

static gd_status make_instance(MPI_Comm comm, const gd_job *job,
                               const gd_instance *self, const gd_stage *stage,
                               gd_standing *standing)
{
  int rank;
  gd_lock *lock = NULL;
  gd_status st = GD_OK;
  MPI_Comm_rank(comm, &rank);

  if (rank == 0) {
    st = require_inputs(self);
    if (st == GD_OK)
      st = gd_rundir_begin(self, standing, &lock);
  }
  st = gd_agree(comm, st);
  if (st == GD_OK) {
    share_standing(comm, standing);
    if (!standing->done) {
      st = run_stage(comm, job, self, stage, standing);
      share_standing(comm, standing);
    }
  }

  gd_status all = gd_settle(comm, st);
  if (rank == 0) {
    if (all == GD_ERR_STOPPED)
      gd_log(GD_LOG_INFO, "stage %s: %s; repeat the same command to go on",
             gd_instance_title(self), gd_reason());
    else if (all != GD_OK)
      gd_log(GD_LOG_ERROR, "stage %s: %s", gd_instance_title(self),
             gd_reason());
    if (all == GD_ERR_FORMAT && gd_rundir_heal(self) > 0)
      gd_log(GD_LOG_INFO,
             "stage %s: damaged files were removed; repeat the "
             "same command to make them anew",
             gd_instance_title(self));
    const gd_status closed = gd_log_file(NULL);
    (void)closed;
  }
  gd_lock_end(lock);
  return all;
}

/* A stage that skipped too much is done, but nothing is built upon it. */
static int skipped_too_much(const gd_instance *self,
                            const gd_standing *standing)
{
  const int64_t most = gd_instance_max_skipped(self, standing->n_items);
  if (standing->n_skipped <= most)
    return 0;
  gd_log(GD_LOG_WARNING,
         "stage %s: %" PRId64 " of %" PRId64 " items skipped, max_skipped "
         "allows %" PRId64 "; see %s/report.yaml, or allow more",
         gd_instance_title(self), standing->n_skipped, standing->n_items, most,
         gd_instance_directory(self));
  return 1;
}

/* Is it asked for, by its stage's name, by its folder's, or as one of all? */
static int is_wanted(const gd_instance *self, const gd_run_options *options)
{
  const char *folder = gd_path_base(gd_instance_directory(self));
  return options->stage == NULL ||
         strcmp(options->stage, gd_instance_name(self)) == 0 ||
         strcmp(options->stage, folder) == 0;
}

static const gd_stage *find_stage(const gd_instance *self,
                                  const gd_run_options *options)
{
  for (int i = 0; options->stages[i] != NULL; i++)
    if (strcmp(options->stages[i]->kind, gd_instance_kind(self)) == 0)
      return options->stages[i];
  return NULL;
}

static gd_status run_instance(MPI_Comm comm, const gd_job *job,
                              const gd_instance *self,
                              const gd_run_options *options, int *exit_code)
{
  int rank;
  MPI_Comm_rank(comm, &rank);
  gd_watchdog_name(gd_instance_title(self));
  gd_standing standing = {0};
  gd_status st = rank == 0 ? gd_rundir_look(self, &standing) : GD_OK;
  st = gd_settle(comm, st);
  if (st != GD_OK) {
    if (rank == 0)
      gd_log(GD_LOG_ERROR, "stage %s: %s", gd_instance_title(self),
             gd_reason());
    return st;
  }
  share_standing(comm, &standing);
  if (options->dry_run) {
    gd_log(GD_LOG_INFO, "stage %s: %s", gd_instance_title(self),
           standing.done ? "done" : "would run");
    return GD_OK;
  }
  if (standing.done)
    gd_log(GD_LOG_INFO, "stage %s: done before", gd_instance_title(self));
  else
    st = make_instance(comm, job, self, find_stage(self, options), &standing);
  if (st == GD_OK && skipped_too_much(self, &standing))
    *exit_code = GD_EXIT_SKIPPED;
  return st;
}

/* --------------------------------------------------------------------- the job
 */

/* What can be told before any work is done. */
static gd_status check_job(const gd_job *job, const gd_run_options *options)
{
  int n_wanted = 0;
  for (int i = 0; i < gd_job_n_instances(job); i++) {
    const gd_instance *self = gd_job_instance(job, i);
    if (!is_wanted(self, options))
      continue;
    n_wanted++;
    if (find_stage(self, options) == NULL)
      return gd_fail(GD_ERR_USAGE,
                     "stage %s: this program has no stage of kind %s",
                     gd_instance_title(self), gd_instance_kind(self));
  }
  if (n_wanted == 0 && options->stage != NULL)
    return gd_fail(GD_ERR_USAGE,
                   "job %s has no stage named %s; one that was submitted is "
                   "gone when corpus or files have changed since",
                   gd_job_name(job), options->stage);
  return GD_OK;
}

static int holds(const char *path, const char *text)
{
  char *found = NULL;
  const int same = gd_path_exists(path) &&
                   gd_file_read(path, strlen(text), &found, NULL) == GD_OK &&
                   strcmp(found, text) == 0;
  free(found);
  return same;
}

/* The effective manifest is kept with the results.  Members of a sweep that
 * begin together save the same: whoever comes second finds it there. */
static gd_status save_manifest(const gd_job *job)
{
  char name[GD_PATH_MAX], path[GD_PATH_MAX];
  const char *text = gd_job_effective(job);
  gd_status st = gd_directory_make(gd_job_work(job));
  snprintf(name, sizeof name, "%s.yaml", gd_job_name(job));
  if (st == GD_OK)
    st = gd_path_join(gd_job_work(job), name, path);
  if (st == GD_OK && !holds(path, text))
    st = gd_file_write(path, text, strlen(text));
  return st == GD_ERR_IO && holds(path, text) ? GD_OK : st;
}

/* A few of the corpus's videos, spread over it: where it is not mounted, all
 * are missing.  Rank 0 knows them. */
static gd_status check_corpus(MPI_Comm hosts, const gd_corpus *corpus,
                              int wait_s)
{
  gd_hosts_file files[MOST_LOOKS];
  int64_t n = 0, n_looks = corpus == NULL ? 0 : corpus->n_videos;
  if (n_looks > MOST_LOOKS)
    n_looks = MOST_LOOKS;
  for (int64_t i = 0; i < n_looks; i++) {
    const int64_t v = i * corpus->n_videos / n_looks;
    const int64_t size_bytes = corpus->fingerprints[v].size_bytes;
    if (size_bytes >= 0)
      files[n++] = (gd_hosts_file){corpus->videos[v].path, size_bytes};
  }
  return gd_hosts_see(hosts, n, files, wait_s);
}

/* Whatever one host writes, the others read. */
static gd_status check_hosts(MPI_Comm comm, const gd_job *job)
{
  int size = 1, wait_s;
  gd_status st = gd_hosts_patience(&wait_s);
  MPI_Comm hosts = gd_hosts_of(comm);
  if (hosts != MPI_COMM_NULL)
    MPI_Comm_size(hosts, &size);
  if (st == GD_OK && size > 1) {
    warn_of_launcher(hosts);
    st = gd_hosts_share(hosts, gd_job_work(job), wait_s);
    st = gd_settle(hosts, st);
    if (st == GD_OK)
      st = check_corpus(hosts, gd_job_corpus(job), wait_s);
  }
  if (hosts != MPI_COMM_NULL)
    MPI_Comm_free(&hosts);
  return gd_settle(comm, st);
}

/* All do what rank 0 is asked to: a launcher may hand the environment to ranks
 * on its own host alone. */
static gd_status share_environment(MPI_Comm comm)
{
  static const char *const names[] = {"GRADUS_WATCHDOG", "GRADUS_HOSTS_WAIT",
                                      "GRADUS_OVERLAP", "GRADUS_GEMM",
                                      "GRADUS_BF16"};
  gd_status st = GD_OK;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char value[64] = "";
    const char *own = getenv(names[i]);
    if (own != NULL &&
        snprintf(value, sizeof value, "%s", own) >= (int)sizeof value)
      st = gd_fail(GD_ERR_USAGE, "%s=%s...: longer than any value", names[i],
                   value);
    MPI_Bcast(value, sizeof value, MPI_CHAR, 0, comm);
    if (value[0] != '\0')
      setenv(names[i], value, 1);
    else
      unsetenv(names[i]);
  }
  return st;
}

static gd_status begin(MPI_Comm comm, const gd_job *job,
                       const gd_run_options *options, int rank)
{
  int limit_s;
  gd_status st = share_environment(comm);
  if (st == GD_OK)
    st = settle_silence(&limit_s);
  if (st == GD_OK)
    gd_watchdog_begin(rank, limit_s);
  if (st == GD_OK)
    st = gd_gemm_begin();
  if (st == GD_OK)
    st = check_job(job, options);
  if (st == GD_OK && rank == 0 && !options->dry_run)
    st = save_manifest(job);
  st = gd_settle(comm, st);
  if (st == GD_OK && !options->dry_run)
    st = check_hosts(comm, job);
  if (st != GD_OK && rank == 0)
    gd_log(GD_LOG_ERROR, "%s", gd_reason());
  if (st == GD_OK)
    gd_watchdog_join(comm);
  if (st == GD_OK && !options->dry_run)
    warn_of_placement(comm);
  return st;
}

gd_status gd_run_job(MPI_Comm comm, const gd_job *job,
                     const gd_run_options *options, int *exit_code)
{
  assert(job != NULL && options != NULL && options->stages != NULL);
  assert(exit_code != NULL);

  int rank;
  MPI_Comm_rank(comm, &rank);
  *exit_code = GD_EXIT_DONE;
  gd_status st = begin(comm, job, options, rank);
  for (int i = 0;
       st == GD_OK && *exit_code == GD_EXIT_DONE && i < gd_job_n_instances(job);
       i++) {
    const gd_instance *self = gd_job_instance(job, i);
    if (is_wanted(self, options))
      st = run_instance(comm, job, self, options, exit_code);
  }
  if (st != GD_OK)
    *exit_code = gd_exit_code(st);
  gd_watchdog_end();
  return st;
}
