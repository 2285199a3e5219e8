#include "net/workspace.h"

#include <assert.h>
#include <omp.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include "gradus/memory.h"

enum {
  TILE_FLOATS = GD_STRIP * GD_LEAST_TILE * GD_PIECE * GD_BLOCK,
  PART_FLOATS = GD_MOST_TILE * GD_BLOCK,
  WEIGHT_FLOATS = GD_PART_TERMS * GD_BLOCK,
  THREAD_FLOATS = 2 * GD_SLAB_FLOATS + TILE_FLOATS + PART_FLOATS +
                  GD_SUM_FLOATS + WEIGHT_FLOATS,
};

/* A thread's part of the tasks. */
typedef struct {
  _Alignas(GD_ALIGN_BYTES) atomic_int next;
  int end;
} share;

struct gd_workspace {
  int n_threads;
  share *shares; /* (n_threads) */
  float *floats; /* (n_threads, THREAD_FLOATS) */
  float *parts;  /* (GD_MOST_PARTS, GD_SUM_FLOATS) */
};

gd_status gd_workspace_new(gd_workspace **out)
{
  *out = NULL;
  gd_workspace *ws = gd_alloc(1, sizeof *ws);
  if (ws == NULL)
    return GD_ERR_NOMEM;
  ws->n_threads = omp_get_max_threads();
  ws->shares = gd_alloc(ws->n_threads, sizeof *ws->shares);
  ws->floats =
      gd_alloc((int64_t)ws->n_threads * THREAD_FLOATS, sizeof *ws->floats);
  ws->parts = gd_alloc(GD_MOST_PARTS * GD_SUM_FLOATS, sizeof *ws->parts);
  if (ws->shares == NULL || ws->floats == NULL || ws->parts == NULL) {
    gd_workspace_free(ws);
    return GD_ERR_NOMEM;
  }
  *out = ws;
  return GD_OK;
}

void gd_workspace_free(gd_workspace *ws)
{
  if (ws == NULL)
    return;
  free(ws->shares);
  free(ws->floats);
  free(ws->parts);
  free(ws);
}

int64_t gd_workspace_bytes(const gd_workspace *ws)
{
  return ((int64_t)ws->n_threads * THREAD_FLOATS +
          GD_MOST_PARTS * GD_SUM_FLOATS) *
             (int64_t)sizeof *ws->floats +
         ws->n_threads * (int64_t)sizeof *ws->shares;
}

int gd_workspace_threads(const gd_workspace *ws)
{
  return ws->n_threads;
}

float *gd_workspace_parts(const gd_workspace *ws)
{
  return ws->parts;
}

/* The calling thread's part. */
static gd_scratch scratch_of(const gd_workspace *ws)
{
  const int thread = omp_get_thread_num();
  assert(thread < ws->n_threads);
  float *slab = ws->floats + (int64_t)thread * THREAD_FLOATS;
  float *tile = slab + 2 * GD_SLAB_FLOATS;
  return (gd_scratch){.slab = slab,
                      .other_slab = slab + GD_SLAB_FLOATS,
                      .tile = tile,
                      .part = tile + TILE_FLOATS,
                      .sums = tile + TILE_FLOATS + PART_FLOATS,
                      .weights =
                          tile + TILE_FLOATS + PART_FLOATS + GD_SUM_FLOATS};
}

static void share_tasks(const gd_workspace *ws, int n)
{
  for (int t = 0; t < ws->n_threads; t++) {
    share *s = &ws->shares[t];
    atomic_store(&s->next, (int)((int64_t)n * t / ws->n_threads));
    s->end = (int)((int64_t)n * (t + 1) / ws->n_threads);
  }
}

/* The calling thread's next task; -1: all are taken. */
static int next_task(const gd_workspace *ws)
{
  const int thread = omp_get_thread_num();
  for (int i = 0; i < ws->n_threads; i++) {
    share *s = &ws->shares[(thread + i) % ws->n_threads];
    if (atomic_load(&s->next) >= s->end)
      continue;
    const int task = atomic_fetch_add(&s->next, 1);
    if (task < s->end)
      return task;
  }
  return -1;
}

void gd_workspace_run(const gd_workspace *ws, int n, gd_task *f,
                      const void *context)
{
  share_tasks(ws, n);
#pragma omp parallel num_threads(ws->n_threads)
  for (int i; (i = next_task(ws)) >= 0;)
    f(context, scratch_of(ws), i);
}
