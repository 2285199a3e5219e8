#include "gradus/optimizer.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static const struct {
  const char *name;
  int n_states;
  const char *states[GD_OPTIMIZER_MOST_STATES];
} kinds[] = {
    [GD_OPTIMIZER_ADAM] = {"adam", 2, {"m", "v"}},
    [GD_OPTIMIZER_SGD] = {"sgd", 1, {"momentum", NULL}},
};

enum { N_KINDS = sizeof kinds / sizeof *kinds };

gd_optimizer gd_optimizer_default(gd_optimizer_kind kind)
{
  return (gd_optimizer){.kind = kind,
                        .rate = kind == GD_OPTIMIZER_ADAM ? 1e-4 : 1e-2,
                        .beta1 = 0.9,
                        .beta2 = 0.999,
                        .epsilon = 1e-8,
                        .momentum = 0.9};
}

const char *gd_optimizer_name(gd_optimizer_kind kind)
{
  return kinds[kind].name;
}

gd_status gd_optimizer_kind_of(const char *name, gd_optimizer_kind *out)
{
  for (int i = 0; i < N_KINDS; i++)
    if (strcmp(name, kinds[i].name) == 0) {
      *out = (gd_optimizer_kind)i;
      return GD_OK;
    }
  return gd_fail(GD_ERR_USAGE, "optimizer %s: there are adam and sgd", name);
}

int gd_optimizer_n_states(gd_optimizer_kind kind)
{
  return kinds[kind].n_states;
}

const char *gd_optimizer_state_name(gd_optimizer_kind kind, int i)
{
  assert(i >= 0 && i < kinds[kind].n_states);
  return kinds[kind].states[i];
}

static void step_adam(const gd_optimizer *o, int64_t step, int64_t count,
                      float *restrict w, const float *restrict gradient,
                      float *restrict m, float *restrict v)
{
  const float b1 = (float)o->beta1, b2 = (float)o->beta2;
  const float a1 = (float)(1.0 - o->beta1), a2 = (float)(1.0 - o->beta2);
  const float decay = (float)o->weight_decay, epsilon = (float)o->epsilon;
  const float rate = (float)(o->rate / (1.0 - pow(o->beta1, (double)step)));
  const float root = (float)sqrt(1.0 - pow(o->beta2, (double)step));
#pragma omp parallel for simd schedule(static)
  for (int64_t i = 0; i < count; i++) {
    const float g = gradient[i] + decay * w[i];
    m[i] = b1 * m[i] + a1 * g;
    v[i] = b2 * v[i] + a2 * g * g;
    w[i] -= rate * (m[i] / (sqrtf(v[i]) / root + epsilon));
  }
}

static void step_sgd(const gd_optimizer *o, int64_t count, float *restrict w,
                     const float *restrict gradient, float *restrict u)
{
  const float decay = (float)o->weight_decay, rate = (float)o->rate;
  const float keep = (float)o->momentum;
#pragma omp parallel for simd schedule(static)
  for (int64_t i = 0; i < count; i++) {
    const float g = gradient[i] + decay * w[i];
    u[i] = keep * u[i] + g;
    w[i] -= rate * u[i];
  }
}

void gd_optimizer_step(const gd_optimizer *o, int64_t step, int64_t count,
                       float *weights, const float *gradient,
                       float *const *states)
{
  assert(step >= 1 && count >= 0);
  if (o->kind == GD_OPTIMIZER_ADAM)
    step_adam(o, step, count, weights, gradient, states[0], states[1]);
  else
    step_sgd(o, count, weights, gradient, states[0]);
}
