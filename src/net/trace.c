#include "gradus/trace.h"

#include <assert.h>
#include <stddef.h>

#include "gradus/clock.h"

const char *gd_phase_name(gd_phase phase)
{
  static const char *const names[GD_N_PHASES] = {
      [GD_PHASE_FORWARD] = "forward",
      [GD_PHASE_BACKWARD_DATA] = "backward data",
      [GD_PHASE_BACKWARD_WEIGHTS] = "backward weights",
      [GD_PHASE_NORM] = "norm",
      [GD_PHASE_POOL] = "pool",
      [GD_PHASE_DENSE] = "dense",
      [GD_PHASE_PACK] = "packing",
      [GD_PHASE_OPTIMIZER] = "optimiser"};
  return names[phase];
}

void gd_trace_begin(gd_trace *t)
{
  if (t != NULL)
    t->last_s = gd_clock_s();
}

void gd_trace_note(gd_trace *t, int layer, gd_phase phase)
{
  if (t == NULL)
    return;
  assert(layer >= 0 && layer < t->n_layers);
  const double now = gd_clock_s();
  t->layers[layer].seconds[phase] += now - t->last_s;
  t->last_s = now;
}
