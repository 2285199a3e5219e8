#include "segments.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/buckets.h"
#include "gradus/memory.h"

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

static int begins_with(const char *name, const char *word, size_t length)
{
  return strncmp(name, word, length) == 0 &&
         (name[length] == '.' || name[length] == '\0');
}

static int is_meant(const char *name, const char *word, size_t length)
{
  if (length == 4 && strncmp(word, "stem", 4) == 0)
    return begins_with(name, "conv1", 5) || begins_with(name, "bn1", 3);
  return begins_with(name, word, length);
}

static gd_status freeze_word(const gd_tensor_table *table, const char *word,
                             size_t length, gd_segments *s)
{
  int n_meant = 0;
  for (int t = 0; t < s->n_tensors; t++)
    if (is_meant(table->entries[t].name, word, length)) {
      s->frozen[t] = 1;
      n_meant++;
    }
  s->any_frozen |= n_meant > 0;
  return n_meant > 0 ? GD_OK
                     : gd_fail(GD_ERR_USAGE,
                               "freeze: no weights are called %.*s: there are "
                               "stem, layer1 to layer4, and fc",
                               (int)length, word);
}

gd_status gd_segments_begin(const gd_tensor_table *table, const char *freeze,
                            gd_segments *out)
{
  static const char BETWEEN[] = ", ";
  assert(table != NULL && freeze != NULL && out != NULL);
  *out = (gd_segments){0};
  gd_status st = cut(table, out);
  for (const char *word = freeze + strspn(freeze, BETWEEN);
       st == GD_OK && *word != '\0';) {
    const size_t length = strcspn(word, BETWEEN);
    st = freeze_word(table, word, length, out);
    word += length;
    word += strspn(word, BETWEEN);
  }
  if (st == GD_OK && memchr(out->frozen, 0, (size_t)out->n_tensors) == NULL)
    st = gd_fail(GD_ERR_USAGE, "freeze: %s leaves nothing to train", freeze);
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
