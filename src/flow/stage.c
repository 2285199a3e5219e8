#include "gradus/stage.h"

#include <assert.h>
#include <stdio.h>

#include "state.h"

gd_status gd_stage_path(const gd_stage_env *env, const char *name,
                        char out[GD_PATH_MAX])
{
  return gd_path_join(env->directory, name, out);
}

void gd_stage_expect(gd_stage_env *env, int64_t n, const char *what)
{
  snprintf(env->state->ticked, sizeof env->state->ticked, "%s", what);
  gd_progress_expect(env->state->progress, n, 0, what);
}

gd_status gd_stage_tick(gd_stage_env *env, int64_t n)
{
  env->state->n_ticked += n;
  return gd_progress_add(env->state->progress, n);
}

void gd_stage_note(gd_stage_env *env, const char *text)
{
  gd_progress_note(env->state->progress, text);
}

void gd_stage_items(gd_stage_env *env, int64_t n_items)
{
  assert(n_items >= 0);
  env->state->n_items = n_items;
}

gd_status gd_stage_attempt(gd_stage_env *env, const char *item)
{
  const gd_stage_state *state = env->state;
  assert(state->attempts != NULL);
  return gd_attempts_begin(state->attempts, state->making, item);
}

gd_status gd_stage_survived(gd_stage_env *env)
{
  return gd_attempts_end(env->state->attempts);
}

void gd_stage_count(gd_stage_env *env, const char *name, int64_t n)
{
  const gd_status st = gd_tally_count(env->state->tally, name, n);
  if (st != GD_OK)
    env->state->failed = st;
}

gd_status gd_stage_skip(gd_stage_env *env, const char *item, const char *reason)
{
  return gd_tally_skip(env->state->tally, item, reason);
}
