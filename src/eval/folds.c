#include "gradus/folds.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "gradus/memory.h"
#include "gradus/persons.h"
#include "gradus/random.h"

typedef struct {
  double sum, mean; /* of the labels */
  int64_t n;        /* videos */
  int64_t number;   /* of the person */
  uint64_t chance;  /* orders persons of the same level */
  int fold;
} person;

static int by_level(const void *a, const void *b)
{
  const person *x = a, *y = b;
  if (x->mean != y->mean)
    return x->mean < y->mean ? -1 : 1;
  return (x->chance > y->chance) - (x->chance < y->chance);
}

static int by_number(const void *a, const void *b)
{
  const person *x = a, *y = b;
  return (x->number > y->number) - (x->number < y->number);
}

/* Deal persons that are in order of their level. */
static gd_status deal(int64_t n, int n_folds, uint64_t seed, person *persons)
{
  int64_t *order = gd_alloc(n_folds, sizeof *order);
  if (order == NULL)
    return GD_ERR_NOMEM;
  for (int64_t i = 0; i < n; i++) {
    if (i % n_folds == 0) {
      gd_random r = gd_random_of(seed, GD_FOR_FOLDS, 1, i / n_folds);
      gd_random_order(&r, n_folds, order);
    }
    persons[i].fold = (int)order[i % n_folds];
  }
  free(order);
  return GD_OK;
}

static gd_status deal_persons(int64_t n, const gd_video *const *videos,
                              int64_t *of, int n_folds, uint64_t seed,
                              int *fold)
{
  int64_t n_persons;
  gd_status st = gd_persons_number(n, videos, of, &n_persons);
  if (st == GD_OK && n_folds > n_persons)
    st = gd_fail(GD_ERR_USAGE,
                 "%d folds by person: there are only %" PRId64 " persons",
                 n_folds, n_persons);
  if (st != GD_OK)
    return st;
  person *persons = gd_alloc(n_persons, sizeof *persons);
  if (persons == NULL)
    return GD_ERR_NOMEM;
  for (int64_t v = 0; v < n; v++) {
    persons[of[v]].sum += videos[v]->label;
    persons[of[v]].n++;
  }
  for (int64_t p = 0; p < n_persons; p++) {
    gd_random r = gd_random_of(seed, GD_FOR_FOLDS, 0, p);
    persons[p].mean = persons[p].sum / (double)persons[p].n;
    persons[p].number = p;
    persons[p].chance = gd_random_bits(&r);
  }
  qsort(persons, (size_t)n_persons, sizeof *persons, by_level);
  st = deal(n_persons, n_folds, seed, persons);
  qsort(persons, (size_t)n_persons, sizeof *persons, by_number);
  for (int64_t v = 0; v < n; v++)
    fold[v] = persons[of[v]].fold;
  free(persons);
  return st;
}

static gd_status take_named(int64_t n, const gd_video *videos, int n_folds,
                            int *fold)
{
  for (int64_t v = 0; v < n; v++) {
    fold[v] = videos[v].fold - 1;
    if (fold[v] < 0 || fold[v] >= n_folds)
      return gd_fail(GD_ERR_USAGE, "video %s is in fold %d, of %d",
                     videos[v].id, videos[v].fold, n_folds);
  }
  return GD_OK;
}

gd_status gd_folds_deal(int64_t n, const gd_video *videos, int n_folds,
                        uint64_t seed, int *fold)
{
  assert(n >= 0 && n_folds >= GD_LEAST_FOLDS && fold != NULL);

  for (int64_t v = 0; v < n; v++)
    if (videos[v].fold > 0)
      return take_named(n, videos, n_folds, fold);
  const gd_video **each = gd_alloc(n, sizeof *each);
  int64_t *of = gd_alloc(n, sizeof *of);
  gd_status st = each == NULL || of == NULL ? GD_ERR_NOMEM : GD_OK;
  for (int64_t v = 0; st == GD_OK && v < n; v++)
    each[v] = &videos[v];
  if (st == GD_OK)
    st = deal_persons(n, each, of, n_folds, seed, fold);
  free(each);
  free(of);
  return st;
}

gd_partition gd_folds_partition(int fold, int n_folds, int tested)
{
  assert(n_folds >= GD_LEAST_FOLDS);
  assert(fold >= 0 && fold < n_folds && tested >= 0 && tested < n_folds);

  const int behind = (fold - tested + n_folds) % n_folds;
  const int n_dev = n_folds / 5 > 1 ? n_folds / 5 : 1;
  return behind == 0 ? GD_TEST : behind <= n_dev ? GD_DEV : GD_TRAIN;
}
