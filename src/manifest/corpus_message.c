/* A corpus as bytes: one rank reads it, the others are told. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "corpus_list.h"
#include "gradus/memory.h"

enum { N_TEXTS = 5 };

static const char BEGINNING[] = "gradus corpus 1";

/* What follows the texts of a video. */
typedef struct {
  double label;
  int64_t partition, fold;
  gd_fingerprint fingerprint;
} numbers;

void gd_corpus_pack(const gd_corpus *c, gd_text *out)
{
  assert(c != NULL && out != NULL);

  gd_text_bytes(out, BEGINNING, sizeof BEGINNING);
  gd_text_bytes(out, &c->n_videos, sizeof c->n_videos);
  for (int64_t i = 0; i < c->n_videos; i++) {
    const gd_video *v = &c->videos[i];
    const char *const texts[N_TEXTS] = {v->id, v->path, v->landmarks,
                                        v->subject, v->task};
    for (int t = 0; t < N_TEXTS; t++)
      gd_text_bytes(out, texts[t], strlen(texts[t]) + 1);
    const numbers n = {v->label, (int64_t)v->partition, v->fold,
                       c->fingerprints[i]};
    gd_text_bytes(out, &n, sizeof n);
  }
}

typedef struct {
  const char *next, *end;
} reader;

/* Return whether there were so many bytes. */
static int take_bytes(reader *r, void *out, size_t size_bytes)
{
  if ((size_t)(r->end - r->next) < size_bytes)
    return 0;
  memcpy(out, r->next, size_bytes);
  r->next += size_bytes;
  return 1;
}

/* Return the text, or NULL at the end of the message. */
static const char *take_text(reader *r)
{
  const char *text = r->next;
  const char *zero = memchr(text, '\0', (size_t)(r->end - text));
  if (zero == NULL)
    return NULL;
  r->next = zero + 1;
  return text;
}

static gd_status cut_off(void)
{
  return gd_fail(GD_ERR_FORMAT, "the message of the corpus is cut off");
}

static gd_status take_video(reader *r, gd_corpus_list *l,
                            gd_fingerprint *fingerprint)
{
  const char *texts[N_TEXTS];
  numbers n;
  for (int t = 0; t < N_TEXTS; t++) {
    const char *text = take_text(r);
    if (text == NULL)
      return cut_off();
    texts[t] = gd_corpus_list_text(l, text);
    if (texts[t] == NULL)
      return GD_ERR_NOMEM;
  }
  if (!take_bytes(r, &n, sizeof n))
    return cut_off();
  *fingerprint = n.fingerprint;
  const gd_video video = {.id = texts[0],
                          .path = texts[1],
                          .landmarks = texts[2],
                          .subject = texts[3],
                          .task = texts[4],
                          .partition = (gd_partition)n.partition,
                          .label = n.label,
                          .fold = (int)n.fold};
  return gd_corpus_list_add(l, (gd_corpus_row){.video = video, .origin = ""});
}

static gd_status take_videos(reader *r, int64_t n, gd_corpus_list *l,
                             gd_corpus **out)
{
  gd_fingerprint *fingerprints = gd_alloc(n, sizeof *fingerprints);
  gd_status st = fingerprints == NULL ? GD_ERR_NOMEM : GD_OK;
  for (int64_t i = 0; st == GD_OK && i < n; i++)
    st = take_video(r, l, &fingerprints[i]);
  if (st == GD_OK)
    st = gd_corpus_list_finish(l, out);
  if (st == GD_OK && n > 0)
    memcpy((*out)->fingerprints, fingerprints,
           (size_t)n * sizeof *fingerprints);
  free(fingerprints);
  return st;
}

gd_status gd_corpus_unpack(const void *message, size_t size_bytes,
                           gd_corpus **out)
{
  assert(message != NULL && out != NULL);
  *out = NULL;

  reader r = {.next = message, .end = (const char *)message + size_bytes};
  const char *beginning = take_text(&r);
  int64_t n;
  if (beginning == NULL || strcmp(beginning, BEGINNING) != 0 ||
      !take_bytes(&r, &n, sizeof n) || n < 1 ||
      n > (int64_t)(size_bytes / sizeof(numbers)))
    return gd_fail(GD_ERR_FORMAT, "not the message of a corpus");
  gd_corpus_list l;
  gd_status st = gd_corpus_list_new("corpus", 0, &l);
  if (st != GD_OK)
    return st;
  st = take_videos(&r, n, &l, out);
  gd_corpus_list_end(&l, st);
  return st;
}
