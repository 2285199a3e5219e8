#include "gradus/tracker.h"

#include <assert.h>

/* Following more faces would take longer than a whole search, at a smallest
 * face between 20 and 60 px. */
enum { MOST_FOLLOWED = 16 };

typedef struct {
  gd_face followed[MOST_FOLLOWED]; /* where each was seen last */
  int n_followed;                  /* 0: search whole */
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

/* Follow all faces of a whole search from now on. */
static void begin_following(state *t, const gd_face *faces, int n)
{
  t->n_followed = n <= MOST_FOLLOWED ? n : 0;
  for (int i = 0; i < t->n_followed; i++)
    t->followed[i] = faces[i];
}

/* Note where those are that were found: each face is the nearest of those that
 * are followed, and one that is no face's stays where it was. */
static void go_on_following(state *t, const gd_face *faces, int n)
{
  int taken[MOST_FOLLOWED] = {0};
  assert(n <= t->n_followed);
  for (int i = 0; i < n; i++) {
    double most = -1;
    int nearest = 0;
    for (int k = 0; k < t->n_followed; k++) {
      const double overlap = gd_face_overlap(&t->followed[k], &faces[i]);
      if (!taken[k] && overlap > most) {
        most = overlap;
        nearest = k;
      }
    }
    taken[nearest] = 1;
    t->followed[nearest] = faces[i];
  }
}

static gd_status search_frame(state *t, int64_t frame, int is_whole,
                              const gd_tracker_search *search, gd_subject *out)
{
  const gd_face *faces = NULL;
  int n = 0, main_at = -1;
  gd_status st = GD_OK;
  if (!is_whole && t->n_lost == 0 && t->n_followed > 0) {
    st = search->search(search->context, frame, t->followed, t->n_followed,
                        &faces, &n);
    main_at = st == GD_OK ? go_on(&t->last, faces, n) : -1;
    if (main_at >= 0)
      go_on_following(t, faces, n);
  }
  if (st == GD_OK && main_at < 0) {
    st = search->search(search->context, frame, NULL, 0, &faces, &n);
    if (st == GD_OK) {
      main_at = main_face(&t->last, faces, n);
      begin_following(t, faces, n);
    }
  }
  if (st != GD_OK)
    return st;
  t->n_lost = main_at < 0 ? t->n_lost + 1 : 0;
  if (main_at >= 0)
    t->last = faces[main_at];
  return gd_subject_append(out, faces, n);
}

gd_status gd_tracker_run(int64_t n_frames, int64_t search_every,
                         const gd_tracker_search *search, gd_subject *out)
{
  assert(n_frames >= 0 && search_every >= 1);
  assert(search != NULL && out != NULL);

  gd_status st = GD_OK;
  state t = {.n_followed = 0};
  for (int64_t frame = 0; st == GD_OK && frame < n_frames; frame++) {
    if (t.n_lost >= search_every)
      t.last = (gd_face){.confidence = 0};
    st = search_frame(&t, frame, frame % search_every == 0, search, out);
  }
  return st;
}
