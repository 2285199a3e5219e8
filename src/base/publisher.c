#include "gradus/publisher.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/file.h"
#include "gradus/memory.h"

enum { MOST = 4 };

struct gd_publisher {
  char paths[MOST][GD_PATH_MAX];
  int n_paths;
  int under_way;
  pthread_t thread;
  gd_status status; /* the thread's, with its reason, until it is joined */
  char reason[2048];
};

gd_status gd_publisher_new(gd_publisher **out)
{
  assert(out != NULL);
  *out = gd_alloc(1, sizeof **out);
  return *out == NULL ? GD_ERR_NOMEM : GD_OK;
}

void gd_publisher_free(gd_publisher *p)
{
  if (p == NULL)
    return;
  (void)!gd_publisher_wait(p);
  free(p);
}

gd_status gd_publisher_add(gd_publisher *p, const char *path)
{
  assert(p != NULL && path != NULL && !p->under_way && p->n_paths < MOST);
  gd_status st = gd_path_join("", path, p->paths[p->n_paths]);
  p->n_paths += st == GD_OK;
  return st;
}

static void *publish(void *context)
{
  gd_publisher *p = context;
  for (int i = 0; p->status == GD_OK && i < p->n_paths; i++)
    p->status = gd_file_publish(p->paths[i]);
  if (p->status != GD_OK)
    snprintf(p->reason, sizeof p->reason, "%s", gd_reason());
  return NULL;
}

gd_status gd_publisher_start(gd_publisher *p)
{
  assert(p != NULL && !p->under_way);
  /* Signals are for the thread that does the work. */
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int failed = pthread_create(&p->thread, NULL, publish, p);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (failed)
    return gd_fail(GD_ERR_NOMEM, "cannot start a thread: %s", strerror(failed));
  p->under_way = 1;
  return GD_OK;
}

gd_status gd_publisher_wait(gd_publisher *p)
{
  assert(p != NULL);
  if (!p->under_way)
    return GD_OK;
  pthread_join(p->thread, NULL);
  p->under_way = 0;
  p->n_paths = 0;
  const gd_status st = p->status;
  p->status = GD_OK;
  return st == GD_OK ? GD_OK : gd_fail(st, "%s", p->reason);
}
