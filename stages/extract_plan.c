/* The second part of extract: which piece of which video goes into which shard,
 * from the indices of all. */
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "extract.h"
#include "gradus/agree.h"
#include "gradus/digest.h"
#include "gradus/file.h"
#include "gradus/folder.h"
#include "gradus/log.h"
#include "gradus/memory.h"
#include "gradus/video_index.h"

/* Spans of the videos that this rank looks at. */
typedef struct {
  gd_piece *spans;
  int64_t n, room;
} span_list;

static gd_status add_video(const gd_extract *x, int64_t v, span_list *out)
{
  const gd_video *video = &x->corpus->videos[v];
  gd_video_index *index;
  int64_t *frames = NULL, n_frames;
  gd_status st = gd_index_store_find(x->indices, video->id, video->path,
                                     &x->corpus->fingerprints[v], &index, NULL);
  if (st != GD_OK || index == NULL) /* it has been skipped */
    return st;
  st = gd_extraction_select(&x->parameters.sampling, index, &frames, &n_frames);
  if (st == GD_OK)
    st = gd_grow(&out->spans, out->n + index->n_cuts, &out->room,
                 sizeof *out->spans);
  if (st == GD_OK)
    out->n += gd_extraction_spans(index, (int32_t)v, frames, n_frames,
                                  &x->limits, out->spans + out->n);
  free(frames);
  gd_video_index_free(index);
  return st;
}

/* Each rank looks at its share of the store's files. */
static gd_status list_spans(gd_stage_env *env, const gd_extract *x,
                            span_list *out)
{
  gd_status st = GD_OK;
  for (int64_t u = env->rank; st == GD_OK && u < x->n_units; u += env->size)
    for (int64_t i = x->first[u]; st == GD_OK && i < x->first[u + 1]; i++) {
      st = add_video(x, x->order[i], out);
      if (st == GD_OK)
        st = gd_stage_tick(env, 0);
    }
  return st;
}

/* Turn the spans of each video into its pieces. */
static void cut(const gd_extract *x, span_list *l)
{
  int64_t n = 0;
  for (int64_t first = 0, end; first < l->n; first = end) {
    for (end = first + 1;
         end < l->n && l->spans[end].video == l->spans[first].video; end++)
      ;
    const int64_t made =
        gd_extraction_cut(l->spans + first, end - first, &x->limits);
    for (int64_t i = 0; i < made; i++)
      l->spans[n++] = l->spans[first + i];
  }
  l->n = n;
}

/* Give every rank the pieces of all. */
static gd_status exchange(const gd_stage_env *env, gd_extract *x,
                          const span_list *own)
{
  int *bytes = gd_alloc(env->size, sizeof *bytes);
  int *offsets = gd_alloc(env->size, sizeof *offsets);
  int64_t all = own->n;
  MPI_Allreduce(MPI_IN_PLACE, &all, 1, MPI_INT64_T, MPI_SUM, env->comm);
  gd_status st = GD_OK;
  if (all > INT_MAX / (int64_t)sizeof *own->spans)
    st = gd_fail(GD_ERR_USAGE,
                 "%" PRId64 " pieces of videos are too many for one message; "
                 "raise shard_bytes",
                 all);
  else if ((x->pieces = gd_alloc(all, sizeof *x->pieces)) == NULL ||
           bytes == NULL || offsets == NULL)
    st = GD_ERR_NOMEM;
  st = gd_agree(env->comm, st);
  if (st == GD_OK) {
    const int mine = (int)(own->n * (int64_t)sizeof *own->spans);
    MPI_Allgather(&mine, 1, MPI_INT, bytes, 1, MPI_INT, env->comm);
    for (int r = 1; r < env->size; r++)
      offsets[r] = offsets[r - 1] + bytes[r - 1];
    MPI_Allgatherv(own->spans, mine, MPI_BYTE, x->pieces, bytes, offsets,
                   MPI_BYTE, env->comm);
    x->n_pieces = all;
  }
  free(bytes);
  free(offsets);
  return st;
}

/* Tell all ranks how long all videos take, which decides how they are cut. */
static void settle_unit(const gd_stage_env *env, gd_extract *x,
                        const span_list *own)
{
  int64_t total_us = 0;
  for (int64_t i = 0; i < own->n; i++)
    total_us += own->spans[i].cost_us;
  MPI_Allreduce(MPI_IN_PLACE, &total_us, 1, MPI_INT64_T, MPI_SUM, env->comm);
  x->limits.unit_us = gd_extraction_unit_us(total_us);
}

