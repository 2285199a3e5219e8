#include "gradus/sampler.h"

#include <assert.h>
#include <stdlib.h>

#include "gradus/memory.h"
#include "gradus/random.h"

struct gd_sampler {
  int64_t n_samples;
  int batch, microbatch;
  uint64_t seed;
  int64_t *order;
};

/* Cut n items into pieces of `size`: a remainder of one joins the last piece.
 */
static int64_t count_pieces(int64_t n, int64_t size)
{
  const int64_t whole = n / size, rest = n % size;
  return rest == 0 || (rest == 1 && whole > 0) ? whole : whole + 1;
}

static gd_range piece_of(int64_t n, int64_t size, int64_t i)
{
  const int64_t last = count_pieces(n, size) - 1;
  assert(i >= 0 && i <= last);
  return (gd_range){i * size, i == last ? n : (i + 1) * size};
}

gd_status gd_sampler_new(int64_t n_samples, int batch, int microbatch,
                         uint64_t seed, gd_sampler **out)
{
  assert(n_samples >= 1 && microbatch >= 1 && batch >= microbatch);
  *out = NULL;
  gd_sampler *s = gd_alloc(1, sizeof *s);
  if (s == NULL)
    return GD_ERR_NOMEM;
  s->n_samples = n_samples;
  s->batch = batch;
  s->microbatch = microbatch;
  s->seed = seed;
  s->order = gd_alloc(n_samples, sizeof s->order[0]);
  if (s->order == NULL) {
    gd_sampler_free(s);
    return GD_ERR_NOMEM;
  }
  gd_sampler_begin(s, 0);
  *out = s;
  return GD_OK;
}

void gd_sampler_free(gd_sampler *s)
{
  if (s == NULL)
    return;
  free(s->order);
  free(s);
}

int64_t gd_sampler_n_steps(const gd_sampler *s)
{
  return count_pieces(s->n_samples, s->batch);
}

int gd_sampler_most(const gd_sampler *s)
{
  int64_t most = 0;
  const int64_t n_steps = gd_sampler_n_steps(s);
  /* All steps but the last are equal. */
  for (int64_t step = n_steps > 1 ? n_steps - 2 : 0; step < n_steps; step++)
    for (int64_t i = 0; i < gd_sampler_n_leaves(s, step); i++) {
      const gd_range leaf = gd_sampler_leaf(s, step, i);
      most = leaf.end - leaf.first > most ? leaf.end - leaf.first : most;
    }
  return (int)most;
}

void gd_sampler_begin(gd_sampler *s, int64_t epoch)
{
  assert(s != NULL && epoch >= 0);
  gd_random r = gd_random_of(s->seed, GD_FOR_ORDER, epoch, 0);
  gd_random_order(&r, s->n_samples, s->order);
}

gd_range gd_sampler_step(const gd_sampler *s, int64_t step)
{
  return piece_of(s->n_samples, s->batch, step);
}

int64_t gd_sampler_n_leaves(const gd_sampler *s, int64_t step)
{
  const gd_range places = gd_sampler_step(s, step);
  return count_pieces(places.end - places.first, s->microbatch);
}

gd_range gd_sampler_leaf(const gd_sampler *s, int64_t step, int64_t leaf)
{
  const gd_range places = gd_sampler_step(s, step);
  gd_range r = piece_of(places.end - places.first, s->microbatch, leaf);
  r.first += places.first;
  r.end += places.first;
  return r;
}

const int64_t *gd_sampler_order(const gd_sampler *s)
{
  return s->order;
}
