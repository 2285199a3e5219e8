#include "segments.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/buckets.h"
#include "gradus/memory.h"
#include "gradus/resnet.h"

static gd_status cut(const gd_tensor_table *table, gd_segments *s)
{
  const int64_t most = table->n_entries + table->count / GD_BUCKETS_ALIGN;
  s->n_tensors = table->n_entries;
  s->first = gd_alloc(most + 1, sizeof s->first[0]);
  s->tensor = gd_alloc(most, sizeof s->tensor[0]);
  s->frozen = gd_alloc(s->n_tensors, sizeof s->frozen[0]);
  if (s->first == NULL || s->tensor == NULL || s->frozen == NULL)
    return GD_ERR_NOMEM;
  for (int t = 0; t < table->n_entries; t++) {
    const gd_tensor_entry *e = &table->entries[t];
    for (int64_t at = e->offset; at < e->offset + e->count;
         at = (at / GD_BUCKETS_ALIGN + 1) * GD_BUCKETS_ALIGN) {
      assert(s->n < most);
      s->first[s->n] = at;
      s->tensor[s->n++] = t;
    }
  }
  s->first[s->n] = table->count;
  return GD_OK;
}

gd_status gd_segments_begin(const gd_tensor_table *table, const char *freeze,
                            gd_segments *out)
{
  assert(table != NULL && freeze != NULL && out != NULL);
  *out = (gd_segments){0};
  gd_status st = cut(table, out);
  if (st == GD_OK)
    st = gd_resnet_freeze(table, freeze, out->frozen);
  if (st == GD_OK)
    out->any_frozen = memchr(out->frozen, 1, (size_t)out->n_tensors) != NULL;
  return st;
}

void gd_segments_end(gd_segments *s)
{
  free(s->first);
  free(s->tensor);
  free(s->frozen);
  *s = (gd_segments){0};
}

/* Return the segment that begins at a float, or n at the block's end. */
static int64_t find(const gd_segments *s, int64_t at)
{
  int64_t low = 0, high = s->n;
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (s->first[middle] < at)
      low = middle + 1;
    else
      high = middle;
  }
  assert(s->first[low] == at);
  return low;
}

gd_range gd_segments_within(const gd_segments *s, int64_t first, int64_t end)
{
  return (gd_range){find(s, first), find(s, end)};
}

int gd_segments_move(const gd_segments *s, int64_t i)
{
  return !s->frozen[s->tensor[i]];
}

double gd_segments_square(const float *x, int64_t n)
{
  enum { LANES = 8 }; /* a vector's worth, whatever the machine has */
  double lanes[LANES] = {0};
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int k = 0; k < LANES; k++)
      lanes[k] += (double)x[i + k] * (double)x[i + k];
  for (int k = 0; i + k < n; k++)
    lanes[k] += (double)x[i + k] * (double)x[i + k];
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
         ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

void gd_segments_add(const gd_segments *s, const double *sums,
                     double *by_tensor)
{
  for (int64_t i = 0; i < s->n; i++)
    by_tensor[s->tensor[i]] += sums[i];
}
