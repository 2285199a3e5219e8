/* The first part of extract: every video is indexed once, by whichever rank
 * takes the file of the index store that it belongs to. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extract.h"
#include "gradus/agree.h"
#include "gradus/log.h"
#include "gradus/memory.h"
#include "gradus/share.h"
#include "gradus/video_index.h"

enum { MOST_PLACES = 64, HEX_DIGITS = 8 };

/* ------------------------------------------------------------------ neighbours
 */

static int by_text(const void *a, const void *b)
{
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Is it "<name>-<8 digits>"? */
static int is_neighbour(const char *entry, const char *name)
{
  const size_t length = strlen(name);
  return strncmp(entry, name, length) == 0 && entry[length] == '-' &&
         strlen(entry) == length + 1 + HEX_DIGITS &&
         strspn(entry + length + 1, "0123456789abcdef") == HEX_DIGITS;
}

/* Add neighbours in order of their names; the work directory may not be there
 * yet. */
static gd_status list_neighbours(const gd_instance *self, const char *work,
                                 gd_text *out)
{
  const char *own = gd_path_base(gd_instance_directory(self));
  char *names[MOST_PLACES];
  int n = 0;
  DIR *d = opendir(work);
  if (d == NULL)
    return errno == ENOENT ? GD_OK
                           : gd_fail(GD_ERR_IO, "%s: cannot read: %s", work,
                                     strerror(errno));
  gd_status st = GD_OK;
  const struct dirent *e;
  while (st == GD_OK && n < MOST_PLACES && (e = readdir(d)) != NULL)
    if (is_neighbour(e->d_name, gd_instance_name(self)) &&
        strcmp(e->d_name, own) != 0) {
      names[n] = gd_strdup(e->d_name);
      st = names[n] == NULL ? GD_ERR_NOMEM : GD_OK;
      n += st == GD_OK;
    }
  closedir(d);
  if (n > 1)
    qsort(names, (size_t)n, sizeof *names, by_text);
  for (int i = 0; i < n; i++) {
    char path[GD_PATH_MAX];
    if (st == GD_OK)
      st = gd_path_join(work, names[i], path);
    if (st == GD_OK)
      gd_text_bytes(out, path, strlen(path) + 1);
    free(names[i]);
  }
  return st;
}

gd_status gd_extract_places(const gd_instance *self, gd_text *out)
{
  const char *own = gd_instance_directory(self);
  char work[GD_PATH_MAX];
  gd_text_bytes(out, own, strlen(own) + 1);
  snprintf(work, sizeof work, "%.*s", (int)(gd_path_base(own) - own), own);
  gd_status st = list_neighbours(self, work[0] == '\0' ? "." : work, out);
  return st == GD_OK ? gd_text_status(out) : st;
}

gd_status gd_extract_open_places(const gd_text *places, int64_t n_videos,
                                 gd_index_store **out)
{
  const char *directories[MOST_PLACES + 1];
  const char *end = places->data + places->length_bytes;
  int n = 0;
  for (const char *c = places->data; c < end; c += strlen(c) + 1)
    directories[n++] = c;
  return gd_index_store_open(directories, n, n_videos, out);
}

/* Rank 0 looks around, the others are told. */
static gd_status open_near(gd_stage_env *env, gd_extract *x)
{
  gd_text places = {0};
  gd_status st = GD_OK;
  if (env->rank == 0)
    st = gd_extract_places(env->self, &places);
  st = gd_agree(env->comm, st);
  if (st == GD_OK)
    st = gd_share_text(env->comm, &places);
  if (st == GD_OK)
    st = gd_agree(env->comm, gd_extract_open_places(
                                 &places, x->corpus->n_videos, &x->near));
  gd_text_free(&places);
  return st;
}

/* -------------------------------------------------------------------- indexing
 */

gd_status gd_extract_deal(const gd_corpus *corpus, int64_t **order,
                          int64_t **first, int64_t *n_units)
{
  const int64_t n = corpus->n_videos;
  const int64_t n_files = gd_index_store_n_files(n);
  int64_t *end = gd_alloc(n_files + 1, sizeof *end);
  *order = gd_alloc(n, sizeof **order);
  *first = gd_alloc(n_files + 1, sizeof **first);
  if (end == NULL || *order == NULL || *first == NULL) {
    free(end);
    return GD_ERR_NOMEM;
  }
  for (int64_t v = 0; v < n; v++)
    end[gd_index_store_file_of(corpus->videos[v].id, n_files) + 1]++;
  *n_units = 0;
  for (int64_t f = 0; f < n_files; f++) {
    if (end[f + 1] > 0)
      (*first)[(*n_units)++] = end[f];
    end[f + 1] += end[f];
  }
  (*first)[*n_units] = n;
  for (int64_t v = 0; v < n; v++) {
    const int64_t f = gd_index_store_file_of(corpus->videos[v].id, n_files);
    (*order)[end[f]++] = v;
  }
  free(end);
  return GD_OK;
}

static void name_index(const void *context, int64_t unit, char out[GD_PATH_MAX])
{
  const gd_extract *x = context;
  const gd_video *video = &x->corpus->videos[x->order[x->first[unit]]];
  const int64_t n_files = gd_index_store_n_files(x->corpus->n_videos);
  char name[GD_INDEX_NAME_BYTES];
  gd_index_store_name(gd_index_store_file_of(video->id, n_files), name);
  snprintf(out, GD_PATH_MAX, "%s", name);
}

/* A file that is not what it was when the corpus was read has no place in a
 * directory that is named after the corpus. */
static gd_status check_file(const gd_video_index *index,
                            const gd_fingerprint *then)
{
  if (index->size_bytes == then->size_bytes &&
      index->modified_ns == then->modified_ns)
    return GD_OK;
  return gd_fail(GD_ERR_DECODE,
                 "%s: has been replaced while this ran; repeat the same "
                 "command",
                 index->path);
}

static gd_status index_video(gd_stage_env *env, const gd_extract *x, int64_t v,
                             gd_index_writer *w)
{
  const gd_video *video = &x->corpus->videos[v];
  const gd_fingerprint *now = &x->corpus->fingerprints[v];
  gd_fingerprint then;
  gd_video_index *index;
  gd_status st =
      gd_index_store_find(x->near, video->id, video->path, now, &index, &then);
  if (st == GD_OK && index != NULL && then.modified_ns != now->modified_ns) {
    gd_video_index_free(index);
    index = NULL;
  }
  if (st == GD_OK && index == NULL) {
    st = gd_stage_attempt(env, video->id);
    if (st == GD_OK)
      st = gd_video_index_read(video->path, &x->patience, &index);
    if (st == GD_OK)
      st = check_file(index, now);
  }
  if (st == GD_OK)
    st = gd_index_writer_append(w, video->id, now, index);
  gd_video_index_free(index);
  return gd_status_is_item(st) ? gd_index_writer_skip(w, video->id) : st;
}

static gd_status make_index(void *context, gd_stage_env *env, int64_t unit,
                            const char *path)
{
  const gd_extract *x = context;
  gd_index_writer *w;
  gd_status st =
      gd_index_writer_create(path, gd_instance_digest(env->self), &w);
  if (st != GD_OK)
    return st;
  for (int64_t i = x->first[unit]; st == GD_OK && i < x->first[unit + 1]; i++) {
    st = index_video(env, x, x->order[i], w);
    if (st == GD_OK)
      st = gd_stage_tick(env, 0);
  }
  if (st == GD_OK)
    st = gd_stage_survived(env);
  if (st == GD_OK)
    return gd_index_writer_commit(w);
  gd_index_writer_abandon(w);
  return st;
}

/* What a killed or an older program left is as good as new, or is made anew:
 * later, an entry that is missing means a video that was skipped. */
static gd_status remove_unusable(const gd_stage_env *env, const gd_extract *x)
{
  gd_status st = GD_OK;
  for (int64_t u = 0; st == GD_OK && u < x->n_units; u++) {
    char name[GD_PATH_MAX], path[GD_PATH_MAX];
    name_index(x, u, name);
    st = gd_stage_path(env, name, path);
    if (st != GD_OK || !gd_path_exists(path) ||
        gd_index_store_check(path) == GD_OK)
      continue;
    gd_log(GD_LOG_WARNING, "%s: it is made anew", gd_reason());
    st = gd_file_remove(path);
  }
  return st;
}

gd_status gd_extract_index(gd_stage_env *env, gd_extract *x)
{
  gd_status st = gd_agree(
      env->comm, gd_extract_deal(x->corpus, &x->order, &x->first, &x->n_units));
  if (st == GD_OK)
    st = open_near(env, x);
  if (st == GD_OK)
    st = gd_agree(env->comm, env->rank == 0 ? remove_unusable(env, x) : GD_OK);
  if (st != GD_OK)
    return st;
  const gd_units units = {.n_units = x->n_units,
                          .name = name_index,
                          .make = make_index,
                          .count = gd_extract_count_index,
                          .context = x};
  st = gd_stage_units(env, &units);
  gd_index_store_close(x->near);
  x->near = NULL;
  if (st != GD_OK)
    return st;
  return gd_agree(env->comm,
                  gd_index_store_open(&env->directory, 1, x->corpus->n_videos,
                                      &x->indices));
}
