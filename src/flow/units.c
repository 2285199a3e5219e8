#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/agree.h"
#include "gradus/file.h"
#include "gradus/hosts.h"
#include "gradus/memory.h"
#include "gradus/queue.h"
#include "gradus/range.h"
#include "gradus/share.h"
#include "gradus/stage.h"
#include "gradus/store.h"
#include "state.h"

static gd_status path_of(const gd_stage_env *env, const gd_units *units,
                         int64_t unit, char out[GD_PATH_MAX])
{
  char name[GD_PATH_MAX];
  units->name(units->context, unit, name);
  return gd_stage_path(env, name, out);
}

/* ----------------------------------------------------------------- what to do
 */

/* For `gradus status`, which sees files only. */
static gd_status note_count(const gd_stage_env *env)
{
  char path[GD_PATH_MAX], text[32];
  const int n =
      snprintf(text, sizeof text, "%" PRId64 "\n", env->state->n_units);
  gd_status st = gd_stage_path(env, "units", path);
  return st == GD_OK ? gd_file_write(path, text, (size_t)n) : st;
}

/* Rank 0 looks, the others are told: ranks may see a file system's changes at
 * different times, and must not disagree on the list. */
static gd_status find_made(gd_stage_env *env, const gd_units *units, char *made,
                           gd_text *falls)
{
  gd_status st = GD_OK;
  if (env->rank == 0) {
    st = note_count(env);
    if (st == GD_OK)
      st = gd_attempts_collect(env->directory, falls);
    for (int64_t u = 0; st == GD_OK && u < units->n_units; u++) {
      char path[GD_PATH_MAX];
      st = path_of(env, units, u, path);
      made[u] = st == GD_OK && gd_path_exists(path);
      if (st == GD_OK)
        st = gd_stage_tick(env, 0);
    }
  }
  st = gd_agree(env->comm, st);
  if (st == GD_OK)
    MPI_Bcast(made, (int)units->n_units, MPI_CHAR, 0, env->comm);
  return st;
}

/* Give all ranks what earlier runs fell on. */
static gd_status begin_attempts(gd_stage_env *env, gd_text *falls)
{
  gd_status st = gd_share_text(env->comm, falls);
  if (st != GD_OK)
    return st;
  return gd_agree(env->comm, gd_attempts_new(env->directory, gd_text_get(falls),
                                             &env->state->attempts));
}

typedef struct {
  double cost;
  int64_t unit;
  int is_suspect;
} entry;

/* The units to make, in order; the suspects among them come first and are one
 * turn of the queue, so that never two of them are at work. */
typedef struct {
  entry *entries;
  int64_t n, n_suspects;
} work_list;

static int longest_first(const void *a, const void *b)
{
  const entry *x = a, *y = b;
  if (x->is_suspect != y->is_suspect)
    return x->is_suspect ? -1 : 1;
  if (x->cost != y->cost)
    return x->cost > y->cost ? -1 : 1;
  return x->unit < y->unit ? -1 : x->unit > y->unit;
}

/* The units that are missing, in the order in which to make them. */
static void order_missing(const gd_stage_env *env, const gd_units *units,
                          const char *made, work_list *todo)
{
  for (int64_t u = 0; u < units->n_units; u++) {
    char name[GD_PATH_MAX];
    if (made[u])
      continue;
    units->name(units->context, u, name);
    const int is_suspect = gd_attempts_is_suspect(env->state->attempts, name);
    todo->entries[todo->n++] =
        (entry){units->cost == NULL ? 0.0 : units->cost[u], u, is_suspect};
    todo->n_suspects += is_suspect;
  }
  if (todo->n > 1)
    qsort(todo->entries, (size_t)todo->n, sizeof *todo->entries, longest_first);
}

/* ------------------------------------------------------------------- doing it
 */

static gd_status make_unit(gd_stage_env *env, const gd_units *units,
                           int64_t unit)
{
  gd_stage_state *state = env->state;
  char path[GD_PATH_MAX];
  units->name(units->context, unit, state->making);
  gd_status st = gd_stage_path(env, state->making, path);
  if (st == GD_OK)
    st = units->make(units->context, env, unit, path);
  /* In whatever way it ended, this rank has survived it. */
  const gd_status ended = gd_attempts_end(state->attempts);
  if (st == GD_OK)
    st = ended;
  return st == GD_OK ? gd_stage_tick(env, 1) : st;
}

/* Return which units a turn of the queue stands for. */
static gd_range units_of(const work_list *todo, int64_t turn)
{
  const int64_t alone = todo->n_suspects;
  if (alone == 0)
    return (gd_range){turn, turn + 1};
  if (turn == 0)
    return (gd_range){0, alone};
  return (gd_range){alone + turn - 1, alone + turn};
}

