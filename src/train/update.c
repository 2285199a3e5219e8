#include "update.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/gather.h"
#include "gradus/memory.h"
#include "segments.h"

struct gd_update {
  gd_update_config config;
  MPI_Comm comm;
  int rank;
  gd_segments segments;
  const gd_buckets *buckets; /* borrowed */
  int64_t count, n_own;      /* weights: all, and this rank's */
  float *block;
  int n_states;
  float *states[GD_OPTIMIZER_MOST_STATES + 1]; /* (n_own) each */

  int64_t step;
  gd_optimizer optimizer; /* with the step's rate */

  double *squares; /* (2, segments) of gradients and, with norms, weights */

  /* With norms. */
  double square;               /* of this rank's gradient */
  float *gradient;             /* (n_own) */
  double *gradients, *weights; /* (tensors) sums of squares */
};

int gd_update_has_norms(const gd_update *u)
{
  return u->config.clip > 0 ||
         gd_optimizer_compares(u->config.optimizer.kind) != GD_RATIO_NONE;
}

static gd_status allocate(gd_update *u)
{
  const int64_t n_own = u->n_own;
  const int n_tensors = u->segments.n_tensors;
  int failed = 0;
  for (int i = 0; i < u->n_states; i++) {
    u->states[i] = gd_alloc(n_own, sizeof u->states[i][0]);
    failed |= u->states[i] == NULL;
  }
  u->squares = gd_alloc(2 * u->segments.n, sizeof u->squares[0]);
  failed |= u->squares == NULL;
  if (gd_update_has_norms(u)) {
    u->gradient = gd_alloc(n_own, sizeof u->gradient[0]);
    u->gradients = gd_alloc(n_tensors, sizeof u->gradients[0]);
    u->weights = gd_alloc(n_tensors, sizeof u->weights[0]);
    failed |= u->gradient == NULL || u->gradients == NULL || u->weights == NULL;
  }
  return failed ? GD_ERR_NOMEM : GD_OK;
}

gd_status gd_update_new(MPI_Comm comm, int rank, const gd_update_config *config,
                        const gd_tensor_table *table, const gd_buckets *buckets,
                        float *block, gd_update **out)
{
  assert(config != NULL && table != NULL && block != NULL && out != NULL);
  *out = NULL;
  gd_update *u = gd_alloc(1, sizeof *u);
  if (u == NULL)
    return GD_ERR_NOMEM;
  u->config = *config;
  u->comm = comm;
  u->rank = rank;
  u->buckets = buckets;
  u->count = table->count;
  u->n_own = gd_buckets_owned(buckets, u->rank, u->count);
  u->block = block;
  u->n_states =
      gd_optimizer_n_states(config->optimizer.kind) + (config->average > 0);
  gd_status st = gd_segments_begin(table, config->freeze, &u->segments);
  if (st == GD_OK)
    st = allocate(u);
  if (st != GD_OK) {
    gd_update_free(u);
    return st;
  }
  *out = u;
  return GD_OK;
}

void gd_update_free(gd_update *u)
{
  if (u == NULL)
    return;
  for (int i = 0; i < u->n_states; i++)
    free(u->states[i]);
  free(u->gradient);
  free(u->squares);
  free(u->gradients);
  free(u->weights);
  gd_segments_end(&u->segments);
  free(u);
}

int gd_update_n_states(const gd_update *u)
{
  return u->n_states;
}

const char *gd_update_state_name(const gd_update *u, int i)
{
  const gd_optimizer_kind kind = u->config.optimizer.kind;
  return i < gd_optimizer_n_states(kind) ? gd_optimizer_state_name(kind, i)
                                         : "average";
}

float *gd_update_state(gd_update *u, int i)
{
  assert(i >= 0 && i < u->n_states);
  return u->states[i];
}

float *gd_update_average(gd_update *u)
{
  return u->config.average > 0 ? u->states[u->n_states - 1] : NULL;
}

void gd_update_begin(gd_update *u, int64_t step, double rate)
{
  u->step = step;
  u->optimizer = u->config.optimizer;
  u->optimizer.rate = rate;
  memset(u->squares, 0, 2 * (size_t)u->segments.n * sizeof u->squares[0]);
}

/* Return where weight `at`, which is this rank's, has its place in an array of
 * them. */
static int64_t place_of(const gd_update *u, int64_t at)
{
  return gd_buckets_place(u->buckets, u->rank, at);
}

/* Step some weights of a part, all of one tensor if that has a ratio. */
static void step_part(gd_update *u, double ratio, int64_t first, int64_t count,
                      const float *gradient)
{
  float *states[GD_OPTIMIZER_MOST_STATES + 1] = {0};
  for (int i = 0; i < u->n_states; i++)
    states[i] = u->states[i] + place_of(u, first);
  float *w = u->block + first;
  gd_optimizer_step(&u->optimizer, u->step, ratio, count, w, gradient, states);
  if (u->config.average > 0) {
    const float leaves =
        (float)(1 - gd_average_keeps(u->config.average, u->step));
    float *average = states[u->n_states - 1];
    for (int64_t i = 0; i < count; i++)
      average[i] += leaves * (w[i] - average[i]);
  }
}

static int64_t length_of(const gd_update *u, int64_t i)
{
  return u->segments.first[i + 1] - u->segments.first[i];
}

