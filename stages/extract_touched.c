/* Videos whose time of change is not what it was when they were extracted, but
 * whose size and samples are: probably copied, possibly edited. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "extract.h"

enum { MOST_NAMED = 3 };

static gd_status compare(const gd_corpus *corpus, gd_index_store *store,
                         const int64_t *order, int64_t *n, gd_text *names)
{
  gd_status st = GD_OK;
  for (int64_t i = 0; st == GD_OK && i < corpus->n_videos; i++) {
    const int64_t v = order[i];
    const char *id = corpus->videos[v].id;
    const gd_fingerprint *now = &corpus->fingerprints[v];
    gd_fingerprint then;
    int has;
    st = gd_index_store_has(store, id, now, &has, &then);
    if (st != GD_OK || !has || then.modified_ns == now->modified_ns)
      continue;
    if (++*n <= MOST_NAMED)
      gd_text_printf(names, "%s%s", *n > 1 ? ", " : "", id);
  }
  return st;
}

gd_status gd_extract_touched(const gd_job *job, const gd_instance *self,
                             gd_text *out)
{
  const gd_corpus *corpus = gd_job_corpus(job);
  const char *directory = gd_instance_directory(self);
  int64_t *order = NULL, *first = NULL, n_units, n = 0;
  gd_index_store *store = NULL;
  gd_text names = {0};
  if (corpus == NULL || strcmp(gd_instance_kind(self), "extract") != 0 ||
      gd_instance_upstream(self, "synth") != NULL || !gd_path_exists(directory))
    return GD_OK;
  gd_status st = gd_extract_deal(corpus, &order, &first, &n_units);
  if (st == GD_OK)
    st = gd_index_store_open(&directory, 1, corpus->n_videos, &store);
  if (st == GD_OK)
    st = compare(corpus, store, order, &n, &names);
  if (st == GD_OK && n > 0)
    gd_text_printf(out,
                   "%s: %" PRId64 " video%s changed in time since indexed, but "
                   "not in size or in samples of the content (%s%s); if the "
                   "content is another, remove %s",
                   gd_instance_title(self), n, n == 1 ? " has" : "s have",
                   gd_text_get(&names), n > MOST_NAMED ? ", ..." : "",
                   directory);
  if (st == GD_OK)
    st = gd_text_status(&names);
  gd_text_free(&names);
  gd_index_store_close(store);
  free(order);
  free(first);
  return st == GD_OK ? gd_text_status(out) : st;
}

gd_status gd_extract_touched_all(const gd_job *job, gd_text *out)
{
  gd_status st = GD_OK;
  for (int i = 0; st == GD_OK && i < gd_job_n_instances(job); i++) {
    const size_t before = out->length_bytes;
    st = gd_extract_touched(job, gd_job_instance(job, i), out);
    if (out->length_bytes > before)
      gd_text_add(out, "\n");
  }
  return st;
}
