#include "net/workspace.h"

#include <assert.h>
#include <omp.h>
#include <stdint.h>
#include <stdlib.h>

#include "gradus/memory.h"

enum {
  PANEL_FLOATS = GD_PANEL_ROWS * GD_PANEL_DEPTH,
  SUM_FLOATS = GD_MOST_SUM_ROWS * GD_PANEL_DEPTH,
  PART_FLOATS = PANEL_FLOATS + GD_TILE_FLOATS + SUM_FLOATS,
};

struct gd_workspace {
  int n_threads;
  float *floats; /* (n_threads, PART_FLOATS) */
};

gd_status gd_workspace_new(gd_workspace **out)
{
  *out = NULL;
  gd_workspace *ws = gd_alloc(1, sizeof *ws);
  if (ws == NULL)
    return GD_ERR_NOMEM;
  ws->n_threads = omp_get_max_threads();
  ws->floats =
      gd_alloc((int64_t)ws->n_threads * PART_FLOATS, sizeof *ws->floats);
  if (ws->floats == NULL) {
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
  free(ws->floats);
  free(ws);
}

int64_t gd_workspace_bytes(const gd_workspace *ws)
{
  return (int64_t)ws->n_threads * PART_FLOATS * (int64_t)sizeof *ws->floats;
}

int gd_workspace_threads(const gd_workspace *ws)
{
  return ws->n_threads;
}

gd_scratch gd_workspace_scratch(const gd_workspace *ws)
{
  const int thread = omp_get_thread_num();
  assert(thread < ws->n_threads);
  float *part = ws->floats + (int64_t)thread * PART_FLOATS;
  return (gd_scratch){.panel = part,
                      .tile = part + PANEL_FLOATS,
                      .sums = part + PANEL_FLOATS + GD_TILE_FLOATS};
}
