#include "gradus/tracker.h"

#include <assert.h>

/* Following more faces one by one would take longer than a whole search. */
enum { MOST_FOLLOWED = 8 };

typedef struct {
  gd_face before[MOST_FOLLOWED]; /* faces of the frame before */
  int n_before;                  /* 0: search whole */
  gd_face last;   /* where the main face was seen last; size 0: nowhere */
  int64_t n_lost; /* frames since */
} state;

/* Return which face goes on with the main one; -1: none. */
static int go_on(const gd_face *last, const gd_face *faces, int n)
{
  double most = 0.5;
  int best = -1;
  for (int i = 0; i < n; i++) {
    const double overlap = gd_face_overlap(last, &faces[i]);
    if (overlap >= most) {
      most = overlap;
      best = i;
    }
  }
  return best;
}

/* Return which face of a whole frame is the main one; -1: none is large enough
 * to be. */
static int main_face(const gd_face *last, const gd_face *faces, int n)
{
  const double least = gd_face_size_px(last) / 2;
  double most = 0;
  int best = -1;
  for (int i = 0; i < n; i++) {
    const double size = gd_face_size_px(&faces[i]);
    const double score = (double)faces[i].confidence * size;
    if (size >= least && (best < 0 || score > most)) {
      most = score;
      best = i;
    }
  }
  return best;
}

/* Remember what a frame shows, for the next one. */
static void remember(state *t, const gd_face *faces, int n, int main_at)
{
  t->n_before = n <= MOST_FOLLOWED ? n : 0;
  for (int i = 0; i < t->n_before; i++)
    t->before[i] = faces[i];
  t->n_lost = main_at < 0 ? t->n_lost + 1 : 0;
  if (main_at >= 0)
    t->last = faces[main_at];
}

static gd_status search_frame(state *t, int64_t frame, int is_whole,
                              const gd_tracker_search *search, gd_subject *out)
{
  const gd_face *faces = NULL;
  int n = 0, main_at = -1;
  gd_status st = GD_OK;
  if (!is_whole && t->n_lost == 0 && t->n_before > 0) {
    st = search->search(search->context, frame, t->before, t->n_before, &faces,
                        &n);
    main_at = st == GD_OK ? go_on(&t->last, faces, n) : -1;
  }
  if (st == GD_OK && main_at < 0) {
    st = search->search(search->context, frame, NULL, 0, &faces, &n);
    main_at = st == GD_OK ? main_face(&t->last, faces, n) : -1;
  }
  if (st != GD_OK)
    return st;
  remember(t, faces, n, main_at);
  return gd_subject_append(out, faces, n);
}

gd_status gd_tracker_run(int64_t n_frames, int64_t search_every,
                         const gd_tracker_search *search, gd_subject *out)
{
  assert(n_frames >= 0 && search_every >= 1);
  assert(search != NULL && out != NULL);

  gd_status st = GD_OK;
  state t = {.n_before = 0};
  for (int64_t frame = 0; st == GD_OK && frame < n_frames; frame++) {
    if (t.n_lost >= search_every)
      t.last = (gd_face){.confidence = 0};
    st = search_frame(&t, frame, frame % search_every == 0, search, out);
  }
  return st;
}
