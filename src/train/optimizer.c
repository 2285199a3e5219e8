#include "gradus/optimizer.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

typedef void step_function(const gd_optimizer *o, int64_t step, double ratio,
                           int64_t count, float *w, const float *gradient,
                           float *const *states);

/* ---------------------------------------------------------------- the steps */

/* Adam's constants of a step, in float. */
typedef struct {
  float b1, b2, a1, a2, epsilon, c1, root;
} moments;

static moments moments_of(const gd_optimizer *o, int64_t step)
{
  return (moments){.b1 = (float)o->beta1,
                   .b2 = (float)o->beta2,
                   .a1 = (float)(1.0 - o->beta1),
                   .a2 = (float)(1.0 - o->beta2),
                   .epsilon = (float)o->epsilon,
                   .c1 = (float)(1.0 - pow(o->beta1, (double)step)),
                   .root = (float)sqrt(1.0 - pow(o->beta2, (double)step))};
}

/* Adam with decay of the gradient, or of the weights, of which `keep` stays. */
static void step_moments(const gd_optimizer *o, int64_t step, double decays,
                         double keeps, int64_t count, float *restrict w,
                         const float *restrict gradient, float *restrict m,
                         float *restrict v)
{
  const moments k = moments_of(o, step);
  const float decay = (float)decays, keep = (float)keeps;
  const float rate = (float)(o->rate / (1.0 - pow(o->beta1, (double)step)));
#pragma omp parallel for simd schedule(static)
  for (int64_t i = 0; i < count; i++) {
    const float g = gradient[i] + decay * w[i];
    m[i] = k.b1 * m[i] + k.a1 * g;
    v[i] = k.b2 * v[i] + k.a2 * g * g;
    w[i] = keep * w[i] - rate * (m[i] / (sqrtf(v[i]) / k.root + k.epsilon));
  }
}

static void step_adam(const gd_optimizer *o, int64_t step, double ratio,
                      int64_t count, float *w, const float *gradient,
                      float *const *states)
{
  (void)ratio;
  step_moments(o, step, o->weight_decay, 1, count, w, gradient, states[0],
               states[1]);
}

static void step_adamw(const gd_optimizer *o, int64_t step, double ratio,
                       int64_t count, float *w, const float *gradient,
                       float *const *states)
{
  (void)ratio;
  step_moments(o, step, 0, 1 - o->rate * o->weight_decay, count, w, gradient,
               states[0], states[1]);
}

static void step_sgd(const gd_optimizer *o, int64_t step, double ratio,
                     int64_t count, float *restrict w,
                     const float *restrict gradient, float *const *states)
{
  (void)step;
  (void)ratio;
  float *restrict u = states[0];
  const float decay = (float)o->weight_decay, rate = (float)o->rate;
  const float keep = (float)o->momentum;
#pragma omp parallel for simd schedule(static)
  for (int64_t i = 0; i < count; i++) {
    const float g = gradient[i] + decay * w[i];
    u[i] = keep * u[i] + g;
    w[i] -= rate * u[i];
  }
}

static void step_nesterov(const gd_optimizer *o, int64_t step, double ratio,
                          int64_t count, float *restrict w,
                          const float *restrict gradient, float *const *states)
{
  (void)step;
  (void)ratio;
  float *restrict u = states[0];
  const float decay = (float)o->weight_decay, rate = (float)o->rate;
  const float keep = (float)o->momentum;
#pragma omp parallel for simd schedule(static)
  for (int64_t i = 0; i < count; i++) {
    const float g = gradient[i] + decay * w[i];
    u[i] = keep * u[i] + g;
    w[i] -= rate * (g + keep * u[i]);
  }
}

static void step_lars(const gd_optimizer *o, int64_t step, double ratio,
                      int64_t count, float *restrict w,
                      const float *restrict gradient, float *const *states)
{
  (void)step;
  float *restrict u = states[0];
  const float decay = (float)o->weight_decay, keep = (float)o->momentum;
  const float rate = (float)(o->rate * ratio);
#pragma omp parallel for simd schedule(static)
  for (int64_t i = 0; i < count; i++) {
    u[i] = keep * u[i] + rate * (gradient[i] + decay * w[i]);
    w[i] -= u[i];
  }
}

