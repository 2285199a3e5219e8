#include "gradus/subject.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradus/memory.h"

struct gd_subject {
  gd_face *faces; /* of all frames, one after the other */
  int64_t n_faces, room_faces;
  int64_t *first; /* (n_frames + 1): where the faces of each frame begin */
  int64_t n_frames, room_first;
  double *score;     /* (n_faces): of the best chain that ends here */
  int64_t *previous; /* (n_faces): the face before, or -1 */
  int64_t room_score, room_previous;
};

gd_status gd_missing_policy_of(const char *name, gd_missing_policy *out)
{
  static const char *const names[] = {"drop", "previous", "centre"};
  assert(name != NULL && out != NULL);
  for (int i = 0; i < 3; i++)
    if (strcmp(name, names[i]) == 0) {
      *out = (gd_missing_policy)i;
      return GD_OK;
    }
  return gd_fail(GD_ERR_USAGE,
                 "'%s' is no policy for frames without a face / drop, "
                 "previous or centre",
                 name);
}

gd_status gd_subject_new(gd_subject **out)
{
  assert(out != NULL);
  gd_subject *s = gd_alloc(1, sizeof *s);
  *out = s;
  if (s == NULL)
    return GD_ERR_NOMEM;
  gd_status st = gd_grow(&s->first, 1, &s->room_first, sizeof *s->first);
  if (st != GD_OK) {
    gd_subject_free(s);
    *out = NULL;
    return st;
  }
  s->first[0] = 0;
  return GD_OK;
}

void gd_subject_clear(gd_subject *s)
{
  assert(s != NULL);
  s->n_frames = s->n_faces = 0;
}

static gd_status grow_faces(gd_subject *s, int64_t need)
{
  gd_status st = gd_grow(&s->faces, need, &s->room_faces, sizeof *s->faces);
  if (st == GD_OK)
    st = gd_grow(&s->score, need, &s->room_score, sizeof *s->score);
  if (st == GD_OK)
    st = gd_grow(&s->previous, need, &s->room_previous, sizeof *s->previous);
  return st;
}

gd_status gd_subject_append(gd_subject *s, const gd_face *faces, int n)
{
  assert(s != NULL && n >= 0 && (faces != NULL || n == 0));

  gd_status st = grow_faces(s, s->n_faces + n);
  if (st == GD_OK)
    st = gd_grow(&s->first, s->n_frames + 2, &s->room_first, sizeof *s->first);
  if (st != GD_OK)
    return st;
  if (n > 0)
    memcpy(s->faces + s->n_faces, faces, (size_t)n * sizeof *faces);
  s->n_faces += n;
  s->first[++s->n_frames] = s->n_faces;
  return GD_OK;
}

/* -------------------------------------------------------------------- chain */

enum { MOST_PASSED = 32 }; /* frames with faces, one after the other */
static const double passing = 0.25, changing = 4; /* what they cost */

static double largest_size(const gd_subject *s)
{
  double largest = 0;
  for (int64_t i = 0; i < s->n_faces; i++)
    largest = fmax(largest, gd_face_size_px(&s->faces[i]));
  return largest;
}

/* What a face of a certain worth adds to a chain that goes on with it. */
static double gain_of(const gd_face *from, const gd_face *to, double worth)
{
  return gd_face_is_stranger(from, to)
             ? worth - changing
             : worth * (1 + gd_face_overlap(from, to));
}

/* Find the best chain that ends at face i of `frame`, before which there are
 * `n_before` frames with faces. */
static void end_chain(gd_subject *s, int64_t frame, int64_t i, int64_t n_before,
                      double largest)
{
  const gd_face *face = &s->faces[i];
  const double worth =
      largest > 0 ? (double)face->confidence * gd_face_size_px(face) / largest
                  : 0;
  double passed = 0;
  s->previous[i] = -1;
  s->score[i] = worth - passing * (double)n_before;
  for (int64_t f = frame - 1; f >= 0 && passed <= passing * MOST_PASSED; f--) {
    for (int64_t k = s->first[f]; k < s->first[f + 1]; k++) {
      const double score =
          s->score[k] + gain_of(&s->faces[k], face, worth) - passed;
      if (score > s->score[i]) {
        s->score[i] = score;
        s->previous[i] = k;
      }
    }
    passed += s->first[f] < s->first[f + 1] ? passing : 0;
  }
}

/* Best chain by dynamic programming over the frames that have faces; of equal
 * ones, the face that was offered first.  Returns its last face, or -1. */
