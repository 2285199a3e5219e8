/* What is asked of the files of a corpus: whether they are those of before. */
#include "gradus/corpus.h"

#include <assert.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/file.h"
#include "gradus/memory.h"

/* A file system far away takes long to answer, not long to work: so many files
 * are asked for at once, if there are many. */
enum { AT_ONCE = 16, MANY = 64 };

/* Ask for a file of each video, by several threads, until one fails; of several
 * failures the first one's, in the order of videos, is kept. */
static gd_status ask_all(const gd_corpus *c, void *answers,
                         gd_status (*ask)(const gd_corpus *c, int64_t i,
                                          void *answers))
{
  int64_t first = c->n_videos;
  gd_status st = GD_OK;
  char reason[2 * GD_PATH_MAX] = "";
#pragma omp parallel for schedule(dynamic)                                     \
    num_threads(AT_ONCE) if (c->n_videos >= MANY)
  for (int64_t i = 0; i < c->n_videos; i++) {
    int64_t failed;
#pragma omp atomic read
    failed = first;
    const gd_status one = i > failed ? GD_OK : ask(c, i, answers);
    if (one == GD_OK)
      continue;
#pragma omp critical(gd_corpus)
    if (i < first) {
#pragma omp atomic write
      first = i;
      st = one;
      snprintf(reason, sizeof reason, "%s", gd_reason());
    }
  }
  /* Threads that nobody needs any more might wait by computing. */
  if (c->n_videos >= MANY)
    omp_pause_resource(omp_pause_soft, omp_get_initial_device());
  return st == GD_OK ? GD_OK : gd_fail(st, "%s", reason);
}

static gd_status take_fingerprint(const gd_corpus *c, int64_t i, void *answers)
{
  const char *path = c->videos[i].path;
  const gd_status st = gd_file_judge(
      gd_fingerprint_take(path, (gd_fingerprint *)answers + i), path);
  if (st == GD_ERR_IO)
    return gd_fail(st,
                   "%s / repeat the same command; a video that stays "
                   "unreadable must leave the corpus",
                   gd_reason());
  /* What the fingerprint then says is part of what the corpus is. */
  return st == GD_ERR_FORMAT ? GD_OK : st;
}

gd_status gd_corpus_examine(gd_corpus *c)
{
  assert(c != NULL);
  return ask_all(c, c->fingerprints, take_fingerprint);
}

static gd_status take_landmarks(const gd_corpus *c, int64_t i, void *answers)
{
  const char *path = c->videos[i].landmarks;
  if (path[0] == '\0')
    return GD_OK;
  return gd_file_judge(gd_digest_of_file(path, (gd_digest *)answers + i), path);
}

gd_status gd_corpus_digest(const gd_corpus *c, gd_digest *out)
{
  assert(c != NULL && out != NULL);

  gd_hasher *h = NULL;
  gd_digest *landmarks = gd_alloc(c->n_videos, sizeof *landmarks);
  gd_status st =
      landmarks == NULL ? GD_ERR_NOMEM : ask_all(c, landmarks, take_landmarks);
  if (st == GD_OK)
    st = gd_hasher_new(&h);
  if (st != GD_OK) {
    free(landmarks);
    return st;
  }
  gd_hasher_int(h, c->n_videos);
  for (int64_t i = 0; i < c->n_videos; i++) {
    const gd_video *v = &c->videos[i];
    uint64_t label_bits;
    memcpy(&label_bits, &v->label, sizeof label_bits);
    gd_hasher_text(h, v->id);
    gd_hasher_text(h, v->subject);
    gd_hasher_text(h, v->task);
    gd_hasher_int(h, (int64_t)v->partition);
    gd_hasher_int(h, (int64_t)label_bits);
    if (v->fold > 0) /* others have the digest that they had without folds */
      gd_hasher_int(h, v->fold);
    gd_hasher_int(h, c->fingerprints[i].size_bytes);
    gd_hasher_digest(h, c->fingerprints[i].sample);
    gd_hasher_digest(h, landmarks[i]);
  }
  *out = gd_hasher_end(h);
  free(landmarks);
  return GD_OK;
}
