#include "snapshot.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/digest.h"
#include "gradus/file.h"
#include "gradus/memory.h"
#include "gradus/task.h"

enum { BLOCK = GD_STORE_BLOCK_BYTES / sizeof(float) };

/* Consecutive blocks of one array. */
typedef struct {
  int64_t place; /* which array: an index of places */
  int64_t block; /* the first, within the array */
  const float *source;
  int64_t count; /* floats */
} run;

struct gd_snapshot {
  int64_t n_places;
  run *runs;
  gd_store_run *fills; /* (n_runs), of this file */
  int64_t n_runs;
  float *copy; /* the runs', one after another */
  int64_t count;
  char path[GD_PATH_MAX];
  gd_task *task;
};

static void add_run(gd_snapshot *s, const run *r)
{
  if (r->count <= 0)
    return;
  s->runs[s->n_runs++] = *r;
  s->count += r->count;
}

/* Add what of a table's tensors lies within `mine`, counted in blocks of them
 * all from *block on, which moves on. */
static void add_tensors(gd_snapshot *s, const gd_tensor_table *table,
                        int64_t first_place, const float *values, gd_range mine,
                        int64_t *block)
{
  for (int i = 0; i < table->n_entries; i++) {
    const gd_tensor_entry *e = &table->entries[i];
    const int64_t end = *block + (e->count + BLOCK - 1) / BLOCK;
    const int64_t first = mine.first > *block ? mine.first : *block;
    const int64_t last = mine.end < end ? mine.end : end;
    const int64_t from = (first - *block) * BLOCK;
    const int64_t to =
        (last - *block) * BLOCK < e->count ? (last - *block) * BLOCK : e->count;
    if (first < last)
      add_run(s, &(run){.place = first_place + i,
                        .block = first - *block,
                        .source = values + e->offset + from,
                        .count = to - from});
    *block = end;
  }
}

static int64_t blocks_of(const gd_tensor_table *table)
{
  int64_t n = 0;
  for (int i = 0; i < table->n_entries; i++)
    n += (table->entries[i].count + BLOCK - 1) / BLOCK;
  return n;
}

static void list_runs(gd_snapshot *s, const gd_snapshot_source *c, int rank,
                      int size)
{
  const int n_weights = c->weights->n_entries;
  const int n_tensors = n_weights + c->running->n_entries;
  const gd_range mine =
      gd_range_of(blocks_of(c->weights) + blocks_of(c->running), rank, size);
  int64_t block = 0;
  add_tensors(s, c->weights, 0, c->block, mine, &block);
  add_tensors(s, c->running, n_weights, c->block + c->weights->count, mine,
              &block);
  for (int i = 0; i < c->n_states; i++) {
    const float *state = c->states[i];
    for (int k = 0; k < c->n_parts; k++) {
      const gd_range part = c->parts[k];
      assert(part.first % BLOCK == 0 || part.first == part.end);
      add_run(s, &(run){.place = n_tensors + i,
                        .block = part.first / BLOCK,
                        .source = state,
                        .count = part.end - part.first});
      state += part.end - part.first;
    }
  }
}

gd_status gd_snapshot_new(const gd_snapshot_source *source, int rank, int size,
                          gd_snapshot **out)
{
  assert(source != NULL && out != NULL);
  *out = NULL;
  gd_snapshot *s = gd_alloc(1, sizeof *s);
  if (s == NULL)
    return GD_ERR_NOMEM;
  const int64_t n_tensors =
      source->weights->n_entries + source->running->n_entries;
  const int64_t most = n_tensors + (int64_t)source->n_states * source->n_parts;
  s->n_places = n_tensors + source->n_states;
  s->runs = gd_alloc(most, sizeof s->runs[0]);
  s->fills = gd_alloc(most, sizeof s->fills[0]);
  gd_status st = gd_task_new(&s->task);
  if (s->runs == NULL || s->fills == NULL)
    st = GD_ERR_NOMEM;
  if (st == GD_OK) {
    list_runs(s, source, rank, size);
    s->copy = gd_alloc(s->count, sizeof s->copy[0]);
    if (s->copy == NULL)
      st = GD_ERR_NOMEM;
  }
  if (st != GD_OK) {
    gd_snapshot_free(s);
    return st;
  }
  *out = s;
  return GD_OK;
}

void gd_snapshot_free(gd_snapshot *s)
{
  if (s == NULL)
    return;
  gd_task_free(s->task);
  free(s->copy);
  free(s->fills);
  free(s->runs);
  free(s);
}

int64_t gd_snapshot_n_places(const gd_snapshot *s)
{
  return s->n_places;
}

int64_t gd_snapshot_bytes(const gd_snapshot *s)
{
  return s->count * (int64_t)sizeof s->copy[0];
}

void gd_snapshot_take(gd_snapshot *s)
{
  float *to = s->copy;
  for (int64_t i = 0; i < s->n_runs; i++) {
    const run *r = &s->runs[i];
    memcpy(to, r->source, (size_t)r->count * sizeof *to);
    to += r->count;
  }
}

/* A checkpoint that could not be gone on from must not take the place of one
 * that can. */
static gd_status check(const gd_snapshot *s)
{
  int finite = 1;
  for (int64_t i = 0; i < s->count; i++)
    finite &= isfinite(s->copy[i]) != 0;
  return finite ? GD_OK
                : gd_fail(GD_ERR_NUMERIC,
                          "%s: not written, as a weight, a running statistic "
                          "or the optimiser's state is not finite",
                          s->path);
}

static gd_status write(void *context)
{
  gd_snapshot *s = context;
  gd_status st = check(s);
  return st == GD_OK ? gd_store_fill(s->path, s->n_runs, s->fills) : st;
}

gd_status gd_snapshot_start(gd_snapshot *s, const char *path,
                            const gd_store_place *places)
{
  assert(s != NULL && path != NULL && places != NULL);
  const float *from = s->copy;
  for (int64_t i = 0; i < s->n_runs; i++) {
    const run *r = &s->runs[i];
    gd_store_place at = places[r->place];
    at.values += r->block * GD_STORE_BLOCK_BYTES;
    at.digests += r->block * (int64_t)sizeof(gd_digest);
    s->fills[i] =
        (gd_store_run){.at = at,
                       .n_bytes = r->count * (int64_t)sizeof s->copy[0],
                       .values = from};
    from += r->count;
  }
  gd_status st = gd_path_join("", path, s->path);
  return st == GD_OK ? gd_task_start(s->task, write, s) : st;
}

int gd_snapshot_is_written(gd_snapshot *s)
{
  return gd_task_is_finished(s->task);
}

gd_status gd_snapshot_wait(gd_snapshot *s)
{
  return gd_task_wait(s->task);
}
