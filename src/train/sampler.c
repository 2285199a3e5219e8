#include "gradus/sampler.h"

#include <assert.h>
#include <stdlib.h>

#include "gradus/memory.h"
#include "gradus/random.h"

struct gd_sampler {
  int64_t n_samples;
  int batch, microbatch;
  uint64_t seed;
  int64_t *order, *turns; /* (n_samples) of this epoch's places */

  /* Balanced: samples by group, and room to deal. */
  int64_t n_groups;
  int64_t *members;       /* (n_samples) ordered by group; NULL: not balanced */
  int64_t *first;         /* (n_groups + 1) in members */
  int64_t *quota;         /* (n_groups) places in this epoch */
  int64_t *places, *draw; /* (n_samples) shuffled places; another order */
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

typedef struct {
  int64_t group, sample;
} membership;

static int by_group(const void *a, const void *b)
{
  const membership *x = a, *y = b;
  if (x->group != y->group)
    return x->group < y->group ? -1 : 1;
  return x->sample < y->sample ? -1 : 1;
}

static gd_status sort_groups(gd_sampler *s, const int64_t *group)
{
  const int64_t n = s->n_samples;
  membership *sorted = gd_alloc(n, sizeof *sorted);
  s->members = gd_alloc(n, sizeof s->members[0]);
  s->first = gd_alloc(n + 1, sizeof s->first[0]);
  s->quota = gd_alloc(n, sizeof s->quota[0]);
  s->places = gd_alloc(n, sizeof s->places[0]);
  s->draw = gd_alloc(n, sizeof s->draw[0]);
  if (sorted == NULL || s->members == NULL || s->first == NULL ||
      s->quota == NULL || s->places == NULL || s->draw == NULL) {
    free(sorted);
    return GD_ERR_NOMEM;
  }
  for (int64_t i = 0; i < n; i++)
    sorted[i] = (membership){group[i], i};
  qsort(sorted, (size_t)n, sizeof *sorted, by_group);
  for (int64_t i = 0; i < n; i++) {
    s->members[i] = sorted[i].sample;
    if (i == 0 || sorted[i].group != sorted[i - 1].group)
      s->first[s->n_groups++] = i;
  }
  s->first[s->n_groups] = n;
  free(sorted);
  return GD_OK;
}

gd_status gd_sampler_new(int64_t n_samples, int batch, int microbatch,
                         uint64_t seed, const int64_t *group, gd_sampler **out)
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
  s->turns = gd_alloc(n_samples, sizeof s->turns[0]);
  gd_status st = s->order == NULL || s->turns == NULL ? GD_ERR_NOMEM : GD_OK;
  if (st == GD_OK && group != NULL)
    st = sort_groups(s, group);
  if (st != GD_OK) {
    gd_sampler_free(s);
    return st;
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
  free(s->turns);
  free(s->members);
  free(s->first);
  free(s->quota);
  free(s->places);
  free(s->draw);
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

/* Deal the places to the groups.  One stream draws which groups get one place
 * more, and the places; each group has another for its samples. */
static void deal(gd_sampler *s, int64_t epoch, gd_random *r)
{
  const int64_t each = s->n_samples / s->n_groups;
  const int64_t rest = s->n_samples % s->n_groups;
  gd_random_order(r, s->n_groups, s->draw);
  for (int64_t i = 0; i < s->n_groups; i++)
    s->quota[s->draw[i]] = each + (i < rest);
  gd_random_order(r, s->n_samples, s->places);
  const int64_t *place = s->places;
  for (int64_t g = 0; g < s->n_groups; g++) {
    const int64_t *members = s->members + s->first[g];
    const int64_t n_members = s->first[g + 1] - s->first[g];
    gd_random own = gd_random_of(s->seed, GD_FOR_ORDER, epoch, 1 + g);
    gd_random_order(&own, n_members, s->draw);
    for (int64_t i = 0; i < s->quota[g]; i++, place++) {
      s->order[*place] = members[s->draw[i % n_members]];
      s->turns[*place] = i / n_members;
    }
  }
}

void gd_sampler_begin(gd_sampler *s, int64_t epoch)
{
  assert(s != NULL && epoch >= 0);
  gd_random r = gd_random_of(s->seed, GD_FOR_ORDER, epoch, 0);
  if (s->members != NULL)
    deal(s, epoch, &r);
  else
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

const int64_t *gd_sampler_turns(const gd_sampler *s)
{
  return s->turns;
}
