#include "gradus/task.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"

struct gd_task {
  gd_status (*work)(void *context);
  void *context;
  int under_way; /* started, and not waited for */
  atomic_int finished;
  pthread_t thread;
  gd_status status; /* the thread's, with its reason, until it is joined */
  char reason[2048];
};

gd_status gd_task_new(gd_task **out)
{
  assert(out != NULL);
  *out = gd_alloc(1, sizeof **out);
  return *out == NULL ? GD_ERR_NOMEM : GD_OK;
}

void gd_task_free(gd_task *t)
{
  if (t == NULL)
    return;
  (void)!gd_task_wait(t);
  free(t);
}

static void *run(void *context)
{
  gd_task *t = context;
  t->status = t->work(t->context);
  if (t->status != GD_OK)
    snprintf(t->reason, sizeof t->reason, "%s", gd_reason());
  atomic_store(&t->finished, 1);
  return NULL;
}

gd_status gd_task_start(gd_task *t, gd_status (*work)(void *context),
                        void *context)
{
  assert(t != NULL && work != NULL && !t->under_way);
  t->work = work;
  t->context = context;
  atomic_store(&t->finished, 0);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int failed = pthread_create(&t->thread, NULL, run, t);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (failed)
    return gd_fail(GD_ERR_NOMEM, "cannot start a thread: %s", strerror(failed));
  t->under_way = 1;
  return GD_OK;
}

int gd_task_is_finished(gd_task *t)
{
  assert(t != NULL);
  return !t->under_way || atomic_load(&t->finished);
}

gd_status gd_task_wait(gd_task *t)
{
  assert(t != NULL);
  if (!t->under_way)
    return GD_OK;
  pthread_join(t->thread, NULL);
  t->under_way = 0;
  return t->status == GD_OK ? GD_OK : gd_fail(t->status, "%s", t->reason);
}
