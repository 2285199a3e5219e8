#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/index_store.h"
#include "gradus/memory.h"
#include "index_store.h"

/* A few hundred videos to a file; and in a small corpus enough files for some
 * dozen ranks to index side by side. */
enum { VIDEOS_PER_FILE = 256, FEWEST_FILES = 32 };
enum { DATA_CHUNK_BYTES = 1 << 16, COLUMN_CHUNK_BYTES = 1 << 12 };

int64_t gd_index_store_n_files(int64_t n_videos)
{
  assert(n_videos >= 0);
  int64_t n = FEWEST_FILES;
  while (n * VIDEOS_PER_FILE < n_videos)
    n *= 2;
  return n;
}

int64_t gd_index_store_file_of(const char *id, int64_t n_files)
{
  assert(id != NULL && n_files >= 1);
  return (int64_t)(gd_digest_of(id, strlen(id)).low % (uint64_t)n_files);
}

void gd_index_store_name(int64_t file, char out[GD_INDEX_NAME_BYTES])
{
  snprintf(out, GD_INDEX_NAME_BYTES, "index-%05d.h5", (int)file);
}

struct gd_index_writer {
  gd_store_writer *store;
  char **ids;
  int64_t n, room;
  int64_t n_bytes; /* of the indices so far */
};

gd_status gd_index_writer_create(const char *path, gd_digest digest,
                                 gd_index_writer **out)
{
  assert(path != NULL && out != NULL);
  *out = NULL;

  gd_index_writer *w = gd_alloc(1, sizeof *w);
  if (w == NULL)
    return GD_ERR_NOMEM;
  const int64_t zero = 0;
  const gd_dataset *const columns[] = {&GD_INDEX_KEY,    &GD_INDEX_SIZE,
                                       &GD_INDEX_TIME,   &GD_INDEX_SAMPLE,
                                       &GD_INDEX_OFFSET, &GD_INDEX_BYTES};
  gd_status st = gd_store_create(path, GD_INDEX_FORMAT, GD_INDEX_VERSION,
                                 digest, &w->store);
  if (st == GD_OK)
    st = gd_store_set_int(w->store, GD_INDEX_PACKING, GD_VIDEO_INDEX_VERSION);
  for (size_t i = 0; st == GD_OK && i < sizeof columns / sizeof columns[0]; i++)
    st = gd_store_declare(w->store, columns[i],
                          columns[i]->dtype == GD_U8 ? DATA_CHUNK_BYTES
                                                     : COLUMN_CHUNK_BYTES);
  if (st == GD_OK)
    st = gd_store_append(w->store, GD_INDEX_OFFSET.name, 1, &zero);
  if (st != GD_OK) {
    gd_index_writer_abandon(w);
    return st;
  }
  *out = w;
  return GD_OK;
}

static gd_status add_id(gd_index_writer *w, const char *id)
{
  gd_status st = gd_grow(&w->ids, w->n + 1, &w->room, sizeof *w->ids);
  if (st != GD_OK)
    return st;
  w->ids[w->n] = gd_strdup(id);
  if (w->ids[w->n] == NULL)
    return GD_ERR_NOMEM;
  w->n++;
  return GD_OK;
}

static void split(gd_digest d, int64_t out[2])
{
  out[0] = (int64_t)d.high;
  out[1] = (int64_t)d.low;
}

gd_status gd_index_writer_append(gd_index_writer *w, const char *id,
                                 const gd_fingerprint *fingerprint,
                                 const gd_video_index *index)
{
  assert(w != NULL && id != NULL && fingerprint != NULL && index != NULL);

  uint8_t *bytes;
  size_t n_bytes;
  gd_status st = gd_video_index_pack(index, &bytes, &n_bytes);
  if (st != GD_OK)
    return st;
  int64_t key[2], sample[2];
  split(gd_digest_of(id, strlen(id)), key);
  split(fingerprint->sample, sample);
  gd_store_writer *s = w->store;
  st = add_id(w, id);
  if (st == GD_OK)
    st = gd_store_append(s, GD_INDEX_KEY.name, 1, key);
  if (st == GD_OK)
    st = gd_store_append(s, GD_INDEX_SIZE.name, 1, &fingerprint->size_bytes);
  if (st == GD_OK)
    st = gd_store_append(s, GD_INDEX_TIME.name, 1, &fingerprint->modified_ns);
  if (st == GD_OK)
    st = gd_store_append(s, GD_INDEX_SAMPLE.name, 1, sample);
  if (st == GD_OK)
    st = gd_store_append(s, GD_INDEX_BYTES.name, (int64_t)n_bytes, bytes);
  w->n_bytes += (int64_t)n_bytes;
  if (st == GD_OK)
    st = gd_store_append(s, GD_INDEX_OFFSET.name, 1, &w->n_bytes);
  free(bytes);
  return st;
}

gd_status gd_index_writer_skip(gd_index_writer *w, const char *id)
{
  assert(w != NULL && id != NULL);
  return gd_store_skip(w->store, id, gd_reason());
}

static void free_writer(gd_index_writer *w)
{
  for (int64_t i = 0; i < w->n; i++)
    free(w->ids[i]);
  free(w->ids);
  free(w);
}

gd_status gd_index_writer_commit(gd_index_writer *w)
{
  assert(w != NULL);
  gd_status st =
      gd_store_put_texts(w->store, "id", w->n, (const char *const *)w->ids);
  st = gd_store_end(w->store, st);
  free_writer(w);
  return st;
}

void gd_index_writer_abandon(gd_index_writer *w)
{
  if (w == NULL)
    return;
  gd_store_abandon(w->store);
  free_writer(w);
}
