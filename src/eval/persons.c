#include "gradus/persons.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"

typedef struct {
  const char *subject;
  int64_t video;
} entry;

static int by_subject(const void *a, const void *b)
{
  return strcmp(((const entry *)a)->subject, ((const entry *)b)->subject);
}

gd_status gd_persons_number(int64_t n, const gd_video *const *videos,
                            int64_t *person, int64_t *n_persons)
{
  assert(n >= 0 && n_persons != NULL);

  *n_persons = 0;
  entry *order = gd_alloc(n, sizeof *order);
  if (order == NULL)
    return GD_ERR_NOMEM;
  for (int64_t v = 0; v < n; v++)
    order[v] = (entry){videos[v]->subject, v};
  if (n > 0)
    qsort(order, (size_t)n, sizeof *order, by_subject);
  for (int64_t i = 0; i < n; i++) {
    *n_persons += i == 0 || by_subject(&order[i - 1], &order[i]) != 0;
    person[order[i].video] = *n_persons - 1;
  }
  free(order);
  return GD_OK;
}
