#include "gradus/schedule.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static const char *const names[] = {"constant", "step", "cosine"};

gd_status gd_schedule_kind_of(const char *name, gd_schedule_kind *out)
{
  assert(name != NULL && out != NULL);
  for (int i = 0; i < 3; i++)
    if (strcmp(name, names[i]) == 0) {
      *out = (gd_schedule_kind)i;
      return GD_OK;
    }
  return gd_fail(GD_ERR_USAGE,
                 "schedule \"%s\" is not known: constant, step or cosine",
                 name);
}

double gd_schedule_factor(const gd_schedule *s, int64_t step,
                          int64_t steps_per_epoch)
{
  assert(s != NULL && step >= 0 && steps_per_epoch >= 1);
  const double pi = 3.14159265358979323846;
  const double t = (double)step / (double)steps_per_epoch;
  double factor = 1;
  if (s->kind == GD_SCHEDULE_STEP)
    factor = pow(s->factor, floor(t / (double)s->every));
  else if (s->kind == GD_SCHEDULE_COSINE)
    factor = 0.5 * (1 + cos(pi * t / (double)s->epochs));
  if (t < s->warmup)
    factor *=
        fmin(1, (double)(step + 1) / (s->warmup * (double)steps_per_epoch));
  return factor;
}
