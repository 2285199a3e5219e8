#include "gradus/history.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "gradus/file.h"
#include "gradus/memory.h"
#include "gradus/text.h"

gd_status gd_history_reserve(gd_history *h, int64_t n_more)
{
  assert(h != NULL && n_more >= 0);
  return gd_grow(&h->rows, h->n + n_more, &h->room, sizeof *h->rows);
}

void gd_history_free(gd_history *h)
{
  free(h->rows);
  *h = (gd_history){0};
}

void gd_history_add(gd_history *h, const gd_metrics_row *row)
{
  assert(h != NULL && h->n < h->room);
  h->rows[h->n++] = *row;
}

gd_metrics_row gd_history_epoch(const gd_history *h, int64_t epoch,
                                const int64_t *n_samples, int64_t n_steps)
{
  gd_metrics_row total = {.epoch = (double)epoch, .split = GD_METRICS_TRAIN};
  double n_total = 0;
  int64_t k = 0;
  for (int64_t i = 0; i < h->n; i++) {
    const gd_metrics_row *row = &h->rows[i];
    if (row->split != GD_METRICS_BATCH || row->epoch != (double)epoch)
      continue;
    assert(k < n_steps);
    const double n = (double)n_samples[k++];
    total.loss += n * row->loss;
    total.mae += n * row->mae;
    total.rmse += n * row->rmse * row->rmse;
    total.step = row->step;
    total.rate = row->rate;
    n_total += n;
  }
  assert(k == n_steps && n_total > 0);
  total.loss /= n_total;
  total.mae /= n_total;
  total.rmse = sqrt(total.rmse / n_total);
  return total;
}

/* Nine digits give a float back; what is not there stays empty. */
static void add_value(gd_text *t, double value)
{
  if (isfinite(value))
    gd_text_printf(t, ",%.9g", value);
  else
    gd_text_add(t, ",");
}

static void add_row(gd_text *t, const gd_metrics_row *row, const char *split)
{
  gd_text_printf(t, "%.0f,%.0f", row->epoch, row->step);
  if (split != NULL)
    gd_text_printf(t, ",%s", split);
  add_value(t, row->loss);
  add_value(t, row->mae);
  add_value(t, row->rmse);
  add_value(t, row->rate);
  gd_text_add(t, "\n");
}

static gd_status write_part(const gd_text *t, const char *directory,
                            const char *name, gd_publisher *publisher)
{
  char path[GD_PATH_MAX];
  gd_status st = gd_text_status(t);
  if (st == GD_OK)
    st = gd_path_join(directory, name, path);
  if (st == GD_OK)
    st = gd_file_write_part(path, t->data, t->length_bytes);
  return st == GD_OK ? gd_publisher_add(publisher, path) : st;
}

gd_status gd_history_write(const gd_history *h, const char *directory,
                           gd_publisher *publisher)
{
  assert(h != NULL && directory != NULL && publisher != NULL);
  gd_text metrics = {0}, steps = {0};
  gd_text_add(&metrics, "epoch,step,split,loss,mae,rmse,rate\n");
  gd_text_add(&steps, "epoch,step,loss,mae,rmse,rate\n");
  for (int64_t i = 0; i < h->n; i++) {
    const gd_metrics_row *row = &h->rows[i];
    if (row->split == GD_METRICS_BATCH)
      add_row(&steps, row, NULL);
    else
      add_row(&metrics, row, row->split == GD_METRICS_DEV ? "dev" : "train");
  }
  gd_status st = write_part(&metrics, directory, "metrics.csv", publisher);
  if (st == GD_OK)
    st = write_part(&steps, directory, "steps.csv", publisher);
  gd_text_free(&metrics);
  gd_text_free(&steps);
  return st;
}