static int64_t best_chain(gd_subject *s)
{
  const double largest = largest_size(s);
  int64_t best = -1, n_before = 0;
  double most = 0; /* of the chains that end before, as if they ended here */
  for (int64_t frame = 0; frame < s->n_frames; frame++) {
    const int64_t first = s->first[frame], end = s->first[frame + 1];
    if (first == end)
      continue;
    most -= passing;
    for (int64_t i = first; i < end; i++) {
      end_chain(s, frame, i, n_before, largest);
      if (best < 0 || s->score[i] > most) {
        most = s->score[i];
        best = i;
      }
    }
    n_before++;
  }
  return best;
}

/* ------------------------------------------------------------------- choice */

static void put_face(gd_face_info *info, const gd_face *face,
                     gd_face_status status)
{
  info->face = *face;
  info->status = status;
}

/* Put the faces of the chain where they are. */
static void put_chain(const gd_subject *s, int64_t last, gd_face_info *out)
{
  for (int64_t frame = s->n_frames - 1; frame >= 0; frame--) {
    const int64_t first = s->first[frame], end = s->first[frame + 1];
    out[frame] = (gd_face_info){.status = GD_FACE_MISSING};
    if (end - first > 1)
      out[frame].flags = GD_FACE_SEVERAL;
    if (last >= first && last < end) {
      put_face(&out[frame], &s->faces[last], GD_FACE_DETECTED);
      last = s->previous[last];
    }
  }
}

static int can_interpolate(const gd_face *a, const gd_face *b, int64_t steps)
{
  const double x =
      0.5 * ((double)a->box[0] + a->box[2] - b->box[0] - b->box[2]);
  const double y =
      0.5 * ((double)a->box[1] + a->box[3] - b->box[1] - b->box[3]);
  const double size = fmax(gd_face_size_px(a), gd_face_size_px(b));
  return !gd_face_is_stranger(a, b) && hypot(x, y) <= size * (double)steps;
}

static float between(float a, float b, double t)
{
  return (float)(a + t * ((double)b - a));
}

/* Fill the frames between two faces. */
static void interpolate(gd_face_info *out, int64_t from, int64_t to)
{
  const gd_face a = out[from].face, b = out[to].face;
  if (!can_interpolate(&a, &b, to - from))
    return;
  for (int64_t frame = from + 1; frame < to; frame++) {
    const double t = (double)(frame - from) / (double)(to - from);
    gd_face face = {.confidence = 0};
    for (int c = 0; c < 4; c++)
      face.box[c] = between(a.box[c], b.box[c], t);
    for (int i = 0; i < GD_N_LANDMARKS; i++)
      for (int c = 0; c < 2; c++)
        face.landmarks[i][c] = between(a.landmarks[i][c], b.landmarks[i][c], t);
    put_face(&out[frame], &face, GD_FACE_TRACKED);
  }
}

static void fill_gaps(int64_t n_frames, int64_t max_gap, gd_face_info *out)
{
  int64_t last = -1;
  for (int64_t frame = 0; frame < n_frames; frame++) {
    if (out[frame].status != GD_FACE_DETECTED)
      continue;
    if (last >= 0 && frame - last > 1 && frame - last - 1 <= max_gap)
      interpolate(out, last, frame);
    last = frame;
  }
}

/* Let `previous` or `centre` stand in for what is missing still. */
static void put_stand_ins(int64_t n_frames, const gd_subject_rules *rules,
                          gd_face_info *out)
{
  gd_face stand_in = rules->stand_in;
  int64_t frame = 0;
  if (rules->missing == GD_MISSING_DROP)
    return;
  if (rules->missing == GD_MISSING_PREVIOUS) {
    while (frame < n_frames && out[frame].status == GD_FACE_MISSING)
      frame++;
    if (frame == n_frames)
      return;
    stand_in = out[frame].face;
  }
  for (frame = 0; frame < n_frames; frame++) {
    stand_in.confidence = 0;
    if (out[frame].status == GD_FACE_MISSING)
      put_face(&out[frame], &stand_in, GD_FACE_FALLBACK);
    else if (rules->missing == GD_MISSING_PREVIOUS)
      stand_in = out[frame].face;
  }
}

void gd_subject_choose(gd_subject *s, const gd_subject_rules *rules,
                       gd_face_info *out)
{
  assert(s != NULL && rules != NULL && rules->max_gap >= 0);
  assert(out != NULL || s->n_frames == 0);

  put_chain(s, best_chain(s), out);
  fill_gaps(s->n_frames, rules->max_gap, out);
  put_stand_ins(s->n_frames, rules, out);
}

void gd_subject_free(gd_subject *s)
{
  if (s == NULL)
    return;
  free(s->faces);
  free(s->first);
  free(s->score);
  free(s->previous);
  free(s);
}
