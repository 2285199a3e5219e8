/* Which row and method the development partition chooses. */
#include <math.h>

#include "comparison_parts.h"
#include "gradus/digest.h"

/* Number the development videos that a part's model was measured on, with their
 * labels: equal numbers, equal videos. */
static gd_status number_videos(const gd_comparison_part *part, uint64_t *out)
{
  const gd_video_table *table = part->scores->videos;
  int64_t n = 0;
  gd_hasher *h;
  gd_status st = gd_hasher_new(&h);
  *out = 0;
  if (st != GD_OK)
    return st;
  for (int64_t i = 0; i < table->n_videos; i++)
    if (table->videos[i].partition == GD_DEV) {
      gd_hasher_text(h, table->videos[i].id);
      gd_hasher_bytes(h, &table->videos[i].label, sizeof(double));
      n++;
    }
  const gd_digest digest = gd_hasher_end(h);
  if (n > 0)
    *out = digest.high ^ digest.low;
  return GD_OK;
}

/* Give each row its mean error on development, and say whether all were
 * measured on the same videos.  Folds of a run may come in any order: what is
 * compared is the sum of their numbers. */
static gd_status measure_rows(gd_comparison *c, int *comparable)
{
  uint64_t first = 0;
  *comparable = 1;
  for (int i = 0; i < c->n_rows; i++) {
    uint64_t videos = 0;
    double sum = 0;
    int n = 0;
    for (int p = 0; p < c->n_parts; p++) {
      uint64_t number;
      if (i >= c->n_models || c->parts[p].row != i)
        continue;
      const gd_status st = number_videos(&c->parts[p], &number);
      if (st != GD_OK)
        return st;
      videos += number;
      sum += number == 0 ? NAN : c->parts[p].dev_mae;
      n++;
    }
    c->rows[i].dev_mae = n > 0 ? sum / n : NAN;
    if (i == 0)
      first = videos;
    if (i < c->n_models && (videos != first || !isfinite(c->rows[i].dev_mae)))
      *comparable = 0;
  }
  return GD_OK;
}

static double mean_of_method(const gd_comparison *c, int method)
{
  double sum = 0;
  for (int i = 0; i < c->n_models; i++)
    if (c->rows[i].method == method)
      sum += c->rows[i].dev_mae / c->methods[method].n_runs;
  return sum;
}

gd_status gd_comparison_choose(gd_comparison *c)
{
  int comparable;
  c->chosen_row = c->chosen_method = -1;
  const gd_status st = measure_rows(c, &comparable);
  if (st != GD_OK || !comparable)
    return st;
  for (int i = 0; i < c->n_models; i++)
    if (c->chosen_row < 0 ||
        c->rows[i].dev_mae < c->rows[c->chosen_row].dev_mae)
      c->chosen_row = i;
  for (int m = 0; m < c->n_methods; m++)
    if (c->methods[m].kind == GD_ROW_MODEL &&
        (c->chosen_method < 0 ||
         mean_of_method(c, m) < mean_of_method(c, c->chosen_method)))
      c->chosen_method = m;
  return GD_OK;
}

int gd_comparison_reference(const gd_comparison *c)
{
  int best = 0; /* models come first */
  if (c->chosen_method >= 0)
    return c->chosen_method;
  for (int m = 1; m < c->n_methods; m++)
    if (c->methods[m].kind == GD_ROW_MODEL &&
        c->methods[m].slices[0].mae.mean < c->methods[best].slices[0].mae.mean)
      best = m;
  return best;
}
