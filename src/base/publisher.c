#include "gradus/publisher.h"

#include <assert.h>
#include <stdlib.h>

#include "gradus/file.h"
#include "gradus/memory.h"
#include "gradus/task.h"

enum { MOST = 4, MOST_DROPPED = 16 };

struct gd_publisher {
  char paths[MOST][GD_PATH_MAX];
  char dropped[MOST_DROPPED][GD_PATH_MAX];
  int n_paths, n_dropped;
  gd_task *task;
};

gd_status gd_publisher_new(gd_publisher **out)
{
  assert(out != NULL);
  *out = NULL;
  gd_publisher *p = gd_alloc(1, sizeof *p);
  if (p == NULL)
    return GD_ERR_NOMEM;
  if (gd_task_new(&p->task) != GD_OK) {
    free(p);
    return GD_ERR_NOMEM;
  }
  *out = p;
  return GD_OK;
}

void gd_publisher_free(gd_publisher *p)
{
  if (p == NULL)
    return;
  gd_task_free(p->task);
  free(p);
}

gd_status gd_publisher_add(gd_publisher *p, const char *path)
{
  assert(p != NULL && path != NULL && p->n_paths < MOST);
  gd_status st = gd_path_join("", path, p->paths[p->n_paths]);
  p->n_paths += st == GD_OK;
  return st;
}

gd_status gd_publisher_drop(gd_publisher *p, const char *path)
{
  assert(p != NULL && path != NULL);
  if (p->n_dropped == MOST_DROPPED)
    return GD_OK;
  gd_status st = gd_path_join("", path, p->dropped[p->n_dropped]);
  p->n_dropped += st == GD_OK;
  return st;
}

static gd_status publish(void *context)
{
  gd_publisher *p = context;
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < p->n_paths; i++)
    st = gd_file_publish(p->paths[i]);
  for (int i = 0; st == GD_OK && i < p->n_dropped; i++)
    st = gd_file_remove(p->dropped[i]);
  return st;
}

gd_status gd_publisher_start(gd_publisher *p)
{
  assert(p != NULL);
  return gd_task_start(p->task, publish, p);
}

gd_status gd_publisher_wait(gd_publisher *p)
{
  assert(p != NULL);
  gd_status st = gd_task_wait(p->task);
  p->n_paths = p->n_dropped = 0;
  return st;
}