static void step_lamb(const gd_optimizer *o, int64_t step, double ratio,
                      int64_t count, float *restrict w,
                      const float *restrict direction, float *const *states)
{
  (void)step;
  (void)states;
  const float rate = (float)(o->rate * ratio);
#pragma omp parallel for simd schedule(static)
  for (int64_t i = 0; i < count; i++)
    w[i] -= rate * direction[i];
}

void gd_optimizer_direct(const gd_optimizer *o, int64_t step, int64_t count,
                         const float *weights, float *gradient,
                         float *const *states)
{
  assert(o->kind == GD_OPTIMIZER_LAMB && step >= 1 && count >= 0);
  const moments k = moments_of(o, step);
  const float decay = (float)o->weight_decay;
  const float *restrict w = weights;
  float *restrict g = gradient, *restrict m = states[0];
  float *restrict v = states[1];
#pragma omp parallel for simd schedule(static)
  for (int64_t i = 0; i < count; i++) {
    m[i] = k.b1 * m[i] + k.a1 * g[i];
    v[i] = k.b2 * v[i] + k.a2 * g[i] * g[i];
    g[i] = m[i] / k.c1 / (sqrtf(v[i]) / k.root + k.epsilon) + decay * w[i];
  }
}

/* ---------------------------------------------------------------- the table */

static const struct {
  const char *name;
  double rate;
  int n_states;
  const char *states[GD_OPTIMIZER_MOST_STATES];
  step_function *step;
  gd_optimizer_ratio_kind compares;
} kinds[GD_N_OPTIMIZERS] = {
    [GD_OPTIMIZER_ADAM] = {"adam", 1e-4, 2, {"m", "v"}, step_adam, 0},
    [GD_OPTIMIZER_SGD] = {"sgd", 1e-2, 1, {"momentum"}, step_sgd, 0},
    [GD_OPTIMIZER_ADAMW] = {"adamw", 1e-4, 2, {"m", "v"}, step_adamw, 0},
    [GD_OPTIMIZER_NESTEROV] =
        {"nesterov", 1e-2, 1, {"momentum"}, step_nesterov, 0},
    [GD_OPTIMIZER_LARS] =
        {"lars", 1, 1, {"momentum"}, step_lars, GD_RATIO_GRADIENT},
    [GD_OPTIMIZER_LAMB] =
        {"lamb", 1e-3, 2, {"m", "v"}, step_lamb, GD_RATIO_DIRECTION},
};

gd_optimizer gd_optimizer_default(gd_optimizer_kind kind)
{
  return (gd_optimizer){.kind = kind,
                        .rate = kinds[kind].rate,
                        .beta1 = 0.9,
                        .beta2 = 0.999,
                        .epsilon = 1e-8,
                        .momentum = 0.9,
                        .trust = 1e-3};
}

const char *gd_optimizer_name(gd_optimizer_kind kind)
{
  return kinds[kind].name;
}

gd_status gd_optimizer_kind_of(const char *name, gd_optimizer_kind *out)
{
  char names[128] = "";
  for (int i = 0; i < GD_N_OPTIMIZERS; i++) {
    if (strcmp(name, kinds[i].name) == 0) {
      *out = (gd_optimizer_kind)i;
      return GD_OK;
    }
    const size_t length = strlen(names);
    snprintf(names + length, sizeof names - length, "%s%s", i == 0 ? "" : ", ",
             kinds[i].name);
  }
  return gd_fail(GD_ERR_USAGE, "optimizer %s: there are %s", name, names);
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

gd_optimizer_ratio_kind gd_optimizer_compares(gd_optimizer_kind kind)
{
  return kinds[kind].compares;
}

double gd_optimizer_ratio(const gd_optimizer *o, double weights, double other)
{
  if (!(weights > 0 && other > 0) || kinds[o->kind].compares == GD_RATIO_NONE)
    return 1;
  if (kinds[o->kind].compares == GD_RATIO_DIRECTION)
    return weights / other;
  return o->trust * weights / (other + o->weight_decay * weights);
}

void gd_optimizer_step(const gd_optimizer *o, int64_t step, double ratio,
                       int64_t count, float *weights, const float *gradient,
                       float *const *states)
{
  assert(step >= 1 && count >= 0);
  kinds[o->kind].step(o, step, ratio, count, weights, gradient, states);
}

double gd_average_keeps(double decay, int64_t step)
{
  return fmin(decay, (1 + (double)step) / (10 + (double)step));
}