static void keep(gd_update *u, gd_range part, const float *gradient)
{
  const int64_t *first = u->segments.first;
  double *gradients = u->squares, *weights = u->squares + u->segments.n;
  memcpy(u->gradient + place_of(u, first[part.first]), gradient,
         (size_t)(first[part.end] - first[part.first]) * sizeof gradient[0]);
  for (int64_t i = part.first; i < part.end; i++) {
    if (!gd_segments_move(&u->segments, i))
      continue;
    gradients[i] = gd_segments_square(gradient + (first[i] - first[part.first]),
                                      length_of(u, i));
    weights[i] = gd_segments_square(u->block + first[i], length_of(u, i));
  }
}

void gd_update_take(gd_update *u, int64_t first, int64_t count,
                    const float *gradient)
{
  assert(first >= 0 && count > 0 && first + count <= u->count);
  const gd_range part = gd_segments_within(&u->segments, first, first + count);
  if (gd_update_has_norms(u)) {
    keep(u, part, gradient);
    return;
  }
  for (int64_t i = part.first; i < part.end; i++)
    if (gd_segments_move(&u->segments, i))
      u->squares[i] = gd_segments_square(
          gradient + (u->segments.first[i] - first), length_of(u, i));
  if (!u->segments.any_frozen) {
    step_part(u, 1, first, count, gradient);
    return;
  }
  for (int64_t i = part.first; i < part.end; i++)
    if (gd_segments_move(&u->segments, i))
      step_part(u, 1, u->segments.first[i], length_of(u, i),
                gradient + (u->segments.first[i] - first));
}

/* ------------------------------------------------------------------- norms */

/* Exchange one or two arrays of the segments' squares, and add up tensors. */
static void sum_squares(gd_update *u, int n_arrays)
{
  const gd_segments *s = &u->segments;
  const size_t bytes = (size_t)s->n_tensors * sizeof(double);
  gd_gather_add(u->comm, n_arrays * s->n, u->squares);
  memset(u->gradients, 0, bytes);
  gd_segments_add(s, u->squares, u->gradients);
  if (n_arrays > 1) {
    memset(u->weights, 0, bytes);
    gd_segments_add(s, u->squares + s->n, u->weights);
  }
}

static float *gradient_of(gd_update *u, int64_t i)
{
  return u->gradient + place_of(u, u->segments.first[i]);
}

static void clip(gd_update *u)
{
  double square = 0;
  for (int t = 0; t < u->segments.n_tensors; t++)
    square += u->gradients[t];
  const double factor = u->config.clip / (sqrt(square) + 1e-6);
  if (u->config.clip <= 0 || factor >= 1)
    return;
  for (int64_t i = 0; i < u->n_own; i++)
    u->gradient[i] *= (float)factor;
  for (int t = 0; t < u->segments.n_tensors; t++)
    u->gradients[t] *= factor * factor;
}

/* Return this rank's segments of bucket b; may be none. */
static gd_range own_segments(const gd_update *u, int b)
{
  const gd_range part = gd_buckets_within(u->buckets, b, u->rank, u->count);
  return gd_segments_within(&u->segments, part.first, part.end);
}

/* lamb: the directions take the gradients' place, and theirs their norms'. */
static void direct_segment(gd_update *u, int64_t i)
{
  const int64_t first = u->segments.first[i];
  float *states[GD_OPTIMIZER_MOST_STATES];
  for (int k = 0; k < GD_OPTIMIZER_MOST_STATES; k++)
    states[k] = u->states[k] + place_of(u, first);
  gd_optimizer_direct(&u->optimizer, u->step, length_of(u, i), u->block + first,
                      gradient_of(u, i), states);
  u->squares[i] = gd_segments_square(gradient_of(u, i), length_of(u, i));
}

static void step_segment(gd_update *u, int64_t i)
{
  const int t = u->segments.tensor[i];
  step_part(u,
            gd_optimizer_ratio(&u->optimizer, sqrt(u->weights[t]),
                               sqrt(u->gradients[t])),
            u->segments.first[i], length_of(u, i), gradient_of(u, i));
}

/* Do something to each segment of this rank that may change. */
static void for_own(gd_update *u, void (*make)(gd_update *u, int64_t i))
{
  for (int b = 0; b < u->buckets->n; b++) {
    const gd_range own = own_segments(u, b);
#pragma omp parallel for schedule(static)
    for (int64_t i = own.first; i < own.end; i++)
      if (gd_segments_move(&u->segments, i))
        make(u, i);
  }
}

static void direct(gd_update *u)
{
  memset(u->squares, 0, (size_t)u->segments.n * sizeof u->squares[0]);
  for_own(u, direct_segment);
  sum_squares(u, 1);
}

static double sum_own_squares(const gd_update *u)
{
  double sum = 0;
  for (int64_t i = 0; i < u->segments.n; i++)
    sum += u->squares[i];
  return sum;
}

double gd_update_square(const gd_update *u)
{
  return gd_update_has_norms(u) ? u->square : sum_own_squares(u);
}

void gd_update_settle(gd_update *u)
{
  assert(gd_update_has_norms(u));
  u->square = sum_own_squares(u); /* before they become all ranks' */
  sum_squares(u, 2);
  clip(u);
  if (gd_optimizer_compares(u->optimizer.kind) == GD_RATIO_DIRECTION)
    direct(u);
  for_own(u, step_segment);
}
