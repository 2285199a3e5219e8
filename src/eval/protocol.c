#include "gradus/protocol.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"
#include "gradus/text.h"

const char *gd_protocol_name(gd_protocol p)
{
  static const char *const names[GD_N_PROTOCOLS] = {"video", "session"};
  assert(p >= 0 && p < GD_N_PROTOCOLS);
  return names[p];
}

typedef struct {
  gd_text text; /* subject, partition, id without the task */
  int64_t video;
} session_key;

/* Unit separators keep "a" + "bc" apart from "ab" + "c". */
static void compose_key(const gd_video *v, int64_t video, session_key *key)
{
  *key = (session_key){.video = video};
  gd_text_printf(&key->text, "%s\x1f%d\x1f", v->subject, (int)v->partition);
  const size_t task = strlen(v->task);
  const char *rest = v->id, *hit;
  while (task > 0 && (hit = strstr(rest, v->task)) != NULL) {
    gd_text_bytes(&key->text, rest, (size_t)(hit - rest));
    rest = hit + task;
  }
  gd_text_add(&key->text, rest);
  if (task == 0)
    gd_text_add(&key->text, "\x1f"); /* never the session of a video with one */
}

static int by_key(const void *a, const void *b)
{
  const session_key *x = a, *y = b;
  const int order = strcmp(gd_text_get(&x->text), gd_text_get(&y->text));
  return order != 0 ? order : (x->video > y->video) - (x->video < y->video);
}

/* Sorted keys stand in runs; the first video of a run names the session. */
static void number_sessions(int64_t n, const session_key *keys,
                            int64_t *session, int64_t *n_sessions)
{
  int64_t first = 0;
  for (int64_t i = 0; i < n; i++) {
    if (i > 0 &&
        strcmp(gd_text_get(&keys[i].text), gd_text_get(&keys[i - 1].text)) != 0)
      first = i;
    session[keys[i].video] = keys[first].video;
  }
  *n_sessions = 0;
  for (int64_t v = 0; v < n; v++)
    session[v] = session[v] == v ? (*n_sessions)++ : session[session[v]];
}

gd_status gd_protocol_sessions(int64_t n, const gd_video *const *videos,
                               int64_t *session, int64_t *n_sessions)
{
  assert(n >= 0 && n_sessions != NULL);

  *n_sessions = 0;
  session_key *keys = gd_alloc(n, sizeof *keys);
  if (keys == NULL)
    return GD_ERR_NOMEM;
  gd_status st = GD_OK;
  for (int64_t v = 0; v < n; v++) {
    compose_key(videos[v], v, &keys[v]);
    if (st == GD_OK)
      st = gd_text_status(&keys[v].text);
  }
  if (st == GD_OK) {
    if (n > 0)
      qsort(keys, (size_t)n, sizeof *keys, by_key);
    number_sessions(n, keys, session, n_sessions);
  }
  for (int64_t v = 0; v < n; v++)
    gd_text_free(&keys[v].text);
  free(keys);
  return st;
}

gd_status gd_protocol_means(int64_t n, const double *x, const int64_t *session,
                            int64_t n_sessions, double *mean)
{
  int64_t *count = gd_alloc(n_sessions, sizeof *count);
  if (count == NULL)
    return GD_ERR_NOMEM;
  for (int64_t s = 0; s < n_sessions; s++)
    mean[s] = 0;
  for (int64_t v = 0; v < n; v++) {
    mean[session[v]] += x[v];
    count[session[v]]++;
  }
  for (int64_t s = 0; s < n_sessions; s++)
    mean[s] /= (double)count[s];
  free(count);
  return GD_OK;
}