static gd_status make_from_queue(gd_stage_env *env, const gd_units *units,
                                 const work_list *todo, gd_queue *queue)
{
  gd_status st = gd_stage_tick(env, 0);
  int64_t turn;
  while (st == GD_OK && (turn = gd_queue_take(queue)) >= 0) {
    const gd_range taken = units_of(todo, turn);
    for (int64_t i = taken.first; st == GD_OK && i < taken.end; i++)
      st = make_unit(env, units, todo->entries[i].unit);
  }
  return st;
}

static gd_status make_missing(gd_stage_env *env, const gd_units *units,
                              const work_list *todo)
{
  gd_progress *progress = env->state->progress;
  gd_queue *queue;
  const int64_t n_turns = todo->n - todo->n_suspects + (todo->n_suspects > 0);
  gd_status st = gd_queue_open(env->comm, n_turns, &queue);
  if (st != GD_OK)
    return st;
  st = make_from_queue(env, units, todo, queue);
  gd_progress_tell(progress, st);
  /* Here rank 0 goes on serving the queue to those who still work. */
  gd_progress_wait(progress);
  gd_queue_close(queue);
  return gd_agree(env->comm, st);
}

/* ----------------------------------------------------------------- counting it
 */

static gd_status add_skipped(void *tally, const char *item, const char *reason)
{
  return gd_tally_skip(tally, item, reason);
}

static gd_status collect_skipped(gd_stage_env *env, const char *path)
{
  gd_store *store;
  char found[GD_DIGEST_HEX], expected[GD_DIGEST_HEX];
  gd_status st = gd_store_open(path, NULL, INT_MAX, &store);
  if (st != GD_OK)
    return st;
  gd_digest_hex(gd_instance_digest(env->self), expected);
  st = gd_store_get_text(store, "digest", found, sizeof found);
  if (st == GD_OK && strcmp(found, expected) != 0)
    st = gd_fail(GD_ERR_FORMAT, "%s: was made with other parameters; remove it",
                 path);
  if (st == GD_OK)
    st = gd_store_each_skipped(store, add_skipped, env->state->tally);
  gd_store_close(store);
  return st;
}

/* Rank 0 has looked for these files before they were made, and its host may
 * remember that they were not there. */
static gd_status count_all(gd_stage_env *env, const gd_units *units)
{
  int wait_s;
  gd_status st = gd_hosts_patience(&wait_s);
  for (int64_t u = 0; st == GD_OK && u < units->n_units; u++) {
    char path[GD_PATH_MAX];
    st = path_of(env, units, u, path);
    if (st == GD_OK)
      st = gd_hosts_await(path, wait_s);
    if (st == GD_OK && gd_path_ends_with(path, ".h5"))
      st = collect_skipped(env, path);
    if (st == GD_OK && units->count != NULL)
      st = units->count(units->context, env, u, path);
    if (st == GD_OK)
      st = gd_stage_tick(env, 0);
  }
  return st;
}

static void announce(gd_stage_env *env, int64_t n_units, int64_t n_missing)
{
  gd_stage_state *state = env->state;
  const int64_t n_made = n_units - n_missing;
  state->n_resumed += n_made;
  snprintf(state->ticked, sizeof state->ticked, "units");
  gd_progress_expect(state->progress, n_units, n_made, state->ticked);
}

/* Find out what is to be done, and do it. */
static gd_status make_all(gd_stage_env *env, const gd_units *units, char *made,
                          work_list *todo)
{
  gd_stage_state *state = env->state;
  gd_text falls = {0};
  state->n_units = units->n_units + (state->n_units < 0 ? 0 : state->n_units);
  gd_status st = find_made(env, units, made, &falls);
  if (st == GD_OK)
    st = begin_attempts(env, &falls);
  gd_text_free(&falls);
  if (st == GD_OK) {
    order_missing(env, units, made, todo);
    announce(env, units->n_units, todo->n);
    st = make_missing(env, units, todo);
  }
  gd_attempts_free(state->attempts);
  state->attempts = NULL;
  return st;
}

gd_status gd_stage_units(gd_stage_env *env, const gd_units *units)
{
  assert(env != NULL && units != NULL && units->n_units >= 0);
  assert(units->name != NULL && units->make != NULL);

  if (units->n_units > INT_MAX)
    return gd_fail(GD_ERR_USAGE, "%" PRId64 " units of work, at most %d",
                   units->n_units, INT_MAX);
  char *made = gd_alloc(units->n_units, 1);
  work_list todo = {.entries = gd_alloc(units->n_units, sizeof *todo.entries)};
  gd_status st = gd_agree(
      env->comm, made == NULL || todo.entries == NULL ? GD_ERR_NOMEM : GD_OK);
  if (st == GD_OK)
    st = make_all(env, units, made, &todo);
  if (st == GD_OK)
    st = gd_agree(env->comm, env->rank == 0 ? count_all(env, units) : GD_OK);
  free(todo.entries);
  free(made);
  return st;
}
