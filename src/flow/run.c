#include "gradus/run.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gradus/agree.h"
#include "gradus/gemm.h"
#include "gradus/log.h"
#include "gradus/placement.h"
#include "gradus/version.h"
#include "gradus/watchdog.h"
#include "rundir.h"
#include "start.h"
#include "state.h"

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
  char host[128] = "", gemm[GD_GEMM_TEXT];
  gd_gemm_describe(GD_FP32, gemm);
  gethostname(host, sizeof host - 1);
  gd_instance_describe(env->self, &text);
  gd_text_printf(&text,
                 "run:\n  gradus: %s\n  gemm: %s\n  host: %s\n  ranks: %d\n"
                 "  threads: %d\n",
                 gd_version(), gemm, host, env->size, env->threads);
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
                   state->ticked, n_ticked, (double)n_ticked / seconds);
  gd_text_printf(&text, "items: %" PRId64 "\nn_skipped: %" PRId64 "\n",
                 state->n_items, gd_tally_n_skipped(state->tally));
  gd_tally_compose(state->tally, &text);
  return write_text(env, "report.yaml", &text);
}

/* ------------------------------------------------------------- running a stage
 */

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
  gd_stage_state state = {.n_items = -1, .n_units = -1, .ticked = "items"};
  gd_stage_env env = {.job = job,
                      .self = self,
                      .directory = gd_instance_directory(self),
                      .state = &state};
  MPI_Comm_dup(comm, &env.comm);
  MPI_Comm_rank(comm, &env.rank);
  MPI_Comm_size(comm, &env.size);
  env.threads = gd_placement_threads(comm);

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
  if (!gd_standing_is_over(self, standing))
    return 0;
  gd_text line = {0};
  gd_standing_tell_over(self, standing, &line);
  gd_log(GD_LOG_WARNING, "%s", gd_text_get(&line));
  gd_text_free(&line);
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

gd_status gd_run_job(MPI_Comm comm, const gd_job *job,
                     const gd_run_options *options, int *exit_code)
{
  assert(job != NULL && options != NULL && options->stages != NULL);
  assert(exit_code != NULL);

  int rank;
  MPI_Comm_rank(comm, &rank);
  *exit_code = GD_EXIT_DONE;
  gd_status st = gd_settle(comm, check_job(job, options));
  if (st == GD_OK)
    st = gd_start(comm, job, options->dry_run);
  if (st != GD_OK && rank == 0)
    gd_log(GD_LOG_ERROR, "%s", gd_reason());
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