static gd_status digest_plan(const gd_extraction *e, char hex[GD_DIGEST_HEX])
{
  gd_hasher *h;
  gd_status st = gd_hasher_new(&h);
  if (st != GD_OK)
    return st;
  gd_hasher_int(h, e->n_shards);
  for (int64_t s = 0; s < e->n_shards; s++) {
    gd_hasher_int(h, e->first[s + 1]);
    for (int64_t p = e->first[s]; p < e->first[s + 1]; p++) {
      gd_hasher_int(h, e->pieces[p].video);
      gd_hasher_int(h, e->pieces[p].frames.first);
      gd_hasher_int(h, e->pieces[p].frames.end);
    }
  }
  gd_digest_hex(gd_hasher_end(h), hex);
  return GD_OK;
}

static gd_status remove_shards(const char *directory)
{
  gd_folder *folder;
  gd_status st = gd_folder_read(directory, &folder);
  for (int64_t i = 0; st == GD_OK && i < folder->n_files; i++) {
    char path[GD_PATH_MAX];
    if (strncmp(folder->names[i], "frames-", 7) != 0)
      continue;
    st = gd_path_join(directory, folder->names[i], path);
    if (st == GD_OK)
      st = gd_file_remove(path);
  }
  gd_folder_free(folder);
  return st;
}

/* Shards of another plan are of no use: a video that could not be indexed can
 * be now, when what it waited for was repaired, and everything behind it has
 * moved.  Rank 0. */
static gd_status keep_to_plan(const gd_stage_env *env, const gd_extraction *e)
{
  char path[GD_PATH_MAX], now[GD_DIGEST_HEX];
  char *before = NULL;
  gd_status st = gd_stage_path(env, "plan", path);
  if (st == GD_OK)
    st = digest_plan(e, now);
  const int is_first = st == GD_OK && !gd_path_exists(path);
  if (st == GD_OK && !is_first)
    st = gd_file_read(path, GD_DIGEST_HEX, &before, NULL);
  if (st != GD_OK && st != GD_ERR_FORMAT)
    return st;
  const int is_same = st == GD_OK && !is_first && strcmp(before, now) == 0;
  free(before);
  if (is_same)
    return GD_OK;
  st = GD_OK;
  if (!is_first) {
    gd_log(GD_LOG_WARNING, "other videos can be read than before: all frames "
                           "are extracted anew");
    st = remove_shards(env->directory);
  }
  return st == GD_OK ? gd_file_write(path, now, strlen(now)) : st;
}

/* Will the shards that are still to be made find room?  Rank 0. */
static gd_status check_room(const gd_stage_env *env, const gd_extract *x)
{
  int64_t needed = 0, free_bytes;
  for (int64_t u = 0; u < x->plan->n_shards; u++) {
    char name[GD_PATH_MAX], path[GD_PATH_MAX];
    gd_extract_name_shard(x, u, name);
    gd_status st = gd_stage_path(env, name, path);
    if (st != GD_OK)
      return st;
    if (gd_path_exists(path))
      continue;
    for (int64_t p = x->plan->first[u]; p < x->plan->first[u + 1]; p++)
      needed += gd_piece_bytes(&x->plan->pieces[p], &x->limits);
  }
  /* Where it cannot be told, the disk itself will say. */
  if (gd_file_free_bytes(env->directory, &free_bytes) != GD_OK)
    return GD_OK;
  return gd_extraction_check_room(needed, free_bytes, env->directory);
}

gd_status gd_extract_plan(gd_stage_env *env, gd_extract *x)
{
  span_list own = {0};
  gd_status st = gd_agree(env->comm, list_spans(env, x, &own));
  if (st == GD_OK) {
    settle_unit(env, x, &own);
    cut(x, &own);
    st = exchange(env, x, &own);
  }
  free(own.spans);
  if (st != GD_OK)
    return st;
  st = gd_extraction_plan(x->pieces, x->n_pieces, &x->limits, &x->plan);
  if (st == GD_OK && env->rank == 0)
    st = keep_to_plan(env, x->plan);
  if (st == GD_OK && env->rank == 0)
    st = check_room(env, x);
  return gd_agree(env->comm, st);
}
