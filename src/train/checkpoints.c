#include "checkpoints.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/folder.h"
#include "gradus/log.h"
#include "gradus/memory.h"
#include "gradus/store.h"

static void name_of(int64_t step, char name[64])
{
  snprintf(name, 64, "checkpoint-%09" PRId64 ".h5", step);
}

gd_status gd_checkpoints_path(const gd_checkpoints *c, int64_t step,
                              char path[GD_PATH_MAX])
{
  char name[64];
  name_of(step, name);
  return gd_path_join(c->directory, name, path);
}

int64_t gd_checkpoints_best(const gd_checkpoints *c,
                            const gd_training_state *where)
{
  return where->best_epoch < 0 ? -1
                               : (where->best_epoch + 1) * c->steps_per_epoch;
}

/* The steps of all there are, in rising order. */
typedef struct {
  int64_t n, *steps;
} list;

static int by_step(const void *a, const void *b)
{
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static gd_status read_list(const gd_checkpoints *c, list *out)
{
  gd_folder *folder;
  *out = (list){0};
  gd_status st = gd_folder_read(c->directory, &folder);
  if (st != GD_OK)
    return st;
  out->steps = gd_alloc(folder->n_files, sizeof out->steps[0]);
  if (out->steps == NULL)
    st = GD_ERR_NOMEM;
  for (int64_t i = 0; st == GD_OK && i < folder->n_files; i++) {
    char name[64];
    const char *digits = folder->names[i] + strlen("checkpoint-");
    if (strncmp(folder->names[i], "checkpoint-", strlen("checkpoint-")) != 0)
      continue;
    const int64_t step = strtoll(digits, NULL, 10);
    name_of(step, name);
    if (strcmp(name, folder->names[i]) == 0)
      out->steps[out->n++] = step;
  }
  if (out->n > 1)
    qsort(out->steps, (size_t)out->n, sizeof out->steps[0], by_step);
  gd_folder_free(folder);
  return st;
}

/* Read which epoch's end a checkpoint says is the selected one's. */
static gd_status read_best(const gd_checkpoints *c, int64_t step, int64_t *best)
{
  char path[GD_PATH_MAX];
  gd_checkpoint *k = NULL;
  gd_status st = gd_checkpoints_path(c, step, path);
  if (st == GD_OK)
    st = gd_checkpoint_open(path, c->digest, c->optimizer, &k);
  if (st == GD_OK)
    *best = gd_checkpoints_best(c, gd_checkpoint_where(k));
  gd_checkpoint_close(k);
  return st;
}

/* ----------------------------------------------------------- going on from one
 */

static gd_status verify(const gd_checkpoints *c, int64_t step)
{
  char path[GD_PATH_MAX];
  gd_status st = gd_checkpoints_path(c, step, path);
  if (st == GD_OK && !gd_path_exists(path) && errno == ENOENT)
    return gd_fail(GD_ERR_FORMAT, "%s: is missing", path);
  return st == GD_OK ? gd_store_verify(path) : st;
}

static void remove_damaged(const gd_checkpoints *c, int64_t step)
{
  char path[GD_PATH_MAX];
  if (gd_checkpoints_path(c, step, path) != GD_OK ||
      gd_file_remove(path) != GD_OK)
    gd_log(GD_LOG_WARNING, "%s", gd_reason());
}

gd_status gd_checkpoints_find(const gd_checkpoints *c, int64_t *step)
{
  assert(c != NULL && step != NULL);
  list all;
  *step = -1;
  gd_status st = read_list(c, &all);
  for (int64_t i = all.n - 1; st == GD_OK && *step < 0 && i >= 0; i--) {
    int64_t best = -1;
    gd_status found = verify(c, all.steps[i]);
    const int damaged = found == GD_ERR_FORMAT;
    if (found == GD_OK)
      found = read_best(c, all.steps[i], &best);
    if (found == GD_OK && best >= 0 && best != all.steps[i])
      found = verify(c, best);
    if (found == GD_OK) {
      *step = all.steps[i];
      break;
    }
    /* A disk that fails is no reason to begin anew. */
    if (found == GD_ERR_NOMEM)
      st = found;
    else if (found == GD_ERR_IO)
      st = gd_fail(GD_ERR_IO,
                   "%s; without that file, training goes on from the "
                   "checkpoint before",
                   gd_reason());
    if (st != GD_OK)
      break;
    gd_log(GD_LOG_WARNING, "%s: %s", gd_reason(),
           i > 0 ? "the checkpoint before is tried" : "training starts anew");
    if (damaged)
      remove_damaged(c, all.steps[i]);
  }
  free(all.steps);
  return st;
}

/* --------------------------------------------------------- keeping a few
 */

static int is_among(const int64_t *steps, int64_t n, int64_t step)
{
  for (int64_t i = 0; i < n; i++)
    if (steps[i] == step)
      return 1;
  return 0;
}

/* Could training go on from a checkpoint whose selected epoch ended there?  It
 * is not there if it could not be written. */
static int is_whole(const list *all, int64_t step, int64_t best)
{
  return best < 0 || best == step || is_among(all->steps, all->n, best);
}

gd_status gd_checkpoints_thin(const gd_checkpoints *c, int64_t step,
                              int64_t best, gd_publisher *publisher)
{
  assert(c != NULL && c->keep >= 1 && publisher != NULL);
  list all;
  gd_status st = read_list(c, &all);
  /* Each that is kept keeps that of its selected epoch. */
  int64_t *kept = gd_alloc(1 + 2 * c->keep, sizeof kept[0]);
  int64_t n_kept = 0, n_last = is_whole(&all, step, best);
  if (st == GD_OK && kept == NULL)
    st = GD_ERR_NOMEM;
  if (st == GD_OK)
    kept[n_kept++] = best;
  for (int64_t i = all.n - 1; st == GD_OK && i >= 0 && n_last < c->keep; i--) {
    int64_t its_best = -1;
    if (all.steps[i] >= step ||
        read_best(c, all.steps[i], &its_best) != GD_OK ||
        !is_whole(&all, all.steps[i], its_best))
      continue;
    kept[n_kept++] = all.steps[i];
    kept[n_kept++] = its_best;
    n_last++;
  }
  for (int64_t i = 0; st == GD_OK && i < all.n; i++) {
    char path[GD_PATH_MAX];
    if (all.steps[i] >= step || is_among(kept, n_kept, all.steps[i]))
      continue;
    st = gd_checkpoints_path(c, all.steps[i], path);
    if (st == GD_OK)
      st = gd_publisher_drop(publisher, path);
  }
  free(kept);
  free(all.steps);
  return st;
}

gd_status gd_checkpoints_leave(const gd_checkpoints *c, int64_t step,
                               int64_t best)
{
  list all;
  gd_status st = read_list(c, &all);
  for (int64_t i = 0; st == GD_OK && i < all.n; i++) {
    char path[GD_PATH_MAX];
    if (all.steps[i] == step || all.steps[i] == best)
      continue;
    st = gd_checkpoints_path(c, all.steps[i], path);
    if (st == GD_OK)
      st = gd_file_remove(path);
  }
  free(all.steps);
  return st;
}
